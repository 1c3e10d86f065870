"""Networks of the true shapes with random weights that keep the size of features from layer to layer."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from artgen.models.features.squeezenet import SqueezeNet, weight_shapes
from artgen.models.features.vgg import IMAGENET_MEAN, IMAGENET_STD, VGG, VGG19_BLOCK_SIZES, VGGConvolution


def random_layers(last: str) -> list[VGGConvolution]:
    """VGG-19's up to a layer, by He's rule."""
    generator = torch.Generator().manual_seed(0)
    layers: list[VGGConvolution] = []
    before = 3
    for block, count in enumerate(VGG19_BLOCK_SIZES, 1):
        for place in range(1, count + 1):
            out = min(512, 32 << block)
            weight = torch.randn(out, before, 3, 3, generator=generator) * (2 / (9 * before)) ** 0.5
            bias = torch.randn(out, generator=generator) * 0.05
            layers.append(VGGConvolution(f"relu{block}_{place}", weight, bias, place == 1 and block > 1))
            if layers[-1].name == last:
                return layers
            before = out
    return layers


@cache
def random_vgg(last: str = "relu5_1", *, reflects: bool = False) -> VGG:
    mean, deviation = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    return VGG(
        random_layers(last), (torch.diag(1 / deviation), -mean / deviation), reflection_padding=reflects
    )


@cache
def random_squeezenet() -> SqueezeNet:
    generator = torch.Generator().manual_seed(0)
    weights: dict[str, Tensor] = {}
    for name, shape in weight_shapes().items():
        seen = shape[1] * shape[2] * shape[3]
        weights[f"{name}.weight"] = torch.randn(shape, generator=generator) * (2 / seen) ** 0.5
        weights[f"{name}.bias"] = torch.zeros(shape[0])
    return SqueezeNet(weights)


def scene(height: int, width: int, seed: int = 0) -> Tensor:
    """Something with areas, edges and grain."""
    generator = torch.Generator().manual_seed(seed)
    areas = torch.rand(1, 3, 5, 5, generator=generator)
    picture = torch.nn.functional.interpolate(areas, (height, width), mode="bicubic")[0].clamp(0, 1)
    return (picture + 0.1 * torch.randn(picture.shape, generator=generator)).clamp(0, 1)
