"""Every family: a training killed in the middle and resumed ends as an uninterrupted one, bit for bit."""

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

from artgen.events import ignore_event
from artgen.training.engine.checkpoints import Checkpoints
from artgen.training.engine.loop import train
from artgen.training.recipes import FAMILIES
from artgen.training.recipes.load import load_training_recipe
from artgen.training.session import TrainingJob, prepare_training
from tests.training.checks import assert_equal

SMALL = Path(__file__).parent / "small"


def test_every_family_has_a_small_recipe() -> None:
    assert {
        load_training_recipe(file).family for file in SMALL.glob("*.toml")
    } == FAMILIES.builtin_classes.keys()


@pytest.mark.slow  # by default only fast-style resumes: a test of its own kills it while it paints its pairs
@pytest.mark.parametrize("name", sorted(file.stem for file in SMALL.glob("*.toml")))
def test_killed_and_resumed_equals_undisturbed_bit_for_bit(tmp_path: Path, name: str) -> None:
    torch.set_num_threads(1)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    finish(name, whole)
    kill_after_a_checkpoint(name, broken)
    step = Checkpoints(broken, 2).latest_step()
    assert 0 < step < 60  # killed in the middle, not at the end
    finish(name, broken)
    states = [torch.load(f / "checkpoints" / "00000060.pt", weights_only=True) for f in (whole, broken)]
    for part in ("networks", "averages", "optimisers", "extra"):
        assert_equal(states[0][part], states[1][part])


@pytest.mark.slow
def test_every_process_goes_on_with_what_it_remembers(tmp_path: Path) -> None:
    """CycleGAN has a pool of images for its critics, in each process another one."""
    recipe = tmp_path / "r.toml"
    text = (SMALL / "cyclegan.toml").read_text().replace("steps = 60", "steps = 16")
    recipe.write_text(text.replace("checkpoint_every = 25", "checkpoint_every = 8"))
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    command = [
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "artgen",
        "train",
    ]
    for folder in (whole, broken):
        if folder == broken:
            shutil.copytree(whole, broken)
            (broken / "checkpoints" / "00000016.pt").unlink()
        process = subprocess.run(
            [sys.executable, *command, str(recipe), "--folder", str(folder), "--device", "cpu"],
            capture_output=True,
            text=True,
        )
        assert process.returncode == 0, process.stderr
    states = [torch.load(f / "checkpoints" / "00000016.pt", weights_only=True) for f in (whole, broken)]
    assert len(states[0]["extra"]) == 2
    for part in ("networks", "averages", "optimisers", "extra"):
        assert_equal(states[0][part], states[1][part])


def finish(name: str, folder: Path) -> None:
    recipe = load_training_recipe(SMALL / f"{name}.toml")
    prepared = prepare_training(TrainingJob(recipe, folder, recipe_folder=SMALL), ignore_event)
    train(
        prepared.family,
        recipe,
        folder=folder,
        identity=prepared.identity,
        accelerator=prepared.accelerator,
        emit=ignore_event,
    )


def kill_after_a_checkpoint(name: str, folder: Path) -> None:
    command = [sys.executable, "-m", "artgen", "train", str(SMALL / f"{name}.toml"), "--folder", str(folder)]
    process = subprocess.Popen(
        [*command, "--device", "cpu", "--threads", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 120
    while not Checkpoints(folder, 2).latest_step() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    _, stderr = process.communicate()
    assert process.returncode == -signal.SIGKILL, stderr.decode()
