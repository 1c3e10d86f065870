"""What several commands take alike: options, candidate numbers, sizes."""
