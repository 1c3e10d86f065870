"""A sheet as one file to mail, and the picks that come back."""
