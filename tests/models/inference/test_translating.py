"""Image-to-image networks over any size: tiles agree, because statistics are the whole picture's."""

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

from artgen.errors import ArtgenError
from artgen.imaging.image import enlarge, luminance
from artgen.imaging.tiles.bands import TensorReader, TensorWriter
from artgen.imaging.tiles.blended import even_axis
from artgen.imaging.tiles.exact import paint_exact
from artgen.models.architectures.faststyle import FastStyle, FastStyleConfig
from artgen.models.architectures.network import Network
from artgen.models.architectures.norms import fixed_statistics
from artgen.models.architectures.resnet import ResNet, ResNetConfig
from artgen.models.architectures.unet import UNet, UNetConfig
from artgen.models.architectures.upimage import UpImager, UpImagerConfig
from artgen.models.files.checkpoint import save_model
from artgen.models.inference import translating
from artgen.models.inference.translating import translate


def lively(network: Network, seed: int = 3) -> Network:
    """Weights large enough that every layer matters."""
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.dim() > 1 and "scale" not in name and "shift" not in name:
                fan = weight[0].numel()
                weight.copy_(torch.randn(weight.shape, generator=chance) * (2 / fan) ** 0.5)
    return network.eval().requires_grad_(False)


RESNETS = [
    lively(ResNet(ResNetConfig(width=4, blocks=2))),
    lively(ResNet(ResNetConfig(width=4, blocks=1, rise="resize", norm="batch", skips=True))),
]
CONVOLUTIONAL = [*RESNETS, lively(FastStyle(FastStyleConfig(width=4, blocks=1, styles=2)))]


@pytest.mark.parametrize(
    "network",
    [pytest.param(CONVOLUTIONAL[0], marks=pytest.mark.slow), *CONVOLUTIONAL[1:]],
    ids=lambda n: f"{n.architecture}-{n.config}"[:60],
)
@given(height=st.integers(12, 50), width=st.integers(12, 50), tile=st.integers(4, 64))
@settings(max_examples=12, deadline=None)
def test_tiled_equals_untiled_with_the_statistics_of_the_whole(
    network: ResNet | FastStyle, height: int, width: int, tile: int
) -> None:
    image = torch.rand(3, 4 * height, 4 * width, generator=torch.Generator().manual_seed(height))
    writer = TensorWriter(4 * height, 4 * width)
    with torch.inference_mode(), fixed_statistics(network, image[None]):
        whole = network(image[None])[0]
        paint_exact(lambda x, _: network(x), network.reach, TensorReader(image), writer, tile=tile)
    assert float((writer.image - whole).abs().max()) <= 1e-5


@pytest.mark.parametrize("network", CONVOLUTIONAL, ids=lambda n: f"{n.architecture}-{n.config}"[:60])
def test_the_declared_reach_is_enough_and_no_more_than_needed(network: ResNet | FastStyle) -> None:
    halo, side = network.reach.halo, 4 * (network.reach.halo // 2) + 40
    x = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(1)).requires_grad_(True)
    middle = side // 2
    with fixed_statistics(network, x.detach()):
        network(x)[0, :, middle : middle + 4, middle : middle + 4].sum().backward()
    assert x.grad is not None
    rows = x.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    seen = max(middle - int(rows.min()), int(rows.max()) - (middle + 3))
    assert seen <= halo  # origins and sizes of tiles are multiples of 4, so whole cells are asked about
    assert halo <= seen + 8


