"""The real loop on real photographs, small: it learns, it resumes bit for bit, it says what is wrong."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from skimage import data

from artgen.errors import ArtgenError, Problems
from artgen.events import Event, TrainingStep, ignore
from artgen.models.checkpoint import load_model
from artgen.training.images import find_images, load_images, split
from artgen.training.loop import checkpoint_step
from artgen.training.session import load_training_recipe, run_training

RECIPE = """
family = "upimage"
title = "tiny"
description = "A test."
steps = {steps}
side = 512
width = 8
blocks = 2
widths = [8, 8, 8]
critic_width = 8
warm_up = 0.2
checkpoint_every = 5
sample_every = 1000
[[sizes]]
crop = 8
batch = 4
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("photographs")
    for name in ("astronaut", "coffee", "chelsea", "rocket"):
        Image.fromarray(getattr(data, name)()).save(place / f"{name}.png")
    return place


def recipe(place: Path, steps: int, name: str = "tiny.toml") -> Path:
    file = place / name
    file.write_text(RECIPE.format(steps=steps))
    return file


def command(recipe: Path, data: Path, out: Path) -> list[str]:
    train = [sys.executable, "-m", "artgen", "train", str(recipe), "--data", str(data)]
    return [*train, "--folder", str(out), "--device", "cpu", "--threads", "1"]


def test_losses_move_as_they_should(tmp_path: Path, folder: Path) -> None:
    events: list[Event] = []
    file = run_training(
        load_training_recipe(recipe(tmp_path, 120)),
        data=[folder],
        folder=tmp_path / "out",
        device="cpu",
        emit=events.append,
    )
    steps = [event for event in events if isinstance(event, TrainingStep)]
    assert steps[0].losses.keys() == {"l1", "consistency"}  # the warm-up is L1 only
    assert steps[-1].losses["critic"] < 2.0  # better than chance
    assert steps[-1].losses["spread"] > steps[2].losses["spread"]  # the noise matters more and more
    model = load_model(file)
    assert model.metadata["title"] == "tiny"
    assert "fingerprint" in file.with_suffix(".md").read_text()


def test_killed_and_resumed_equals_undisturbed_bit_for_bit(tmp_path: Path, folder: Path) -> None:
    toml = recipe(tmp_path, 40)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    subprocess.run(command(toml, folder, whole), check=True, capture_output=True)
    process = subprocess.Popen(
        command(toml, folder, broken), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not (broken / "checkpoint.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.poll() is None  # it was killed in the middle, not at the end
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert checkpoint_step(broken) < 40
    subprocess.run(command(toml, folder, broken), check=True, capture_output=True)
    states = [torch.load(f / "checkpoint.pt", weights_only=True) for f in (whole, broken)]
    for part in ("modules", "average"):
        assert_equal(states[0][part], states[1][part])
    models = [load_model(f / "tiny.safetensors") for f in (whole, broken)]
    assert models[0].metadata == models[1].metadata
    assert_equal(models[0].network.state_dict(), models[1].network.state_dict())


def test_interrupted_in_the_middle_of_a_step_saves_whole_steps(tmp_path: Path, folder: Path) -> None:
    toml, out = recipe(tmp_path, 400), tmp_path / "out"
    process = subprocess.Popen(command(toml, folder, out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not (out / "checkpoint.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"run the same command to go on" in said
    state = torch.load(out / "checkpoint.pt", weights_only=True)
    steps = {int(s["step"]) for o in state["optimisers"].values() for s in o["state"].values()}
    assert max(steps) == state["step"]  # no network is a step ahead of what the checkpoint says


def assert_equal(a: object, b: object) -> None:
    if isinstance(a, torch.Tensor):
        assert isinstance(b, torch.Tensor)
        assert torch.equal(a, b)
    elif isinstance(a, dict):
        assert isinstance(b, dict)
        assert a.keys() == b.keys()
        for key in a:
            assert_equal(a[key], b[key])
    else:
        assert a == b


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path, folder: Path) -> None:
    out = tmp_path / "out"
    for steps in (5, 6):
        loaded = load_training_recipe(recipe(tmp_path, steps))
        if steps == 5:
            run_training(loaded, data=[folder], folder=out, device="cpu", emit=ignore)
        else:
            with pytest.raises(ArtgenError, match="another training recipe"):
                run_training(loaded, data=[folder], folder=out, device="cpu", emit=ignore)


def test_every_problem_of_a_recipe_at_once(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('family = "upimage"\ntitle = "x"\nsteps = 0\nratee = 3\n')
    with pytest.raises(Problems) as found:
        load_training_recipe(file)
    text = str(found.value)
    assert "bad.toml:3: steps" in text
    assert "did you mean 'rate'" in text


def test_images_that_cannot_be_read_are_named_and_skipped(tmp_path: Path) -> None:
    Image.fromarray(data.coffee()).save(tmp_path / "good.png")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    images = load_images(find_images([tmp_path]), tmp_path / "cache", side=256)
    assert len(images.names) == 1
    assert "broken.jpg" in images.skipped[0]


def test_an_empty_folder_is_a_clear_message(tmp_path: Path) -> None:
    with pytest.raises(ArtgenError, match="no images"):
        find_images([tmp_path])


def test_every_twentieth_is_held_out_and_cuts_of_one_photograph_stay_together() -> None:
    files = [Path(f"C_{i:03d}_crop{j}.jpg") for i in range(40) for j in range(3)]
    training, held = split(files)
    assert {f.stem[:5] for f in held} == {"C_000", "C_020"}
    assert not {f.stem[:5] for f in held} & {f.stem[:5] for f in training}
