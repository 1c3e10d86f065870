"""Building a site, from plan to switch-over."""
