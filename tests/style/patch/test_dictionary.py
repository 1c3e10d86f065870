"""The patches of a painting and the search among them."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.style.patch.dictionary import Atlas, Dictionary, principal_axes
from artgen.style.patch.em_step import Painter
from artgen.style.patch.thread_pool import Crew


def noise(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def unfolded(image: Tensor, patch: int, stride: int = 1) -> Tensor:
    """Rows of patches, pixel by pixel."""
    rows = F.unfold(image[None], patch, stride=stride)[0].T
    return rows.view(len(rows), 3, patch * patch).transpose(1, 2).flatten(1)


def test_patches_stay_within_their_picture() -> None:
    pictures = [noise(20, 31), noise(17, 12, 1)]
    atlas = Atlas(pictures)
    corners = atlas.corners(7)
    assert [len(c) for c in corners] == [14 * 25, 11 * 6]
    for picture, own in zip(pictures, corners, strict=True):
        assert torch.equal(atlas.rows_at(atlas.image, own, 7), unfolded(picture, 7))


def test_describe_projects_the_patches() -> None:
    dictionary = Dictionary(Atlas([noise(40, 40)]), 7, 500, [1.0], generator())
    image = noise(23, 31, 2)
    rows = unfolded(image, 7, 3)
    expected = (rows - dictionary.mean) @ dictionary.basis
    found = dictionary.describe(image, 3)
    assert found.shape[:2] == (6, 9)
    assert torch.allclose(found.reshape(-1, found.shape[2]), expected, atol=1e-4)


def test_search_equals_brute_force() -> None:
    dictionary = Dictionary(Atlas([noise(60, 60)]), 7, 1500, [1.0], generator())
    queries = dictionary.describe(noise(50, 50, 3), 2).reshape(-1, dictionary.keys.shape[1])
    rarity = dictionary.rarity(queries, 0.02)
    distances = torch.cdist(queries.double(), dictionary.keys.double()) ** 2
    nearest = distances.amin(0)
    assert torch.allclose(1 / rarity.double(), nearest + 0.02 * nearest.median(), rtol=1e-3, atol=1e-5)
    scores = distances * rarity.double()
    best, distance = dictionary.search(queries, rarity, Crew(2))
    assert (best == scores.argmin(1)).float().mean() > 0.99
    taken = scores.gather(1, best[:, None])[:, 0]
    assert float((taken / scores.amin(1)).max()) < 1.001
    assert torch.allclose(distance.double(), distances.gather(1, best[:, None])[:, 0], rtol=1e-3)


@pytest.mark.parametrize("turn", [0, 1, 2, 7])
def test_a_part_of_the_keys(turn: int) -> None:
    dictionary = Dictionary(Atlas([noise(60, 60)]), 7, 1001, [1.0], generator())
    queries = dictionary.describe(noise(40, 40, 3), 2).reshape(-1, dictionary.keys.shape[1])
    best, _ = dictionary.search(queries, torch.ones(len(dictionary.keys)), Crew(1), turn=turn, parts=4)
    assert bool((best % 4 == turn % 4).all())
    near = torch.cdist(queries, dictionary.keys)[:, turn % 4 :: 4].argmin(1)
    assert torch.equal((best - turn % 4) // 4, near)


def test_described_at_corners_as_in_a_picture() -> None:
    picture = noise(40, 50)
    dictionary = Dictionary(Atlas([noise(20, 20, 5), picture]), 7, 500, [1.0, 1.0], generator())
    grid = dictionary.describe(picture, 1)
    y, x = torch.tensor([0, 5, 33]), torch.tensor([43, 17, 0])
    corners = (20 + y) * dictionary.atlas.width + x
    assert bool(dictionary.whole(corners).all())
    assert torch.allclose(dictionary.describe_at(corners), grid[y, x], atol=1e-4)


def test_whole_patches_lie_within_one_picture() -> None:
    atlas = Atlas([noise(20, 31), noise(17, 12, 1)])
    dictionary = Dictionary(atlas, 7, 100, [1.0, 1.0], generator())
    everywhere = torch.arange(-40, atlas.width * 40)
    allowed = torch.cat(atlas.corners(7))
    assert torch.equal(dictionary.whole(everywhere), torch.isin(everywhere, allowed))


def test_weights_share_the_keys() -> None:
    atlas = Atlas([noise(60, 60), noise(60, 60, 1)])
    dictionary = Dictionary(atlas, 7, 1000, [3.0, 1.0], generator())
    first = dictionary.corners < 60 * atlas.width
    assert abs(int(first.sum()) - 750) <= 1
    assert len(dictionary.corners) == 1000


def test_the_style_paints_itself_perfectly() -> None:
    """Every patch of the style is a key, so painting the style changes its inside not at all."""
    style = noise(30, 30)
    dictionary = Dictionary(Atlas([style]), 7, 10_000, [1.0], generator())
    votes = Painter(generator(), Crew(1)).votes(style, dictionary, 2)
    painted = (votes[..., :3] / votes[..., 3:]).permute(2, 0, 1)
    assert painted.shape == style.shape
    assert torch.allclose(painted[:, 7:-7, 7:-7], style[:, 7:-7, 7:-7], atol=1e-3)


def test_principal_axes_are_orthonormal_and_lead() -> None:
    directions = torch.linalg.qr(torch.randn(800, 5, generator=generator()))[0]
    for columns in (200, 800):
        basis = directions[:columns] / directions[:columns].norm(dim=0)
        rows = torch.randn(300, 5, generator=generator(1)) @ basis.T
        axes = principal_axes(rows, 5, generator(2))
        assert torch.allclose(axes.T @ axes, torch.eye(5), atol=1e-4)
        assert torch.allclose(rows @ axes @ axes.T, rows, atol=1e-3)
