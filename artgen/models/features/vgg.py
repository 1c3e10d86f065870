"""VGG features (Simonyan and Zisserman 2015, arXiv:1409.1556) from weights files, for perceptual losses.

No weights ship with artgen. Two kinds of ``.pth`` are read, each a plain state dict, loaded without running
anything in it; either may end after any layer:

- torchvision's VGG-16 and VGG-19 without batch norm: ``features.N.weight``. They expect RGB, ImageNet mean
  and deviation; files with the same names in them that were made from the original Caffe models expect
  BGR x 255 minus mean, which the file does not tell (``preprocessing="caffe"``).
- An ``nn.Sequential`` that begins with a 1 x 1 colour layer (Universal Style Transfer's *normalised* VGG-19):
  it takes RGB in [0, 1] and converts it itself; reflection padding, pools that round up.
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
from artgen.models.features.receptive import SlidingWindow
from artgen.models.files.pickle_reader import read_weights_file

VGG19_BLOCK_SIZES = (2, 2, 4, 4, 4)  # convolutions in each block; VGG-16 has fewer
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
EXPECTED_FILE = (
    "VGG-16 or VGG-19 without batch norm: a state dict with features.N.weight, or with a colour layer first"
)


@dataclass(frozen=True)
class VGGConvolution:
    """One convolution of VGG: name of its output (``relu3_1``), weights, whether a pool comes before."""

    name: str
    weight: Tensor
    bias: Tensor
    pool_before: bool


class VGG(nn.Module):
    """VGG's features: from images ``(B, 3, H, W)`` in [0, 1] to ``(B, C, h, w)`` by layer name, rectified.

    Nothing in it is ever learned: weights are buffers, so gradients are computed for images only.
    ``with_options`` returns the variants that style transfer uses.

    Args:
        layers: in order.
        colour: weight ``(3, 3)`` and bias ``(3,)`` that convert RGB in [0, 1] to the first layer's input.
        reflection_padding: whether the network was trained with reflection padding and pools that round up.
    """

    pooling: Literal["max", "average"] = "max"
    replicate_border = False
    dtype: torch.dtype = torch.float32

    def __init__(
        self, layers: list[VGGConvolution], colour: tuple[Tensor, Tensor], *, reflection_padding: bool
    ) -> None:
        super().__init__()
        self.layer_names = [layer.name for layer in layers]
        self.pool_before = [layer.pool_before for layer in layers]
        self.reflection_padding = reflection_padding
        colour_weight, colour_bias = colour
        self.register_buffer("matrix", colour_weight.float()[:, :, None, None])
        self.register_buffer("shift", colour_bias.float())
        for number, layer in enumerate(layers):
            self.register_buffer(f"weight{number}", layer.weight.float())
            self.register_buffer(f"bias{number}", layer.bias.float())

    def forward(self, images: Tensor, layers: set[str]) -> dict[str, Tensor]:
        features: dict[str, Tensor] = {}
        x = F.conv2d(images, self.get_buffer("matrix"), self.get_buffer("shift")).to(self.dtype)
        for number, name in enumerate(self.layer_names):
            if len(features) == len(layers):
                break
            if self.pool_before[number]:
                x = self._pool(x)
            padding_mode = None
            if self.reflection_padding:
                padding_mode = "reflect"
            elif self.replicate_border and number == 0:
                padding_mode = "replicate"
            if padding_mode:
                x = F.pad(x, (1, 1, 1, 1), mode=padding_mode)
            weight, bias = self.get_buffer(f"weight{number}"), self.get_buffer(f"bias{number}")
            # In place: nothing else uses the convolution's output.
            x = F.relu(F.conv2d(x, weight, bias, padding=0 if padding_mode else 1), inplace=True)
            if name in layers:
                features[name] = x
        return features

    def _pool(self, x: Tensor) -> Tensor:
        pool = F.max_pool2d if self.pooling == "max" else F.avg_pool2d
        return pool(x, 2, ceil_mode=self.reflection_padding)

    def with_options(
        self,
        *,
        pooling: Literal["max", "average"] = "max",
        replicate_border: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> VGG:
        """Return a VGG of the same weights with other options.

        Args:
            pooling: ``average`` as Gatys et al. 2016 prefer it, without rescaling.
            replicate_border: the first convolution repeats the border in place of padding it with the mean
                colour, which leaves a rim in optimised images. A network with reflection padding has none
                anyway.
            dtype: of the convolutions; colours are always converted in float32.
        """
        network = copy.copy(self)
        # A new table: weights in another memory format must not replace those of this network.
        network._buffers = dict(self._buffers)
        network.pooling, network.replicate_border, network.dtype = pooling, replicate_border, dtype
        for number in range(len(self.layer_names)):
            weight, bias = self.get_buffer(f"weight{number}"), self.get_buffer(f"bias{number}")
            # Channels last: convolutions with such weights also return it, and are faster.
            network._buffers[f"weight{number}"] = weight.to(dtype, memory_format=torch.channels_last)
            network._buffers[f"bias{number}"] = bias.to(dtype)
        return network

    def sliding_windows(self, name: str) -> list[SlidingWindow]:
        """Return the convolutions and pools up to a layer, for ``artgen.models.features.receptive``."""
        windows: list[SlidingWindow] = []
        for layer, pool_before in zip(self.layer_names, self.pool_before, strict=True):
            if pool_before:
                windows.append(SlidingWindow(2, 2, ceil_mode=self.reflection_padding))
            windows.append(SlidingWindow(3, padding=1))
            if layer == name:
                break
        return windows

    def channel_count(self, name: str) -> int:
        """Return the number of channels of a VGG layer."""
        return int(self.get_buffer(f"bias{self.layer_names.index(name)}").numel())

    def nearest_layer(self, name: str) -> str:
        """Return the layer ``name``, or the last one before it where the file or the block ends earlier."""
        return max((layer for layer in self.layer_names if layer <= name), default=self.layer_names[0])


def load_vgg(path: Path, preprocessing: str = "auto") -> VGG:
    """Load VGG from a weights file, for features.

    Args:
        path: a ``.pth``, or a ``.safetensors`` as ``artgen models pull`` writes it.
        preprocessing: ``torchvision``, ``caffe``, or ``auto``: that of the file's metadata or colour layer,
            else torchvision's.

    Raises:
        ArtgenError: the file cannot be read, holds code, or is not VGG.
    """
    table = read_weights_file(path)
    if preprocessing == "auto" and table.metadata.get("preprocessing") in ("torchvision", "caffe"):
        preprocessing = table.metadata["preprocessing"]
    return _build_vgg(path, table.weights, preprocessing)


def _build_vgg(path: Path, state: Mapping[str, Tensor], preprocessing: str) -> VGG:
    """Build VGG from a state dict, up to the last layer it has.

    Raises:
        ArtgenError: it is not VGG.
    """
    convolutions = _find_convolutions(state)
    numbers = sorted(convolutions)
    first_weight = convolutions[numbers[0]][0] if numbers else torch.empty(0)
    has_colour_layer = first_weight.shape == (3, 3, 1, 1)
    layers = _name_layers(path, {n: convolutions[n] for n in numbers[has_colour_layer:]})
    if has_colour_layer and preprocessing == "auto":
        weight, bias = convolutions[numbers[0]]
        colour = weight[:, :, 0, 0], bias
    elif preprocessing == "caffe":
        colour = 255 * torch.eye(3).flip(0), -torch.tensor(CAFFE_MEAN_BGR)
    else:
        mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
        colour = torch.diag(1 / std), -mean / std
    return VGG(layers, colour, reflection_padding=has_colour_layer)


def _find_convolutions(state: Mapping[str, Tensor]) -> dict[int, tuple[Tensor, Tensor]]:
    """Return VGG's weights and biases by the number in their keys: ``features.10.weight``, ``10.weight``."""
    convolutions = {}
    for key, weight in state.items():
        match = re.fullmatch(r"(?:features\.)?(\d+)\.weight", key)
        bias = state.get(key.removesuffix("weight") + "bias")
        if match and bias is not None:
            convolutions[int(match[1])] = (weight, bias)
    return convolutions


