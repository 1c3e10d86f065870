"""Options and arguments of commands: shared declarations, candidate numbers, sizes, times."""
