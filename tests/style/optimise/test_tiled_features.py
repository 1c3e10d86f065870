"""Tiles: what networks see is told truly, and a picture in tiles has the gradient of the whole."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from artgen.models.features.features import Features
from artgen.models.features.receptive import Sight, extent, sight
from artgen.style.optimise.objective import Objective
from artgen.style.optimise.presets import OPTIMISE_PRESETS, OptimiseSettings
from artgen.style.optimise.tiled_features import appetite, find_side, tiles
from tests.style.optimise.random_networks import random_squeezenet, random_vgg, scene

NETWORKS = {
    # In float64: where a feature is next to zero, or two are next to equal, float32 decides by how sums are
    # blocked, in which no tile is like the whole.
    "vgg": lambda: random_vgg().adapted(replicates=True, dtype=torch.float64),
    "normalised": lambda: random_vgg("relu3_1", reflects=True).adapted(dtype=torch.float64),
    "squeezenet": lambda: random_squeezenet().adapted(dtype=torch.float64),
}
WAYS = ["wasserstein", "gram"]


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("last", [-1, -3, 2])
def test_a_feature_sees_what_is_told(kind: str, last: int) -> None:
    network: Features = NETWORKS[kind]()
    name = network.names[last] if kind != "vgg" or last != -1 else "relu5_1"
    kernels = network.kernels(name)
    layer = sight(kernels)
    side = layer.before + layer.after + 3 * layer.stride + 8
    picture = torch.rand(1, 3, 40, side, generator=torch.Generator().manual_seed(0), requires_grad=True)
    features = network(picture, {name})[name]
    assert features.shape[1:] == (network.channels(name), extent(kernels, 40), extent(kernels, side))
    place = -(-layer.before // layer.stride)
    seen = torch.autograd.grad(features[..., place].square().sum(), picture)[0].abs().sum((0, 1, 2)).nonzero()
    first, last_own = place * layer.stride, (place + 1) * layer.stride - 1
    assert int(seen.min()) >= first - layer.before
    assert int(seen.max()) <= last_own + layer.after
    # Pools pass on one pixel of each window, so that the outermost may be missing.
    assert int(seen.min()) <= first - layer.before + layer.stride
    assert int(seen.max()) >= last_own + layer.after - layer.stride


@pytest.mark.parametrize("kind", ["vgg", "squeezenet"])
def test_the_smallest_picture_has_one_feature(kind: str) -> None:
    network: Features = NETWORKS[kind]()
    kernels = network.kernels(network.names[-1])
    side = next(length for length in itertools.count(1) if extent(kernels, length))
    assert network(torch.rand(1, 3, side, side), {network.names[-1]})[network.names[-1]].numel() > 0
    with pytest.raises(RuntimeError):
        network(torch.rand(1, 3, side - 1, side - 1), {network.names[-1]})


def test_the_halo_of_relu5_1() -> None:
    layer = sight(random_vgg().kernels("relu5_1"))
    assert (layer.stride, layer.halo) == (16, 70)


def objective(kind: str, loss: str, size: tuple[int, int], *, masked: bool = False) -> Objective:
    settings: OptimiseSettings = replace(OPTIMISE_PRESETS["crowsonkb"], loss=loss, content_weight=0.05)
    masks = None
    if masked:
        soft = torch.linspace(0, 1, size[1]).expand(1, 1, *size)
        masks = torch.cat([soft, 1 - soft])
    hold = torch.rand(1, *size, generator=torch.Generator().manual_seed(5)) * 9 + 1
    return Objective(
        NETWORKS[kind](),
        settings,
        scene(*size, 1),
        [[scene(40, 51, 2)], [scene(49, 40, 3)]],
        [0.3, 0.7],
        masks=masks,
        hold=hold,
    )


def whole_and_tiled(made: Objective, side: int) -> tuple[float, float]:
    """How much loss and gradient of the tiled picture differ, relative."""
    picture = scene(*made.size, 4)
    loss, gradient = made(picture)
    made.side = side
    assert len(list(tiles(made.size, side, list(made.sights.values())))) > 1
    tiled, slope = made(picture)
    return abs(tiled - loss) / loss, float((slope - gradient).norm() / gradient.norm())


@pytest.mark.parametrize("loss", WAYS)
@pytest.mark.parametrize(
    ("kind", "size", "side"),
    [
        pytest.param("vgg", (35, 197), 48, marks=pytest.mark.slow),
        ("normalised", (45, 71), 24),
        ("squeezenet", (61, 135), 48),
    ],
)
def test_tiled_is_the_same(kind: str, size: tuple[int, int], side: int, loss: str) -> None:
    apart, turned = whole_and_tiled(objective(kind, loss, size), side)
    assert apart < 1e-6
    assert turned < 1e-6


def test_tiled_is_the_same_in_regions() -> None:
    apart, turned = whole_and_tiled(objective("normalised", "wasserstein", (45, 71), masked=True), 24)
    assert apart < 1e-6
    assert turned < 1e-6


@pytest.mark.slow
def test_half_the_halo_is_not_enough() -> None:
    made = objective("vgg", "wasserstein", (35, 197))
    for name, layer in made.sights.items():
        made.sights[name] = Sight(layer.stride, layer.before // 2, layer.after // 2)
    _, turned = whole_and_tiled(made, 48)
    assert turned > 1e-3


def test_tiles_cover_everything_once() -> None:
    layers = [Sight(4, 7, 6), Sight(8, 21, 20)]
    covered = torch.zeros(1, 77, 101)
    for tile in tiles((77, 101), 24, layers):
        covered[:, tile.own.top : tile.own.bottom, tile.own.left : tile.own.right] += 1
        assert tile.seen.top % 8 == tile.seen.left % 8 == 0
        assert tile.seen.top == max(0, tile.own.top - 24)
        assert tile.seen.bottom == min(77, tile.own.bottom + 24)
    assert bool((covered == 1).all())


def test_the_side_follows_from_memory() -> None:
    network, wanted = random_vgg().adapted(), {"relu1_1", "relu5_1"}
    assert find_side((300, 500), 300 * 500 * appetite(network, wanted), network, wanted) == 500
    sides = [find_side((6000, 8000), room * 1e9, network, wanted) for room in (0.1, 1, 2, 4)]
    assert sides == sorted(sides)
    assert all(side % 16 == 0 for side in sides)
    assert (sides[-1] + 160) ** 2 * appetite(network, wanted) <= 4e9
    halved = random_vgg().adapted(dtype=torch.bfloat16)
    assert find_side((6000, 8000), 2e9, halved, wanted) > sides[2]


def test_statistics_of_a_large_style_are_taken_in_tiles() -> None:
    made = objective("normalised", "gram", (40, 40))
    style: Tensor = scene(90, 131, 6)
    whole = made._statistics(style)
    made.room = appetite(made.network, made.weights) * 60 * 60
    tiled = made._statistics(style)
    for name, statistics in whole.items():
        torch.testing.assert_close(tiled[name].raw, statistics.raw, rtol=1e-5, atol=1e-6)
