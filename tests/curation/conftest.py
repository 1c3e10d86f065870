"""The sheet's tests share a run, a server and a browser's window."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from artgen.curation.server.embed_missing import fill
from artgen.runs.candidate import png_file, stage_file, thumbnail_file
from artgen.runs.store import Run
from tests.curation.served import Served
from tests.curation.sheets import Sheet, copied

COUNT, MADE = 40, 12
OTHERS = ((0, 1, 2), (1, 2, 0), (2, 0, 1), (1, 0, 2))


@pytest.fixture(scope="session")
def sheet_run(_made_runs: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 candidates; 2 and 3 are like 1, and 12 like 11."""
    made = _made_runs("abstracts-1a2b3c4d", ((96, 96),) * MADE, "Abstracts", "Candidate {index}")
    folder = copied(made, tmp_path_factory.mktemp("sheet"))
    with Run.open(folder) as run:
        for number in range(MADE + 1, COUNT + 1):
            like = run.candidate((number - 1) % MADE + 1)
            file, thumbnail = png_file(folder, number), thumbnail_file(folder, number)
            shutil.copyfile(like.file, file)
            with PIL.Image.open(like.thumbnail) as image:  # another picture, cheaply
                bands = image.convert("RGB").split()
                PIL.Image.merge("RGB", [bands[at] for at in OTHERS[number // MADE]]).rotate(90).save(
                    thumbnail
                )
            for at, stage in enumerate(like.stages):
                shutil.copyfile(stage.preview, stage_file(folder, number, at, stage.step))
            caption = f"Candidate {number}"
            run.add(replace(like, index=number, file=file, thumbnail=thumbnail, caption=caption))
    for number, like_number in ((2, 1), (3, 1), (12, 11)):
        shutil.copyfile(thumbnail_file(folder, like_number), thumbnail_file(folder, number))
    fill(folder)  # or each server would begin a process for it
    return folder


@pytest.fixture(scope="session")
def sheet_server(tmp_path_factory: pytest.TempPathFactory, sheet_run: Path) -> Iterator[Served]:
    server = Served(copied(sheet_run, tmp_path_factory.mktemp("sheet")))
    yield server
    server.stop()
    assert server.errors.read_text() == ""


@pytest.fixture(scope="session")
def _window(sheet_server: Served, chromium: Any) -> Iterator[Sheet]:
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    yield Sheet(context.new_page(), sheet_server).open(sheet_server.url)
    context.close()


@pytest.fixture
def sheet(_window: Sheet) -> Iterator[Sheet]:
    """The sheet with nothing decided; afterwards: no message in the console."""
    yield _window.reset()
    assert _window.complaints == []
