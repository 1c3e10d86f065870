"""Metrics of generated images against real ones, and all metrics of an up-imager."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.image import block_means, shrink
from artgen.imaging.metrics import (
    downscaled_psnr,
    grid_gradient_ratio,
    high_frequency_power,
    sliced_wasserstein_distances,
    structure_coherence,
)
from artgen.imaging.tiles.bands import TensorReader, TensorWriter
from artgen.imaging.tiles.exact import TileWindow
from artgen.models.architectures.upimage import UpImager
from artgen.models.inference.upscaling import tile_noise, upscale_bands
from artgen.training.engine.family import Evaluation, Metric
from artgen.training.material.images import Pixels
from artgen.training.material.material import TrainingDataset
from artgen.training.pairs import PairMaker

MAX_TEST_PX, MIN_TEST_PX = 256, 64  # side of the images that an up-imager is measured by
MAX_MEASURED_IMAGES = 128  # more would not change the metrics but fill the memory
MAX_DIVERSITY_IMAGES = 8  # generated a second time, with other noise
# Three passes start from thumbnails of this side; each pass's input is larger than the one before.
MAX_THREE_PASS_IMAGES, THREE_PASS_THUMBNAIL_PX, PASS_GROWTH_PX = 4, 32, 8
# Some of them are also generated in tiles, so small that the last pass has several.
MAX_TILED_IMAGES, TILE_PX = 2, 24
MIN_IMAGES_TO_HALVE = 4  # different images, to compare two halves of the real ones


def realism_metrics(generated: Tensor, real: Tensor, baseline: Tensor, baseline_name: str) -> list[Metric]:
    """Compare statistics of a model's images with those of real ones; see ``imaging/metrics.py``.

    Two halves of the real images are compared if there are at least 4 different ones. Distances relative to
    the baseline are left out if the baseline equals the real images.

    Args:
        generated: images of the model, ``(B, 3, H, W)``.
        real: real images, of the same shape.
        baseline: plain images of the same shape, whose patch-SWD is the unit of distances.
        baseline_name: name of the baseline, such as ``bicubic``.
    """
    baseline_distance = sum(sliced_wasserstein_distances(baseline, real))
    distances: list[Metric] = []
    if baseline_distance > 0:
        label = f"patch-SWD over that of {baseline_name} (0 is real)"
        distances.append(
            Metric("swd", label, sum(sliced_wasserstein_distances(generated, real)) / baseline_distance)
        )
    if baseline_distance > 0 and len({image.numpy().tobytes() for image in real}) >= MIN_IMAGES_TO_HALVE:
        even_count = len(real) // 2 * 2
        floor = (
            sum(sliced_wasserstein_distances(real[0:even_count:2], real[1:even_count:2])) / baseline_distance
        )
        distances.append(Metric("swd_floor", "the same between two halves of the real pictures", floor))
    return [
        *distances,
        Metric(
            "coherence",
            "structure-tensor coherence over real's",
            structure_coherence(generated) / max(structure_coherence(real), 1e-12),
        ),
        Metric(
            "spectrum",
            "power above half Nyquist over real's",
            high_frequency_power(generated) / max(high_frequency_power(real), 1e-12),
            ".2f",
        ),
    ]


def describe_test_set(count: int, noun: str, held_out: bool, sizes: str) -> str:
    """Describe a model's test images for its card: ``8 held-out pictures, 256 px``."""
    counted = f"{count} {'held-out ' if held_out else ''}{noun}{'' if count == 1 else 's'}"
    return f"{counted}{'' if held_out else ' it was trained on'}, {sizes}"


def evaluate_upimager(
    network: UpImager, pairs: PairMaker, dataset: TrainingDataset, device: str = "cpu"
) -> Evaluation:
    """Measure an up-imager by held-out images of up to 256 px, which it generates from their thumbnails."""
    held_out = dataset.validation_images.pixels
    count, side = min(MAX_MEASURED_IMAGES, len(held_out)), choose_side(held_out)
    inputs, real = pairs.validation_batch(count, side, enlarge_inputs=False)
    metrics = upimager_metrics(network, inputs, real, device)
    sizes = f"{inputs.shape[-1]} px to {side} px"
    return Evaluation(describe_test_set(count, "picture", dataset.held_out, sizes), metrics)


