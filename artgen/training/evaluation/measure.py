"""Measuring a finished model by images that ship with artgen, or by any others.

A training measures by its held-out images, which are on one machine only; here the model's file is enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import block_means
from artgen.imaging.inputs import add_texture_noise, prepare_input
from artgen.imaging.metrics import downscaled_psnr, luma_correlation, sliced_wasserstein_distances
from artgen.imaging.variety import diversity
from artgen.models.architectures.faststyle import FastStyleNet
from artgen.models.architectures.latent import LatentGenerator
from artgen.models.architectures.network import Network
from artgen.models.architectures.resnet import ResNet
from artgen.models.architectures.unet import UNet
from artgen.models.architectures.upimage import UpImager
from artgen.models.files import header
from artgen.models.files.checkpoint import LoadedModel, load_model
from artgen.references import BUILTIN_TEXTURES
from artgen.seeds import torch_generator
from artgen.style import library
from artgen.training.engine.family import Evaluation, Metric
from artgen.training.evaluation.metrics import MAX_TEST_PX, choose_side, realism_metrics, upimager_metrics
from artgen.training.evaluation.sample_images import (
    SampleSquares,
    default_image_reference,
    load_sample_squares,
)
from artgen.training.pairs import build_pair_maker
from artgen.training.recipes.pairs import AnyPairTable

MAX_MEASURED_SQUARES = 16  # metrics are then exact to a tenth, and testing all models takes seconds
MAX_CONTENT_SQUARES = 4  # each of which a fast-style network paints in every style


def measure_model(
    file: Path,
    data: Sequence[str] = (),
    *,
    recipe_folder: Path = Path(),
    max_squares: int = MAX_MEASURED_SQUARES,
    device: str = "cpu",
) -> Evaluation:
    """Measure a finished model, with the same metrics every time on one thread.

    Args:
        file: the model's file.
        data: names of images, as in a recipe; by default shipped images that fit the model.
        recipe_folder: folder that relative paths start from.
        max_squares: largest number of squares of the images.
        device: device of the network.

    Raises:
        ArtgenError: there are no such images, or the model was not trained by ``artgen train``.
    """
    model: LoadedModel[Network] = load_model(file, device)
    network, metadata = model.network, model.metadata
    references = list(data) or [default_image_reference(metadata)]
    with torch.inference_mode():
        match network:
            case UpImager():
                # At half their size, as in a training: the model need not invent detail that the camera
                # blurred.
                real = load_sample_squares(references, recipe_folder, max_squares, max_side=2 * MAX_TEST_PX)
                side, scale = choose_side(real.squares), network.config.scale
                images = real.to_batch(side)
                metrics = upimager_metrics(network, block_means(images, scale), images, device)
                return Evaluation(f"{real}, {side // scale} px to {side} px", metrics)
            case LatentGenerator():
                real = load_sample_squares(references, recipe_folder, 2 * max_squares)
                return _evaluate_latent_generator(network, real, device)
            case FastStyleNet():
                max_contents = min(max_squares, MAX_CONTENT_SQUARES)
                contents = load_sample_squares(references, recipe_folder, max_contents)
                return _evaluate_fast_style(network, contents, metadata, device)
            case UNet() | ResNet() if header.training_inputs(metadata):
                real = load_sample_squares(references, recipe_folder, max_squares)
                return _evaluate_pix2pix(network, real, metadata, device)
            case ResNet() if metadata.get("family") == "cyclegan":
                inputs = load_sample_squares([BUILTIN_TEXTURES], Path(), max_squares)
                real = load_sample_squares(references, recipe_folder, max_squares)
                return _evaluate_cyclegan(network, inputs, real, metadata, device)
    expected = "a model of `artgen train`: the file says how its inputs were made"
    raise ArtgenError(str(file), "nothing to measure it by", expected)


def _evaluate_latent_generator(network: LatentGenerator, real: SampleSquares, device: str) -> Evaluation:
    """Compare a generator's images from latents with as many real ones.

    Whether they copy training images can only be measured by a training.
    """
    side = network.config.side
    images = real.to_batch(side)
    latents = torch.randn((len(images), network.config.latent), generator=torch.Generator().manual_seed(0))
    generated = torch.cat([network(latent[None].to(device)).float().cpu() for latent in latents]).clamp(0, 1)
    mean_colours = images.mean((2, 3), keepdim=True).expand_as(images)
    metrics = [
        *realism_metrics(generated, images, mean_colours, "the flat mean colour"),
        Metric("diversity", "mean difference of two pictures over real ones'", diversity(generated, images)),
    ]
    return Evaluation(f"{len(generated)} pictures against {real}, {side} px", metrics)


def _evaluate_fast_style(
    network: FastStyleNet, contents: SampleSquares, metadata: dict[str, str], device: str
) -> Evaluation:
    """Measure a style network's distances to the paintings, to the contents and between styles."""
    side = header.training_side(metadata) or MAX_TEST_PX
    content_images = contents.to_batch(side)
    stylised = []  # one batch for each style
    for style in range(network.config.styles):
        weights = network.style_weights(style).to(device)
        images = [network(content[None].to(device), weights).float().cpu() for content in content_images]
        stylised.append(torch.cat(images))
    metrics = []
    if distances := [*_style_distances(stylised, content_images, header.style_names(metadata), side)]:
        label = "patch-SWD to the painting over the content's"
        metrics.append(Metric("style", label, sum(distances) / len(distances)))
    structure = sum(luma_correlation(batch, content_images) for batch in stylised) / len(stylised)
    metrics.append(Metric("structure", "correlation of light and dark with the content's", structure))
    if len(stylised) > 1:
        flattened = torch.stack([batch.flatten() for batch in stylised])
        style_difference = float(F.pdist(flattened, p=1).mean()) / flattened.shape[1]
        metrics.append(Metric("apart", "mean difference of two styles", style_difference))
    return Evaluation(f"{contents} in {len(stylised)} styles, {side} px", metrics)


