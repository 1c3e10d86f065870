"""What was found is carried on."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from artgen.imaging.image import fit, resize
from artgen.imaging.io.files import read_image
from artgen.style.library import credit
from artgen.style.patch import em_step
from artgen.style.patch.dictionary import Atlas, Dictionary
from artgen.style.patch.em_step import Painter
from artgen.style.patch.nnf import Field, Grid
from artgen.style.patch.thread_pool import Crew, crew


def noise(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


def a_dictionary(pictures: list[Tensor], patch: int = 7, keys: int = 300) -> Dictionary:
    return Dictionary(Atlas(pictures), patch, keys, [1.0] * len(pictures), torch.Generator().manual_seed(0))


def at_home(dictionary: Dictionary, top: int, height: int, width: int, stride: int = 2) -> Field:
    """The field of a picture that is the atlas's own, from row ``top`` on: every patch is at home."""
    patch = dictionary.patch
    grid = Grid((height - patch) // stride + 1, (width - patch) // stride + 1, stride, 0, 0)
    rows, columns = torch.arange(grid.rows) * stride, torch.arange(grid.columns) * stride
    corners = (top + rows[:, None]) * dictionary.atlas.width + columns
    return Field(
        dictionary, grid, (height, width), corners, torch.zeros(corners.shape), torch.ones(corners.shape)
    )


@pytest.mark.parametrize("shift", [(0, 0), (1, 2)])
def test_carried_to_another_grid_and_patch_stays_at_home(shift: tuple[int, int]) -> None:
    pictures = [noise(30, 40, 5), noise(48, 60)]
    field = at_home(a_dictionary(pictures), 30, 48, 60)
    other = a_dictionary(pictures, patch=13)
    grid = Grid.over(48, 60, 13, 4, shift)
    corners, rarity = field.carried(other, grid, (48, 60))
    row = torch.arange(grid.rows) * 4 - grid.top
    column = torch.arange(grid.columns) * 4 - grid.left
    inside = ((row >= 0) & (row <= 35))[:, None] & ((column >= 0) & (column <= 47))
    home = (30 + row)[:, None] * other.atlas.width + column
    assert torch.equal(corners[inside], home[inside])
    assert bool(other.whole(corners).all())
    assert float(rarity.min()) == 1


def test_carried_to_twice_the_size() -> None:
    picture = noise(40, 50)
    field = at_home(a_dictionary([picture]), 0, 40, 50)
    larger = a_dictionary([resize(picture, (80, 100))])
    grid = Grid(30, 40, 2, 0, 0)
    corners, _ = field.carried(larger, grid, (80, 100))
    row, column = corners // larger.atlas.width, corners % larger.atlas.width
    assert float((row - torch.arange(30)[:, None] * 2).abs().max()) <= 1
    assert float((column - torch.arange(40) * 2).abs().max()) <= 1


def test_one_right_place_spreads_to_all() -> None:
    picture = noise(41, 61)
    dictionary = a_dictionary([picture])
    field = at_home(dictionary, 0, 41, 61)
    home = field.corners.clone()
    queries = dictionary.describe(picture, 2).flatten(0, 1)
    field.corners = torch.zeros_like(home)
    field.corners[7, 9] = home[7, 9]
    field.distance = (
        (queries - dictionary.describe_at(field.corners.flatten())).pow(2).sum(1).view(home.shape)
    )
    before = field.score.mean()
    for _ in range(max(home.shape)):
        field.spread(queries, Crew(1))
    assert bool((field.corners == home).all())
    assert float(field.score.mean()) < 0.01 * float(before)
    assert bool(dictionary.whole(field.corners).all())


def test_a_second_look_is_never_worse() -> None:
    wave = fit(read_image(credit("great-wave").file), 160)
    style, picture = wave[:, :, :90], wave[:, 20:100, 80:]
    dictionary = a_dictionary([style], keys=2000)
    painter = Painter(torch.Generator().manual_seed(1), Crew(1))
    painter.votes(picture, dictionary, 2)
    assert painter.field is not None
    first = float(painter.field.score.mean())
    for _ in range(3):
        painter.votes(picture, dictionary, 2)
    assert float(painter.field.score.mean()) < 0.9 * first
    assert bool(dictionary.whole(painter.field.corners).all())


def test_the_crew_does_every_piece_once_and_tells_of_errors() -> None:
    done = torch.zeros(1000, dtype=torch.int)

    def work(start: int, stop: int) -> None:
        done[start:stop] += 1

    for threads in (1, 3):
        done.zero_()
        with_crew = Crew(threads)
        with_crew.share(work, 1000, 64)
        with_crew.close()
        assert bool((done == 1).all())

    def fails(start: int, stop: int) -> None:
        raise ValueError(start)

    with pytest.raises(ValueError, match="0"):
        Crew(2).share(fails, 100, 10)


def test_the_crew_leaves_torch_as_it_was() -> None:
    torch.set_num_threads(2)
    with crew() as workers:
        assert workers.threads == 2
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_a_picture_in_stripes_is_painted_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    wave = fit(read_image(credit("great-wave").file), 160)
    dictionary = a_dictionary([wave[:, :, :90]], keys=2000)
    picture, errors, distances = wave[:, 20:100, 80:], [], []
    for at_once in (em_step.AT_ONCE, 200):
        monkeypatch.setattr(em_step, "AT_ONCE", at_once)
        painter = Painter(torch.Generator().manual_seed(1), Crew(1))
        for _ in range(2):
            votes = painter.votes(picture, dictionary, 2)
        assert painter.field is not None
        assert painter.field.corners.shape == (painter.field.grid.rows, painter.field.grid.columns)
        painted = (votes[..., :3] / votes[..., 3:]).permute(2, 0, 1)
        errors.append(float((painted - picture).abs().mean()))
        distances.append(float(painter.field.distance.mean()))
    assert distances[1] == pytest.approx(distances[0], rel=0.1)
    assert errors[1] == pytest.approx(errors[0], rel=0.1)


def test_stripes_cover_a_grid_once() -> None:
    grid = Grid.over(75, 33, 7, 2, (1, 0))
    stripes = grid.stripes(100)
    assert sum(stripe.rows for stripe in stripes) == grid.rows
    assert all(stripe.rows * stripe.columns <= 100 for stripe in stripes)
    padded = torch.arange(100.0).view(1, 100, 1)
    tops = [float(stripe.rows_of(padded, grid, 7)[0, 0, 0]) for stripe in stripes]
    assert tops == [2.0 * 5 * number for number in range(len(stripes))]
