"""Where scenes begin: cuts and dissolves, not flashes and flicker."""

from __future__ import annotations

import numpy as np

from artgen.imaging.film.scene_cuts import SceneDetector

FPS = 25


def test_dissolves_are_found_and_flashes_and_flicker_are_not() -> None:
    chance = np.random.default_rng(0)
    one, two = (chance.integers(low, low + 60, (18, 32, 3)).astype(float) for low in (20, 160))
    frames = [one * chance.uniform(0.95, 1.05) for _ in range(50)]
    frames[30] = one + 120
    frames += [one + (two - one) * part for part in np.linspace(0, 1, 25)] + [two] * 25
    scenes = SceneDetector()
    begun = [
        number
        for number, frame in enumerate(frames)
        if scenes.starts_scene(number / FPS, frame.clip(0, 255).astype(np.uint8))
    ]
    assert begun[0] == 0
    assert len(begun) == 2
    assert 60 <= begun[1] <= 80
