"""Palette transfer, curves and the detail that goes with them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from artgen.imaging.blur import gaussian_blur
from artgen.imaging.image import luminance
from artgen.style.detail import (
    edge_map,
    equalise_local_contrast,
    match_laplacian_bands,
    wide_gaussian_blur,
)
from artgen.style.palette import (
    QuantileCurve,
    apply_colour_table,
    match_colours_linearly,
    replace_luminance,
    transfer_palette,
)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_curve_gives_the_targets_distribution() -> None:
    source, target = drawn(30_000), drawn(20_000, seed=1) ** 2
    mapped = QuantileCurve.from_samples(source, target)(source)
    at = torch.linspace(0.02, 0.98, 25)
    assert torch.allclose(mapped.quantile(at), target.quantile(at), atol=0.01)
    order = source.argsort()
    assert bool((mapped[order].diff() >= 0).all())


def test_curve_puts_a_flat_source_in_the_middle() -> None:
    mapped = QuantileCurve.from_samples(torch.full((100,), 0.3), drawn(1001))(torch.full((4,), 0.3))
    assert torch.allclose(mapped, torch.full((4,), 0.5), atol=0.03)


def test_linear_map_matches_mean_and_covariance() -> None:
    image = 0.3 + 0.2 * drawn(3, 40, 40)
    mix = torch.tensor([[0.3, 0.1, 0.0], [0.1, 0.3, 0.1], [0.0, 0.2, 0.2]])
    reference = 0.2 + mix @ drawn(3, 5000, seed=1)
    mapped = match_colours_linearly(image, reference).flatten(1)
    assert torch.allclose(mapped.mean(1), reference.mean(1), atol=1e-3)
    assert torch.allclose(mapped.cov(), reference.cov(), atol=1e-3)
    assert torch.allclose(match_colours_linearly(image, reference, 0), image)


def test_palette_transfer_moves_every_channel() -> None:
    image, reference = drawn(3, 64, 64), drawn(3, 5000, seed=1) ** 3
    generator = torch.Generator().manual_seed(0)
    mapped = transfer_palette(image, reference, generator, rotations=12, amount=1).flatten(1)
    at = torch.linspace(0.1, 0.9, 9)
    assert torch.allclose(mapped.quantile(at, 1), reference.quantile(at, 1), atol=0.06)


def test_look_up_identity() -> None:
    axis = torch.linspace(0, 1, 9)
    table = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"))
    image = drawn(3, 20, 30)
    assert torch.allclose(apply_colour_table(image, table), image, atol=1e-5)


def test_new_luminance_is_exact_and_stays_in_range() -> None:
    colour, grey = drawn(3, 30, 30), drawn(1, 30, 30, seed=1)
    result = replace_luminance(colour, grey)
    assert torch.allclose(luminance(result), grey, atol=1e-4)
    assert float(result.min()) >= 0
    assert float(result.max()) <= 1


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (40, 30)])
def test_blur_keeps_flat_ground(size: tuple[int, int]) -> None:
    flat = torch.full((3, *size), 0.7)
    for sigma in (0.7, 3.0, 20.0):
        assert torch.allclose(gaussian_blur(flat, sigma), flat, atol=1e-5)
        assert torch.allclose(wide_gaussian_blur(flat, sigma), flat, atol=1e-5)


def test_wide_blur_is_near_the_blur() -> None:
    image = drawn(1, 120, 120)
    assert float((wide_gaussian_blur(image, 12.0) - gaussian_blur(image, 12.0)).abs().mean()) < 0.01


def test_edges_are_at_the_edge() -> None:
    step = torch.zeros(3, 40, 40)
    step[:, :, 20:] = 1
    edges = edge_map(step)
    assert float(edges[..., 18:22].mean()) > 0.7
    assert float(edges[..., :10].max()) < 0.01
    ramp = torch.linspace(0, 1, 400).expand(3, 40, 400)
    assert float(edge_map(ramp).max()) < 0.2


def test_local_contrast_is_evened_out() -> None:
    stripes = (torch.arange(128) % 8 < 4).float().expand(1, 128, 128) - 0.5
    image = (0.5 + stripes * torch.cat([torch.full((64, 1), 0.05), torch.full((64, 1), 0.6)])).expand(
        3, -1, -1
    )
    evened = equalise_local_contrast(image.contiguous(), 1.0)
    before = float(image[:, :40].std() / image[:, 88:].std())
    after = float(evened[:, :40].std() / evened[:, 88:].std())
    assert before < 0.1 < 0.4 < after
    assert torch.equal(equalise_local_contrast(image, 0), image)


def test_fine_bands_bring_crispness() -> None:
    soft, crisp = gaussian_blur(drawn(3, 100, 100), 1.5), drawn(3, 80, 80, seed=1)
    result = match_laplacian_bands(soft, crisp, 0.4)
    assert float(result.std()) > 1.5 * float(soft.std())
    assert torch.allclose(match_laplacian_bands(soft, crisp, 0.0), soft, atol=1e-5)
