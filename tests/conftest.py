"""What tests of several rooms share: finished runs on disk, and a real browser."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from artgen.recipe import Recipe
    from artgen.runs.candidate import Candidate

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
RECIPE = """\
title = {title}
description = "Thumbnails, re-imagined."
seed = 2017
candidates = 12

[source]
use = "crops"
size = 32

[[steps]]
use = "style"
style = {{ choice = ["builtin:great-wave", "builtin:the-kiss"] }}
strength = {{ uniform = [0.3, 0.7] }}

[[steps]]
use = "grain"
amount = 0.1

[gallery]
caption = {caption}
"""


@pytest.fixture(autouse=True)
def _denormals() -> Iterator[None]:
    """Training in the test's own process flushes them; Hypothesis then refuses to draw floats."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def _made_runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    made: dict[tuple[Any, ...], Path] = {}

    def make(name: str, shapes: Sequence[tuple[int, int]], title: str, caption: str) -> Path:
        key = (name, tuple(shapes), title, caption)
        if key not in made:
            made[key] = _make_run(tmp_path_factory.mktemp("made"), name, shapes, title, caption)
        return made[key]

    return make


@pytest.fixture
def finished_run(tmp_path: Path, _made_runs: Callable[..., Path]) -> Callable[..., Path]:
    """Make a run of small real pictures through the store, as a run of artgen leaves it."""
    from artgen.runs.store import Run

    def make(
        name: str = "abstracts-1a2b3c4d",
        shapes: Sequence[tuple[int, int]] = ((96, 96),) * 12,
        picks: Sequence[int] = (),
        title: str = "Abstracts",
        caption: str = "After a coffee thumbnail, candidate {index}",
    ) -> Path:
        """``shapes`` are (width, height) of each candidate."""
        folder = tmp_path / "runs" / name
        shutil.copytree(_made_runs(name, shapes, title, caption), folder)
        with Run.open(folder) as run:
            for index in picks:
                run.pick(index, True)
        return folder

    return make


def _make_run(place: Path, name: str, shapes: Sequence[tuple[int, int]], title: str, caption: str) -> Path:
    from artgen.recipe import load_recipe
    from artgen.runs.store import Run

    text = RECIPE.format(title=json.dumps(title), caption=json.dumps(caption))
    (place / "recipe.toml").write_text(text, "utf-8")
    recipe = load_recipe(place / "recipe.toml")
    folder = place / "runs" / name
    with Run.create(folder, recipe) as run:
        for index, (width, height) in enumerate(shapes, 1):
            run.add_candidate(_make_candidate(folder, recipe, index, width, height))
    return folder


def _make_candidate(folder: Path, recipe: Recipe, index: int, width: int, height: int) -> Candidate:
    import torch

    from artgen.imaging.image import resize
    from artgen.imaging.io.files import write_png, write_preview
    from artgen.runs.candidate import (
        THUMBNAIL_SIDE_PX,
        Candidate,
        CandidateStage,
        candidate_png_path,
        stage_preview_path,
        thumbnail_path,
    )
    from artgen.runs.provenance import Provenance, StageSize, UsedFile

    start = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(index))
    image = resize(start, (height, width)).clamp(0, 1)
    stages = []
    for number, (step, use) in enumerate([("source", "crops"), ("style", "style"), ("grain", "grain")]):
        stage = image if number else start
        preview = stage_preview_path(folder, index, number, step)
        write_preview(preview, stage, 1024)
        stages.append(CandidateStage(step, use, stage.shape[2], stage.shape[1], preview))
    draws = {"style": {"style": ["builtin:great-wave"], "strength": 0.3 + index / 100}}
    caption = recipe.caption(index, recipe.seed, "coffee")
    provenance = Provenance(
        format=1,
        recipe_name="recipe.toml",
        recipe=recipe.text,
        digest=recipe.digest(),
        seed=recipe.seed,
        candidate=index,
        preview=False,
        device="cpu",
        caption=caption,
        draws=draws,
        files=[UsedFile(name="artgen:style/builtin/great-wave.jpg", sha256="0f" * 32, size=7)],
        stages=[StageSize(step=s.step, use=s.use, width=s.width, height=s.height) for s in stages],
        versions={"artgen": "0.1.0"},
    )
    file, thumbnail = candidate_png_path(folder, index), thumbnail_path(folder, index)
    write_png(file, image, provenance.png_text())
    write_preview(thumbnail, image, THUMBNAIL_SIDE_PX)
    return Candidate(
        *(index, recipe.seed, file, thumbnail, width, height, caption), draws=draws, stages=tuple(stages)
    )


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A real browser; without one the test is skipped, in CI it fails."""
    from playwright.sync_api import sync_playwright

    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        reason = f"no browser found (looked for {', '.join(BROWSERS)}): install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        print(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Open a file in a fresh window; afterwards: no console message, no request that leaves the disk."""
    contexts, complaints = [], []

    def failed(request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # a click went on before a lazy picture had come
            complaints.append(f"{request.failure}: {request.url}")

    def open_(file: Path, width: int = 1400, height: int = 900, **settings: Any) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": height}, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("requestfailed", failed)
        page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(("file:", "data:", "blob:"))
                else complaints.append(f"request: {request.url}")
            ),
        )
        page.goto(file.resolve().as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


TINY = """\
title = "Tiny"
seed = 5
candidates = 6

[source]
use = "crops"
images = "pictures"
size = 24

[[steps]]
use = "upscale"
model = "tiny.safetensors"
scale = 4
noise = { uniform = [0.2, 1.0] }

[[steps]]
use = "grade"
saturation = { uniform = [0.8, 1.4] }

[[steps]]
use = "grain"
"""


@pytest.fixture(scope="session")
def _material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    from artgen.imaging.image import resize
    from artgen.imaging.io.files import write_png
    from artgen.models.architectures.upimage import UpImager, UpImagerConfig
    from artgen.models.files.checkpoint import save_model

    place = tmp_path_factory.mktemp("material")
    (place / "tiny.toml").write_text(TINY, "utf-8")
    (place / "pictures").mkdir()
    chance = torch.Generator().manual_seed(1)
    for number in range(3):
        write_png(
            place / "pictures" / f"{number}.png", resize(torch.rand(3, 6, 6, generator=chance), (64, 64)), {}
        )
    network = UpImager(UpImagerConfig(width=8, blocks=1, widths=(8, 8, 8)))
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(torch.randn(weight.shape, generator=chance) * 0.1)
    save_model(place / "tiny.safetensors", network, {})
    return place


@pytest.fixture
def project(tmp_path: Path, _material: Path) -> Path:
    """A folder with a recipe, ``tiny.toml``, its pictures and its small (untrained) model."""
    shutil.copytree(_material, tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture(scope="session")
def _reference(tmp_path_factory: pytest.TempPathFactory, _material: Path) -> Path:
    from artgen.events import ignore_event
    from artgen.generation.coordinator import RunRequest, generate_candidates
    from artgen.recipe import load_recipe

    place = tmp_path_factory.mktemp("reference") / "project"
    shutil.copytree(_material, place)
    generate_candidates(
        load_recipe(place / "tiny.toml"), RunRequest(runs_folder=place / "runs"), ignore_event
    )
    return place


@pytest.fixture
def sampled(tmp_path: Path, _reference: Path) -> Path:
    """The same folder after an undisturbed run of ``tiny.toml`` into ``runs``."""
    shutil.copytree(_reference, tmp_path / "sampled")
    return tmp_path / "sampled"
