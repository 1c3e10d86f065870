"""References for imports of junyanz/pytorch-CycleGAN-and-pix2pix, without any of artgen's networks.

State dicts with the published names and shapes, and a forward pass straight from those names, in ``eval``.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

StateDict = dict[str, Tensor]


def unet_state(
    levels: int, width: int, *, inputs: int = 3, outputs: int = 3, norm: str = "batch"
) -> StateDict:
    """Return a state dict as ``UnetGenerator(inputs, outputs, levels, width)`` saves it once trained."""
    state: StateDict = {}

    def block(prefix: str, outer: int, inner: int, level: int) -> None:
        is_outermost, is_innermost, bias = level == 0, level == levels - 1, norm == "instance"
        _add_convolution(
            state,
            f"{prefix}{0 if is_outermost else 1}",
            inputs if is_outermost else outer,
            inner,
            4,
            bias=bias,
        )
        if not is_outermost and not is_innermost:
            _add_norm(state, f"{prefix}2", inner, norm)
        if not is_innermost:
            inner_prefix = f"{prefix}1.model." if is_outermost else f"{prefix}3.model."
            block(inner_prefix, inner, width * min(8, 2 ** (level + 1)), level + 1)
        up_number, in_channels = (
            3 if is_outermost or is_innermost else 5,
            inner if is_innermost else 2 * inner,
        )
        _add_transposed_convolution(
            state,
            f"{prefix}{up_number}",
            in_channels,
            outputs if is_outermost else outer,
            4,
            bias=bias or is_outermost,
        )
        if not is_outermost:
            _add_norm(state, f"{prefix}{up_number + 1}", outer, norm)

    block("model.model.", 0, width, 0)
    return state


def unet(state: StateDict, x: Tensor) -> Tensor:
    """Compute the network's output in [-1, 1] for ``x`` in [-1, 1]."""

    def block(prefix: str, x: Tensor, is_outermost: bool) -> Tensor:
        inner_prefix = f"{prefix}1.model." if is_outermost else f"{prefix}3.model."
        is_innermost = not any(name.startswith(inner_prefix) for name in state)
        up_number = 3 if is_outermost or is_innermost else 5
        y = F.conv2d(x, *_weight_and_bias(state, f"{prefix}0"), 2, 1) if is_outermost else x
        if not is_outermost:
            y = F.conv2d(F.leaky_relu(x, 0.2), *_weight_and_bias(state, f"{prefix}1"), 2, 1)
        if not is_innermost:
            y = block(inner_prefix, y if is_outermost else _apply_norm(state, f"{prefix}2", y), False)
        y = F.conv_transpose2d(F.relu(y), *_weight_and_bias(state, f"{prefix}{up_number}"), 2, 1)
        return (
            torch.tanh(y)
            if is_outermost
            else torch.cat([x, _apply_norm(state, f"{prefix}{up_number + 1}", y)], 1)
        )

    return block("model.model.", x, True)