def choose_side(images: Sequence[Pixels]) -> int:
    """Return the side, px, of the squares by which an up-imager is measured.

    Where possible, no image is enlarged for it: a blurred image would count as real.
    """
    shortest = int(min(min(pixels.shape[:2]) for pixels in images))
    return max(MIN_TEST_PX, min(MAX_TEST_PX, shortest // MIN_TEST_PX * MIN_TEST_PX))


def upimager_metrics(network: UpImager, inputs: Tensor, real: Tensor, device: str = "cpu") -> list[Metric]:
    """Compute all metrics of an up-imager for its model card.

    Args:
        network: the up-imager, of scale ``s``.
        inputs: thumbnails ``(B, 3, h, w)``.
        real: the real images ``(B, 3, s*h, s*w)``.
        device: device of the network.
    """
    scale = network.config.scale
    bicubic = F.interpolate(inputs, scale_factor=scale, mode="bicubic", align_corners=False).clamp(0, 1)
    generated = upscale_each(network, inputs, seed=1, device=device)
    other_noise = upscale_each(network, inputs[:MAX_DIVERSITY_IMAGES], seed=2, device=device)
    noise_difference = float((generated[: len(other_noise)] - other_noise).abs().mean())
    thumbnails = block_means(inputs[:MAX_THREE_PASS_IMAGES], inputs.shape[-1] // THREE_PASS_THUMBNAIL_PX)
    untiled, tiled = (
        torch.stack([upscale_three_times(network, thumbnail, tile, device) for thumbnail in batch])
        for batch, tile in ((thumbnails, None), (thumbnails[:MAX_TILED_IMAGES], TILE_PX))
    )
    drift = float((untiled.mean((2, 3)) - thumbnails.mean((2, 3))).abs().max() * 255)
    seams = [grid_gradient_ratio(images, TILE_PX * scale) for images in (tiled, untiled[: len(tiled)])]
    return [
        *realism_metrics(generated, real, bicubic, "bicubic"),
        Metric("consistency", "reduced picture against input, dB", downscaled_psnr(generated, inputs), ".1f"),
        Metric("diversity", "mean difference of two noises", noise_difference),
        Metric(
            "grid", f"gradient on the {scale} px grid over elsewhere", grid_gradient_ratio(generated, scale)
        ),
        Metric("seam", "gradient on borders of tiles, over drawn in one piece", seams[0] / seams[1]),
        Metric("drift", "colour drift over three passes, 1/255", drift, ".2f"),
    ]


@torch.inference_mode()
def upscale_each(network: UpImager, inputs: Tensor, *, seed: int, device: str = "cpu") -> Tensor:
    """Upscale thumbnails one by one by an up-imager, each with its own noise.

    Args:
        network: the up-imager, of scale ``s``.
        inputs: ``(B, 3, h, w)``.
        seed: seed of the noise.
        device: device of the network.

    Returns:
        ``(B, 3, s*h, s*w)``, clamped to [0, 1], on the CPU.
    """
    images = []
    for index, thumbnail in enumerate(inputs):
        window = TileWindow(0, 0, thumbnail.shape[-2], thumbnail.shape[-1])
        noise = tile_noise(network, [window], noise=1.0, seed=seed * 100_003 + index)
        batch = thumbnail[None].to(device=device, memory_format=torch.channels_last)
        image = network(batch, [layer_noise.to(device) for layer_noise in noise])
        images.append(image.clamp(0, 1).cpu())
    return torch.cat(images)


def upscale_three_times(
    network: UpImager, thumbnail: Tensor, tile: int | None = None, device: str = "cpu"
) -> Tensor:
    """Upscale a thumbnail in three passes, each of which starts from the reduced output of the last.

    Args:
        network: the up-imager, of scale ``s``.
        thumbnail: ``(3, h, h)``.
        tile: side of the tiles of every pass, px of its input; by default there is only one tile.
        device: device of the network.

    Returns:
        ``(3, s * (h + 16), s * (h + 16))``.
    """
    image = thumbnail
    for pass_index in range(3):
        side = thumbnail.shape[-1] + PASS_GROWTH_PX * pass_index
        reader = TensorReader(shrink(image, (side, side)) if pass_index else image)
        writer = TensorWriter(side * network.config.scale, side * network.config.scale)
        upscale_bands(network, reader, writer, noise=1.0, seed=pass_index, device=device, tile=tile or side)
        image = writer.image.clamp_(0, 1)
    return image
