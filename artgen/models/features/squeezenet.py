"""SqueezeNet 1.0 features (Iandola et al. 2016, arXiv:1602.07360) from a weights file of 3 MB; VGG has 80.

The network as Caffe has it: no padding before the first convolution, pools of 3 px that round up. It expects
BGR x 255 minus the mean; ``forward`` converts to it. Layers are ``conv1`` and ``fire2`` to ``fire9``,
rectified.
"""

from __future__ import annotations

import copy
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from artgen.errors import ArtgenError
from artgen.models.features.receptive import SlidingWindow
from artgen.models.files.pickle_reader import read_weights_file

IMAGENET_MEAN_BGR = (104.006, 116.669, 122.679)  # up to 255, as Caffe's examples subtract it
FIRE_MODULE_NUMBERS = range(2, 10)
LAYERS_AFTER_POOL = ("fire2", "fire5", "fire9")
# The layer with about the same receptive field as a block of VGG.
LAYER_BY_VGG_BLOCK = {
    "relu1": "conv1",
    "relu2": "fire2",
    "relu3": "fire4",
    "relu4": "fire6",
    "relu5": "fire9",
}
EXPECTED_FILE = "SqueezeNet 1.0: a state dict with conv1 and fireN.squeeze, .expand1 and .expand3"


class SqueezeNet(nn.Module):
    """SqueezeNet's features: from images ``(B, 3, H, W)`` in [0, 1] to ``(B, C, h, w)`` by layer name.

    Nothing in it is ever learned: weights are buffers.

    Args:
        weights: by name, as in the file.
    """

    dtype: torch.dtype = torch.float32

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.layer_names = ["conv1", *(f"fire{number}" for number in FIRE_MODULE_NUMBERS)]
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN_BGR).view(1, 3, 1, 1))
        for name, weight in weights.items():
            self.register_buffer(name.replace(".", "_"), weight.float())

    def forward(self, images: Tensor, layers: set[str]) -> dict[str, Tensor]:
        features: dict[str, Tensor] = {}
        x = (images.flip(1) * 255 - self.get_buffer("mean")).to(self.dtype)
        for name in self.layer_names:
            if len(features) == len(layers):
                break
            if name in LAYERS_AFTER_POOL:
                x = F.max_pool2d(x, 3, 2, ceil_mode=True)
            x = self._convolve(x, name, 2) if name == "conv1" else self._fire(x, name)
            if name in layers:
                features[name] = x
        return features

    def _fire(self, x: Tensor, name: str) -> Tensor:
        x = self._convolve(x, f"{name}_squeeze")
        return torch.cat([self._convolve(x, f"{name}_expand1"), self._convolve(x, f"{name}_expand3")], 1)

    def _convolve(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        weight, bias = self.get_buffer(f"{name}_weight"), self.get_buffer(f"{name}_bias")
        return F.relu(F.conv2d(x, weight, bias, stride, int(weight.shape[-1] == 3)), inplace=True)

    def with_options(
        self, *, pooling: str = "max", replicate_border: bool = False, dtype: torch.dtype = torch.float32
    ) -> SqueezeNet:
        """Return a SqueezeNet of the same weights that computes in another floating point type.

        Args:
            pooling: of VGG; ignored here.
            replicate_border: of VGG; ignored here.
            dtype: of the convolutions.
        """
        network = copy.copy(self)
        network._buffers, network.dtype = dict(self._buffers), dtype
        for name in [name for name in self._buffers if name != "mean"]:
            network._buffers[name] = self.get_buffer(name).to(dtype)
        for name in [name for name in self._buffers if name.endswith("weight")]:
            network._buffers[name] = network.get_buffer(name).contiguous(memory_format=torch.channels_last)
        return network

    def sliding_windows(self, name: str) -> list[SlidingWindow]:
        """Return the convolutions and pools up to a layer, for ``artgen.models.features.receptive``."""
        windows: list[SlidingWindow] = []
        for layer in self.layer_names[: self.layer_names.index(name) + 1]:
            windows += [SlidingWindow(3, 2, ceil_mode=True)] * (layer in LAYERS_AFTER_POOL)
            windows.append(SlidingWindow(7, 2) if layer == "conv1" else SlidingWindow(3, padding=1))
        return windows

    def channel_count(self, name: str) -> int:
        """Return the number of channels of a SqueezeNet layer."""
        suffixes = ("",) if name == "conv1" else ("_expand1", "_expand3")
        return sum(int(self.get_buffer(f"{name}{suffix}_bias").numel()) for suffix in suffixes)

    def nearest_layer(self, name: str) -> str:
        """Return the layer ``name``, or for a layer of VGG the one with a similar receptive field."""
        if name in self.layer_names:
            return name
        return LAYER_BY_VGG_BLOCK.get(name.split("_")[0], self.layer_names[-1])


def load_squeezenet(path: Path) -> SqueezeNet:
    """Load SqueezeNet from a weights file, for features.

    Raises:
        ArtgenError: the file cannot be read, holds code, or is not SqueezeNet 1.0.
    """
    return _build_squeezenet(path, read_weights_file(path).weights)


def _build_squeezenet(path: Path, state: dict[str, Tensor]) -> SqueezeNet:
    """Build SqueezeNet from a state dict, without the weights that features do not need.

    Raises:
        ArtgenError: a weight is missing, or has another shape.
    """
    convolutions = weight_shapes().items()
    expected_shapes = {f"{convolution}.weight": shape for convolution, shape in convolutions}
    expected_shapes |= {f"{convolution}.bias": shape[:1] for convolution, shape in convolutions}
    for name, expected_shape in expected_shapes.items():
        if name not in state:
            raise ArtgenError(str(path), f"no {name}", EXPECTED_FILE)
        shape = tuple(state[name].shape)
        if shape != expected_shape:
            raise ArtgenError(str(path), f"{name} of shape {shape}, not {expected_shape}", EXPECTED_FILE)
    return SqueezeNet({name: state[name] for name in expected_shapes})


def weight_shapes() -> dict[str, tuple[int, ...]]:
    """Return the shape of each of SqueezeNet's convolution weights, by the convolution's name."""
    shapes: dict[str, tuple[int, ...]] = {"conv1": (96, 3, 7, 7)}
    in_channels = 96
    for number in FIRE_MODULE_NUMBERS:
        squeezed, expanded = 16 * (number // 2), 64 * (number // 2)
        shapes[f"fire{number}.squeeze"] = (squeezed, in_channels, 1, 1)
        shapes[f"fire{number}.expand1"] = (expanded, squeezed, 1, 1)
        shapes[f"fire{number}.expand3"] = (expanded, squeezed, 3, 3)
        in_channels = 2 * expanded
    return shapes
