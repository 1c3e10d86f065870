"""Style by optimisation against crowsonkb/style-transfer-pytorch, on one network with the same losses.

    python benchmarks/optimise.py [--peer FOLDER] [--side 384] [--small 192] [--rounds 3] [--skip-loss]

FOLDER is a checkout of that repository (the folder that holds ``style_transfer/``); without it our own
figures are printed, and the time that the machine's fastest convolution would need for the same arithmetic.
Weights are random, of VGG-19's shapes, so nothing need be pulled. The peer asks torchvision for its
network, normalisation and conversions; a stand-in gives it these, so that it need not be installed.

1. CPU-seconds and wall time of an iteration: forth, losses, back, one step of Adam.
2. Losses: ours after 100 iterations from the patch method's picture, the peer's after 300 as it begins by
   itself. Both are told by the peer's code, and exactly: the peer's square roots are twelve steps of Newton
   and Schulz, which lose the small eigenvalues, so that its figures lie above the distance that is meant.
   Ours is run to lower the peer's figure, and the exact one.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import sys
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from skimage import data
from torch import Tensor, nn

from artgen.imaging.image import resize_longer_side
from artgen.imaging.io.files import read_image
from artgen.models.features.receptive import receptive_field
from artgen.models.features.vgg import IMAGENET_MEAN, IMAGENET_STD, VGG, VGG19_BLOCK_SIZES, VGGConvolution
from artgen.style.library import painting_credit
from artgen.style.optimise.objective import StyleObjective
from artgen.style.optimise.optimise import stylize_by_optimising
from artgen.style.optimise.optimisers import build_optimiser
from artgen.style.optimise.precision import find_dtype
from artgen.style.optimise.presets import optimise_preset
from artgen.style.request import StyleRequest

STYLE = "great-wave"
OURS, THEIRS = 100, 300
SETTINGS = optimise_preset("crowsonkb")


def random_layers() -> list[VGGConvolution]:
    """VGG-19's, weights by He's rule, so that features keep their size."""
    generator = torch.Generator().manual_seed(0)
    layers, before = [], 3
    for block, count in enumerate(VGG19_BLOCK_SIZES, 1):
        for place in range(1, count + 1):
            out = min(512, 32 << block)
            weight = torch.randn(out, before, 3, 3, generator=generator) * (2 / (9 * before)) ** 0.5
            bias = torch.randn(out, generator=generator) * 0.05
            layers.append(VGGConvolution(f"relu{block}_{place}", weight, bias, place == 1 and block > 1))
            before = out
    return layers


def network(layers: list[VGGConvolution]) -> VGG:
    mean, deviation = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    return VGG(layers, (torch.diag(1 / deviation), -mean / deviation), reflection_padding=False)


def scene(side: int) -> Tensor:
    return resize_longer_side(torch.from_numpy(data.astronaut()).permute(2, 0, 1).float() / 255, side)


def painting(side: int) -> Tensor:
    return resize_longer_side(read_image(painting_credit(STYLE).file), side)


def pil(picture: Tensor) -> Image.Image:
    return Image.fromarray((picture * 255).round().byte().permute(1, 2, 0).numpy())


def from_pil(image: Image.Image) -> Tensor:
    raw = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return raw.view(image.height, image.width, 3).permute(2, 0, 1).float() / 255


def as_torchvision(layers: list[VGGConvolution]) -> dict[str, types.ModuleType]:
    """Return what the peer uses of torchvision, with these weights."""

    class Normalize(nn.Module):
        def __init__(self, mean: list[float], std: list[float]) -> None:
            super().__init__()
            self.mean, self.std = torch.tensor(mean).view(3, 1, 1), torch.tensor(std).view(3, 1, 1)

        def forward(self, x: Tensor) -> Tensor:
            return (x - self.mean) / self.std

    def vgg19(weights: object) -> types.SimpleNamespace:
        modules: list[nn.Module] = []
        for layer in layers:
            if layer.pool_before:
                modules.append(nn.MaxPool2d(2, 2))
            convolution = nn.Conv2d(layer.weight.shape[1], layer.weight.shape[0], 3, padding=1)
            convolution.weight.data.copy_(layer.weight)
            convolution.bias.data.copy_(layer.bias)  # type: ignore[union-attr]
            modules += [convolution, nn.ReLU(inplace=True)]
        return types.SimpleNamespace(features=nn.Sequential(*modules))

    names = (
        "torchvision",
        "torchvision.models",
        "torchvision.transforms",
        "torchvision.transforms.functional",
    )
    modules = {name: types.ModuleType(name) for name in names}
    whole: dict[str, Any] = dict(modules)
    whole["torchvision"].models = whole["torchvision.models"]
    whole["torchvision"].transforms = whole["torchvision.transforms"]
    whole["torchvision.models"].vgg19 = vgg19
    whole["torchvision.models"].VGG19_Weights = types.SimpleNamespace(IMAGENET1K_V1=None)
    whole["torchvision.transforms"].Normalize = Normalize
    whole["torchvision.transforms"].functional = whole["torchvision.transforms.functional"]
    whole["torchvision.transforms.functional"].to_tensor = from_pil
    whole["torchvision.transforms.functional"].to_pil_image = pil
    return modules


def peer(folder: Path, layers: list[VGGConvolution]) -> Any:
    """Return the peer's module."""
    sys.modules.update(as_torchvision(layers))
    sys.path.insert(0, str(folder))
    from style_transfer import style_transfer  # type: ignore[import-not-found]

    return style_transfer


