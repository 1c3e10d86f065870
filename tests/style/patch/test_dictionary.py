"""Patch dictionaries of style images, and the search in them."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.style.patch.dictionary import (
    SEARCHED_PATCH_COMPONENTS,
    PatchDictionary,
    StyleAtlas,
    principal_axes,
)
from artgen.style.patch.em_step import PatchPainter
from artgen.style.patch.thread_pool import ThreadPool


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
    atlas = StyleAtlas(pictures)
    corners = atlas.list_patch_corners(7)
    assert [len(c) for c in corners] == [14 * 25, 11 * 6]
    for picture, image_corners in zip(pictures, corners, strict=True):
        assert torch.equal(atlas.read_patches(atlas.image, image_corners, 7), unfolded(picture, 7))


def test_describe_projects_the_patches() -> None:
    dictionary = PatchDictionary(StyleAtlas([noise(40, 40)]), 7, 500, [1.0], generator())
    image = noise(23, 31, 2)
    rows = unfolded(image, 7, 3)
    expected = (rows - dictionary.mean) @ dictionary.basis
    projected = dictionary.project_image(image, 3)
    assert projected.shape[:2] == (6, 9)
    assert torch.allclose(projected.reshape(-1, projected.shape[2]), expected, atol=1e-4)


def test_patches_described_at_once_are_those_described_one_by_one() -> None:
    atlas = StyleAtlas([noise(40, 33), noise(20, 50, 1)])
    for soft in (False, True):
        dictionary = PatchDictionary(atlas, 7, 500, [1.0, 1.0], generator(), soft=soft)
        corners = torch.cat(atlas.list_patch_corners(7))
        one_by_one = dictionary.project_patches(corners)
        dictionary.describe_all()
        assert torch.allclose(dictionary.project_patches(corners), one_by_one, atol=1e-4)
        dictionary.forget_all()
        assert torch.equal(dictionary.project_patches(corners), one_by_one)


def test_search_equals_brute_force_of_the_leading_components() -> None:
    dictionary = PatchDictionary(StyleAtlas([noise(60, 60)]), 7, 1500, [1.0], generator())
    queries = dictionary.project_image(noise(50, 50, 3), 2).reshape(-1, dictionary.keys.shape[1])
    score_factors = dictionary.compute_score_factors(queries, 0.02)
    distances = torch.cdist(queries.double(), dictionary.keys.double()) ** 2
    nearest = distances.amin(0)
    assert torch.allclose(1 / score_factors.double(), nearest + 0.02 * nearest.median(), rtol=1e-3, atol=1e-5)
    leading = (
        torch.cdist(queries[:, :SEARCHED_PATCH_COMPONENTS], dictionary.keys[:, :SEARCHED_PATCH_COMPONENTS])
        ** 2
    )
    scores = leading.double() * score_factors.double()
    best, distance = dictionary.search(queries, score_factors, ThreadPool(2))
    assert (best == scores.argmin(1)).float().mean() > 0.99
    chosen_scores = scores.gather(1, best[:, None])[:, 0]
    assert float((chosen_scores / scores.amin(1)).max()) < 1.001
    assert torch.allclose(distance.double(), distances.gather(1, best[:, None])[:, 0], rtol=1e-3)


@pytest.mark.parametrize("part_index", [0, 1, 2, 7])
def test_a_part_of_the_keys(part_index: int) -> None:
    dictionary = PatchDictionary(StyleAtlas([noise(60, 60)]), 7, 1001, [1.0], generator())
    queries = dictionary.project_image(noise(40, 40, 3), 2).reshape(-1, dictionary.keys.shape[1])
    best, _ = dictionary.search(
        queries, torch.ones(len(dictionary.keys)), ThreadPool(1), part_index=part_index, part_count=4
    )
    assert bool((best % 4 == part_index % 4).all())
    leading = slice(SEARCHED_PATCH_COMPONENTS)
    distances = torch.cdist(queries[:, leading], dictionary.keys[:, leading])
    nearest = distances[:, part_index % 4 :: 4].argmin(1)
    assert torch.equal((best - part_index % 4) // 4, nearest)


def test_described_at_corners_as_in_a_picture() -> None:
    picture = noise(40, 50)
    dictionary = PatchDictionary(StyleAtlas([noise(20, 20, 5), picture]), 7, 500, [1.0, 1.0], generator())
    grid = dictionary.project_image(picture, 1)
    y, x = torch.tensor([0, 5, 33]), torch.tensor([43, 17, 0])
    corners = (20 + y) * dictionary.atlas.width + x
    assert bool(dictionary.are_within_one_image(corners).all())
    assert torch.allclose(dictionary.project_patches(corners), grid[y, x], atol=1e-4)


def test_whole_patches_lie_within_one_picture() -> None:
    atlas = StyleAtlas([noise(20, 31), noise(17, 12, 1)])
    dictionary = PatchDictionary(atlas, 7, 100, [1.0, 1.0], generator())
    everywhere = torch.arange(-40, atlas.width * 40)
    allowed = torch.cat(atlas.list_patch_corners(7))
    assert torch.equal(dictionary.are_within_one_image(everywhere), torch.isin(everywhere, allowed))


def test_weights_share_the_keys() -> None:
    atlas = StyleAtlas([noise(60, 60), noise(60, 60, 1)])
    dictionary = PatchDictionary(atlas, 7, 1000, [3.0, 1.0], generator())
    first = dictionary.key_corners < 60 * atlas.width
    assert abs(int(first.sum()) - 750) <= 1
    assert len(dictionary.key_corners) == 1000


def test_the_style_paints_itself_perfectly() -> None:
    """Every patch of the style is a key, so painting the style changes its inside not at all."""
    style = noise(30, 30)
    dictionary = PatchDictionary(StyleAtlas([style]), 7, 10_000, [1.0], generator())
    votes = PatchPainter(generator(), ThreadPool(1)).collect_votes(style, dictionary, 2)
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
