"""The site on this computer."""