def their_loss(theirs: Any, transfer: Any, content: Tensor, style: Tensor) -> Callable[[Tensor], Tensor]:
    """Return the peer's whole loss with its default weights, put together as its ``stylize`` does."""
    terms = [theirs.Scale(theirs.LayerApply(theirs.TVLoss(), "input"), SETTINGS.tv)]
    with torch.no_grad():
        wanted = transfer.model(content[None], layers=transfer.content_layers)
        for layer in transfer.content_layers:
            loss = theirs.LayerApply(theirs.ContentLossMSE(wanted[layer]), layer)
            terms.append(theirs.Scale(loss, SETTINGS.content_weight))
        wanted = transfer.model(style[None], layers=transfer.style_layers)
        for layer, weight in zip(transfer.style_layers, transfer.style_weights, strict=True):
            target = theirs.StyleLossW2.get_target(wanted[layer])
            terms.append(theirs.Scale(theirs.LayerApply(theirs.StyleLossW2(target), layer), weight))
    total = theirs.SumLoss(terms)
    return lambda pictures: total(transfer.model(pictures))


def their_iterations(theirs: Any, content: Tensor, style: Tensor) -> Iterator[float]:
    transfer = theirs.StyleTransfer()
    loss = their_loss(theirs, transfer, content, style)
    picture = content[None].clone().requires_grad_()
    optimiser = torch.optim.Adam([picture], lr=SETTINGS.rate, betas=SETTINGS.betas)
    average = theirs.EMA(picture, SETTINGS.average)
    while True:
        optimiser.zero_grad()
        value = loss(picture)
        value.backward()
        optimiser.step()
        with torch.no_grad():
            picture.clamp_(0, 1)
            average.update(picture)
        yield float(value.detach())


def our_iterations(
    layers: list[VGGConvolution], content: Tensor, style: Tensor, kind: torch.dtype
) -> Iterator[float]:
    vgg = network(layers).with_options(replicate_border=True, dtype=kind)
    objective = StyleObjective(vgg, SETTINGS, content, [[style]], [1.0])
    picture, descent = content.clone(), build_optimiser(SETTINGS)
    while True:
        value, gradient = objective(picture)
        picture = descent.step(picture, gradient)
        yield value


def arithmetic(side: int) -> float:
    """Operations of an iteration's convolutions: forth, and back to the picture."""
    vgg, total = network(random_layers()), 0.0
    for name in vgg.layer_names[: vgg.layer_names.index("relu5_1") + 1]:
        before = (
            3 if name == "relu1_1" else int(vgg.get_buffer(f"weight{vgg.layer_names.index(name)}").shape[1])
        )
        total += (
            2
            * 2
            * 9
            * before
            * vgg.channel_count(name)
            * (side / receptive_field(vgg.sliding_windows(name)).stride) ** 2
        )
    return total


