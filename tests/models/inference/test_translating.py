"""Image-to-image networks at any size: tiles agree, because norms have the whole image's statistics."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook

from artgen.errors import ArtgenError
from artgen.imaging.image import enlarge, luminance
from artgen.imaging.tiles.bands import TensorReader, TensorWriter
from artgen.imaging.tiles.blended import build_tile_axis
from artgen.imaging.tiles.exact import paint_exact
from artgen.models.architectures.faststyle import FastStyleNet, FastStyleNetConfig
from artgen.models.architectures.network import Network
from artgen.models.architectures.norms import fixed_norm_statistics
from artgen.models.architectures.resnet import ResNet, ResNetConfig
from artgen.models.architectures.unet import UNet, UNetConfig
from artgen.models.architectures.upimage import UpImager, UpImagerConfig
from artgen.models.files.checkpoint import save_model
from artgen.models.inference.translating import TilingLimits, translate_image


def randomise_weights(network: Network, seed: int = 3) -> Network:
    """Give a network random weights, large enough that every layer matters."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.dim() > 1 and "scale" not in name and "shift" not in name:
                fan = weight[0].numel()
                weight.copy_(torch.randn(weight.shape, generator=generator) * (2 / fan) ** 0.5)
    return network.eval().requires_grad_(False)


RESNETS = [
    randomise_weights(ResNet(ResNetConfig(width=4, blocks=2))),
    randomise_weights(ResNet(ResNetConfig(width=4, blocks=1, rise="resize", norm="batch", skips=True))),
]
CONVOLUTIONAL = [*RESNETS, randomise_weights(FastStyleNet(FastStyleNetConfig(width=4, blocks=1, styles=2)))]


@pytest.mark.parametrize(
    "network",
    [pytest.param(CONVOLUTIONAL[0], marks=pytest.mark.slow), *CONVOLUTIONAL[1:]],
    ids=lambda n: f"{n.architecture}-{n.config}"[:60],
)
@given(height=st.integers(12, 50), width=st.integers(12, 50), tile=st.integers(4, 64))
@settings(max_examples=12, deadline=None)
def test_tiled_equals_untiled_with_the_statistics_of_the_whole(
    network: ResNet | FastStyleNet, height: int, width: int, tile: int
) -> None:
    image = torch.rand(3, 4 * height, 4 * width, generator=torch.Generator().manual_seed(height))
    writer = TensorWriter(4 * height, 4 * width)
    with torch.inference_mode(), fixed_norm_statistics(network, image[None]):
        untiled = network(image[None])[0]
        paint_exact(
            lambda x, _: network(x), network.tile_geometry, TensorReader(image), writer, tile_side=tile
        )
    assert float((writer.image - untiled).abs().max()) <= 1e-5


@pytest.mark.parametrize("network", CONVOLUTIONAL, ids=lambda n: f"{n.architecture}-{n.config}"[:60])
def test_the_declared_reach_is_enough_and_no_more_than_needed(network: ResNet | FastStyleNet) -> None:
    halo, side = network.tile_geometry.halo, 4 * (network.tile_geometry.halo // 2) + 40
    x = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(1)).requires_grad_(True)
    middle = side // 2
    with fixed_norm_statistics(network, x.detach()):
        network(x)[0, :, middle : middle + 4, middle : middle + 4].sum().backward()
    assert x.grad is not None
    rows = x.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    furthest = max(middle - int(rows.min()), int(rows.max()) - (middle + 3))
    assert furthest <= halo <= furthest + 8  # origins and sizes of tiles are multiples of 4


def test_with_its_own_statistics_fixed_nothing_changes() -> None:
    image = torch.rand(1, 3, 64, 96)
    for network in CONVOLUTIONAL:
        unfixed = network(image)
        with fixed_norm_statistics(network, image):
            assert torch.allclose(network(image), unfixed, atol=2e-5)
        assert torch.equal(network(image), unfixed)  # and afterwards it is as before


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Model files of networks that take 16 px and more."""
    folder = tmp_path_factory.mktemp("models")
    return [
        save_network(folder, network)
        for network in (RESNETS[0], randomise_weights(UNet(UNetConfig(levels=4, width=4))))
    ]


@given(height=st.integers(16, 90), width=st.integers(16, 90))
@settings(max_examples=10, deadline=None)
def test_any_size_keeps_its_size(files: list[Path], height: int, width: int) -> None:
    for file in files:
        result = translate_image(torch.rand(3, height, width), file)
        assert result.shape == (3, height, width)
        assert 0 <= float(result.min()) <= float(result.max()) <= 1


@pytest.mark.parametrize(
    ("size", "side", "expected_size"),
    [
        ((8, 8), None, (16, 16)),  # no smaller than the network has learned from
        ((8, 12), None, (16, 24)),
        ((1, 90), None, (1, 90)),  # but a strip is not blown up
        ((4, 32), None, (8, 64)),
        ((40, 60), 30, (20, 30)),
        ((40, 60), 18, (16, 24)),
        ((20, 30), 90, (60, 90)),
    ],
)
def test_the_result_has_the_size_asked_for(
    files: list[Path], size: tuple[int, int], side: int | None, expected_size: tuple[int, int]
) -> None:
    for file in files:
        assert translate_image(torch.rand(3, *size), file, side=side).shape == (3, *expected_size)


@pytest.mark.parametrize("network", CONVOLUTIONAL, ids=lambda n: n.architecture)
def test_a_large_picture_is_the_same_at_every_size_of_tiles(tmp_path: Path, network: Network) -> None:
    """Also with sides that are no multiples of the network's."""
    file = save_network(tmp_path, network)
    image = torch.rand(3, 150, 203, generator=torch.Generator().manual_seed(2))
    untiled_result = translate_image(image, file)
    result = translate_image(image, file, limits=TilingLimits(untiled_pixels=64 * 64))
    small_tiles = translate_image(image, file, limits=TilingLimits(untiled_pixels=64 * 64, tile_side=40))
    assert (small_tiles - result).abs().max() <= 1e-5
    if network is RESNETS[1]:  # batch norm: no statistics to take
        assert (untiled_result - result).abs().max() <= 1e-5


