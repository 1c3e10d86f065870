"""Generators of junyanz/pytorch-CycleGAN-and-pix2pix as their checkpoints are, without any of our networks.

State dicts by the published names and shapes, and a forward pass straight from those names, in ``eval``: what
an import is compared with.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]


def unet_state(levels: int, width: int, *, inputs: int = 3, outputs: int = 3, norm: str = "batch") -> State:
    """As ``UnetGenerator(inputs, outputs, levels, width)`` is saved after some training."""
    state: State = {}

    def block(at: str, outer: int, inner: int, level: int) -> None:
        first, last, bias = level == 0, level == levels - 1, norm == "instance"
        _kernel(state, f"{at}{0 if first else 1}", inputs if first else outer, inner, 4, bias=bias)
        if not first and not last:
            _norm(state, f"{at}2", inner, norm)
        if not last:
            inside = f"{at}1.model." if first else f"{at}3.model."
            block(inside, inner, width * min(8, 2 ** (level + 1)), level + 1)
        rise, below = 3 if first or last else 5, inner if last else 2 * inner
        _raising(state, f"{at}{rise}", below, outputs if first else outer, 4, bias=bias or first)
        if not first:
            _norm(state, f"{at}{rise + 1}", outer, norm)

    block("model.model.", 0, width, 0)
    return state


def unet(state: State, x: Tensor) -> Tensor:
    """The picture in [-1, 1] that the network makes of ``x`` in [-1, 1]."""

    def block(at: str, x: Tensor, first: bool) -> Tensor:
        inside = f"{at}1.model." if first else f"{at}3.model."
        last = not any(name.startswith(inside) for name in state)
        rise = 3 if first or last else 5
        y = F.conv2d(x, *_of(state, f"{at}0"), 2, 1) if first else x
        if not first:
            y = F.conv2d(F.leaky_relu(x, 0.2), *_of(state, f"{at}1"), 2, 1)
        if not last:
            y = block(inside, y if first else _normed(state, f"{at}2", y), False)
        y = F.conv_transpose2d(F.relu(y), *_of(state, f"{at}{rise}"), 2, 1)
        return torch.tanh(y) if first else torch.cat([x, _normed(state, f"{at}{rise + 1}", y)], 1)

    return block("model.model.", x, True)


def resnet_state(
    blocks: int,
    width: int,
    *,
    inputs: int = 3,
    outputs: int = 3,
    norm: str = "instance",
    dropout: bool = False,
) -> State:
    """As ``ResnetGenerator(inputs, outputs, width, n_blocks=blocks)`` is saved after some training."""
    state: State = {}
    bias = norm == "instance"

    _kernel(state, "model.1", inputs, width, 7, bias=bias)
    _norm(state, "model.2", width, norm)
    for number, channels in ((4, width), (7, 2 * width)):
        _kernel(state, f"model.{number}", channels, 2 * channels, 3, bias=bias)
        _norm(state, f"model.{number + 1}", 2 * channels, norm)
    for number in range(10, 10 + blocks):
        for place in (1, 6 if dropout else 5):
            _kernel(state, f"model.{number}.conv_block.{place}", 4 * width, 4 * width, 3, bias=bias)
            _norm(state, f"model.{number}.conv_block.{place + 1}", 4 * width, norm)
    for number, channels in ((10 + blocks, 4 * width), (13 + blocks, 2 * width)):
        _raising(state, f"model.{number}", channels, channels // 2, 3, bias=bias)
        _norm(state, f"model.{number + 1}", channels // 2, norm)
    _kernel(state, f"model.{17 + blocks}", width, outputs, 7, bias=True)
    return state


def resnet(state: State, x: Tensor, *, dropout: bool = False) -> Tensor:
    """The picture in [-1, 1] that the network makes of ``x`` in [-1, 1]."""
    blocks = len({name.split(".")[1] for name in state if "conv_block" in name})
    x = F.conv2d(_reflected(x, 3), *_of(state, "model.1"))
    x = F.relu(_normed(state, "model.2", x))
    for number in (4, 7):
        x = F.conv2d(x, *_of(state, f"model.{number}"), stride=2, padding=1)
        x = F.relu(_normed(state, f"model.{number + 1}", x))
    for number in range(10, 10 + blocks):
        at, second = f"model.{number}.conv_block", 6 if dropout else 5
        y = F.relu(_normed(state, f"{at}.2", F.conv2d(_reflected(x, 1), *_of(state, f"{at}.1"))))
        y = F.conv2d(_reflected(y, 1), *_of(state, f"{at}.{second}"))
        x = x + _normed(state, f"{at}.{second + 1}", y)
    for number in (10 + blocks, 13 + blocks):
        x = F.conv_transpose2d(x, *_of(state, f"model.{number}"), 2, 1, output_padding=1)
        x = F.relu(_normed(state, f"model.{number + 1}", x))
    return torch.tanh(F.conv2d(_reflected(x, 3), *_of(state, f"model.{17 + blocks}")))


def _kernel(state: State, at: str, inputs: int, outputs: int, side: int, *, bias: bool) -> None:
    state[f"{at}.weight"] = torch.randn(outputs, inputs, side, side) * (2 / (inputs * side * side)) ** 0.5
    if bias:
        state[f"{at}.bias"] = torch.randn(outputs) * 0.1


def _raising(state: State, at: str, inputs: int, outputs: int, side: int, *, bias: bool) -> None:
    """Of a transposed convolution, whose first dimension is what goes in."""
    state[f"{at}.weight"] = torch.randn(inputs, outputs, side, side) * (8 / (inputs * side * side)) ** 0.5
    if bias:
        state[f"{at}.bias"] = torch.randn(outputs) * 0.1


def _norm(state: State, at: str, channels: int, kind: str) -> None:
    if kind == "batch":
        state[f"{at}.weight"] = 1 + 0.2 * torch.randn(channels)
        state[f"{at}.bias"] = 0.2 * torch.randn(channels)
        state[f"{at}.running_mean"] = 0.2 * torch.randn(channels)
        state[f"{at}.running_var"] = 0.5 + torch.rand(channels)
        state[f"{at}.num_batches_tracked"] = torch.tensor(1234)


def _of(state: State, at: str) -> tuple[Tensor, Tensor | None]:
    return state[f"{at}.weight"], state.get(f"{at}.bias")


def _normed(state: State, at: str, x: Tensor) -> Tensor:
    if f"{at}.running_mean" not in state:
        return F.instance_norm(x)
    parts = ("running_mean", "running_var", "weight", "bias")
    return F.batch_norm(x, *(state[f"{at}.{part}"] for part in parts))


def _reflected(x: Tensor, by: int) -> Tensor:
    return F.pad(x, (by, by, by, by), mode="reflect")
