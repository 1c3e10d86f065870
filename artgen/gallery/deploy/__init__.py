"""Upload of a built site: to a branch for GitHub Pages, or by rsync."""
