import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from artgen.imaging.masks import FACE_FEATURES, MASK_MODES, blend_by_masks, draw_dirichlet_weights, draw_masks
from artgen.seeds import torch_generator


@settings(max_examples=60, deadline=None)
@given(
    mode=st.sampled_from(MASK_MODES),
    parts=st.lists(st.floats(0.05, 1), min_size=1, max_size=5),
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    softness=st.floats(0, 1),
    seed=st.integers(0, 2**32),
)
def test_everything_is_shared_out(
    mode: str, parts: list[float], height: int, width: int, softness: float, seed: int
) -> None:
    weights = torch.tensor(parts) / sum(parts)
    shared = draw_masks(mode, weights, (height, width), torch_generator(seed), softness=softness)
    assert shared.shape == (len(parts), 1, height, width)
    assert shared.min() >= 0
    assert torch.allclose(shared.sum(0), torch.ones(1, height, width), atol=1e-5)
    assert torch.equal(
        shared, draw_masks(mode, weights, (height, width), torch_generator(seed), softness=softness)
    )


@pytest.mark.parametrize("mode", ["blend", "regions", "halves"])
@pytest.mark.parametrize("softness", [0.0, 0.3, 1.0])
def test_areas_follow_the_weights(mode: str, softness: float) -> None:
    weights = torch.tensor([0.55, 0.3, 0.15])
    errors = []
    for seed in range(20):
        areas = draw_masks(mode, weights, (48, 64), torch_generator(seed), softness=softness).mean((1, 2, 3))
        errors.append(float((areas - weights).abs().max()))
    assert sorted(errors)[-2] < 0.03  # hard shapes with a plateau may miss by more


@pytest.mark.parametrize("mode", MASK_MODES)
def test_what_has_no_weight_is_not_seen(mode: str) -> None:
    for seed in range(5):
        shared = draw_masks(mode, torch.tensor([1.0, 0.0]), (16, 16), torch_generator(seed), softness=0.5)
        assert torch.equal(shared[1], torch.zeros(1, 16, 16))


def test_softness_is_the_width_of_the_transition() -> None:
    def undecided(softness: float) -> float:
        shared = draw_masks(
            "halves", torch.tensor([0.5, 0.5]), (64, 64), torch_generator(1), softness=softness
        )
        return float(((shared[0] > 0.05) & (shared[0] < 0.95)).float().mean())

    assert undecided(0.0) < 0.12 < undecided(0.3) < undecided(1.0)


def test_halves_lie_at_any_angle_and_shapes_are_many() -> None:
    two = torch.tensor([0.5, 0.5])
    halves = torch.stack(
        [draw_masks("halves", two, (32, 32), torch_generator(seed), softness=0)[0] for seed in range(12)]
    )
    assert float((halves[:, :, 16:].mean((1, 2, 3)) - halves[:, :, :16].mean((1, 2, 3))).std()) > 0.3
    few, many = (
        draw_masks("regions", two, (64, 64), torch_generator(3), softness=0, shapes_across=shapes)[0]
        for shapes in (1, 8)
    )
    assert float(many.diff(dim=-1).abs().sum()) > 2 * float(few.diff(dim=-1).abs().sum())


def test_features_leave_the_rest_to_the_first() -> None:
    weights = torch.tensor([0.6, 0.2, 0.2])
    cheek = []
    for seed in range(20):
        shared = draw_masks("features", weights, (64, 64), torch_generator(seed), softness=0.0)
        assert (shared.mean((1, 2, 3)) > 0.005).all()  # each of the others gave a feature
        cheek.append(float(shared[0, 0, 41, 16]))
    assert min(cheek) > 0.9
    assert len(FACE_FEATURES) >= 4


def test_mixing_is_a_weighted_sum() -> None:
    pictures = torch.stack([torch.zeros(3, 4, 6), torch.ones(3, 4, 6)])
    shared = draw_masks("blend", torch.tensor([0.75, 0.25]), (4, 6), torch_generator(1))
    assert torch.allclose(blend_by_masks(pictures, shared), torch.full((3, 4, 6), 0.25))


def test_shares_by_concentration() -> None:
    stream = random.Random(1)
    drawn = {c: [max(draw_dirichlet_weights(2, c, stream)) for _ in range(200)] for c in (0.1, 1.0, 100.0)}
    means = [sum(values) / len(values) for values in drawn.values()]
    assert means[0] > 0.9 > means[1] > 0.7 > 0.6 > means[2]
    assert sum(draw_dirichlet_weights(4, 0.1, stream)) == pytest.approx(1)
    assert draw_dirichlet_weights(1, 3.0, stream) == [1.0]