def resnet_state(
    blocks: int,
    width: int,
    *,
    inputs: int = 3,
    outputs: int = 3,
    norm: str = "instance",
    dropout: bool = False,
) -> StateDict:
    """Return a state dict as ``ResnetGenerator(inputs, outputs, width, n_blocks=blocks)`` saves it."""
    state: StateDict = {}
    bias = norm == "instance"

    _add_convolution(state, "model.1", inputs, width, 7, bias=bias)
    _add_norm(state, "model.2", width, norm)
    for number, channels in ((4, width), (7, 2 * width)):
        _add_convolution(state, f"model.{number}", channels, 2 * channels, 3, bias=bias)
        _add_norm(state, f"model.{number + 1}", 2 * channels, norm)
    for number in range(10, 10 + blocks):
        for convolution in (1, 6 if dropout else 5):
            _add_convolution(
                state, f"model.{number}.conv_block.{convolution}", 4 * width, 4 * width, 3, bias=bias
            )
            _add_norm(state, f"model.{number}.conv_block.{convolution + 1}", 4 * width, norm)
    for number, channels in ((10 + blocks, 4 * width), (13 + blocks, 2 * width)):
        _add_transposed_convolution(state, f"model.{number}", channels, channels // 2, 3, bias=bias)
        _add_norm(state, f"model.{number + 1}", channels // 2, norm)
    _add_convolution(state, f"model.{17 + blocks}", width, outputs, 7, bias=True)
    return state


def resnet(state: StateDict, x: Tensor, *, dropout: bool = False) -> Tensor:
    """Compute the network's output in [-1, 1] for ``x`` in [-1, 1]."""
    blocks = len({name.split(".")[1] for name in state if "conv_block" in name})
    x = F.conv2d(_pad_reflected(x, 3), *_weight_and_bias(state, "model.1"))
    x = F.relu(_apply_norm(state, "model.2", x))
    for number in (4, 7):
        x = F.conv2d(x, *_weight_and_bias(state, f"model.{number}"), stride=2, padding=1)
        x = F.relu(_apply_norm(state, f"model.{number + 1}", x))
    for number in range(10, 10 + blocks):
        prefix, second = f"model.{number}.conv_block", 6 if dropout else 5
        y = F.relu(
            _apply_norm(
                state, f"{prefix}.2", F.conv2d(_pad_reflected(x, 1), *_weight_and_bias(state, f"{prefix}.1"))
            )
        )
        y = F.conv2d(_pad_reflected(y, 1), *_weight_and_bias(state, f"{prefix}.{second}"))
        x = x + _apply_norm(state, f"{prefix}.{second + 1}", y)
    for number in (10 + blocks, 13 + blocks):
        x = F.conv_transpose2d(x, *_weight_and_bias(state, f"model.{number}"), 2, 1, output_padding=1)
        x = F.relu(_apply_norm(state, f"model.{number + 1}", x))
    return torch.tanh(F.conv2d(_pad_reflected(x, 3), *_weight_and_bias(state, f"model.{17 + blocks}")))


def _add_convolution(
    state: StateDict, prefix: str, inputs: int, outputs: int, side: int, *, bias: bool
) -> None:
    state[f"{prefix}.weight"] = torch.randn(outputs, inputs, side, side) * (2 / (inputs * side * side)) ** 0.5
    if bias:
        state[f"{prefix}.bias"] = torch.randn(outputs) * 0.1


def _add_transposed_convolution(
    state: StateDict, prefix: str, inputs: int, outputs: int, side: int, *, bias: bool
) -> None:
    """Add the weights of a transposed convolution, whose first dimension is the input channels."""
    state[f"{prefix}.weight"] = torch.randn(inputs, outputs, side, side) * (8 / (inputs * side * side)) ** 0.5
    if bias:
        state[f"{prefix}.bias"] = torch.randn(outputs) * 0.1


def _add_norm(state: StateDict, prefix: str, channels: int, kind: str) -> None:
    if kind == "batch":
        state[f"{prefix}.weight"] = 1 + 0.2 * torch.randn(channels)
        state[f"{prefix}.bias"] = 0.2 * torch.randn(channels)
        state[f"{prefix}.running_mean"] = 0.2 * torch.randn(channels)
        state[f"{prefix}.running_var"] = 0.5 + torch.rand(channels)
        state[f"{prefix}.num_batches_tracked"] = torch.tensor(1234)


def _weight_and_bias(state: StateDict, prefix: str) -> tuple[Tensor, Tensor | None]:
    return state[f"{prefix}.weight"], state.get(f"{prefix}.bias")


def _apply_norm(state: StateDict, prefix: str, x: Tensor) -> Tensor:
    if f"{prefix}.running_mean" not in state:
        return F.instance_norm(x)
    parts = ("running_mean", "running_var", "weight", "bias")
    return F.batch_norm(x, *(state[f"{prefix}.{part}"] for part in parts))


def _pad_reflected(x: Tensor, width: int) -> Tensor:
    return F.pad(x, (width, width, width, width), mode="reflect")