def test_with_its_own_statistics_fixed_nothing_changes() -> None:
    image = torch.rand(1, 3, 64, 96)
    for network in CONVOLUTIONAL:
        plain = network(image)
        with fixed_statistics(network, image):
            assert torch.allclose(network(image), plain, atol=2e-5)
        assert torch.equal(network(image), plain)  # and afterwards it is as before


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Of networks that take 16 px and more."""
    place = tmp_path_factory.mktemp("models")
    return [saved(place, network) for network in (RESNETS[0], lively(UNet(UNetConfig(levels=4, width=4))))]


@given(height=st.integers(16, 90), width=st.integers(16, 90))
@settings(max_examples=10, deadline=None)
def test_any_size_keeps_its_size(files: list[Path], height: int, width: int) -> None:
    for file in files:
        made = translate(torch.rand(3, height, width), file)
        assert made.shape == (3, height, width)
        assert 0 <= float(made.min()) <= float(made.max()) <= 1


@pytest.mark.parametrize(
    ("size", "side", "wanted"),
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
def test_the_size_asked_for_is_the_size_made(
    files: list[Path], size: tuple[int, int], side: int | None, wanted: tuple[int, int]
) -> None:
    for file in files:
        assert translate(torch.rand(3, *size), file, side=side).shape == (3, *wanted)


@pytest.mark.parametrize("network", CONVOLUTIONAL, ids=lambda n: n.architecture)
def test_a_large_picture_is_the_same_at_every_size_of_tiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: Network
) -> None:
    """Sides that are no multiples, too."""
    file = saved(tmp_path, network)
    image = torch.rand(3, 150, 203, generator=torch.Generator().manual_seed(2))
    piece = translate(image, file)
    monkeypatch.setattr(translating, "WHOLE", 64 * 64)
    made = translate(image, file)
    monkeypatch.setattr(translating, "TILE", 40)
    assert (translate(image, file) - made).abs().max() <= 1e-5
    if network is RESNETS[1]:  # batch norm: no statistics to take
        assert (piece - made).abs().max() <= 1e-5


def test_statistics_are_taken_from_as_much_as_memory_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = saved(tmp_path, RESNETS[0])
    image = torch.rand(3, 240, 240)
    paint, asked = ResNet.forward, []

    def small(network: ResNet, x: torch.Tensor) -> torch.Tensor:
        asked.append((len(x), *x.shape[-2:]))
        if len(x) * x.shape[-2] * x.shape[-1] > 150 * 150:
            raise torch.OutOfMemoryError("not enough")
        return paint(network, x)

    monkeypatch.setattr(ResNet, "forward", small)
    made = translate(image, file)
    assert asked[:4] == [(1, 240, 240), (64, 64, 64), (16, 64, 64), (4, 64, 64)]
    monkeypatch.setattr(ResNet, "forward", paint)
    monkeypatch.setattr(translating, "WHOLE", 4 * 64 * 64)
    assert (translate(image, file) - made).abs().max() <= 1e-5
    monkeypatch.setattr(translating, "WHOLE", 512 * 512)
    monkeypatch.setattr(ResNet, "forward", lambda *_: torch.empty(1 << 60))
    with pytest.raises(ArtgenError, match="memory: not enough"):
        translate(image, file)


def saved(place: Path, network: Network, **metadata: object) -> Path:
    file = place / f"{network.architecture}-{len(metadata)}.safetensors"
    save_model(file, network, {key: json.dumps(value) for key, value in metadata.items()})
    return file


def test_a_u_net_on_a_picture_of_its_size_is_the_network_itself(tmp_path: Path) -> None:
    network = lively(UNet(UNetConfig(levels=5, width=4)))
    file = saved(tmp_path, network)
    image = torch.rand(3, 32, 32)
    half = UNet(network.config).eval()
    half.load_state_dict({k: v.half().float() for k, v in network.state_dict().items()})
    with torch.inference_mode():
        assert torch.allclose(translate(image, file), half(image[None])[0], atol=1e-4)


def test_a_large_picture_through_a_u_net_has_no_seams(tmp_path: Path) -> None:
    """Where tiles begin, end and meet, neighbouring pixels differ as they do elsewhere."""
    network = lively(
        UNet(UNetConfig(levels=5, width=4, norm="instance", rise="resize"))
    )  # each tile by itself
    file = saved(tmp_path, network, recipe={"crop": 64})
    few = torch.rand(1, 3, 7, 9, generator=torch.Generator().manual_seed(1))
    image = F.interpolate(few, size=(192, 256), mode="bicubic", align_corners=True)[0].clamp(0, 1)
    made = translate(image, file)
    for axis in (1, 2):
        tiles = even_axis(image.shape[axis], 64, 0.25).origins
        edges = {edge for a, b in pairwise(tiles) for edge in (b, (a + 64 + b) // 2, a + 64)}
        assert jump(made, axis, sorted(edges)) < 2
        # Tiles side by side, which is what blending is against.
        pieces = [translate(piece, file) for piece in image.split(64, axis)]
        assert jump(torch.cat(pieces, axis), axis, [64, 128]) > 3


def jump(image: Tensor, axis: int, edges: list[int]) -> float:
    """How much more pixels differ across the worst of some borders than elsewhere, along ``axis``."""
    steps = image.diff(dim=axis).abs().mean((0, 3 - axis))
    across = torch.zeros(len(steps), dtype=torch.bool)
    across[torch.tensor(edges) - 1] = True
    return float(steps[across].max() / steps[~across].median())


def test_one_channel_is_luminance(tmp_path: Path) -> None:
    network = lively(UNet(UNetConfig(levels=3, width=4, inputs=1)))
    file = saved(tmp_path, network)
    image = torch.rand(3, 8, 8)
    grey = luminance(image).expand(3, -1, -1)
    assert torch.allclose(translate(image, file), translate(grey, file), atol=1e-5)


def test_the_input_is_prepared_as_in_training(tmp_path: Path) -> None:
    network = lively(UNet(UNetConfig(levels=4, width=4)))
    file = saved(tmp_path, network, inputs={"use": "pixelate", "factor": 4}, recipe={"crop": 32})
    image = torch.rand(3, 32, 32)
    pixels = F.interpolate(F.avg_pool2d(image[None], 4), scale_factor=4)[0]
    assert torch.allclose(translate(image, file), translate(pixels, file, prepare=False), atol=1e-5)
    assert not torch.allclose(translate(image, file), translate(image, file, prepare=False), atol=1e-2)


def test_the_noise_that_textures_are_made_of_goes_by_the_seed(tmp_path: Path) -> None:
    network = lively(UNet(UNetConfig(levels=4, width=4, inputs=1)))
    table = {"use": "learning-to-see", "factor": 4, "grey": True, "grain": 0.2}
    file = saved(tmp_path, network, inputs=table, recipe={"crop": 32})
    image = torch.rand(3, 32, 32)
    made = translate(image, file, seed=1)
    assert torch.equal(made, translate(image, file, seed=1))
    assert not torch.allclose(made, translate(image, file, seed=2), atol=1e-3)


@pytest.mark.parametrize("said", ["[" * 100_000, '"x"', "{", '{"crop": 1e999}', '{"crop": "large"}'])
def test_a_file_that_says_nonsense_of_itself_harms_nothing(tmp_path: Path, said: str) -> None:
    save_model(tmp_path / "odd.safetensors", UNet(UNetConfig(levels=3, width=4)), {"recipe": said})
    assert translate(torch.rand(3, 8, 8), tmp_path / "odd.safetensors").shape == (3, 8, 8)


def test_a_thumbnail_is_prepared_as_thumbnails_were_in_training(tmp_path: Path) -> None:
    """Enlarged to the size of the pictures that the model learned from, not reduced once more."""
    network = lively(UNet(UNetConfig(levels=4, width=4)))
    table = {"use": "blend", "factor": 4}
    file = saved(tmp_path, network, inputs=table, recipe={"crop": 32})
    thumbnail = torch.rand(3, 8, 8)
    made = translate(thumbnail, file)
    assert made.shape == (3, 32, 32)
    shown = enlarge(thumbnail, (32, 32))
    assert torch.allclose(made, translate(shown, file, prepare=False), atol=1e-5)
    assert torch.equal(made, translate(thumbnail, file, side=32))


def test_channels_that_nobody_knows_are_named(tmp_path: Path) -> None:
    file = saved(tmp_path, UNet(UNetConfig(levels=3, width=4, inputs=4)))
    with pytest.raises(ArtgenError, match="takes 4 channels"):
        translate(torch.rand(3, 8, 8), file)


def test_nonsense_about_inputs_is_named(tmp_path: Path) -> None:
    file = saved(tmp_path, UNet(UNetConfig(levels=3, width=4)), inputs={"use": "pixelate", "factor": 1e99})
    with pytest.raises(ArtgenError, match=r"inputs\.factor"):
        translate(torch.rand(3, 8, 8), file)


def test_another_kind_of_model_is_named(tmp_path: Path) -> None:
    file = saved(tmp_path, UpImager(UpImagerConfig(width=8, blocks=1, widths=(8,))))
    with pytest.raises(ArtgenError, match="architecture 'upimage'; an image-to-image model"):
        translate(torch.rand(3, 8, 8), file)


def test_styles_mix_by_weights(tmp_path: Path) -> None:
    network = FastStyle(FastStyleConfig(width=4, blocks=1, styles=2))
    nn.init.normal_(network.paint.weight)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith("norm.shift"):
                weight[1] += 1.0
    file = saved(tmp_path, network)
    image = torch.rand(3, 24, 24)
    first, second, both = (translate(image, file, styles=w) for w in ((1, 0), (0, 3), (1, 1)))
    assert torch.equal(first, translate(image, file))
    assert not torch.allclose(first, second, atol=1e-2)
    assert not torch.allclose(both, first, atol=1e-3)
    with pytest.raises(ArtgenError, match="2 numbers"):
        translate(image, file, styles=(1, 1, 1))
