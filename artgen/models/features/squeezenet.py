"""SqueezeNet 1.0 features (Iandola et al. 2016, arXiv:1602.07360), from a weights file: 3 MB in place of 80.

The network as Caffe has it: no padding before the first convolution, pools of 3 px that round up. It expects
BGR x 255 minus the mean, which is done here. Layers are ``conv1`` and ``fire2`` to ``fire9``, rectified.
"""

from __future__ import annotations

import copy
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from artgen.errors import ArtgenError
from artgen.models.features.receptive import Kernel
from artgen.models.files.pickle_reader import read_table

MEAN = (104.006, 116.669, 122.679)  # blue, green, red: of ImageNet, as Caffe's examples subtract it
FIRES = range(2, 10)
POOLED = ("fire2", "fire5", "fire9")  # a pool lies before each
# Which of ours sees about as much as one of VGG's.
LIKE = {
    "relu1": "conv1",
    "relu2": "fire2",
    "relu3": "fire4",
    "relu4": "fire6",
    "relu5": "fire9",
}
RIGHT = "SqueezeNet 1.0: a state dict with conv1 and fireN.squeeze, .expand1 and .expand3"


class SqueezeNet(nn.Module):
    """Features by name, ``(B, C, h, w)`` each, of pictures ``(B, 3, H, W)`` in [0, 1]; never learns.

    Args:
        weights: by name, of the file.
    """

    dtype: torch.dtype = torch.float32

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.names = ["conv1", *(f"fire{number}" for number in FIRES)]
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        for name, weight in weights.items():
            self.register_buffer(name.replace(".", "_"), weight.float())

    def forward(self, pictures: Tensor, wanted: set[str]) -> dict[str, Tensor]:
        features: dict[str, Tensor] = {}
        x = (pictures.flip(1) * 255 - self.get_buffer("mean")).to(self.dtype)
        for name in self.names:
            if len(features) == len(wanted):
                break
            if name in POOLED:
                x = F.max_pool2d(x, 3, 2, ceil_mode=True)
            x = self._convolve(x, name, 2) if name == "conv1" else self._fire(x, name)
            if name in wanted:
                features[name] = x
        return features

    def _fire(self, x: Tensor, name: str) -> Tensor:
        x = self._convolve(x, f"{name}_squeeze")
        return torch.cat([self._convolve(x, f"{name}_expand1"), self._convolve(x, f"{name}_expand3")], 1)

    def _convolve(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        weight, bias = self.get_buffer(f"{name}_weight"), self.get_buffer(f"{name}_bias")
        return F.relu(F.conv2d(x, weight, bias, stride, int(weight.shape[-1] == 3)), inplace=True)

    def adapted(
        self, *, pooling: str = "max", replicates: bool = False, dtype: torch.dtype = torch.float32
    ) -> SqueezeNet:
        """The same weights as ``dtype``. Its pools and borders are its own: the rest is for VGG."""
        other = copy.copy(self)
        other._buffers, other.dtype = dict(self._buffers), dtype
        for name in [name for name in self._buffers if name != "mean"]:
            other._buffers[name] = self.get_buffer(name).to(dtype)
        for name in [name for name in self._buffers if name.endswith("weight")]:
            other._buffers[name] = other.get_buffer(name).contiguous(memory_format=torch.channels_last)
        return other

    def kernels(self, name: str) -> list[Kernel]:
        """What leads to a layer; ``artgen.models.features.receptive`` tells from it what the layer sees."""
        found: list[Kernel] = []
        for own in self.names[: self.names.index(name) + 1]:
            found += [Kernel(3, 2, up=True)] * (own in POOLED)
            found.append(Kernel(7, 2) if own == "conv1" else Kernel(3, padding=1))
        return found

    def channels(self, name: str) -> int:
        """How many features a layer has at a place."""
        ends = ("",) if name == "conv1" else ("_expand1", "_expand3")
        return sum(int(self.get_buffer(f"{name}{end}_bias").numel()) for end in ends)

    def nearest(self, name: str) -> str:
        """The layer ``name``, or for one of VGG's the one that sees about as much."""
        return name if name in self.names else LIKE.get(name.split("_")[0], self.names[-1])


def load_squeezenet(path: Path) -> SqueezeNet:
    """Read a weights file.

    Raises:
        ArtgenError: the file cannot be read, holds code, or is not SqueezeNet 1.0.
    """
    return assembled(path, read_table(path).weights)


def assembled(path: Path, state: dict[str, Tensor]) -> SqueezeNet:
    """The network of these weights; what is not needed for features is left out."""
    parts = shapes().items()
    needed = {f"{part}.weight": shape for part, shape in parts} | {f"{part}.bias": s[:1] for part, s in parts}
    for name, shape in needed.items():
        if name not in state:
            raise ArtgenError(str(path), f"no {name}", RIGHT)
        if tuple(state[name].shape) != shape:
            raise ArtgenError(str(path), f"{name} of shape {tuple(state[name].shape)}, not {shape}", RIGHT)
    return SqueezeNet({name: state[name] for name in needed})


def shapes() -> dict[str, tuple[int, ...]]:
    """Of the weights, by the convolution they belong to."""
    found: dict[str, tuple[int, ...]] = {"conv1": (96, 3, 7, 7)}
    before = 96
    for number in FIRES:
        narrow, wide = 16 * (number // 2), 64 * (number // 2)
        found[f"fire{number}.squeeze"] = (narrow, before, 1, 1)
        found[f"fire{number}.expand1"] = (wide, narrow, 1, 1)
        found[f"fire{number}.expand3"] = (wide, narrow, 3, 3)
        before = 2 * wide
    return found
