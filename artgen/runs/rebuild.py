"""Rebuilding of a run's database from its pictures and the damaged database."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

from artgen.errors import ArtgenError
from artgen.imaging.io.files import read_image, write_preview
from artgen.runs.candidate import (
    CANDIDATES_FOLDER,
    THUMBNAIL_SIDE_PX,
    Candidate,
    CandidateRow,
    candidate_png_path,
    stage_preview_path,
    thumbnail_path,
)
from artgen.runs.database import RunDatabase
from artgen.runs.decisions import INDEXED_DECISIONS_FACT
from artgen.runs.lookup import DATABASE_FILE_NAME
from artgen.runs.provenance import read_provenance


def rebuild_database(folder: Path, file: Path | None = None) -> None:
    """Rebuild a run's database from its pictures, without decisions; the old one is kept under another name.

    The seconds that each candidate took are lost, since only the database had them. Facts and queued
    variations are copied as far as the old database can be read.

    Args:
        folder: the run's folder; the caller makes sure that no other process rebuilds it now.
        file: the database, if it is not in that folder.
    """
    file = file or folder / DATABASE_FILE_NAME
    facts, queued_variations = salvage_facts_and_variations(file)
    new_file = _with_suffix(file, ".new")
    for suffix in ("", "-wal", "-shm"):
        _with_suffix(new_file, suffix).unlink(missing_ok=True)
    database = RunDatabase(new_file, new=True)
    with database.transaction():
        for picture in sorted((folder / CANDIDATES_FOLDER).glob("*.png")):
            if picture.stem.isdecimal() and (candidate := recover_candidate(folder, int(picture.stem))):
                database.add_candidate(candidate)
        database.remove_invalid_candidates()
        for name, value in facts:
            if name != INDEXED_DECISIONS_FACT:
                database.write_fact(name, value)
        for number, parent, timestamp in queued_variations:
            database.queue_variation(number, parent, timestamp)
    database.close()
    move_database_aside(file)
    new_file.replace(file)


def recover_candidate(
    folder: Path, index: int, digest: str | None = None, seconds: float = 0.0
) -> Candidate | None:
    """Recover a candidate from its picture; None if that is missing, damaged or of another candidate.

    Stages without a preview are left out; a missing thumbnail is made again.

    Args:
        folder: the run's folder.
        index: the candidate's number.
        digest: digest of the recipe that must have made it; None accepts any.
        seconds: time it took to generate, if known.
    """
    file = candidate_png_path(folder, index)
    try:
        provenance = read_provenance(file)
        is_other = provenance.candidate != index or (digest and provenance.digest != digest)
        if is_other or not provenance.stages:
            return None
        thumbnail = thumbnail_path(folder, index)
        if not thumbnail.is_file() and os.access(folder, os.W_OK):
            thumbnail.parent.mkdir(exist_ok=True)
            write_preview(thumbnail, read_image(file), THUMBNAIL_SIDE_PX)
    except ArtgenError:
        return None
    stages = [
        [number, stage.step, stage.use, stage.width, stage.height]
        for number, stage in enumerate(provenance.stages)
        if stage_preview_path(folder, index, number, stage.step).is_file()
    ]
    row = CandidateRow(
        number=index,
        seed=provenance.seed,
        width=provenance.stages[-1].width,
        height=provenance.stages[-1].height,
        caption=provenance.caption,
        draws=json.dumps(provenance.draws),
        stages=json.dumps(stages),
        seconds=seconds,
        variation_of=provenance.variation_of,
    )
    return row.to_candidate(folder, {})


def salvage_facts_and_variations(
    database_file: Path,
) -> tuple[list[tuple[str, str]], list[tuple[int, int, str]]]:
    """Read facts and queued variations of a damaged database, as far as that is possible.

    Returns:
        Facts as name and value; variations as number, parent and time.
    """
    facts: list[Any] = []
    variations: list[Any] = []
    if database_file.is_file():
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(database_file)) as damaged,
        ):
            damaged.text_factory = lambda content: content.decode(errors="replace")
            facts.extend(damaged.execute("SELECT name, value FROM facts"))
            variations.extend(damaged.execute("SELECT number, parent, at FROM variations"))
    facts = [row for row in facts if [type(value) for value in row] == [str, str]]
    variations = [row for row in variations if [type(value) for value in row] == [int, int, str]]
    return facts, [row for row in variations if row[0] > row[1]]


def move_database_aside(database_file: Path) -> None:
    """Rename a run's damaged database and its journal to ``*.damaged-N``, to look at them later."""
    names = (f"{database_file.name}.damaged-{number}" for number in itertools.count(1))
    new_file = next(file for name in names if not (file := database_file.with_name(name)).exists())
    for suffix in ("", "-wal"):
        with contextlib.suppress(FileNotFoundError):
            _with_suffix(database_file, suffix).replace(_with_suffix(new_file, suffix))
    _with_suffix(database_file, "-shm").unlink(missing_ok=True)


def _with_suffix(database_file: Path, suffix: str) -> Path:
    return database_file.with_name(database_file.name + suffix)
