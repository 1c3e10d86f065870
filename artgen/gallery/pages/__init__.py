"""HTML pages and feeds of a site, from templates and the data of its pieces."""
