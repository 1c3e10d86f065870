"""Halving and doubling convolutions equal torch's, forwards and backwards, at every size and batch."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from artgen.models.architectures.small_convs import MAX_MATMUL_PIXELS, DoublingConv, HalvingConv


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("batch", "height", "width"), [(1, 2, 2), (3, 4, 8), (1, 16, 16), (2, 16, 18)])
@pytest.mark.parametrize(
    ("fast_class", "torch_class"), [(HalvingConv, nn.Conv2d), (DoublingConv, nn.ConvTranspose2d)]
)
def test_equal_to_torchs_convolutions(
    fast_class: type[nn.Module], torch_class: type[nn.Module], batch: int, height: int, width: int, bias: bool
) -> None:
    torch.manual_seed(0)
    if fast_class is DoublingConv:
        height, width = height // 2, width // 2
    fast, reference = fast_class(5, 7, bias=bias), torch_class(5, 7, 4, 2, 1, bias=bias)
    fast.load_state_dict(reference.state_dict())
    x = torch.randn(batch, 5, height, width, requires_grad=True)
    output, expected = fast(x), reference(x)
    torch.testing.assert_close(output, expected, rtol=1e-5, atol=1e-5)
    weights = torch.randn_like(output)
    gradients = torch.autograd.grad((output * weights).sum(), [x, *fast.parameters()])
    expected_gradients = torch.autograd.grad((expected * weights).sum(), [x, *reference.parameters()])
    for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(gradient, expected_gradient, rtol=1e-4, atol=1e-5)


def test_both_ways_of_computing_are_tested() -> None:
    sizes = [1 * 2 * 2, 3 * 4 * 8, 1 * 16 * 16, 2 * 16 * 18]
    assert min(sizes) // 4 <= MAX_MATMUL_PIXELS < max(sizes) // 4
