"""``artgen vary`` and ``artgen run --more-like-picks`` as a person types them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from artgen.cli import app
from artgen.errors import ArtgenError
from artgen.locks import lock_folder
from artgen.runs.candidate import FIRST_VARIATION_NUMBER as FIRST
from artgen.runs.store import Run


def artgen(place: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "artgen", *arguments]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=240)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def told(place: Path, *arguments: str) -> Any:
    return json.loads(artgen(place, *arguments, "--json").stdout)


def only_run(place: Path) -> Path:
    (folder,) = (place / "runs").glob("tiny-*")
    return folder


@pytest.mark.slow
def test_variations_of_a_preview_stay_previews(project: Path) -> None:
    folder = Path(told(project, "run", "tiny.toml", "--preview", "-n", "1", "--workers", "1")["folder"])
    done = artgen(project, "vary", "tiny", "1", "-n", "1", "--workers", "1")
    assert done.stdout.startswith(f"{folder.name}: 1 made in ")
    assert done.stdout.splitlines()[0].endswith(f": {FIRST}")
    with Run.open(project / folder) as run:
        assert {(one.width, one.height) for one in run.candidates()} == {(48, 48)}


def test_a_run_at_work_is_left_to_make_them(sampled: Path) -> None:
    folder = only_run(sampled)
    with lock_folder(folder):
        done = artgen(sampled, "vary", "tiny", "2", "4", "-n", "2")
        assert (
            done.stdout
            == f"{folder.name}: requested {FIRST}-{FIRST + 3}; the artgen running there makes them\n"
        )
        waiting = told(sampled, "vary", "tiny", "--queued")
    assert (waiting["asked"], waiting["made"], waiting["queued"]) == ([], [], [FIRST + n for n in range(4)])
    with Run.open(folder) as run:
        assert run.queued_variations() == [(FIRST, 2), (FIRST + 1, 2), (FIRST + 2, 4), (FIRST + 3, 4)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["vary", "tiny"], "vary: nothing to vary, or too much; give numbers of candidates, or --queued"),
        (["vary", "tiny", "3", "--queued"], "nothing to vary, or too much"),
        (["vary", "tiny", "3", "99"], "no candidate 99; it has 1-6"),
        (["vary", "tiny", "100001"], "no candidate 100001; it has 1-6"),
        (["vary", "tiny", "x"], "vary x: 'x' is not a number; such as 3,7-9"),
        (["vary", "other", "3"], "no such run in runs; there are: tiny-"),
        (["run", "tiny.toml", "--only", "100001"], "candidate 100001: no variation of tiny-"),
        (
            ["run", "tiny.toml", "--more-like-picks"],
            "tiny.toml: no run in runs has picks; keep what you like first",
        ),
        (["run", "tiny.toml", "--more-like-picks", "--set", "steps.upscale.noise=9"], "steps.upscale.noise"),
    ],
)
def test_what_can_be_put_right_is_said(
    sampled: Path, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sampled)
    with pytest.raises(ArtgenError) as said:
        app(arguments, standalone_mode=False)
    assert message in str(said.value)
    with Run.open(only_run(sampled)) as run:
        assert run.queued_variations() == []


def test_numbers_out_of_range(sampled: Path) -> None:
    assert "try: artgen vary --help" in artgen(sampled, "vary", "tiny", "3", "-n", "0", code=2).stderr
    assert "try: artgen run --help" in artgen(sampled, "run", "tiny.toml", "-n", "100001", code=2).stderr


def test_a_missing_model_is_said_before_anything_is_asked_for(sampled: Path) -> None:
    (sampled / "tiny.safetensors").unlink()
    said = artgen(sampled, "vary", "tiny", "3", code=2).stderr
    assert f"{only_run(sampled)}/recipe.toml:12: steps.upscale.model: ".removeprefix(f"{sampled}/") in said
    with Run.open(only_run(sampled)) as run:
        assert run.queued_variations() == []


@pytest.mark.slow
def test_what_is_asked_for_survives_a_kill(sampled: Path) -> None:
    folder = only_run(sampled)
    command = [sys.executable, "-m", "artgen", "vary", "tiny", "3", "5", "-n", "4", "--workers", "1"]
    for count in (1, 3):
        if count > 1:
            command = [*command[:5], "--queued", "--workers", "1"]
        process = subprocess.Popen(command, cwd=sampled, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        end = time.monotonic() + 60
        while len(list(folder.glob("candidates/1000*.png"))) < count and time.monotonic() < end:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        with Run.open(folder) as run:
            waiting = {number for number, _ in run.queued_variations()}
            there = {candidate.index for candidate in run.candidates()}
        assert waiting | there == {*range(1, 7), *range(FIRST, FIRST + 8)}
        assert not waiting & there
    done = told(sampled, "vary", "tiny", "--queued")
    assert (done["queued"], done["failed"]) == ([], [])
    # None twice, none lost, and each as if nothing had happened.
    with Run.open(folder) as run:
        assert [candidate.index for candidate in run.candidates()][6:] == [*range(FIRST, FIRST + 8)]
    before = {file.name: file.read_bytes() for file in folder.glob("candidates/1000*.png")}
    shutil.rmtree(folder / "candidates")
    (folder / "candidates").mkdir()
    artgen(sampled, "run", "tiny.toml")
    assert {file.name: file.read_bytes() for file in folder.glob("candidates/1000*.png")} == before


@pytest.mark.slow
def test_more_like_picks(sampled: Path) -> None:
    artgen(sampled, "pick", "tiny", "2", "5")
    text = (sampled / "tiny.toml").read_text()
    arguments = ["run", "tiny.toml", "--more-like-picks", "-n", "2", "--preview", "--workers", "1"]
    first = told(sampled, *arguments)
    assert first["made"] == [1, 2]
    assert (sampled / "tiny.toml").read_text() == text
    narrowed = first["narrowed"]
    assert (narrowed["picks"], narrowed["runs"]) == (
        2,
        [next(r for r in os.listdir(sampled / "runs") if r in narrowed["runs"])],
    )
    fields = {row["field"]: row for row in narrowed["fields"]}
    assert fields.keys() == {"steps.upscale.noise", "steps.grade.saturation"}
    stored = tomllib.loads((sampled / first["folder"] / "recipe.toml").read_text())
    assert stored["seed"] == narrowed["seed"] != 5
    with Run.open(next(iter((sampled / "runs").glob(narrowed["runs"][0])))) as run:
        kept = [run.candidate(index).draws["upscale"]["noise"] for index in (2, 5)]
    low, high = stored["steps"][0]["noise"]["uniform"]
    assert [low, high] == fields["steps.upscale.noise"]["after"]["uniform"]
    assert 0.2 <= low <= min(kept) <= max(kept) <= high <= 1.0
    assert all(low <= one["draws"]["upscale"]["noise"] <= high for one in first["candidates"])
    # The same picks go on with the same run; picks in it count, too, and lead on to another.
    done = artgen(sampled, *arguments)
    assert done.stdout.startswith("narrowed by 2 picks of 1 run")
    assert "nothing to make, 2 candidates in" in done.stdout
    artgen(sampled, "pick", first["run"], "1")
    again = artgen(sampled, *arguments[:3], "--only", "1", "--seed", "8", "--workers", "1")
    assert "narrowed by 3 picks of 2 runs" in again.stdout
    newest = told(sampled, "runs")[0]
    assert tomllib.loads((sampled / newest["folder"] / "recipe.toml").read_text())["seed"] == 8


def test_a_film_leaves_variations_out(finished_run: Callable[..., Path], tmp_path: Path) -> None:
    with Run.open(finished_run(shapes=[(96, 96)] * 3)) as run:
        run.add_candidate(replace(run.candidate(2), index=FIRST, variation_of=2))
        assert len(run.candidates()) == 4
    film = told(tmp_path, "film", "abstracts")
    assert film["frames"] == 3


def test_a_recipe_that_draws_nothing_has_nothing_to_narrow(project: Path) -> None:
    (project / "still.toml").write_text('[source]\nuse = "crops"\n')
    said = artgen(project, "run", "still.toml", "--more-like-picks", code=2).stderr
    assert said.startswith("still.toml: draws nothing, so that nothing can be narrowed; a range or a choice")
