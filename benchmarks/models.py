"""Every shipped model by its figures, the bounds that it is held to, and its speed on one thread.

python benchmarks/models.py [NAME ...]                        by pictures that ship with artgen
python benchmarks/models.py NAME --data FOLDER [--held-out]   by others; of what it was trained on every 20th
python benchmarks/models.py --unet MINUTES --data FOLDER      an up-imager against a U-Net-256: see rivals.py
python benchmarks/models.py --mixer FOLDER                    whether mixed faces are one: see coherence.py

The bounds are meant for held-out pictures of the kind that a model learned from. The few that ship are of
another kind: many of the paintings are prints with outlines, and coherence is lower there.

Up-imagers are also drawn over tiles of 16 px in three passes: the gradient on the tiles' borders over that
elsewhere, and, because a border may fall on an outline, the same where no tile ends.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from clock import cpu_seconds
from coherence import told_apart
from rivals import compare

from artgen.imaging.metrics import grid_gradient_ratio
from artgen.imaging.tiles.bands import TensorReader, TensorWriter
from artgen.models.architectures.faststyle import FastStyleNet
from artgen.models.architectures.latent import LatentGenerator
from artgen.models.architectures.network import Network
from artgen.models.architectures.upimage import UpImager
from artgen.models.files import catalog, header
from artgen.models.files.checkpoint import load_model
from artgen.models.inference.upscaling import upscale_bands
from artgen.references import find_images
from artgen.training.evaluation.measure import measure_model
from artgen.training.evaluation.metrics import THREE_PASS_THUMBNAIL_PX, upscale_three_times
from artgen.training.evaluation.sample_images import default_image_reference, load_sample_squares
from artgen.training.material.images import split_validation

# Least and greatest that is right, by architecture and figure.
BOUNDS = {
    "upimage": {
        "swd": (0.0, 0.25),
        "coherence": (0.96, 1.04),
        "spectrum": (0.75, 1.33),
        "consistency": (28.0, math.inf),
        "diversity": (0.02, math.inf),
        "seam": (0.98, 1.02),
        "drift": (0.0, 2.0),
    }
}
ROUNDS, TILE, PASSED = 3, 16, 4


def told(name: str, data: Sequence[str], most: int) -> int:
    """Print a model's table; returns how many bounds do not hold."""
    file = catalog.find_model_file(name, Path())
    network = load_model(file).network
    bounds = BOUNDS.get(network.architecture, {})
    measured = measure_model(file, data, max_squares=most)
    where = f"{len(data)} held-out pictures" if len(data) > 1 else measured.measured_on
    print(f"\n{name}, on {where}")
    missed = 0
    for figure in measured.metrics:
        line = f"  {figure.label:58}{figure.value:9{figure.format_spec}}"
        if figure.name in bounds:
            low, high = bounds[figure.name]
            holds = low <= figure.value <= high
            missed += not holds
            right = f"{low:g} to {high:g}" if high < math.inf else f"at least {low:g}"
            line += f"   {right}{'' if holds else '   *** MISSED ***'}"
        print(line)
    if isinstance(network, UpImager):
        said = header.read_metadata(file)
        thumbnails = load_sample_squares(
            list(data) or [default_image_reference(said)], Path(), PASSED
        ).to_batch(THREE_PASS_THUMBNAIL_PX)
        tiled, whole = borders(network, thumbnails)
        print(f"  {'gradient on borders of tiles over elsewhere, third pass':58}{tiled:9.3f}", end="")
        print(f"   drawn in one piece {whole:.3f}")
    print(
        f"  {'ms for a megapixel, one thread':58}"
        f"{speed(network, header.training_side(header.read_metadata(file))):9.0f}"
    )
    return missed


@torch.inference_mode()
def borders(network: UpImager, thumbnails: torch.Tensor) -> tuple[float, float]:
    """Return the grid of tiles in the third pass over tiles, and in one without."""
    drawn = [
        torch.stack([upscale_three_times(network, thumbnail, tile) for thumbnail in thumbnails])
        for tile in (TILE, None)
    ]
    tiled, whole = (grid_gradient_ratio(pictures, TILE * network.config.scale) for pictures in drawn)
    return tiled, whole


@torch.inference_mode()
def speed(network: Network, side: int | None) -> float:
    """CPU milliseconds for a megapixel of the result, the best of three."""
    run: Callable[[], object]
    if isinstance(network, UpImager):
        scale = network.config.scale
        size, image = 512, torch.rand(3, 512 // scale, 512 // scale)

        def run() -> None:
            upscale_bands(network, TensorReader(image), TensorWriter(size, size), noise=1.0, seed=1)

    elif isinstance(network, LatentGenerator):
        size, latent = network.config.side, torch.randn(1, network.config.latent)

        def run() -> None:
            network(latent)

    else:
        size = side or 256
        channels = 3 if isinstance(network, FastStyleNet) else network.config.inputs
        picture = torch.rand(1, channels, size, size).to(memory_format=torch.channels_last)

        def run() -> None:
            network(picture)

    return min(cpu_seconds(run, ROUNDS)) / size**2 * 1e9


def held_out(folders: Sequence[str]) -> list[str]:
    """Return the pictures of a training's folders that it did not learn from."""
    files = [file for folder in folders for file in find_images(folder, Path())]
    return [str(files[place]) for place in split_validation(files)[1]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--data", action="append", default=[], metavar="FOLDER")
    parser.add_argument("--held-out", action="store_true", help="only every 20th picture of --data")
    parser.add_argument("--most", type=int, default=16, help="squares of pictures")
    parser.add_argument("--unet", type=float, metavar="MINUTES")
    parser.add_argument("--ngf", type=int, default=64, help="width of the U-Net; 64 is as published")
    parser.add_argument("--mixer", metavar="FOLDER", help="of faces")
    parser.add_argument("--seconds", type=float, default=60, help="for --mixer: of the judge's training")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    if arguments.unet:
        compare(arguments.unet, arguments.data or ["builtin:textures"], arguments.ngf)
    elif arguments.mixer:
        told_apart(arguments.mixer, arguments.seconds)
    else:
        data = held_out(arguments.data) if arguments.held_out else arguments.data
        missed = sum(
            told(name, data, arguments.most) for name in arguments.names or catalog.shipped_model_names()
        )
        print(f"\n{missed} bounds missed" if missed else "\nall bounds hold")


if __name__ == "__main__":
    main()
