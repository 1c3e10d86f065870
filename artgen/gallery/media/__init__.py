"""Files that a site shows of each artwork: renditions, original, zoom tiles, film and their metadata."""
