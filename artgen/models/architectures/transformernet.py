"""Johnson's network as pytorch/examples (``fast_neural_style``) has it: one style, many checkpoints about.

After Johnson et al. 2016 (arXiv:1603.08155) with instance norm (Ulyanov et al. 2016, arXiv:1607.08022) and
resize-convolutions (Odena et al. 2016). Upstream takes and gives colours up to 255; here they are in [0, 1].
Deviations, none of which changes a pixel: the statistics of the norms can be fixed from outside, so that
tiles of one picture agree; a doubling is computed without enlarging first, where to mirror one px after
nearest 2x is to repeat one before it. Files from before torch 0.4 hold running statistics that even their own
code never used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from pydantic import Field, ValidationError
from torch import Tensor, nn

from artgen.errors import ArtgenError
from artgen.imaging.tiles.exact import Reach
from artgen.models.architectures.network import Config, Network
from artgen.models.architectures.norms import InstanceNorm
from artgen.models.architectures.upimage import nearest_conv

UPSTREAM = "pytorch/examples fast_neural_style"
RIGHT = f"a checkpoint of {UPSTREAM}, such as candy.pth"
SIGN = "conv1.conv2d.weight"
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
WHITE = 255.0
STEM = 9
HALVINGS = 2


class TransformerNetConfig(Config):
    """Sizes of the network; all published ones have these."""

    width: int = Field(32, ge=1, le=256)
    blocks: int = Field(5, ge=1, le=32)


class Layer(nn.Module):
    """Convolution over a mirrored border, then the norm. ``rises`` doubles the size first."""

    def __init__(
        self, before: int, after: int, size: int = 3, *, stride: int = 1, rises: bool = False
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(before, after, size, stride)
        self.norm = InstanceNorm(after, affine=True)
        self.rises = rises

    def forward(self, x: Tensor) -> Tensor:
        convolution = self.convolution
        if self.rises:
            assert convolution.bias is not None
            x = F.pad(x, (1,) * 4, mode="replicate")
            x = nearest_conv(x, convolution.weight, convolution.bias, padding=0)
        else:
            x = convolution(F.pad(x, (convolution.kernel_size[0] // 2,) * 4, mode="reflect"))
        normed: Tensor = self.norm(x)
        return normed


class Block(nn.Module):
    """Two convolutions beside a straight way; nothing after the sum."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = Layer(width, width), Layer(width, width)

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.second(F.relu(self.first(x)))
        return x + change


class TransformerNet(Network):
    """``(B, 3, H, W)`` in [0, 1] to the same size, in [0, 1]; H and W are multiples of 4.

    Args:
        config: sizes.
    """

    architecture = "transformer-net"
    configuration = TransformerNetConfig
    config: TransformerNetConfig

    def __init__(self, config: TransformerNetConfig) -> None:
        super().__init__(config)
        width = config.width
        self.falls = nn.ModuleList(
            [
                Layer(3, width, STEM),
                Layer(width, 2 * width, stride=2),
                Layer(2 * width, 4 * width, stride=2),
            ]
        )
        self.trunk = nn.ModuleList(Block(4 * width) for _ in range(config.blocks))
        self.rises = nn.ModuleList(
            [Layer(4 * width, 2 * width, rises=True), Layer(2 * width, width, rises=True)]
        )
        self.paint = nn.Conv2d(width, 3, STEM)

    @property
    def reach(self) -> Reach:
        """What the tile engine must know once the statistics are fixed; a test derives it."""
        trunk = 2 * self.config.blocks * 2**HALVINGS
        # Stem 4, halvings 1 and 2, doublings 4 and 2 at their coarser grids, paint 4.
        return Reach(scale=1, multiple=2**HALVINGS, halo=STEM // 2 + 1 + 2 + trunk + 4 + 2 + STEM // 2)

    def forward(self, x: Tensor) -> Tensor:
        x = x * WHITE
        for layer in self.falls:
            x = F.relu(layer(x), inplace=True)
        for block in self.trunk:
            x = block(x)
        for layer in self.rises:
            x = F.relu(layer(x), inplace=True)
        painted: Tensor = self.paint(F.pad(x, (STEM // 2,) * 4, mode="reflect"))
        return (painted / WHITE).clamp(0, 1)


def looks_like(state: Mapping[str, Tensor]) -> bool:
    """Whether names are those of pytorch/examples."""
    return SIGN in state


def imported(where: str, state: Mapping[str, Tensor]) -> TransformerNet:
    """The network that ``state`` holds.

    Args:
        where: what messages call it.
        state: weights by their published names.

    Raises:
        ArtgenError: it is no such network; with the first name that does not fit.
    """
    state = {name: value for name, value in state.items() if name.rpartition(".")[2] not in STATISTICS}
    blocks = sum(re.fullmatch(r"res\d+\.conv1\.conv2d\.weight", name) is not None for name in state)
    first = state.get(SIGN)
    try:
        config = TransformerNetConfig(width=len(first) if first is not None else 0, blocks=blocks)
    except (ValidationError, TypeError):
        found = f"no network that is known; it begins with {next(iter(state), 'nothing')!r}"
        raise ArtgenError(where, found, RIGHT) from None
    with torch.device("meta"):  # no memory yet: what the names promise may not be there
        network = TransformerNet(config)
    names = dict(_names(config))
    wanted = {names[name]: tuple(weight.shape) for name, weight in network.state_dict().items()}
    have = {name: tuple(weight.shape) for name, weight in state.items()}
    for name in {**wanted, **have}:
        if wanted.get(name) != have.get(name):
            found = f"{name} is {_shape(have.get(name))} and should be {_shape(wanted.get(name))}"
            raise ArtgenError(where, found, RIGHT)
    weights = {ours: state[theirs].detach().float().contiguous() for ours, theirs in names.items()}
    network.load_state_dict(weights, assign=True)
    return network


def _names(config: TransformerNetConfig) -> Iterator[tuple[str, str]]:
    """Our name of every weight, and the published one."""
    layers = {f"falls.{n}": (f"conv{n + 1}", f"in{n + 1}") for n in range(3)}
    for n in range(config.blocks):
        for ours, number in (("first", 1), ("second", 2)):
            layers[f"trunk.{n}.{ours}"] = (f"res{n + 1}.conv{number}", f"res{n + 1}.in{number}")
    layers |= {f"rises.{n}": (f"deconv{n + 1}", f"in{n + 4}") for n in range(2)}
    for part in ("weight", "bias"):
        for ours, (convolution, norm) in layers.items():
            yield f"{ours}.convolution.{part}", f"{convolution}.conv2d.{part}"
            yield f"{ours}.norm.{part}", f"{norm}.{part}"
        yield f"paint.{part}", f"deconv3.conv2d.{part}"


def _shape(shape: tuple[int, ...] | None) -> str:
    return "missing" if shape is None else " x ".join(map(str, shape)) or "one number"
