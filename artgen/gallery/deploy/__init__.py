"""Where a site goes: folders, GitHub Pages, rsync."""