def test_statistics_are_measured_on_as_many_patches_as_memory_allows(tmp_path: Path) -> None:
    file = save_network(tmp_path, RESNETS[0])
    image = torch.rand(3, 240, 240)
    forward_shapes = []

    def have_little_memory(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        if isinstance(module, ResNet):
            batch = inputs[0]
            forward_shapes.append((len(batch), *batch.shape[-2:]))
            if len(batch) * batch.shape[-2] * batch.shape[-1] > 150 * 150:
                raise torch.OutOfMemoryError("not enough")

    with register_module_forward_pre_hook(have_little_memory):
        result = translate_image(image, file)
    assert forward_shapes[:4] == [(1, 240, 240), (64, 64, 64), (16, 64, 64), (4, 64, 64)]
    expected = translate_image(image, file, limits=TilingLimits(untiled_pixels=4 * 64 * 64))
    assert (expected - result).abs().max() <= 1e-5

    def have_no_memory(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        if isinstance(module, ResNet):
            torch.empty(1 << 60)

    with (
        register_module_forward_pre_hook(have_no_memory),
        pytest.raises(ArtgenError, match="memory: not enough"),
    ):
        translate_image(image, file)


def save_network(folder: Path, network: Network, **metadata: object) -> Path:
    file = folder / f"{network.architecture}-{len(metadata)}.safetensors"
    save_model(file, network, {key: json.dumps(value) for key, value in metadata.items()})
    return file


def test_a_u_net_on_a_picture_of_its_size_is_the_network_itself(tmp_path: Path) -> None:
    network = randomise_weights(UNet(UNetConfig(levels=5, width=4)))
    file = save_network(tmp_path, network)
    image = torch.rand(3, 32, 32)
    half_precision_network = UNet(network.config).eval()
    half_precision_network.load_state_dict({k: v.half().float() for k, v in network.state_dict().items()})
    with torch.inference_mode():
        assert torch.allclose(translate_image(image, file), half_precision_network(image[None])[0], atol=1e-4)


def test_a_large_picture_through_a_u_net_has_no_seams(tmp_path: Path) -> None:
    """Where tiles begin, end and meet, neighbouring pixels differ as they do elsewhere."""
    network = randomise_weights(
        UNet(UNetConfig(levels=5, width=4, norm="instance", rise="resize"))
    )  # each tile by itself
    file = save_network(tmp_path, network, recipe={"crop": 64})
    coarse_noise = torch.rand(1, 3, 7, 9, generator=torch.Generator().manual_seed(1))
    image = F.interpolate(coarse_noise, size=(192, 256), mode="bicubic", align_corners=True)[0].clamp(0, 1)
    result = translate_image(image, file)
    for axis in (1, 2):
        tile_origins = build_tile_axis(image.shape[axis], 64, 0.25).origins
        edges = {edge for a, b in pairwise(tile_origins) for edge in (b, (a + 64 + b) // 2, a + 64)}
        assert edge_contrast(result, axis, sorted(edges)) < 2
        # Tiles side by side, which is what blending is against.
        separate_results = [translate_image(part, file) for part in image.split(64, axis)]
        assert edge_contrast(torch.cat(separate_results, axis), axis, [64, 128]) > 3


def edge_contrast(image: Tensor, axis: int, edges: list[int]) -> float:
    """Return how much more neighbouring pixels differ across the worst of ``edges`` than elsewhere."""
    differences = image.diff(dim=axis).abs().mean((0, 3 - axis))
    is_edge = torch.zeros(len(differences), dtype=torch.bool)
    is_edge[torch.tensor(edges) - 1] = True
    return float(differences[is_edge].max() / differences[~is_edge].median())


def test_one_channel_is_luminance(tmp_path: Path) -> None:
    network = randomise_weights(UNet(UNetConfig(levels=3, width=4, inputs=1)))
    file = save_network(tmp_path, network)
    image = torch.rand(3, 8, 8)
    grey = luminance(image).expand(3, -1, -1)
    assert torch.allclose(translate_image(image, file), translate_image(grey, file), atol=1e-5)


def test_the_input_is_prepared_as_in_training(tmp_path: Path) -> None:
    network = randomise_weights(UNet(UNetConfig(levels=4, width=4)))
    file = save_network(tmp_path, network, inputs={"use": "pixelate", "factor": 4}, recipe={"crop": 32})
    image = torch.rand(3, 32, 32)
    pixelated = F.interpolate(F.avg_pool2d(image[None], 4), scale_factor=4)[0]
    assert torch.allclose(
        translate_image(image, file), translate_image(pixelated, file, prepare_input=False), atol=1e-5
    )
    assert not torch.allclose(
        translate_image(image, file), translate_image(image, file, prepare_input=False), atol=1e-2
    )


def test_the_noise_that_textures_are_made_of_goes_by_the_seed(tmp_path: Path) -> None:
    network = randomise_weights(UNet(UNetConfig(levels=4, width=4, inputs=1)))
    table = {"use": "learning-to-see", "factor": 4, "grey": True, "grain": 0.2}
    file = save_network(tmp_path, network, inputs=table, recipe={"crop": 32})
    image = torch.rand(3, 32, 32)
    result = translate_image(image, file, seed=1)
    assert torch.equal(result, translate_image(image, file, seed=1))
    assert not torch.allclose(result, translate_image(image, file, seed=2), atol=1e-3)


@pytest.mark.parametrize("metadata", ["[" * 100_000, '"x"', "{", '{"crop": 1e999}', '{"crop": "large"}'])
def test_invalid_metadata_is_ignored(tmp_path: Path, metadata: str) -> None:
    save_model(tmp_path / "odd.safetensors", UNet(UNetConfig(levels=3, width=4)), {"recipe": metadata})
    assert translate_image(torch.rand(3, 8, 8), tmp_path / "odd.safetensors").shape == (3, 8, 8)


def test_a_thumbnail_is_prepared_as_thumbnails_were_in_training(tmp_path: Path) -> None:
    """It is enlarged to the size of the model's training images, not reduced once more."""
    network = randomise_weights(UNet(UNetConfig(levels=4, width=4)))
    table = {"use": "blend", "factor": 4}
    file = save_network(tmp_path, network, inputs=table, recipe={"crop": 32})
    thumbnail = torch.rand(3, 8, 8)
    result = translate_image(thumbnail, file)
    assert result.shape == (3, 32, 32)
    enlarged = enlarge(thumbnail, (32, 32))
    assert torch.allclose(result, translate_image(enlarged, file, prepare_input=False), atol=1e-5)
    assert torch.equal(result, translate_image(thumbnail, file, side=32))


def test_other_numbers_of_channels_are_refused(tmp_path: Path) -> None:
    file = save_network(tmp_path, UNet(UNetConfig(levels=3, width=4, inputs=4)))
    with pytest.raises(ArtgenError, match="takes 4 channels"):
        translate_image(torch.rand(3, 8, 8), file)


def test_invalid_inputs_metadata_is_reported(tmp_path: Path) -> None:
    file = save_network(
        tmp_path, UNet(UNetConfig(levels=3, width=4)), inputs={"use": "pixelate", "factor": 1e99}
    )
    with pytest.raises(ArtgenError, match=r"inputs\.factor"):
        translate_image(torch.rand(3, 8, 8), file)


def test_other_architectures_are_refused(tmp_path: Path) -> None:
    file = save_network(tmp_path, UpImager(UpImagerConfig(width=8, blocks=1, widths=(8,))))
    with pytest.raises(ArtgenError, match="architecture 'upimage'; an image-to-image model"):
        translate_image(torch.rand(3, 8, 8), file)


def test_styles_mix_by_weights(tmp_path: Path) -> None:
    network = FastStyleNet(FastStyleNetConfig(width=4, blocks=1, styles=2))
    nn.init.normal_(network.paint.weight)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith("norm.shift"):
                weight[1] += 1.0
    file = save_network(tmp_path, network)
    image = torch.rand(3, 24, 24)
    first, second, both = (translate_image(image, file, style_shares=w) for w in ((1, 0), (0, 3), (1, 1)))
    assert torch.equal(first, translate_image(image, file))
    assert not torch.allclose(first, second, atol=1e-2)
    assert not torch.allclose(both, first, atol=1e-3)
    with pytest.raises(ArtgenError, match="2 numbers"):
        translate_image(image, file, style_shares=(1, 1, 1))
