"""Local preview of a site: a web server that reloads pages when the site changes."""
