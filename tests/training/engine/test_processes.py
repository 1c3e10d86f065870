"""Two real processes over gloo learn what one with twice the batch size would."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

STEP = Path(__file__).parent / "one_step.py"
COMMON = """\
title = "two"
data = "builtin:textures"
side = 128
steps = 100
batch = {batch}
# A step this small moves no weight: Adam's first step has the size of the rate even where a gradient is 1e-9.
rate = 1e-12
"""
RECIPES = {
    "pix2pix": """\
family = "pix2pix"
crop = 32
generator = "resnet"
blocks = 2
width = 8
norm = "instance"
dropout = false
gan = "lsgan"
critic_width = 8
critic_layers = 2
""",
    "cyclegan": """\
family = "cyclegan"
inputs = "builtin:textures"
crop = 32
blocks = 1
width = 8
critic_width = 8
critic_layers = 2
pool = 0
""",
    "dcgan-r3": """\
family = "dcgan-r3"
size = 32
width = 8
critic_width = 8
""",
}
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]


@pytest.mark.slow
@pytest.mark.parametrize("family", ["pix2pix", "cyclegan", "dcgan-r3"])
def test_gradients_equal_those_of_one_process_with_the_double_batch(tmp_path: Path, family: str) -> None:
    alone = gradients(tmp_path, family, batch=4, processes=1)
    together = gradients(tmp_path, family, batch=2, processes=2)
    assert alone.keys() == together.keys()
    # Of all weights as one vector: a bias before a norm has a gradient of nothing but rounding.
    expected, actual = (torch.cat([part[name].flatten() for name in alone]) for part in (alone, together))
    assert (actual - expected).norm() < 1e-5 * expected.norm()


def gradients(folder: Path, family: str, *, batch: int, processes: int) -> dict[str, torch.Tensor]:
    recipe = folder / f"{processes}.toml"
    recipe.write_text(RECIPES[family] + COMMON.format(batch=batch))
    gradients_file = folder / f"{processes}.pt"
    run = [*TORCHRUN, str(processes)] if processes > 1 else [sys.executable]
    process = subprocess.run(
        [*run, str(STEP), str(recipe), str(folder / str(processes)), str(gradients_file)],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    saved: dict[str, Any] = torch.load(gradients_file, weights_only=True)
    assert saved["processes"] == processes
    return dict(saved["gradients"])


@pytest.mark.slow
def test_a_whole_training_in_two_processes_writes_one_model(tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text(RECIPES["dcgan-r3"] + COMMON.format(batch=2).replace("steps = 100", "steps = 6"))
    command = ["-m", "artgen", "train", str(recipe), "--folder", str(tmp_path / "out"), "--device", "cpu"]
    process = subprocess.run([*TORCHRUN, "2", *command], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert process.stdout.count("model:") == 1
    assert (tmp_path / "out" / "two.safetensors").is_file()
    assert [file.name for file in (tmp_path / "out" / "checkpoints").iterdir()] == ["00000006.pt"]