def fastest(kind: torch.dtype) -> float:
    """Operations in a CPU-second of a large convolution."""
    x = torch.randn(1, 256, 96, 96).to(kind, memory_format=torch.channels_last)
    weight = torch.randn(256, 256, 3, 3).to(kind, memory_format=torch.channels_last)
    F.conv2d(x, weight, padding=1)
    begun = time.process_time()
    for _ in range(5):
        F.conv2d(x, weight, padding=1)
    return 5 * 2 * 9 * 256 * 256 * 96 * 96 / (time.process_time() - begun)


def compare_time(args: argparse.Namespace, layers: list[VGGConvolution], theirs: Any) -> None:
    content, style = scene(args.side), painting(args.side)
    runs = {}
    if theirs:
        runs["crowsonkb"] = their_iterations(theirs, content, style)
    runs["artgen, float32"] = our_iterations(layers, content, style, torch.float32)
    if find_dtype("auto", "cpu") is torch.bfloat16:
        runs["artgen, bfloat16"] = our_iterations(layers, content, style, torch.bfloat16)
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for number in range(args.rounds + 1):
        for name, run in runs.items():
            begun = time.process_time(), time.perf_counter()
            next(run)
            if number:  # the first one does not count
                seconds[name].append((time.process_time() - begun[0], time.perf_counter() - begun[1]))
    print(f"An iteration at {args.side} px, {torch.get_num_threads()} threads, median of {args.rounds}")
    base = None
    for name, each in seconds.items():
        cpu, wall = (statistics.median(column) for column in zip(*each, strict=True))
        base = base or cpu
        print(f"  {name:18s} {cpu:6.2f} CPU-s {wall:6.2f} s   {cpu / base:5.2f} x")
    for kind in (torch.float32, torch.bfloat16):
        rate = fastest(kind)
        limit = arithmetic(args.side) / rate
        print(f"  convolutions alone {limit:6.2f} CPU-s at {rate / 1e9:.0f} GFLOP/s in {str(kind)[6:]}")


def compare_loss(args: argparse.Namespace, layers: list[VGGConvolution], theirs: Any) -> None:
    # As the peer will see them: eight bits, of the very size.
    content, style = (from_pil(pil(picture)) for picture in (scene(args.small), painting(args.small)))
    transfer = theirs.StyleTransfer()
    loss = their_loss(theirs, transfer, content, style)

    whole = replace(SETTINGS, loss="wasserstein")
    exact = StyleObjective(
        network(layers).with_options(replicate_border=True), whole, content, [[style]], [1.0]
    )

    def told(picture: Tensor) -> str:
        with torch.no_grad():
            theirs_say = float(loss(picture[None]))
        return f"{theirs_say:.4f}, exactly {exact(picture)[0]:.4f}"

    begun = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        options = {"min_scale": args.small, "end_scale": args.small, "initial_iterations": THEIRS}
        transfer.stylize(pil(content), [pil(style)], **options)
    painted, took = transfer.get_image_tensor(), time.process_time() - begun
    print(f"Loss at {args.small} px by crowsonkb's code; the content has {told(content)}")
    print(f"  crowsonkb, {THEIRS} iterations                             {told(painted)}   {took:5.0f} CPU-s")
    # The peer's losses and weights, our own way down.
    own = optimise_preset("artgen")
    way = {
        "optimiser": own.optimiser,
        "adam_learning_rate": own.adam_learning_rate,
        "adam_final_rate_factor": own.adam_final_rate_factor,
        "adam_average_decay": own.adam_average_decay,
    }
    ours = replace(SETTINGS, **way, start="patch", scales=1, first_iterations=OURS)
    for kind, loss_of in (
        ("float32", SETTINGS.loss),
        ("bfloat16", SETTINGS.loss),
        ("bfloat16", "wasserstein"),
    ):
        begun = time.process_time()
        settings = replace(ours, loss=loss_of, precision=kind)
        painted = stylize_by_optimising(content, [[style]], StyleRequest(seed=0), settings, network(layers))
        took = time.process_time() - begun
        print(f"  artgen, {OURS} iterations, {kind:8s} {loss_of:18s} {told(painted)}   {took:5.0f} CPU-s")


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--side", type=int, default=384)
    parser.add_argument("--small", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip-loss", action="store_true")
    args = parser.parse_args()
    layers = random_layers()
    theirs = peer(args.peer, layers) if args.peer else None
    compare_time(args, layers, theirs)
    if theirs and not args.skip_loss:
        compare_loss(args, layers, theirs)


if __name__ == "__main__":
    main()
