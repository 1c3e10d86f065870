"""Pictures and films as a site shows them."""
