"""An up-imager and a U-Net-256, trained from nothing on the same images for the same CPU time of one thread.

For ``models.py --unet``. Both learn by ``artgen.training``, each by its own recipe: ``first-8x``, and
``pix2pix-pixels`` with transposed convolutions and in the width asked for, 64 being as published. What a
recipe says of its course (warm-up, crops that grow, a falling rate) goes by the share of the time, not of the
steps.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from clock import cpu_seconds
from torch import Tensor

from artgen.events import ignore_event
from artgen.imaging.tiles.exact import TileWindow
from artgen.models.architectures.network import Network
from artgen.models.architectures.upimage import UpImager
from artgen.models.files.checkpoint import count_parameters
from artgen.models.inference.upscaling import tile_noise
from artgen.training.engine.ema import AveragedNetwork
from artgen.training.engine.family import ModelFamily
from artgen.training.engine.loop import run_step, seeded_dropout
from artgen.training.evaluation.metrics import realism_metrics, upscale_each
from artgen.training.families.upimage import UpImageTraining
from artgen.training.recipes import TrainingRecipe
from artgen.training.recipes.load import load_training_recipe
from artgen.training.session import TrainingJob, prepare_training

RECIPES = Path(__file__).parents[1] / "recipes" / "train"
SIDE, MOST, ROUNDS = 256, 48, 7
FINE = 10_000_000  # "steps": the share of the time done is told in so many


def recipe(name: str, **more: Any) -> TrainingRecipe:
    read = load_training_recipe(RECIPES / f"{name}.toml")
    return type(read).model_validate(read.model_dump() | more | {"steps": FINE, "precision": "fp32"})


def trained(job: TrainingJob, seconds: float) -> tuple[ModelFamily, Network, int]:
    """Return the family, its averaged generator, and how many steps it came to."""
    ready = prepare_training(job, ignore_event)
    family = ready.family
    generator = cast(Network, family.networks["generator"])
    average, number, begun = AveragedNetwork(generator, job.recipe.average), 0, time.process_time()
    while (done := (time.process_time() - begun) / seconds) < 1:
        with seeded_dropout(job.recipe.seed, number, family):
            run_step(family, family.draw_batch(int(done * FINE)), done, ready.accelerator, job.recipe.clip)
        number += 1
        average.update(number, generator, is_last=False)
    return family, average.network, number


def compare(minutes: float, data: Sequence[str], width: int) -> None:
    rivals = {
        "up-imager": recipe("first-8x"),
        f"U-Net-256, ngf {width}": recipe(
            "pix2pix-pixels", width=width, critic_width=width, rise="transposed", side=1024
        ),
    }
    made: dict[str, tuple[Network, int]] = {}
    with tempfile.TemporaryDirectory() as place:
        for number, (name, what) in enumerate(rivals.items()):
            job = TrainingJob(what, Path(place, str(number)), data=data, recipe_folder=RECIPES)
            family, network, steps = trained(job, minutes * 60)
            made[name] = network, steps
            if isinstance(family, UpImageTraining):
                pairs, held = family.pair_maker, family.dataset
        count = min(MOST, len(held.validation_images.pixels))
        inputs, real = pairs.validation_batch(count, SIDE, enlarge_inputs=False)
    bicubic = F.interpolate(inputs, size=real.shape[-2:], mode="bicubic", align_corners=False).clamp(0, 1)
    kind = "held-out" if held.held_out else "training"
    print(
        f"{minutes:g} CPU minutes each, {len(held.images.names)} images; {count} {kind} pictures of {SIDE} px"
    )
    for name, (network, steps) in made.items():
        pictures = paint(network, inputs)
        figures = realism_metrics(pictures, real, bicubic, "bicubic")
        said = ", ".join(f"{figure.name} {figure.value:.3f}" for figure in figures)
        count_ = f"{count_parameters(network) / 1e6:.1f} M parameters, {steps:,} steps"
        print(f"  {name:18}{said}; {tile_time(network, inputs[:1]) * 1e3:.0f} ms a tile; {count_}")


@torch.inference_mode()
def paint(network: Network, inputs: Tensor) -> Tensor:
    if isinstance(network, UpImager):
        return upscale_each(network, inputs, seed=1)
    enlarged = F.interpolate(inputs, size=(SIDE, SIDE), mode="nearest")
    return torch.cat([network(each[None]).clamp(0, 1) for each in enlarged])


@torch.inference_mode()
def tile_time(network: Network, thumbnail: Tensor) -> float:
    """Median CPU seconds of a tile of 256 px, by the bare network, noise made beforehand."""
    run: Callable[[], object]
    layout = {"memory_format": torch.channels_last}
    if isinstance(network, UpImager):
        window = TileWindow(0, 0, *thumbnail.shape[-2:])
        noise = tile_noise(network, [window], noise=1.0, seed=1)
        batch = thumbnail.to(**layout)

        def run() -> None:
            network(batch, noise)

    else:
        network.to(**layout)  # as a loaded model lies
        batch = F.interpolate(thumbnail, size=(SIDE, SIDE)).to(**layout)

        def run() -> None:
            network(batch)

    return statistics.median(cpu_seconds(run, ROUNDS))
