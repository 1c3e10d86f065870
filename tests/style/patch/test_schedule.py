"""What is painted at which size."""

import itertools

import pytest

from artgen.style.patch.schedule import make_plan


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (72, 40), (73, 73), (1024, 768), (4000, 3000)])
@pytest.mark.parametrize("fast", [False, True])
def test_levels_rise_to_the_size(size: tuple[int, int], fast: bool) -> None:
    plan = make_plan(*size, fast=fast)
    assert plan[-1].size == size
    assert max(plan[0].size) < 140 or len(plan) == 1
    for lower, upper in itertools.pairwise(plan):
        assert lower.size <= upper.size
    for level in plan:
        assert min(level.size) >= 1
        assert level.passes
        assert all(step.stride * 2 <= step.patch for step in level.passes)


def test_a_preview_costs_a_fraction() -> None:
    def cost(fast: bool) -> float:
        return sum(level.cost for level in make_plan(512, 512, fast=fast))

    assert cost(True) < 0.15 * cost(False)
