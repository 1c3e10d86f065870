"""Johnson's network as in pytorch/examples (``fast_neural_style``): one style; many checkpoints exist.

After Johnson et al. 2016 (arXiv:1603.08155) with instance norm (Ulyanov et al. 2016, arXiv:1607.08022) and
resize-convolutions (Odena et al. 2016). Upstream takes and gives colours up to 255; here they are in [0, 1].
Deviations, none of which changes a pixel: the statistics of the norms can be fixed from outside, so that
tiles of one image agree; a doubling is computed without enlarging first, where reflecting one px after
nearest 2x is the same as repeating one before it. Files from before torch 0.4 hold running statistics that
even their own code never used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from pydantic import Field, ValidationError
from torch import Tensor, nn

from artgen.errors import ArtgenError
from artgen.imaging.tiles.exact import TileGeometry
from artgen.models.architectures.network import ConvolutionalNetwork, NetworkConfig, format_shape
from artgen.models.architectures.norms import RUNNING_STATISTICS, InstanceNorm
from artgen.models.architectures.upimage import nearest_upsample_conv

PUBLISHER = "pytorch/examples fast_neural_style"
EXPECTED_FILE = f"a checkpoint of {PUBLISHER}, such as candy.pth"
FIRST_WEIGHT_NAME = "conv1.conv2d.weight"
MAX_TONE_LEVEL = 255.0
STEM_KERNEL_SIDE_PX = 9
SIZE_HALVINGS = 2


class TransformerNetConfig(NetworkConfig):
    """Sizes of a TransformerNet; the defaults are those of all published checkpoints."""

    width: int = Field(32, ge=1, le=256)
    blocks: int = Field(5, ge=1, le=32)


class TransformerNetLayer(nn.Module):
    """Convolution over a reflected border, then the norm; with ``upsamples`` at twice the size.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: side of the kernel, px.
        stride: of the convolution.
        upsamples: double the size before the convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        *,
        stride: int = 1,
        upsamples: bool = False,
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(in_channels, out_channels, kernel_size, stride)
        self.norm = InstanceNorm(out_channels, affine=True)
        self.upsamples = upsamples

    def forward(self, x: Tensor) -> Tensor:
        convolution = self.convolution
        if self.upsamples:
            assert convolution.bias is not None
            x = F.pad(x, (1,) * 4, mode="replicate")
            x = nearest_upsample_conv(x, convolution.weight, convolution.bias, padding=0)
        else:
            x = convolution(F.pad(x, (convolution.kernel_size[0] // 2,) * 4, mode="reflect"))
        normed: Tensor = self.norm(x)
        return normed


class TransformerNetBlock(nn.Module):
    """Residual block of two convolutions; no activation after the sum."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = TransformerNetLayer(width, width), TransformerNetLayer(width, width)

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.second(F.relu(self.first(x)))
        return x + residual


class TransformerNet(ConvolutionalNetwork):
    """Style network for one style, from ``(B, 3, H, W)`` in [0, 1] to the same; H and W are multiples of 4.

    Args:
        config: sizes.
    """

    architecture = "transformer-net"
    config_class = TransformerNetConfig
    config: TransformerNetConfig

    def __init__(self, config: TransformerNetConfig) -> None:
        super().__init__(config)
        width = config.width
        self.falls = nn.ModuleList(
            [
                TransformerNetLayer(3, width, STEM_KERNEL_SIDE_PX),
                TransformerNetLayer(width, 2 * width, stride=2),
                TransformerNetLayer(2 * width, 4 * width, stride=2),
            ]
        )
        self.trunk = nn.ModuleList(TransformerNetBlock(4 * width) for _ in range(config.blocks))
        self.rises = nn.ModuleList(
            [
                TransformerNetLayer(4 * width, 2 * width, upsamples=True),
                TransformerNetLayer(2 * width, width, upsamples=True),
            ]
        )
        self.paint = nn.Conv2d(width, 3, STEM_KERNEL_SIDE_PX)

    @property
    def tile_geometry(self) -> TileGeometry:
        """Scale, size multiple and halo for the tile engine, once the statistics are fixed (tested)."""
        trunk = 2 * self.config.blocks * 2**SIZE_HALVINGS
        # Stem 4, halvings 1 and 2, doublings 4 and 2 at their coarser grids, paint 4.
        return TileGeometry(
            scale=1,
            multiple=2**SIZE_HALVINGS,
            halo=STEM_KERNEL_SIDE_PX // 2 + 1 + 2 + trunk + 4 + 2 + STEM_KERNEL_SIDE_PX // 2,
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x * MAX_TONE_LEVEL
        for layer in self.falls:
            x = F.relu(layer(x), inplace=True)
        for block in self.trunk:
            x = block(x)
        for layer in self.rises:
            x = F.relu(layer(x), inplace=True)
        painted: Tensor = self.paint(F.pad(x, (STEM_KERNEL_SIDE_PX // 2,) * 4, mode="reflect"))
        return (painted / MAX_TONE_LEVEL).clamp(0, 1)


def is_transformer_net(state: Mapping[str, Tensor]) -> bool:
    """Return whether the names of a state dict are those of pytorch/examples' TransformerNet."""
    return FIRST_WEIGHT_NAME in state


def import_transformer_net(path: str, state: Mapping[str, Tensor]) -> TransformerNet:
    """Build the TransformerNet of a checkpoint of pytorch/examples.

    Args:
        path: the checkpoint, as messages name it.
        state: weights by their published names.

    Raises:
        ArtgenError: it is no such network; with the first name that does not fit.
    """
    state = {
        name: value for name, value in state.items() if name.rpartition(".")[2] not in RUNNING_STATISTICS
    }
    blocks = sum(re.fullmatch(r"res\d+\.conv1\.conv2d\.weight", name) is not None for name in state)
    first_weight = state.get(FIRST_WEIGHT_NAME)
    try:
        width = len(first_weight) if first_weight is not None else 0
        config = TransformerNetConfig(width=width, blocks=blocks)
    except (ValidationError, TypeError):
        problem = f"no network that is known; it begins with {next(iter(state), 'nothing')!r}"
        raise ArtgenError(path, problem, EXPECTED_FILE) from None
    with torch.device("meta"):  # allocates nothing: the file may lack what its names promise
        network = TransformerNet(config)
    published_names = dict(_published_names(config))
    expected_shapes = {
        published_names[name]: tuple(weight.shape) for name, weight in network.state_dict().items()
    }
    shapes = {name: tuple(weight.shape) for name, weight in state.items()}
    for name in {**expected_shapes, **shapes}:
        shape, expected_shape = shapes.get(name), expected_shapes.get(name)
        if shape != expected_shape:
            problem = f"{name} is {format_shape(shape)} and should be {format_shape(expected_shape)}"
            raise ArtgenError(path, problem, EXPECTED_FILE)
    weights = {
        name: state[published_name].detach().float().contiguous()
        for name, published_name in published_names.items()
    }
    network.load_state_dict(weights, assign=True)
    return network


def _published_names(config: TransformerNetConfig) -> Iterator[tuple[str, str]]:
    """Yield the name of every TransformerNet weight here, and the published one."""
    layers = {f"falls.{n}": (f"conv{n + 1}", f"in{n + 1}") for n in range(3)}
    for n in range(config.blocks):
        for name, number in (("first", 1), ("second", 2)):
            layers[f"trunk.{n}.{name}"] = (f"res{n + 1}.conv{number}", f"res{n + 1}.in{number}")
    layers |= {f"rises.{n}": (f"deconv{n + 1}", f"in{n + 4}") for n in range(2)}
    for part in ("weight", "bias"):
        for layer, (convolution, norm) in layers.items():
            yield f"{layer}.convolution.{part}", f"{convolution}.conv2d.{part}"
            yield f"{layer}.norm.{part}", f"{norm}.{part}"
        yield f"paint.{part}", f"deconv3.conv2d.{part}"
