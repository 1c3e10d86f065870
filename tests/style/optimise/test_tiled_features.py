"""Tiles: receptive fields are right, and a tiled image has the gradient of the whole one."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from artgen.models.features.features import FeatureNetwork
from artgen.models.features.receptive import ReceptiveField, feature_length, receptive_field
from artgen.style.optimise.objective import StyleObjective
from artgen.style.optimise.presets import OPTIMISE_PRESETS, OptimiseSettings
from artgen.style.optimise.tiled_features import bytes_per_pixel, find_tile_side, split_into_tiles
from tests.style.optimise.random_networks import random_squeezenet, random_vgg, scene

NETWORKS = {
    # In float64: where a feature is next to zero, or two are next to equal, float32 decides by how sums are
    # blocked, in which no tile is like the whole.
    "vgg": lambda: random_vgg().with_options(replicate_border=True, dtype=torch.float64),
    "normalised": lambda: random_vgg("relu3_1", reflects=True).with_options(dtype=torch.float64),
    "squeezenet": lambda: random_squeezenet().with_options(dtype=torch.float64),
}
STYLE_LOSS_NAMES = ["wasserstein", "gram"]


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("last", [-1, -3, 2])
def test_a_feature_sees_what_is_told(kind: str, last: int) -> None:
    network: FeatureNetwork = NETWORKS[kind]()
    name = network.layer_names[last] if kind != "vgg" or last != -1 else "relu5_1"
    windows = network.sliding_windows(name)
    layer = receptive_field(windows)
    side = layer.before + layer.after + 3 * layer.stride + 8
    picture = torch.rand(1, 3, 40, side, generator=torch.Generator().manual_seed(0), requires_grad=True)
    features = network(picture, {name})[name]
    assert features.shape[1:] == (
        network.channel_count(name),
        feature_length(windows, 40),
        feature_length(windows, side),
    )
    position = -(-layer.before // layer.stride)
    influencing_columns = (
        torch.autograd.grad(features[..., position].square().sum(), picture)[0].abs().sum((0, 1, 2)).nonzero()
    )
    first, last_core = position * layer.stride, (position + 1) * layer.stride - 1
    assert int(influencing_columns.min()) >= first - layer.before
    assert int(influencing_columns.max()) <= last_core + layer.after
    # Pools pass on one pixel of each window, so that the outermost may be missing.
    assert int(influencing_columns.min()) <= first - layer.before + layer.stride
    assert int(influencing_columns.max()) >= last_core + layer.after - layer.stride


@pytest.mark.parametrize("kind", ["vgg", "squeezenet"])
def test_the_smallest_picture_has_one_feature(kind: str) -> None:
    network: FeatureNetwork = NETWORKS[kind]()
    windows = network.sliding_windows(network.layer_names[-1])
    side = next(length for length in itertools.count(1) if feature_length(windows, length))
    assert (
        network(torch.rand(1, 3, side, side), {network.layer_names[-1]})[network.layer_names[-1]].numel() > 0
    )
    with pytest.raises(RuntimeError):
        network(torch.rand(1, 3, side - 1, side - 1), {network.layer_names[-1]})


def test_the_halo_of_relu5_1() -> None:
    layer = receptive_field(random_vgg().sliding_windows("relu5_1"))
    assert (layer.stride, layer.halo) == (16, 70)


def objective(kind: str, loss: str, size: tuple[int, int], *, masked: bool = False) -> StyleObjective:
    settings: OptimiseSettings = replace(OPTIMISE_PRESETS["crowsonkb"], loss=loss, content_weight=0.05)
    masks = None
    if masked:
        soft = torch.linspace(0, 1, size[1]).expand(1, 1, *size)
        masks = torch.cat([soft, 1 - soft])
    hold = torch.rand(1, *size, generator=torch.Generator().manual_seed(5)) * 9 + 1
    return StyleObjective(
        NETWORKS[kind](),
        settings,
        scene(*size, 1),
        [[scene(40, 51, 2)], [scene(49, 40, 3)]],
        [0.3, 0.7],
        masks=masks,
        content_weight_map=hold,
    )


def whole_and_tiled(objective: StyleObjective, side: int) -> tuple[float, float]:
    """How much loss and gradient of the tiled picture differ, relative."""
    picture = scene(*objective.image_size, 4)
    loss, gradient = objective(picture)
    objective.tile_side = side
    assert (
        len(list(split_into_tiles(objective.image_size, side, list(objective.receptive_fields.values())))) > 1
    )
    tiled, slope = objective(picture)
    return abs(tiled - loss) / loss, float((slope - gradient).norm() / gradient.norm())


@pytest.mark.parametrize("loss", STYLE_LOSS_NAMES)
@pytest.mark.parametrize(
    ("kind", "size", "side"),
    [
        pytest.param("vgg", (35, 197), 48, marks=pytest.mark.slow),
        ("normalised", (45, 71), 24),
        ("squeezenet", (61, 135), 48),
    ],
)
def test_tiled_is_the_same(kind: str, size: tuple[int, int], side: int, loss: str) -> None:
    loss_error, gradient_error = whole_and_tiled(objective(kind, loss, size), side)
    assert loss_error < 1e-6
    assert gradient_error < 1e-6


def test_tiled_is_the_same_in_regions() -> None:
    loss_error, gradient_error = whole_and_tiled(
        objective("normalised", "wasserstein", (45, 71), masked=True), 24
    )
    assert loss_error < 1e-6
    assert gradient_error < 1e-6


@pytest.mark.slow
def test_half_the_halo_is_not_enough() -> None:
    objective_with_half_halo = objective("vgg", "wasserstein", (35, 197))
    for name, layer in objective_with_half_halo.receptive_fields.items():
        objective_with_half_halo.receptive_fields[name] = ReceptiveField(
            layer.stride, layer.before // 2, layer.after // 2
        )
    _, gradient_error = whole_and_tiled(objective_with_half_halo, 48)
    assert gradient_error > 1e-3


def test_tiles_cover_everything_once() -> None:
    layers = [ReceptiveField(4, 7, 6), ReceptiveField(8, 21, 20)]
    covered = torch.zeros(1, 77, 101)
    for tile in split_into_tiles((77, 101), 24, layers):
        covered[:, tile.core.top : tile.core.bottom, tile.core.left : tile.core.right] += 1
        assert tile.input_window.top % 8 == tile.input_window.left % 8 == 0
        assert tile.input_window.top == max(0, tile.core.top - 24)
        assert tile.input_window.bottom == min(77, tile.core.bottom + 24)
    assert bool((covered == 1).all())


def test_the_side_follows_from_memory() -> None:
    network, layers = random_vgg().with_options(), {"relu1_1", "relu5_1"}
    assert find_tile_side((300, 500), 300 * 500 * bytes_per_pixel(network, layers), network, layers) == 500
    sides = [find_tile_side((6000, 8000), room * 1e9, network, layers) for room in (0.1, 1, 2, 4)]
    assert sides == sorted(sides)
    assert all(side % 16 == 0 for side in sides)
    assert (sides[-1] + 160) ** 2 * bytes_per_pixel(network, layers) <= 4e9
    halved = random_vgg().with_options(dtype=torch.bfloat16)
    assert find_tile_side((6000, 8000), 2e9, halved, layers) > sides[2]


def test_statistics_of_a_large_style_are_taken_in_tiles() -> None:
    style_objective = objective("normalised", "gram", (40, 40))
    style: Tensor = scene(90, 131, 6)
    untiled = style_objective._measure_style(style)
    style_objective.memory_bytes = (
        bytes_per_pixel(style_objective.network, style_objective.layer_weights) * 60 * 60
    )
    tiled = style_objective._measure_style(style)
    for name, statistics in untiled.items():
        torch.testing.assert_close(tiled[name].second_moment, statistics.second_moment, rtol=1e-5, atol=1e-6)
