"""artgen: recipes that chain trained models into pictures, a contact sheet, and a gallery."""

__version__ = "0.1.0"
