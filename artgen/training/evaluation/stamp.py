"""Figures written into a finished model: its file says them, and the card beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from artgen.imaging.io.files import atomic_write
from artgen.models.files import header
from artgen.training.engine.family import Measured

KEY = "metrics_shipped"
HEADING = "## Measured on what ships with artgen"


def label(file: Path, measured: Measured) -> None:
    """Put the figures into the model's file, its weights untouched, and into its card where there is one.

    Raises:
        ArtgenError: no model file, or it cannot be written.
    """
    atomic_write(file, header.relabelled(file, {KEY: json.dumps(rounded(measured))}))
    card = file.with_suffix(".md")
    if card.is_file():
        atomic_write(card, with_section(card.read_text("utf-8"), measured).encode())


def rounded(measured: Measured) -> dict[str, float]:
    """The figures as a model's file has them."""
    return {figure.name: round(figure.value, 4) for figure in measured.figures}


def with_section(card: str, measured: Measured) -> str:
    """The card with these figures in a section of their own, in place of what stood there.

    A new one comes before what the model is bad at, after the figures of its training.
    """
    rows = "\n".join(f"| {f.label} | {f.value:{f.form}} |" for f in measured.figures)
    on = f"On {measured.on}. `artgen models measure` computes them again."
    section = f"{HEADING}\n\n{on}\n\n| | |\n|---|---|\n{rows}\n\n"
    rest = re.sub(rf"{re.escape(HEADING)}\n.*?(?=^## |\Z)", "", card, flags=re.DOTALL | re.MULTILINE)
    place = re.search(r"^## (?!Measured)", rest, re.MULTILINE)
    where = place.start() if place else len(rest)
    return rest[:where] + section + rest[where:]
