"""A finished model measured by pictures that anybody has: the figures of its card can be computed again.

Training measures by held-out images, which are on one machine only. Here a model's file is enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import area_down
from artgen.imaging.inputs import prepare, speckled
from artgen.imaging.metrics import consistency, correlation, patch_swd
from artgen.imaging.variety import diversity
from artgen.models.architectures.faststyle import FastStyle
from artgen.models.architectures.latent import LatentGenerator
from artgen.models.architectures.network import Network
from artgen.models.architectures.resnet import ResNet
from artgen.models.architectures.unet import UNet
from artgen.models.architectures.upimage import UpImager
from artgen.models.files import header
from artgen.models.files.checkpoint import Model, load_model
from artgen.references import TEXTURES
from artgen.seeds import generator
from artgen.style import library
from artgen.training.engine.family import Figure, Measured
from artgen.training.evaluation.metrics import SIDE, likeness, side_of, up_imaged
from artgen.training.evaluation.sample_images import Specimens, fit_for, specimens
from artgen.training.pairs import pair_maker
from artgen.training.recipes.pairs import AnyPairs

MOST = 16  # squares: enough for a tenth of a figure, and a test of all models takes seconds
CONTENTS = 4  # squares that a fast-style net paints in every style


def measure(
    file: Path, data: Sequence[str] = (), *, folder: Path = Path(), most: int = MOST, device: str = "cpu"
) -> Measured:
    """The figures of the model in ``file``; the same every time on one thread.

    Args:
        file: the model's.
        data: pictures, as a recipe names them; by default those that ship with artgen and fit the model.
        folder: where their relative paths start.
        most: squares of them, at most.
        device: where the network runs.

    Raises:
        ArtgenError: no such pictures; or a model that did not come from ``artgen train``.
    """
    model: Model[Network] = load_model(file, device)
    network, said = model.network, model.metadata
    references = list(data) or [fit_for(said)]
    with torch.inference_mode():
        match network:
            case UpImager():
                # At half their size, as training measures: detail that a camera left soft is not asked for.
                real = specimens(references, folder, most, largest=2 * SIDE)
                side, scale = side_of(real.squares), network.config.scale
                pictures = real.at(side)
                figures = up_imaged(network, area_down(pictures, scale), pictures, device)
                return Measured(f"{real}, {side // scale} px to {side} px", figures)
            case LatentGenerator():
                return _generated(network, specimens(references, folder, 2 * most), device)
            case FastStyle():
                return _styled(network, specimens(references, folder, min(most, CONTENTS)), said, device)
            case UNet() | ResNet() if header.inputs(said):
                return _paired(network, specimens(references, folder, most), said, device)
            case ResNet() if said.get("family") == "cyclegan":
                given = specimens([TEXTURES], Path(), most)
                return _translated(network, given, specimens(references, folder, most), said, device)
    right = "a model of `artgen train`: the file says how its inputs were made"
    raise ArtgenError(str(file), "nothing to measure it by", right)


def _generated(network: LatentGenerator, real: Specimens, device: str) -> Measured:
    """Pictures out of nothing against as many real ones; whom they are copies of, only training can tell."""
    side = network.config.side
    pictures = real.at(side)
    latents = torch.randn((len(pictures), network.config.latent), generator=torch.Generator().manual_seed(0))
    made = torch.cat([network(latent[None].to(device)).float().cpu() for latent in latents]).clamp(0, 1)
    flat = pictures.mean((2, 3), keepdim=True).expand_as(pictures)
    figures = [
        *likeness(made, pictures, flat, "the flat mean colour"),
        Figure("diversity", "mean difference of two pictures over real ones'", diversity(made, pictures)),
    ]
    return Measured(f"{len(made)} pictures against {real}, {side} px", figures)


def _styled(network: FastStyle, contents: Specimens, said: dict[str, str], device: str) -> Measured:
    """How near to the paintings, what is left of the content, how far apart the styles."""
    side = header.side(said) or SIDE
    given = contents.at(side)
    painted = []
    for style in range(network.config.styles):
        weights = network.style(style).to(device)
        painted.append(torch.cat([network(each[None].to(device), weights).float().cpu() for each in given]))
    figures = []
    if near := [*_nearness(painted, given, header.style_names(said), side)]:
        label = "patch-SWD to the painting over the content's"
        figures.append(Figure("style", label, sum(near) / len(near)))
    kept = sum(correlation(made, given) for made in painted) / len(painted)
    figures.append(Figure("structure", "correlation of light and dark with the content's", kept))
    if len(painted) > 1:
        flat = torch.stack([made.flatten() for made in painted])
        apart = float(F.pdist(flat, p=1).mean()) / flat.shape[1]
        figures.append(Figure("apart", "mean difference of two styles", apart))
    return Measured(f"{contents} in {len(painted)} styles, {side} px", figures)


def _nearness(painted: list[Tensor], given: Tensor, names: list[str], side: int) -> Iterator[float]:
    """For each style of a painting that ships: patch-SWD to its squares, over that of the content."""
    for made, name in zip(painted, names, strict=False):
        if name in library.names():
            real = specimens([str(library.credit(name).file)], Path(), len(given)).at(side)
            real = real.repeat(-(-len(given) // len(real)), 1, 1, 1)[: len(given)]
            yield sum(patch_swd(made, real)) / sum(patch_swd(given, real))


def _paired(network: UNet | ResNet, real: Specimens, said: dict[str, str], device: str) -> Measured:
    """As pix2pix measures: pairs made of pictures; and whether what it made gives the input again."""
    table = header.inputs(said)
    side = header.side(said) or SIDE
    try:
        checked: AnyPairs = TypeAdapter(AnyPairs).validate_python(table)
    except ValidationError:
        raise ArtgenError("inputs", f"{table!r}"[:60], "a [pairs] table of `artgen train`") from None
    if checked.two_folders:
        raise ArtgenError("inputs", "pairs of two folders", "such a model is measured by its training only")
    pairs = pair_maker(checked, real.material())
    inputs, targets = pairs.validation(len(real.squares), side, enlarged=True)
    shown = [speckled(each, table, generator(number)) for number, each in enumerate(inputs)]
    made = torch.cat([network(each[None].to(device)).float().cpu() for each in shown])
    again = torch.stack([prepare(picture, table) for picture in made])
    figures = [
        Figure("l1", "mean distance to the target", float((made - targets).abs().mean())),
        Figure("l1_input", "the same of the input", float((inputs - targets).abs().mean())),
        Figure(
            "consistency", "seen as its input was, against the input, dB", consistency(again, inputs), ".1f"
        ),
        *likeness(made, targets, inputs.expand_as(targets), "the input"),
    ]
    return Measured(f"pairs of {real}, {side} px", figures)


def _translated(
    network: ResNet, given: Specimens, real: Specimens, said: dict[str, str], device: str
) -> Measured:
    """One way of a CycleGAN: statistics against real pictures of the kind it makes."""
    side = header.side(said) or SIDE
    pictures = given.at(side)
    made = torch.cat([network(picture[None].to(device)).float().cpu() for picture in pictures])
    count = min(len(made), len(real.squares))
    figures = [
        *likeness(made[:count], real.at(side)[:count], pictures[:count], "the input"),
        Figure("structure", "correlation of light and dark with the input's", correlation(made, pictures)),
        Figure("change", "mean distance to the input", float((made - pictures).abs().mean())),
    ]
    return Measured(f"{given}, against {real}, {side} px", figures)
