"""VGG features (Simonyan and Zisserman 2015, arXiv:1409.1556) for perceptual losses, from weights files.

No weights ship with artgen. Two kinds of ``.pth`` are read, each a plain state dict, loaded without running
anything in it; either may end after any layer:

- torchvision's VGG-16 and VGG-19 without batch norm: ``features.N.weight``. They expect RGB, ImageNet mean
  and deviation; files with the same names in them that were made from the original Caffe models expect
  BGR x 255 minus mean, which the file does not say (``preprocessing="caffe"``).
- An ``nn.Sequential`` that begins with a 1 x 1 colour layer (Universal Style Transfer's *normalised* VGG-19):
  it takes RGB in [0, 1] and does the rest itself; reflection padding, pools that round up.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from artgen.errors import ArtgenError
from artgen.models.features.receptive import Kernel
from artgen.models.files.pickle_reader import read_table

BLOCKS = (2, 2, 4, 4, 4)  # most convolutions between two pools: VGG-19's
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CAFFE_MEAN = (103.939, 116.779, 123.68)  # blue, green, red
RIGHT = (
    "VGG-16 or VGG-19 without batch norm: a state dict with features.N.weight, or with a colour layer first"
)


@dataclass(frozen=True)
class Layer:
    """One convolution: the name of its rectified output (``relu3_1``), and whether a pool comes before."""

    name: str
    weight: Tensor
    bias: Tensor
    pooled: bool


class VGG(nn.Module):
    """Rectified features by name, ``(B, C, h, w)`` each, of pictures ``(B, 3, H, W)`` in [0, 1].

    Args:
        layers: in order.
        colour: weight ``(3, 3)`` and bias ``(3,)`` that make what the first layer expects of RGB in [0, 1].
        reflects: whether the network was trained with reflection padding and pools that round up.

    Nothing in it is ever learned: weights are buffers, so gradients are computed for pictures only.
    ``adapted`` gives the variants of it that style transfer knows.
    """

    pooling: Literal["max", "average"] = "max"
    replicates = False
    dtype: torch.dtype = torch.float32

    def __init__(self, layers: list[Layer], colour: tuple[Tensor, Tensor], *, reflects: bool) -> None:
        super().__init__()
        self.names = [layer.name for layer in layers]
        self.pooled = [layer.pooled for layer in layers]
        self.reflects = reflects
        matrix, shift = colour
        self.register_buffer("matrix", matrix.float()[:, :, None, None])
        self.register_buffer("shift", shift.float())
        for number, layer in enumerate(layers):
            self.register_buffer(f"weight{number}", layer.weight.float())
            self.register_buffer(f"bias{number}", layer.bias.float())

    def forward(self, pictures: Tensor, wanted: set[str]) -> dict[str, Tensor]:
        features: dict[str, Tensor] = {}
        x = F.conv2d(pictures, self.get_buffer("matrix"), self.get_buffer("shift")).to(self.dtype)
        for number, name in enumerate(self.names):
            if len(features) == len(wanted):
                break
            if self.pooled[number]:
                x = self._pool(x)
            mode = "reflect" if self.reflects else "replicate" if self.replicates and number == 0 else None
            if mode:
                x = F.pad(x, (1, 1, 1, 1), mode=mode)
            weight, bias = self.get_buffer(f"weight{number}"), self.get_buffer(f"bias{number}")
            # No one else sees what a convolution gives, so it is rectified where it lies.
            x = F.relu(F.conv2d(x, weight, bias, padding=0 if mode else 1), inplace=True)
            if name in wanted:
                features[name] = x
        return features

    def _pool(self, x: Tensor) -> Tensor:
        pool = F.max_pool2d if self.pooling == "max" else F.avg_pool2d
        return pool(x, 2, ceil_mode=self.reflects)

    def adapted(
        self,
        *,
        pooling: Literal["max", "average"] = "max",
        replicates: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> VGG:
        """The same weights, used otherwise.

        Args:
            pooling: ``average`` as Gatys et al. 2016 prefer it, without rescaling.
            replicates: the first convolution continues the border in place of padding it with the mean
                colour, which leaves a rim in optimised pictures. A network that reflects has none anyway.
            dtype: of the convolutions; colours are always taken in as float32.
        """
        other = copy.copy(self)
        # Its own table: weights laid out otherwise must not change those of the network it comes from.
        other._buffers = dict(self._buffers)
        other.pooling, other.replicates, other.dtype = pooling, replicates, dtype
        for number in range(len(self.names)):
            weight, bias = self.get_buffer(f"weight{number}"), self.get_buffer(f"bias{number}")
            # Channels last: convolutions of such weights keep to it, and are faster so.
            laid = weight.to(dtype, memory_format=torch.channels_last)
            other._buffers[f"weight{number}"] = laid
            other._buffers[f"bias{number}"] = bias.to(dtype)
        return other

    def kernels(self, name: str) -> list[Kernel]:
        """What leads to a layer; ``artgen.models.features.receptive`` tells from it what the layer sees."""
        found: list[Kernel] = []
        for own, pooled in zip(self.names, self.pooled, strict=True):
            found += [Kernel(2, 2, up=self.reflects)] * pooled + [Kernel(3, padding=1)]
            if own == name:
                break
        return found

    def channels(self, name: str) -> int:
        """How many features a layer has at a place."""
        return int(self.get_buffer(f"bias{self.names.index(name)}").numel())

    def nearest(self, name: str) -> str:
        """The layer ``name``, or the last one before it where file or block end earlier."""
        return max((own for own in self.names if own <= name), default=self.names[0])


def load_vgg(path: Path, preprocessing: str = "auto") -> VGG:
    """Read a weights file.

    Args:
        path: a ``.pth``, or a ``.safetensors`` as ``artgen models pull`` leaves it.
        preprocessing: ``torchvision``, ``caffe``, or ``auto``: what the file says or its colour
            layer does, else torchvision's.

    Raises:
        ArtgenError: the file cannot be read, holds code, or is not VGG.
    """
    table = read_table(path)
    if preprocessing == "auto" and table.said.get("preprocessing") in ("torchvision", "caffe"):
        preprocessing = table.said["preprocessing"]
    return _assembled(path, table.weights, preprocessing)


def _assembled(path: Path, state: Mapping[str, Tensor], preprocessing: str) -> VGG:
    convolutions = _convolutions(state)
    numbers = sorted(convolutions)
    first = convolutions[numbers[0]][0] if numbers else torch.empty(0)
    own = first.shape == (3, 3, 1, 1)
    layers = _layers(path, {n: convolutions[n] for n in numbers[own:]})
    if own and preprocessing == "auto":
        weight, bias = convolutions[numbers[0]]
        colour = weight[:, :, 0, 0], bias
    elif preprocessing == "caffe":
        colour = 255 * torch.eye(3).flip(0), -torch.tensor(CAFFE_MEAN)
    else:
        mean, deviation = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_DEVIATION)
        colour = torch.diag(1 / deviation), -mean / deviation
    return VGG(layers, colour, reflects=own)


def _convolutions(state: Mapping[str, Tensor]) -> dict[int, tuple[Tensor, Tensor]]:
    """Weight and bias by the number in their keys: ``features.10.weight``, or ``10.weight``."""
    found = {}
    for key, weight in state.items():
        match = re.fullmatch(r"(?:features\.)?(\d+)\.weight", key)
        bias = state.get(key.removesuffix("weight") + "bias")
        if match and bias is not None:
            found[int(match[1])] = (weight, bias)
    return found


def _layers(path: Path, convolutions: Mapping[int, tuple[Tensor, Tensor]]) -> list[Layer]:
    """Names the layers; a pool lies where numbers leave room for one more module than elsewhere.

    Raises:
        ArtgenError: shapes that are not VGG's.
    """
    numbers = list(convolutions)
    gaps = [after - before for before, after in pairwise(numbers)]
    layers: list[Layer] = []
    block, place, channels = 1, 0, 3
    for index, (weight, bias) in enumerate(convolutions.values()):
        pooled = index > 0 and gaps[index - 1] > min(gaps)
        block, place = (block + 1, 1) if pooled else (block, place + 1)
        out = min(512, 32 << block)
        wrong = tuple(weight.shape) != (out, channels, 3, 3) or tuple(bias.shape) != (out,)
        if block > len(BLOCKS) or place > BLOCKS[block - 1] or wrong:
            found = f"layer {index + 1} of shape {tuple(weight.shape)}"
            raise ArtgenError(str(path), found, RIGHT)
        layers.append(Layer(f"relu{block}_{place}", weight, bias, pooled))
        channels = out
    if not layers:
        raise ArtgenError(str(path), "no convolutions of VGG", RIGHT)
    return layers
