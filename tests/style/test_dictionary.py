"""The patches of a painting and the search among them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.style.dictionary import Atlas, Dictionary, principal_axes
from artgen.style.painting import Painter


def noise(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_patches_stay_within_their_picture() -> None:
    pictures = [noise(20, 31), noise(17, 12, 1)]
    atlas = Atlas(pictures)
    corners = atlas.corners(7)
    assert [len(c) for c in corners] == [14 * 25, 11 * 6]
    for picture, own in zip(pictures, corners, strict=True):
        expected = F.unfold(picture[None], 7)[0].T
        assert torch.equal(atlas.rows_at(atlas.image, own, 7), expected)


def test_describe_projects_the_patches() -> None:
    dictionary = Dictionary(Atlas([noise(40, 40)]), 7, 500, [1.0], generator())
    image = noise(23, 31, 2)
    rows = F.unfold(image[None], 7, stride=3)[0].T
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
    best, distance = dictionary.search(queries, rarity)
    assert (best == scores.argmin(1)).float().mean() > 0.99
    taken = scores.gather(1, best[:, None])[:, 0]
    assert float((taken / scores.amin(1)).max()) < 1.001
    assert torch.allclose(distance.double(), distances.gather(1, best[:, None])[:, 0], rtol=1e-3)


def test_groups_see_their_own_keys() -> None:
    dictionary = Dictionary(Atlas([noise(60, 60)]), 7, 1001, [1.0], generator())
    queries = dictionary.describe(noise(40, 40, 3), 2).reshape(-1, dictionary.keys.shape[1])
    groups = torch.arange(len(queries)) % 4
    even = torch.ones(len(dictionary.keys))
    best, _ = dictionary.search(queries, even, groups)
    assert torch.equal(best % 4, groups)
    distances = torch.cdist(queries, dictionary.keys)
    for group in range(4):
        mine = groups == group
        assert torch.equal((best[mine] - group) // 4, distances[mine][:, group::4].argmin(1))


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
    painted = Painter(dictionary, 2, generator()).paint(style)
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
