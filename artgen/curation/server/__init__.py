"""The local web server of the contact sheet."""
