"""Orders of the candidates, near-duplicates, and the artist's taste."""
