"""Running networks over images tile by tile."""
