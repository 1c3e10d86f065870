"""Levels and passes of the patch method."""

import itertools

import pytest

from artgen.style.patch.schedule import plan_levels


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (72, 40), (73, 73), (1024, 768), (4000, 3000)])
@pytest.mark.parametrize("fast", [False, True])
def test_levels_rise_to_the_size(size: tuple[int, int], fast: bool) -> None:
    plan = plan_levels(*size, fast=fast)
    assert plan[-1].image_size == size
    assert max(plan[0].image_size) < 140 or len(plan) == 1
    for lower, upper in itertools.pairwise(plan):
        assert lower.image_size <= upper.image_size
    for level in plan:
        assert min(level.image_size) >= 1
        assert level.passes
        assert all(step.stride * 2 <= step.patch_side for step in level.passes)


def test_a_preview_costs_a_fraction() -> None:
    def cost(fast: bool) -> float:
        return sum(level.cost for level in plan_levels(512, 512, fast=fast))

    assert cost(True) < 0.15 * cost(False)
