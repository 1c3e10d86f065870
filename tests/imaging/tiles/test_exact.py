from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.tiles.bands import RawFileReader, RawFileWriter, TensorReader, TensorWriter
from artgen.imaging.tiles.exact import TileGeometry, TileWindow, paint_exact
from artgen.models.architectures.upimage import UpImager, UpImagerConfig
from artgen.models.files import catalog
from artgen.models.files.checkpoint import load_model
from artgen.models.inference.upscaling import tile_noise, upscale_bands

SHIPPED = load_model(catalog.find_model_file("abstract-8x", Path())).network


def random_network(config: UpImagerConfig) -> UpImager:
    torch.manual_seed(3)
    network = UpImager(config)
    for block in network.trunk:
        torch.nn.init.normal_(block.mix.weight, std=0.1)
    return network.eval().requires_grad_(False)


def untiled(network: UpImager, image: Tensor, seed: int) -> Tensor:
    height, width = image.shape[-2:]
    noise = tile_noise(network, [TileWindow(0, 0, height, width)], noise=1.0, seed=seed)
    with torch.inference_mode():
        return network(image[None], noise)[0]


def tiled(network: UpImager, image: Tensor, seed: int, *, tile: int, batch: int = 1) -> Tensor:
    scale = network.config.scale
    writer = TensorWriter(image.shape[-2] * scale, image.shape[-1] * scale)
    upscale_bands(network, TensorReader(image), writer, noise=1.0, seed=seed, tile=tile, batch=batch)
    return writer.image


