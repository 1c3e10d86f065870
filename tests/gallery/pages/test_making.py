"""What a piece's page says of the faces and paintings it was made of."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from artgen.gallery.pages.making import describe_making, describe_process
from artgen.runs.candidate import Candidate, CandidateStage
from artgen.runs.store import Run

ROOT = Path(__file__).parents[3]
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


# Nothing in it names a painting that it came from.
UNNAMED = """
candidates = 1

[source]
use = "photos"
images = ["builtin:paintings", "builtin:portraits"]
side = 16

[[steps]]
use = "style"
"""


def candidate(folder: Path, strength: float = 0.3) -> Candidate:
    stages = [
        CandidateStage(step, use, side, side, folder / f"{step}.webp")
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
    made = describe_making(RECIPE.replace("{people}", people), candidate(tmp_path))
    assert [credit.name for credit in made.credits] == credits


def test_the_words_for_mixed_faces(tmp_path: Path) -> None:
    words = "16 px mixture of faces, redrawn by a neural network, style transfer"
    assert describe_process(candidate(tmp_path)) == words


def test_a_style_of_no_strength_is_not_named(tmp_path: Path) -> None:
    bare = candidate(tmp_path, strength=0.0)
    assert describe_process(bare) == "16 px mixture of faces, redrawn by a neural network"
    assert describe_making(RECIPE.replace("{people}", '"anna/"'), bare).credits == ()


@pytest.mark.parametrize(
    ("step", "credits"),
    [
        ('use = "style"', ["great-wave"]),
        ('use = "style"\nstyle = "paintings/the-kiss.jpg"', []),
        (
            'use = "style"\nmethod = "net"\nstyle = ["the-kiss", "builtin:the-scream"]',
            ["the-kiss", "the-scream"],
        ),
        ('use = "style"\nmethod = "net"\nmodel = "mine.safetensors"\nstyle = "the-kiss"', []),
        ('use = "translate"\nmodel = "styles"', ["great-wave"]),
        (
            'use = "translate"\nmodel = "styles"\nstyle = [0, 0.5, 1, 0, 0, 0, 0, 0]',
            ["starry-night", "the-kiss"],
        ),
        ('use = "translate"\nmodel = "portrait-mix"', []),
        ('use = "mix"\nimages = "builtin:portraits/raven/"', ["portraits"]),
        ('use = "mix"\nimages = "builtin:portraits"\namount = 0', []),
        ('use = "gone"\nstyle = "builtin:the-kiss"', []),
    ],
)
def test_what_a_step_paints_after_is_credited(tmp_path: Path, step: str, credits: list[str]) -> None:
    made = describe_making(f"[[steps]]\nid = 'it'\n{step}", candidate(tmp_path))
    assert [credit.name for credit in made.credits] == credits


def test_of_a_choice_what_was_drawn_is_credited(tmp_path: Path) -> None:
    recipe = '[[steps]]\nuse = "style"\nmethod = "net"\nstyle = { choice = ["the-kiss", ["the-scream"]] }'
    drawn = replace(candidate(tmp_path), draws={"style": {"style": ["the-scream"]}})
    assert [credit.name for credit in describe_making(recipe, drawn).credits] == ["the-scream"]


def test_a_recipe_that_names_no_painting_credits_those_it_came_from(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(UNNAMED, "utf-8")
    subprocess.run(
        [sys.executable, "-m", "artgen", "run", "r.toml"],
        check=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    (folder,) = tmp_path.glob("runs/r-*")
    with Run.open(folder) as run:
        made = describe_making(run.recipe_text, run.candidate(1))
    assert [credit.name for credit in made.credits] == ["arlesiennes", "great-wave"]
