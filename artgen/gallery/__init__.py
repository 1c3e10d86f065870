"""The published site: picked candidates as pieces, each with how it was made."""
