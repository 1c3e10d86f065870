from collections.abc import Sequence

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import block_means, enlarge
from artgen.imaging.tiles.bands import TensorReader, TensorWriter
from artgen.imaging.tiles.blended import (
    build_tile_axis,
    low_frequencies,
    paint_blended,
    restore_low_frequencies,
)
from artgen.imaging.tiles.exact import TileWindow


@given(
    side=st.sampled_from([16, 32, 64, 256]),
    extra=st.integers(0, 700),
    overlap=st.floats(0.25, 0.5),
    scale=st.sampled_from([1, 2, 4]),
    multiple=st.sampled_from([1, 2, 8]),
)
@settings(max_examples=80, deadline=None)
def test_windows_are_a_partition_of_unity(
    side: int, extra: int, overlap: float, scale: int, multiple: int
) -> None:
    assume(side * (1 - overlap) - multiple >= 1)
    axis = build_tile_axis(side + extra, side, overlap, scale, multiple)
    total = torch.zeros((side + extra) * scale, dtype=torch.float64)
    for origin, weights in zip(axis.origins, axis.weights, strict=True):
        total[origin * scale : (origin + side) * scale] += weights
    assert (total - 1).abs().max() <= 1e-6
    assert axis.origins[0] == 0
    assert axis.origins[-1] == extra
    gaps = [b - a for a, b in zip(axis.origins, axis.origins[1:], strict=False)]
    assert all(gap <= side * (1 - overlap) + 1 for gap in gaps)


def test_outer_margins_of_inner_tiles_have_no_weight() -> None:
    axis = build_tile_axis(160, 64, 0.25)
    assert axis.weights[1][:2].abs().max() == 0
    assert axis.weights[0][0] == 1


@pytest.mark.parametrize("overlap", [0.25, 0.5])
def test_independent_inventions_keep_their_contrast_where_they_blend(overlap: float) -> None:
    """Detail's deviation in the blend zones stays within 3 % of the interior's."""
    random = torch.Generator().manual_seed(0)
    side, height, width = 128, 512, 896

    def paint(tiles: Tensor, windows: Sequence[TileWindow]) -> Tensor:
        return 0.5 + 0.1 * torch.randn(tiles.shape, generator=random)

    writer = TensorWriter(height, width)
    reader = TensorReader(torch.full((3, height, width), 0.5))
    paint_blended(paint, reader, writer, scale=1, side=side, overlap=overlap, anchor_colours=False)
    across, down = build_tile_axis(width, side, overlap), build_tile_axis(height, side, overlap)
    blends = (across.squared_sums < 0.75)[None, :] & (down.squared_sums > 0.999)[:, None]
    interior = (across.squared_sums > 0.999)[None, :] & (down.squared_sums > 0.999)[:, None]
    if overlap == 0.5:  # neighbours touch at once: compare with the noise itself
        blends = (across.squared_sums < 0.6)[None, :].expand(height, -1)
        ratio = writer.image[:, blends].std() / 0.1
    else:
        ratio = writer.image[:, blends].std() / writer.image[:, interior].std()
    assert abs(float(ratio) - 1) <= 0.03


def test_a_function_of_position_alone_is_unchanged_by_blending() -> None:
    """Tiles that agree where they overlap blend to exactly what they agree on, low frequencies and all."""
    height, width = 150, 210
    truth = torch.linspace(0, 1, width).expand(3, height, width).contiguous()

    def paint(tiles: Tensor, windows: Sequence[TileWindow]) -> Tensor:
        return torch.stack([truth[:, w.top : w.bottom, w.left : w.right] for w in windows])

    writer = TensorWriter(height, width)
    paint_blended(paint, TensorReader(truth), writer, scale=1, side=64, max_batch=3, anchor_colours=False)
    assert (writer.image - truth).abs().max() < 0.01


def test_out_of_memory_halves_the_batch_and_changes_no_pixel() -> None:
    image = torch.rand(3, 64, 300)

    def paint(tiles: Tensor, windows: Sequence[TileWindow]) -> Tensor:
        if len(tiles) > 1:
            raise torch.OutOfMemoryError("not enough")
        return tiles * 2

    one, many = TensorWriter(64, 300), TensorWriter(64, 300)
    paint_blended(paint, TensorReader(image), one, scale=1, side=64)
    paint_blended(paint, TensorReader(image), many, scale=1, side=64, max_batch=4)
    assert torch.equal(one.image, many.image)


def test_reanchoring_stops_colour_drift() -> None:
    random = torch.Generator().manual_seed(1)
    image = enlarge(torch.rand(3, 5, 5, generator=random), (32, 32))
    drift = torch.tensor([0.1, -0.1, 0.05]).view(3, 1, 1)
    painted = enlarge(image, (256, 256)) + 0.1 * torch.randn(3, 256, 256, generator=random)
    anchored = restore_low_frequencies(painted + drift, image, 8)
    assert (block_means(anchored, 8) - image).abs().mean() < 1 / 255
    assert ((anchored - painted).std((1, 2)) < 0.02).all()  # the invented detail is kept


def test_coarse_keeps_constants_and_any_size() -> None:
    for size in ((1, 1), (1, 9), (64, 3)):
        image = torch.full((3, *size), 0.25)
        assert torch.allclose(low_frequencies(image, 8), image)


def test_an_image_smaller_than_the_tile_is_a_clear_message() -> None:
    with pytest.raises(ArtgenError, match="at least 64 px"):
        paint_blended(
            lambda tiles, windows: tiles,
            TensorReader(torch.rand(3, 32, 80)),
            TensorWriter(32, 80),
            scale=1,
            side=64,
        )
