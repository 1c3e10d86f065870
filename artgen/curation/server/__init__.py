"""The contact sheet's server."""