def _style_distances(
    stylised: list[Tensor], contents: Tensor, style_names: list[str], side: int
) -> Iterator[float]:
    """Yield for each style of a shipped painting the patch-SWD to it, relative to that of the contents."""
    for images, name in zip(stylised, style_names, strict=False):
        if name in library.painting_names():
            squares = load_sample_squares([str(library.painting_credit(name).file)], Path(), len(contents))
            painting = squares.to_batch(side)
            painting = painting.repeat(-(-len(contents) // len(painting)), 1, 1, 1)[: len(contents)]
            yield sum(sliced_wasserstein_distances(images, painting)) / sum(
                sliced_wasserstein_distances(contents, painting)
            )


def _evaluate_pix2pix(
    network: UNet | ResNet, real: SampleSquares, metadata: dict[str, str], device: str
) -> Evaluation:
    """Measure an image-to-image network by pairs made as in its training."""
    table = header.training_inputs(metadata)
    side = header.training_side(metadata) or MAX_TEST_PX
    try:
        pairs_table: AnyPairTable = TypeAdapter(AnyPairTable).validate_python(table)
    except ValidationError:
        raise ArtgenError("inputs", f"{table!r}"[:60], "a [pairs] table of `artgen train`") from None
    if pairs_table.needs_inputs_folder:
        raise ArtgenError("inputs", "pairs of two folders", "such a model is measured by its training only")
    pairs = build_pair_maker(pairs_table, real.as_dataset())
    inputs, targets = pairs.validation_batch(len(real.squares), side, enlarge_inputs=True)
    noisy_inputs = [
        add_texture_noise(image, table, torch_generator(index)) for index, image in enumerate(inputs)
    ]
    outputs = torch.cat([network(image[None].to(device)).float().cpu() for image in noisy_inputs])
    inputs_again = torch.stack([prepare_input(output, table) for output in outputs])
    decibels = downscaled_psnr(inputs_again, inputs)
    metrics = [
        Metric("l1", "mean distance to the target", float((outputs - targets).abs().mean())),
        Metric("l1_input", "the same of the input", float((inputs - targets).abs().mean())),
        Metric("consistency", "seen as its input was, against the input, dB", decibels, ".1f"),
        *realism_metrics(outputs, targets, inputs.expand_as(targets), "the input"),
    ]
    return Evaluation(f"pairs of {real}, {side} px", metrics)


def _evaluate_cyclegan(
    network: ResNet, inputs: SampleSquares, real: SampleSquares, metadata: dict[str, str], device: str
) -> Evaluation:
    """Measure one generator of a CycleGAN: its outputs against real images of its target domain."""
    side = header.training_side(metadata) or MAX_TEST_PX
    input_images = inputs.to_batch(side)
    outputs = torch.cat([network(image[None].to(device)).float().cpu() for image in input_images])
    count = min(len(outputs), len(real.squares))
    structure = luma_correlation(outputs, input_images)
    metrics = [
        *realism_metrics(outputs[:count], real.to_batch(side)[:count], input_images[:count], "the input"),
        Metric("structure", "correlation of light and dark with the input's", structure),
        Metric("change", "mean distance to the input", float((outputs - input_images).abs().mean())),
    ]
    return Evaluation(f"{inputs}, against {real}, {side} px", metrics)
