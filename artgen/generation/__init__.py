"""Generation of candidates from a recipe, by a coordinator and worker processes."""
