"""Nearest-neighbour field: matches are carried over, propagated and improved."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from artgen.imaging.image import resize, resize_longer_side
from artgen.imaging.io.files import read_image
from artgen.style.library import painting_credit
from artgen.style.patch import em_step
from artgen.style.patch.dictionary import PatchDictionary, StyleAtlas
from artgen.style.patch.em_step import PatchPainter
from artgen.style.patch.nnf import ALL_NEIGHBOURS, PatchGrid, PatchMatches
from artgen.style.patch.thread_pool import ThreadPool, open_thread_pool


def noise(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


def a_dictionary(pictures: list[Tensor], patch: int = 7, keys: int = 300) -> PatchDictionary:
    return PatchDictionary(
        StyleAtlas(pictures), patch, keys, [1.0] * len(pictures), torch.Generator().manual_seed(0)
    )


def matches_at_home(
    dictionary: PatchDictionary, top: int, height: int, width: int, stride: int = 2
) -> PatchMatches:
    """Matches of an image that is part of the atlas, from row ``top`` on: every patch matches itself."""
    patch = dictionary.patch_side
    grid = PatchGrid((height - patch) // stride + 1, (width - patch) // stride + 1, stride, 0, 0)
    rows, columns = torch.arange(grid.rows) * stride, torch.arange(grid.columns) * stride
    corners = (top + rows[:, None]) * dictionary.atlas.width + columns
    return PatchMatches(
        dictionary, grid, (height, width), corners, torch.zeros(corners.shape), torch.ones(corners.shape)
    )


@pytest.mark.parametrize("shift", [(0, 0), (1, 2)])
def test_carried_to_another_grid_and_patch_stays_at_home(shift: tuple[int, int]) -> None:
    pictures = [noise(30, 40, 5), noise(48, 60)]
    matches = matches_at_home(a_dictionary(pictures), 30, 48, 60)
    other = a_dictionary(pictures, patch=13)
    grid = PatchGrid.covering(48, 60, 13, 4, shift)
    corners, score_factors = matches.propose_corners(other, grid, (48, 60))
    row = torch.arange(grid.rows) * 4 - grid.top
    column = torch.arange(grid.columns) * 4 - grid.left
    inside = ((row >= 0) & (row <= 35))[:, None] & ((column >= 0) & (column <= 47))
    home = (30 + row)[:, None] * other.atlas.width + column
    assert torch.equal(corners[inside], home[inside])
    assert bool(other.are_within_one_image(corners).all())
    assert float(score_factors.min()) == 1


def test_carried_to_twice_the_size() -> None:
    picture = noise(40, 50)
    matches = matches_at_home(a_dictionary([picture]), 0, 40, 50)
    larger = a_dictionary([resize(picture, (80, 100))])
    grid = PatchGrid(30, 40, 2, 0, 0)
    corners, _ = matches.propose_corners(larger, grid, (80, 100))
    row, column = corners // larger.atlas.width, corners % larger.atlas.width
    assert float((row - torch.arange(30)[:, None] * 2).abs().max()) <= 1
    assert float((column - torch.arange(40) * 2).abs().max()) <= 1


def test_one_right_place_spreads_to_all() -> None:
    picture = noise(41, 61)
    dictionary = a_dictionary([picture])
    matches = matches_at_home(dictionary, 0, 41, 61)
    home = matches.corners.clone()
    queries = dictionary.project_image(picture, 2).flatten(0, 1)
    matches.corners = torch.zeros_like(home)
    matches.corners[7, 9] = home[7, 9]
    matches.distances = (
        (queries - dictionary.project_patches(matches.corners.flatten())).pow(2).sum(1).view(home.shape)
    )
    before = matches.scores.mean()
    for _ in range(max(home.shape)):
        matches.propagate(queries, ALL_NEIGHBOURS, ThreadPool(1))
    assert bool((matches.corners == home).all())
    assert float(matches.scores.mean()) < 0.01 * float(before)
    assert bool(dictionary.are_within_one_image(matches.corners).all())


def test_a_second_look_is_never_worse() -> None:
    wave = resize_longer_side(read_image(painting_credit("great-wave").file), 160)
    style, picture = wave[:, :, :90], wave[:, 20:100, 80:]
    dictionary = a_dictionary([style], keys=2000)
    painter = PatchPainter(torch.Generator().manual_seed(1), ThreadPool(1))
    painter.collect_votes(picture, dictionary, 2)
    assert painter.matches is not None
    first = float(painter.matches.scores.mean())
    for _ in range(3):
        painter.collect_votes(picture, dictionary, 2)
    assert float(painter.matches.scores.mean()) < 0.9 * first
    assert bool(dictionary.are_within_one_image(painter.matches.corners).all())


def test_thread_pool_runs_every_chunk_once_and_raises_errors() -> None:
    done = torch.zeros(1000, dtype=torch.int)

    def work(start: int, stop: int) -> None:
        done[start:stop] += 1

    for threads in (1, 3):
        done.zero_()
        pool = ThreadPool(threads)
        pool.run_chunks(work, 1000, 64)
        pool.close()
        assert bool((done == 1).all())

    def fails(start: int, stop: int) -> None:
        raise ValueError(start)

    with pytest.raises(ValueError, match="0"):
        ThreadPool(2).run_chunks(fails, 100, 10)


def test_thread_pool_restores_the_thread_count_of_torch() -> None:
    torch.set_num_threads(2)
    with open_thread_pool() as pool:
        assert pool.thread_count == 2
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_a_picture_in_stripes_is_painted_as_well() -> None:
    wave = resize_longer_side(read_image(painting_credit("great-wave").file), 160)
    dictionary = a_dictionary([wave[:, :, :90]], keys=2000)
    picture, errors, distances = wave[:, 20:100, 80:], [], []
    for at_once in (em_step.MAX_STRIPE_PATCHES, 200):
        painter = PatchPainter(torch.Generator().manual_seed(1), ThreadPool(1), max_stripe_patches=at_once)
        for _ in range(2):
            votes = painter.collect_votes(picture, dictionary, 2)
        assert painter.matches is not None
        assert painter.matches.corners.shape == (painter.matches.grid.rows, painter.matches.grid.columns)
        painted = (votes[..., :3] / votes[..., 3:]).permute(2, 0, 1)
        errors.append(float((painted - picture).abs().mean()))
        distances.append(float(painter.matches.distances.mean()))
    assert distances[1] == pytest.approx(distances[0], rel=0.1)
    assert errors[1] == pytest.approx(errors[0], rel=0.1)


def test_stripes_cover_a_grid_once() -> None:
    grid = PatchGrid.covering(75, 33, 7, 2, (1, 0))
    stripes = grid.split_into_stripes(100)
    assert sum(stripe.rows for stripe in stripes) == grid.rows
    assert all(stripe.rows * stripe.columns <= 100 for stripe in stripes)
    padded = torch.arange(100.0).view(1, 100, 1)
    tops = [float(stripe.crop_padded(padded, grid, 7)[0, 0, 0]) for stripe in stripes]
    assert tops == [2.0 * 5 * number for number in range(len(stripes))]
