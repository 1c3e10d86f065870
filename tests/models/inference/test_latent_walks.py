"""Latent walks are closed, of constant speed, keep away from the centre, and pass through their latents."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from artgen.models.inference.latent_walks import interpolate_latents


@settings(deadline=None, max_examples=15)
@given(st.integers(2, 12), st.integers(16, 128), st.integers(0, 2**31))
def test_walks(count: int, size: int, seed: int) -> None:
    keys = torch.randn(count, size, generator=torch.Generator().manual_seed(seed))
    frames = 20 * count
    points = torch.stack([interpolate_latents(keys, i / frames) for i in range(frames + 1)])
    assert torch.allclose(points[0], keys[0], atol=1e-4)
    assert torch.allclose(points[-1], keys[0], atol=1e-4)
    speed = (points[1:] - points[:-1]).norm(dim=1)
    # Steps are chords: where a walk of two keys turns around, one is shorter.
    assert speed.median() * 0.98 < speed.sort().values[2]
    assert speed.max() < speed.median() * 1.02
    norms, key_norms = points.norm(dim=1), keys.norm(dim=1)
    assert norms.min() > key_norms.min() * 0.999
    assert norms.max() < key_norms.max() * 1.001
    assert torch.cdist(keys, points).amin(1).max() <= speed.max()


def test_a_walk_is_smooth() -> None:
    keys = torch.randn(6, 64, generator=torch.Generator().manual_seed(1))
    points = torch.stack([interpolate_latents(keys, i / 600) for i in range(601)])
    steps = points[1:] - points[:-1]
    similarity = torch.nn.functional.cosine_similarity(steps[1:], steps[:-1])
    assert similarity.min() > 0.998  # never more than 4 degrees from one frame to the next
