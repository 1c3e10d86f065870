"""Options and arguments that several commands share: candidate numbers, sizes, times."""
