"""Halving and doubling convolutions: equal to torch's, forwards and backwards, at every size and batch."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from artgen.models.architectures.small_convs import FEW, Double, Halve


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("batch", "height", "width"), [(1, 2, 2), (3, 4, 8), (1, 16, 16), (2, 16, 18)])
@pytest.mark.parametrize(("quick", "plain"), [(Halve, nn.Conv2d), (Double, nn.ConvTranspose2d)])
def test_equal_to_torchs_convolutions(
    quick: type[nn.Module], plain: type[nn.Module], batch: int, height: int, width: int, bias: bool
) -> None:
    torch.manual_seed(0)
    if quick is Double:
        height, width = height // 2, width // 2
    ours, theirs = quick(5, 7, bias=bias), plain(5, 7, 4, 2, 1, bias=bias)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(batch, 5, height, width, requires_grad=True)
    made, expected = ours(x), theirs(x)
    torch.testing.assert_close(made, expected, rtol=1e-5, atol=1e-5)
    weights = torch.randn_like(made)
    found = torch.autograd.grad((made * weights).sum(), [x, *ours.parameters()])
    wanted = torch.autograd.grad((expected * weights).sum(), [x, *theirs.parameters()])
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_both_ways_of_computing_are_tested() -> None:
    sizes = [1 * 2 * 2, 3 * 4 * 8, 1 * 16 * 16, 2 * 16 * 18]
    assert min(sizes) // 4 <= FEW < max(sizes) // 4