@pytest.mark.slow
@given(
    long=st.integers(1, 700),
    share=st.floats(0, 1),
    upright=st.booleans(),
    tile=st.integers(1, 700),
    batch=st.integers(1, 4),
    seed=st.integers(0, 2**62),
)
@settings(max_examples=15, deadline=None)
def test_shipped_network_tiled_equals_untiled(
    long: int, share: float, upright: bool, tile: int, batch: int, seed: int
) -> None:
    """Sides of 1 to 700 px, at most 8,000 px in all; tiny tiles only on small images: each costs its halo."""
    short = max(1, round(share * min(long, 8000 // long)))
    height, width = (long, short) if upright else (short, long)
    tile = max(tile, long // 6)
    image = torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))
    difference = tiled(SHIPPED, image, seed, tile=tile, batch=batch) - untiled(SHIPPED, image, seed)
    assert difference.abs().max() <= 1e-5


@given(height=st.integers(1, 40), width=st.integers(1, 40), tile=st.integers(1, 48), twice=st.booleans())
@settings(max_examples=10, deadline=None)
def test_any_up_imager_tiled_equals_untiled(height: int, width: int, tile: int, twice: bool) -> None:
    network = random_network(UpImagerConfig(width=8, blocks=3, widths=(8, 8) if twice else (8,)))
    image = torch.rand(3, height, width)
    assert (tiled(network, image, 1, tile=tile) - untiled(network, image, 1)).abs().max() <= 1e-5


@pytest.mark.parametrize(
    "network",
    [
        SHIPPED,
        random_network(UpImagerConfig(width=8, blocks=3, widths=(8,))),
        random_network(UpImagerConfig(width=8, blocks=2, widths=(8, 8))),
    ],
    ids=["abstract-8x", "2x", "4x"],
)
def test_reach_is_what_the_network_sees(network: UpImager) -> None:
    """The halo, derived from gradients: nothing farther away moves an output, and something that far does."""
    scale, halo, middle = network.tile_geometry.scale, network.tile_geometry.halo, 24
    image = torch.rand(1, 3, 2 * middle + 1, 2 * middle + 1, requires_grad=True)
    noise = tile_noise(network, [TileWindow(0, 0, 2 * middle + 1, 2 * middle + 1)], noise=1.0, seed=1)
    out = network(image, noise)
    assert out.shape[-1] == scale * image.shape[-1]
    cell = slice(middle * scale, (middle + 1) * scale)
    (gradient,) = torch.autograd.grad(out[0, :, cell, cell].sum(), image)
    affecting = gradient[0].abs().sum(0).nonzero()
    distance = int((affecting - middle).abs().max())
    assert halo - 1 <= distance <= halo


def test_the_declared_multiple_is_kept() -> None:
    """A network with a stride: origins and contexts stay on its multiple."""
    down = torch.nn.Conv2d(3, 12, 4, stride=4)
    reach = TileGeometry(scale=1, multiple=4, halo=4)

    def paint(tiles: Tensor, windows: Sequence[TileWindow]) -> Tensor:
        assert all(w.top % 4 == 0 and w.left % 4 == 0 for w in windows)
        return torch.nn.functional.interpolate(down(tiles)[:, :3], scale_factor=4)

    image = torch.rand(3, 44, 52)
    with torch.inference_mode():
        writer = TensorWriter(44, 52)
        paint_exact(paint, reach, TensorReader(image), writer, tile_side=10)
        untiled_image = paint(image[None], [TileWindow(0, 0, 44, 52)])[0]
    assert (writer.image - untiled_image).abs().max() <= 1e-5
    with pytest.raises(ArtgenError, match="multiples of 4"):
        paint_exact(paint, reach, TensorReader(torch.rand(3, 43, 52)), TensorWriter(43, 52))


def test_out_of_memory_halves_batch_then_tile_and_changes_no_pixel() -> None:
    network = random_network(UpImagerConfig(width=8, blocks=2, widths=(8,)))
    image = torch.rand(3, 100, 300)
    calls: list[tuple[int, int]] = []

    def paint(tiles: Tensor, windows: Sequence[TileWindow]) -> Tensor:
        calls.append((len(tiles), tiles.shape[-1]))
        if tiles.numel() > 3 * 75 * 75:
            raise torch.OutOfMemoryError("not enough")
        return network(tiles, tile_noise(network, windows, noise=1.0, seed=5))

    writer = TensorWriter(200, 600)
    with torch.inference_mode():
        paint_exact(paint, network.tile_geometry, TensorReader(image), writer, tile_side=64, max_batch=4)
    assert (writer.image - untiled(network, image, 5)).abs().max() <= 1e-5
    assert max(count for count, _ in calls) > 1
    assert calls[-1][0] == 1


def test_memory_that_never_suffices_is_a_clear_message() -> None:
    def paint(tiles: Tensor, windows: Sequence[TileWindow]) -> Tensor:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with pytest.raises(ArtgenError, match="not enough for a tile"):
        paint_exact(paint, TileGeometry(1, 1, 2), TensorReader(torch.rand(3, 64, 64)), TensorWriter(64, 64))


def test_a_bug_in_the_network_is_not_mistaken_for_memory() -> None:
    def paint(tiles: Tensor, windows: Sequence[TileWindow]) -> Tensor:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        paint_exact(paint, TileGeometry(1, 1, 2), TensorReader(torch.rand(3, 64, 64)), TensorWriter(64, 64))


def test_files_and_tensors_go_through_the_same_engine(tmp_path: Path) -> None:
    network = random_network(UpImagerConfig(width=8, blocks=2, widths=(8,)))
    pixels = torch.randint(0, 256, (50, 70, 3), dtype=torch.uint8)
    (tmp_path / "in.raw").write_bytes(pixels.numpy().tobytes())
    out = tmp_path / "out.raw"
    reader = RawFileReader(tmp_path / "in.raw", 50, 70)
    upscale_bands(network, reader, RawFileWriter(out, 100, 140), noise=1.0, seed=2, tile=16)
    expected = tiled(network, pixels.permute(2, 0, 1).float() / 255, 2, tile=16)
    pixels_out = torch.frombuffer(bytearray(out.read_bytes()), dtype=torch.uint8).view(100, 140, 3)
    rounded = (expected.clamp(0, 1) * 255).round().byte().permute(1, 2, 0)
    assert (pixels_out.int() - rounded.int()).abs().max() <= 1
