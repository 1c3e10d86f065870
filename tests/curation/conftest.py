"""Fixtures of the contact sheet's tests: one shared run, server and browser window."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from artgen.curation.server.embed_missing import embed_missing
from artgen.runs.candidate import candidate_png_path, stage_preview_path, thumbnail_path
from artgen.runs.store import Run
from tests.curation.served import CurateProcess
from tests.curation.sheets import SheetTab, copy_run

CANDIDATE_COUNT, DRAWN_COUNT = 40, 12
CHANNEL_ORDERS = ((0, 1, 2), (1, 2, 0), (2, 0, 1), (1, 0, 2))


@pytest.fixture(scope="session")
def sheet_run(_made_runs: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 candidates; 2 and 3 are near-duplicates of 1, and 12 of 11."""
    source_folder = _made_runs(
        "abstracts-1a2b3c4d", ((96, 96),) * DRAWN_COUNT, "Abstracts", "Candidate {index}"
    )
    folder = copy_run(source_folder, tmp_path_factory.mktemp("sheet"))
    with Run.open(folder) as run:
        for number in range(DRAWN_COUNT + 1, CANDIDATE_COUNT + 1):
            original = run.candidate((number - 1) % DRAWN_COUNT + 1)
            file, thumbnail = candidate_png_path(folder, number), thumbnail_path(folder, number)
            shutil.copyfile(original.file, file)
            with PIL.Image.open(original.thumbnail) as image:  # another picture, cheaply
                channels = image.convert("RGB").split()
                PIL.Image.merge(
                    "RGB", [channels[index] for index in CHANNEL_ORDERS[number // DRAWN_COUNT]]
                ).rotate(90).save(thumbnail)
            for stage_index, stage in enumerate(original.stages):
                shutil.copyfile(stage.preview, stage_preview_path(folder, number, stage_index, stage.step))
            caption = f"Candidate {number}"
            run.add_candidate(
                replace(original, index=number, file=file, thumbnail=thumbnail, caption=caption)
            )
    for number, original_number in ((2, 1), (3, 1), (12, 11)):
        shutil.copyfile(thumbnail_path(folder, original_number), thumbnail_path(folder, number))
    embed_missing(folder)  # otherwise each server would start a process for it
    return folder


@pytest.fixture(scope="session")
def sheet_server(tmp_path_factory: pytest.TempPathFactory, sheet_run: Path) -> Iterator[CurateProcess]:
    server = CurateProcess(copy_run(sheet_run, tmp_path_factory.mktemp("sheet")))
    yield server
    server.stop()
    assert server.stderr_path.read_text() == ""


@pytest.fixture(scope="session")
def _window(sheet_server: CurateProcess, chromium: Any) -> Iterator[SheetTab]:
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    yield SheetTab(context.new_page(), sheet_server).open(sheet_server.url)
    context.close()


@pytest.fixture
def sheet(_window: SheetTab) -> Iterator[SheetTab]:
    """The sheet with nothing decided; checks afterwards that the console has no message."""
    yield _window.reset()
    assert _window.console_messages == []
