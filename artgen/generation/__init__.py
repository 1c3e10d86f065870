"""From a recipe to candidates: coordinator and workers."""
