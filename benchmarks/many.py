"""A run of thousands of candidates within seconds: a hundred pictures, linked under many numbers.

Every candidate has its own files by name, so a browser fetches and decodes each; only the disk holds
a hundred. Embeddings are the pictures' own with a little noise.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch

from artgen.imaging.embedding import EMBEDDING_NAME, embed_image
from artgen.imaging.image import resize
from artgen.imaging.io.files import write_png, write_preview
from artgen.recipe import load_recipe
from artgen.runs.candidate import (
    STAGE_PREVIEW_SIDE_PX,
    THUMBNAIL_SIDE_PX,
    Candidate,
    CandidateStage,
    candidate_png_path,
    stage_preview_path,
    thumbnail_path,
)
from artgen.runs.database import RunDatabase
from artgen.runs.lookup import DATABASE_FILE_NAME
from artgen.runs.store import Run

RECIPE = """\
title = "Five thousand"
seed = 2017
candidates = {count}

[source]
use = "crops"
size = {{ choice = [24, 32, 48] }}

[[steps]]
use = "grade"
contrast = {{ uniform = [0.0, 0.4] }}
warmth = {{ uniform = [-0.3, 0.3] }}
"""
DIFFERENT = 100
SHAPES = ((1024, 768), (768, 1024), (1024, 1024), (1024, 683))


def make_run(folder: Path, count: int, name: str = "many-5a5a5a5a") -> Path:
    """Make the run in ``folder/runs`` and return its folder.

    Args:
        folder: an empty one.
        count: how many candidates.
        name: of the run.
    """
    (folder / "many.toml").write_text(RECIPE.format(count=count), "utf-8")
    recipe = load_recipe(folder / "many.toml")
    place = folder / "runs" / name
    chance = np.random.default_rng(2017)
    with Run.create(place, recipe) as run:
        vectors = [_write(place, number) for number in range(1, min(count, DIFFERENT) + 1)]
        for number in range(1, count + 1):
            like = (number - 1) % DIFFERENT + 1
            if number != like:
                for file in (candidate_png_path, thumbnail_path):
                    os.link(file(place, like), file(place, number))
                os.link(
                    stage_preview_path(place, like, 0, "source"),
                    stage_preview_path(place, number, 0, "source"),
                )
                os.link(
                    stage_preview_path(place, like, 1, "grade"), stage_preview_path(place, number, 1, "grade")
                )
        run.save_embeddings(
            EMBEDDING_NAME, {number: _near(vectors, number, chance) for number in range(1, count + 1)}
        )
    database = RunDatabase(place / DATABASE_FILE_NAME)
    with database.transaction():  # a run adds each when it is made, and waits for the disk each time
        for number in range(1, count + 1):
            database.add_candidate(_candidate(place, number, chance))
    database.close()
    return place


def _near(vectors: list[np.ndarray], number: int, chance: np.random.Generator) -> np.ndarray:
    vector = vectors[(number - 1) % DIFFERENT]
    return (vector + chance.normal(0, 0.1 * float(vector.std()), vector.shape)).astype(np.float32)


def _shape(number: int) -> tuple[int, int]:
    return SHAPES[(number - 1) % DIFFERENT % len(SHAPES)]


def _write(place: Path, number: int) -> np.ndarray:
    width, height = _shape(number)
    chance = torch.Generator().manual_seed(number)
    forms = resize(torch.rand(3, 6, 8, generator=chance), (height, width))
    grain = resize(torch.rand(3, height // 4, width // 4, generator=chance), (height, width)) - 0.5
    image = (forms + 0.3 * grain).clamp(0, 1)
    write_preview(
        stage_preview_path(place, number, 0, "source"), resize(image, (32, 32)), STAGE_PREVIEW_SIDE_PX
    )
    write_preview(stage_preview_path(place, number, 1, "grade"), image, STAGE_PREVIEW_SIDE_PX)
    write_preview(thumbnail_path(place, number), image, THUMBNAIL_SIDE_PX)
    write_png(candidate_png_path(place, number), image, {})
    return embed_image(image)


def _candidate(place: Path, number: int, chance: np.random.Generator) -> Candidate:
    width, height = _shape(number)
    draws = {
        "source": {"size": int(chance.choice([24, 32, 48]))},
        "grade": {
            "contrast": round(float(chance.uniform(0, 0.4)), 4),
            "warmth": round(float(chance.uniform(-0.3, 0.3)), 4),
        },
    }
    stages = (
        CandidateStage("source", "crops", 32, 32, stage_preview_path(place, number, 0, "source")),
        CandidateStage("grade", "grade", width, height, stage_preview_path(place, number, 1, "grade")),
    )
    return Candidate(
        index=number,
        seed=2017,
        file=candidate_png_path(place, number),
        thumbnail=thumbnail_path(place, number),
        width=width,
        height=height,
        caption=f"After a thumbnail, candidate {number}",
        draws=draws,
        stages=stages,
        seconds=1.5,
    )