def _name_layers(path: Path, convolutions: Mapping[int, tuple[Tensor, Tensor]]) -> list[VGGConvolution]:
    """Name VGG's layers; a pool is where the numbers skip one more module than elsewhere.

    Raises:
        ArtgenError: shapes that are not VGG's.
    """
    numbers = list(convolutions)
    gaps = [after - before for before, after in pairwise(numbers)]
    layers: list[VGGConvolution] = []
    block, position, in_channels = 1, 0, 3
    for index, (weight, bias) in enumerate(convolutions.values()):
        pool_before = index > 0 and gaps[index - 1] > min(gaps)
        block, position = (block + 1, 1) if pool_before else (block, position + 1)
        out_channels = min(512, 32 << block)
        has_vgg_shape = tuple(weight.shape) == (out_channels, in_channels, 3, 3)
        has_vgg_shape = has_vgg_shape and tuple(bias.shape) == (out_channels,)
        fits_block = block <= len(VGG19_BLOCK_SIZES) and position <= VGG19_BLOCK_SIZES[block - 1]
        if not fits_block or not has_vgg_shape:
            problem = f"layer {index + 1} of shape {tuple(weight.shape)}"
            raise ArtgenError(str(path), problem, EXPECTED_FILE)
        layers.append(VGGConvolution(f"relu{block}_{position}", weight, bias, pool_before))
        in_channels = out_channels
    if not layers:
        raise ArtgenError(str(path), "no convolutions of VGG", EXPECTED_FILE)
    return layers
