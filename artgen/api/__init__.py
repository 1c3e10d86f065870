"""The functions of ``import artgen``: thin, typed calls of the rooms below."""
