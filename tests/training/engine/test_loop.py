"""The training loop and session with the smallest up-imager: stops, refused checkpoints, bad losses."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from artgen.errors import ArtgenError, ValidationErrors
from artgen.events import Event, Note, TrainingStarted, TrainingStep, ignore_event
from artgen.locks import lock_folder
from artgen.models.files.checkpoint import load_model
from artgen.signals import STOP_SIGNALS
from artgen.training.engine.checkpoints import Checkpoints
from artgen.training.recipes.load import load_training_recipe
from artgen.training.session import TrainingJob, prepare_training, run_training

RECIPE = """\
family = "upimage"
title = "tiny"
steps = {steps}
side = 256
width = {width}
blocks = 1
widths = [8]
critic_width = 8
warm_up = 0.2
checkpoint_every = 5
sample_every = 1000
{more}
[[sizes]]
crop = 8
batch = 3
"""


def recipe(folder: Path, steps: int, width: int = 8, more: str = "") -> Path:
    file = folder / "tiny.toml"
    file.write_text(RECIPE.format(steps=steps, width=width, more=more))
    return file


def job(
    folder: Path, photographs: Path, steps: int, *, adopt: bool = False, width: int = 8, more: str = ""
) -> TrainingJob:
    loaded = load_training_recipe(recipe(folder, steps, width, more))
    return TrainingJob(loaded, folder / "out", data=[str(photographs)], adopt=adopt)


def command(recipe: Path, data: Path, out: Path, *more: str) -> list[str]:
    train = [sys.executable, "-m", "artgen", "train", str(recipe), "--data", str(data)]
    return [*train, "--folder", str(out), "--device", "cpu", "--threads", "1", *more]


def test_a_training_ends_with_model_card_picture_movie_and_the_newest_checkpoints(
    tmp_path: Path, photographs: Path
) -> None:
    events: list[Event] = []
    file, *others = run_training(job(tmp_path, photographs, 23), events.append)
    assert others == []
    assert load_model(file).metadata["family"] == "upimage"
    card = file.with_suffix(".md").read_text()
    assert "fingerprint" in card
    assert file.with_suffix(".webp").is_file()
    assert (tmp_path / "out" / "progress.mp4").stat().st_size > 1000
    assert [f.name for f in Checkpoints(tmp_path / "out", 2).list_files()] == ["00000020.pt", "00000023.pt"]
    assert any("only 4 images" in event.message for event in events if isinstance(event, Note))
    steps = [event.step for event in events if isinstance(event, TrainingStep)]
    assert steps == [5, 10, 15, 20, 23]


def test_a_finished_training_run_again_only_writes_its_model_again(tmp_path: Path, photographs: Path) -> None:
    training_job = job(tmp_path, photographs, 6)
    first = load_model(run_training(training_job, ignore_event)[0])
    events: list[Event] = []
    again = load_model(run_training(training_job, events.append)[0])
    assert not any(isinstance(event, TrainingStep) for event in events)
    for a, b in zip(first.network.state_dict().values(), again.network.state_dict().values(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
@pytest.mark.slow
@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_stopped_in_the_middle_of_a_step_it_saves_whole_steps(
    tmp_path: Path, photographs: Path, number: signal.Signals
) -> None:
    toml, out = recipe(tmp_path, 100_000), tmp_path / "out"
    process = subprocess.Popen(
        command(toml, photographs, out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 120
    while not Checkpoints(out, 2).latest_step() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130
    assert b"run the same command to resume" in stderr
    file = Checkpoints(out, 2).list_files()[-1]
    state = torch.load(file, weights_only=True)
    steps = {int(s["step"]) for s in state["optimisers"]["generator"]["state"].values()}
    assert steps == {state["reached"]["step"]} == {int(file.stem)}


@pytest.mark.skipif(os.name == "nt", reason="terminals as POSIX has them")
@pytest.mark.slow
def test_a_closed_terminal_loses_no_step(tmp_path: Path, photographs: Path) -> None:
    from tests.terminals import run_until_terminal_closes

    toml, out = recipe(tmp_path, 100_000), tmp_path / "out"
    text = toml.read_text().replace("checkpoint_every = 5", "checkpoint_every = 100_000")
    toml.write_text(text.replace("sample_every = 1000", "sample_every = 1"))
    code = run_until_terminal_closes(
        command(toml, photographs, out),
        lambda: len(list(out.glob("samples/*"))) > 2,
        tmp_path,
        os.environ | {"TERM": "xterm"},
    )
    assert code == 130
    step = Checkpoints(out, 2).latest_step()
    assert step > 0
    events: list[Event] = []
    run_training(job(tmp_path, photographs, step + 1, adopt=True), events.append)
    assert [event.step for event in events if isinstance(event, TrainingStarted)] == [step]


def test_a_changed_recipe_is_refused_or_adopted(tmp_path: Path, photographs: Path) -> None:
    run_training(job(tmp_path, photographs, 5), ignore_event)
    with pytest.raises(ArtgenError, match=r"another training \(steps was 5, is 8\)") as refused:
        run_training(job(tmp_path, photographs, 8), ignore_event)
    assert "--adopt" in str(refused.value)
    file = run_training(job(tmp_path, photographs, 8, adopt=True, more="rate = 1e-5"), ignore_event)[0]
    state = torch.load(Checkpoints(tmp_path / "out", 2).list_files()[-1], weights_only=True)
    assert state["reached"]["step"] == 8
    assert state["optimisers"]["generator"]["param_groups"][0]["base"] == 1e-5
    assert "changed at step 5" in file.with_suffix(".md").read_text()
    with pytest.raises(ArtgenError, match="step 8 is reached"):
        run_training(job(tmp_path, photographs, 5, adopt=True), ignore_event)
    with pytest.raises(ArtgenError, match="does not fit these networks"):
        run_training(job(tmp_path, photographs, 9, adopt=True, width=16), ignore_event)


def test_other_images_are_another_training(tmp_path: Path, photographs: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(photographs, mine)
    run_training(job(tmp_path, mine, 5), ignore_event)
    (mine / "rocket.png").unlink()
    with pytest.raises(ArtgenError, match=r"another training \(other images\)"):
        run_training(job(tmp_path, mine, 5), ignore_event)


def test_a_key_that_came_later_breaks_no_training(tmp_path: Path, photographs: Path) -> None:
    run_training(job(tmp_path, photographs, 5), ignore_event)
    file = Checkpoints(tmp_path / "out", 2).list_files()[-1]
    state = torch.load(file, weights_only=True)
    del state["reached"]["identity"]["recipe"]["critic_rate"]  # as if saved before the key was there
    torch.save(state, file)
    run_training(job(tmp_path, photographs, 5), ignore_event)


def test_one_training_at_a_time_in_a_folder(tmp_path: Path, photographs: Path) -> None:
    training_job = job(tmp_path, photographs, 5)
    training_job.folder.mkdir()
    message = "another artgen is at work there"
    with lock_folder(training_job.folder), pytest.raises(ArtgenError, match=message):
        run_training(training_job, ignore_event)


def test_a_movie_that_cannot_be_made_costs_no_model(tmp_path: Path, photographs: Path) -> None:
    events: list[Event] = []
    run_training(job(tmp_path, photographs, 5), ignore_event)
    next((tmp_path / "out" / "samples").iterdir()).write_bytes(b"no picture")
    assert run_training(job(tmp_path, photographs, 5), events.append)[0].is_file()
    assert any("no progress.mp4" in event.message for event in events if isinstance(event, Note))


def test_a_damaged_checkpoint_is_named(tmp_path: Path, photographs: Path) -> None:
    run_training(job(tmp_path, photographs, 5), ignore_event)
    file = Checkpoints(tmp_path / "out", 2).list_files()[-1]
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ArtgenError, match="not a checkpoint of artgen") as caught:
        run_training(job(tmp_path, photographs, 5), ignore_event)
    assert str(file) in str(caught.value)


def test_a_loss_that_is_no_number_stops_with_the_last_good_checkpoint(
    tmp_path: Path, photographs: Path
) -> None:
    run_training(job(tmp_path, photographs, 5), ignore_event)
    unstable_job = job(
        tmp_path, photographs, 400, adopt=True, more="rate = 0.1\ncritic_rate = 20.0\nclip = 1e30"
    )
    prepared = prepare_training(unstable_job, ignore_event)
    assert prepared.family.optimisers["generator"].param_groups[0]["lr"] == 0.1
    state = torch.load(Checkpoints(tmp_path / "out", 2).list_files()[-1], weights_only=True)
    # A weight that has become infinite: the next loss is not a number.
    state["networks"]["generator"]["paint.bias"] += torch.tensor([float("inf"), 0.0, 0.0])
    torch.save(state, tmp_path / "out" / "checkpoints" / "00000005.pt")
    with pytest.raises(ArtgenError, match="not a number") as caught:
        run_training(unstable_job, ignore_event)
    assert "last good checkpoint is step 5" in str(caught.value)
    assert "--adopt" in str(caught.value)
    assert Checkpoints(tmp_path / "out", 2).latest_step() == 5  # nothing broken was saved over it


def test_every_problem_of_a_recipe_at_once(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('family = "upimage"\ntitle = "x"\nsteps = 0\nratee = 3\n')
    with pytest.raises(ValidationErrors) as caught:
        load_training_recipe(file)
    text = str(caught.value)
    assert "bad.toml:3: steps" in text
    assert "did you mean 'rate'" in text


def test_an_unknown_family_is_named_with_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('title = "x"\nfamily = "upimag"\nsteps = 3\n')
    with pytest.raises(
        ValidationErrors, match=r"bad.toml:2: family: no family 'upimag'; did you mean 'upimage'"
    ):
        load_training_recipe(file)


def test_without_images_it_says_how_to_give_some(tmp_path: Path) -> None:
    training_job = TrainingJob(load_training_recipe(recipe(tmp_path, 5)), tmp_path / "out")
    with pytest.raises(ArtgenError, match="--data FOLDER"):
        run_training(training_job, ignore_event)
    assert not (tmp_path / "out" / "checkpoints").exists()
