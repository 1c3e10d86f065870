"""A run's database, made again from the pictures themselves and what else is left."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from artgen.errors import ArtgenError
from artgen.imaging.io.files import read_image, write_preview
from artgen.runs.candidate import (
    CANDIDATES,
    THUMBNAIL_SIDE,
    Candidate,
    Stage,
    png_file,
    stage_file,
    thumbnail_file,
)
from artgen.runs.database import Database
from artgen.runs.decisions import INDEXED
from artgen.runs.lookup import DATABASE
from artgen.runs.provenance import Provenance, read


def rebuild(folder: Path) -> None:
    """Make a run's database again from its pictures, without decisions; an old one is kept aside.

    What only the database knew, the seconds each candidate took, is lost; facts and variations that are
    asked for are saved where they can be read.

    Args:
        folder: the run's; no other process rebuilds it now.
    """
    file = folder / DATABASE
    facts, asked = salvaged(file)
    fresh = folder / f"{DATABASE}.new"
    set_aside(fresh, keep=False)
    database = Database(fresh, new=True)
    with database.together():
        for candidate in recovered(folder):
            database.add(candidate)
        for name, value in facts:
            if name != INDEXED:
                database.remember(name, value)
        for number, parent, at in asked:
            database.queue(number, parent, at)
    database.close()
    set_aside(file, keep=True)
    fresh.replace(file)


def recovered(folder: Path) -> Iterator[Candidate]:
    """Every candidate whose picture is in ``folder`` and says that it is that candidate."""
    for file in sorted((folder / CANDIDATES).glob("*.png")):
        if file.stem.isdecimal() and (candidate := recover(folder, int(file.stem))):
            yield candidate


def recover(folder: Path, index: int, digest: str | None = None, seconds: float = 0.0) -> Candidate | None:
    """Candidate ``index`` from its picture, or None if that is missing, damaged or another's.

    Stages without a preview are left out; a missing thumbnail is made again.

    Args:
        folder: the run's folder.
        index: the candidate's number.
        digest: of the recipe that must have made it; None accepts any.
        seconds: what it took, if that is known.
    """
    file = png_file(folder, index)
    try:
        provenance = read(file)
        if provenance.candidate != index or (digest and provenance.digest != digest):
            return None
        thumbnail = thumbnail_file(folder, index)
        if not thumbnail.is_file():
            thumbnail.parent.mkdir(exist_ok=True)
            write_preview(thumbnail, read_image(file), THUMBNAIL_SIDE)
    except ArtgenError:
        return None
    return described(folder, provenance, seconds)


def described(folder: Path, provenance: Provenance, seconds: float = 0.0) -> Candidate | None:
    """The candidate that ``provenance`` describes; None without stages."""
    if not provenance.stages:
        return None
    index = provenance.candidate
    stages = (
        Stage(stage.step, stage.use, stage.width, stage.height, stage_file(folder, index, number, stage.step))
        for number, stage in enumerate(provenance.stages)
    )
    return Candidate(
        index=index,
        seed=provenance.seed,
        file=png_file(folder, index),
        thumbnail=thumbnail_file(folder, index),
        width=provenance.stages[-1].width,
        height=provenance.stages[-1].height,
        caption=provenance.caption,
        draws=provenance.draws,
        stages=tuple(stage for stage in stages if stage.preview.is_file()),
        seconds=seconds,
        variation_of=provenance.variation_of,
    )


def salvaged(database: Path) -> tuple[list[tuple[str, str]], list[tuple[int, int, str]]]:
    """Facts, and the variations asked for, of a database that is given up, as far as they can be read."""
    found: tuple[list[Any], list[Any]] = ([], [])
    if not database.is_file():
        return found
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(database)) as old:
        found[0].extend(old.execute("SELECT name, value FROM facts"))
        found[1].extend(old.execute("SELECT number, parent, at FROM variations"))
    facts = [row for row in found[0] if all(isinstance(part, str) for part in row)]
    asked = [row for row in found[1] if [type(part) for part in row] == [int, int, str]]
    return facts, asked


def set_aside(database: Path, *, keep: bool) -> None:
    """Take a database and its journals out of the way: renamed to ``*.damaged-N``, or removed."""
    number = 1
    while keep and database.with_name(f"{database.name}.damaged-{number}").exists():
        number += 1
    for ending in ("", "-wal", "-shm"):
        file = database.with_name(database.name + ending)
        if keep and file.exists() and ending != "-shm":
            file.replace(database.with_name(f"{database.name}.damaged-{number}{ending}"))
        else:
            file.unlink(missing_ok=True)
