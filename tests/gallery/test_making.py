"""What a piece's page says of the faces it was made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from artgen.gallery.making import making, process
from artgen.runs.candidate import Candidate, Stage

RECIPE = """
[source]
use = "faces"
people = {people}

[[steps]]
use = "translate"
model = "portrait-mix"

[[steps]]
use = "style"
style = "builtin:the-kiss"
"""


def candidate(folder: Path, strength: float = 0.3) -> Candidate:
    stages = [
        Stage(step, use, side, side, folder / f"{step}.webp")
        for step, use, side in (
            ("source", "faces", 16),
            ("translate", "translate", 128),
            ("style", "style", 128),
        )
    ]
    file = folder / "1.png"
    return Candidate(1, 1, file, file, 128, 128, "", {"style": {"strength": strength}}, tuple(stages))


@pytest.mark.parametrize(
    ("people", "credits"),
    [
        ('["builtin:portraits/raven", "anna/"]', ["portraits", "the-kiss"]),
        ('"builtin:portraits"', ["portraits", "the-kiss"]),
        ('["anna/", "ben/"]', ["the-kiss"]),
    ],
)
def test_portraits_that_ship_are_credited(tmp_path: Path, people: str, credits: list[str]) -> None:
    made = making(RECIPE.replace("{people}", people), candidate(tmp_path))
    assert [credit.name for credit in made.credits] == credits


def test_the_words_for_mixed_faces(tmp_path: Path) -> None:
    words = "16 px mixture of faces, redrawn by a neural network, style transfer"
    assert process(candidate(tmp_path)) == words


def test_a_style_of_no_strength_is_not_named(tmp_path: Path) -> None:
    bare = candidate(tmp_path, strength=0.0)
    assert process(bare) == "16 px mixture of faces, redrawn by a neural network"
    assert making(RECIPE.replace("{people}", '"anna/"'), bare).credits == ()
