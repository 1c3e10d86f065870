"""``python -m artgen``."""

from artgen.cli import main

main()
