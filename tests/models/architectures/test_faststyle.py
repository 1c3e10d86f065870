from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from artgen.imaging.tiles.bands import TensorReader, TensorWriter
from artgen.imaging.tiles.exact import paint_exact
from artgen.models.architectures.faststyle import FastStyleNet, FastStyleNetConfig
from artgen.models.architectures.norms import fixed_norm_statistics
from artgen.models.files.checkpoint import load_model, save_model


@pytest.fixture(scope="module")
def network() -> FastStyleNet:
    return random_network(FastStyleNetConfig(width=4, blocks=2, styles=3))


def random_network(config: FastStyleNetConfig) -> FastStyleNet:
    """Build a network with random weights; every style has its own scale and shift, as after training."""
    generator = torch.Generator().manual_seed(0)
    network = FastStyleNet(config).eval().requires_grad_(False)
    for parameter in network.parameters():
        if parameter.ndim == 2:
            parameter.copy_(1 + torch.randn(parameter.shape, generator=generator) / 2)
        else:
            nn.init.normal_(parameter, 0.0, 0.2, generator=generator)
    return network


def random_picture(height: int, width: int) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(height * width))


@pytest.mark.parametrize("blocks", [1, 3])
def test_declared_reach_is_what_the_network_sees(blocks: int) -> None:
    network = random_network(FastStyleNetConfig(width=4, blocks=blocks)).double()
    reach, side = network.tile_geometry, 192
    picture = random_picture(side, side).double()
    furthest = 0
    with fixed_norm_statistics(network, picture, network.style_weights(0).double()):
        for position in range(side // 2, side // 2 + reach.multiple):
            input_picture = picture.clone().requires_grad_()
            painted = network(input_picture, network.style_weights(0).double())
            painted[0, :, position, position].sum().backward()
            assert input_picture.grad is not None
            rows = input_picture.grad.abs().sum((0, 1, 3)).nonzero()[:, 0]
            furthest = max(furthest, position - int(rows.min()), int(rows.max()) - position)
    # The engine takes context in whole multiples.
    assert furthest <= reach.halo < furthest + reach.multiple


@settings(max_examples=12, deadline=None)
@given(
    height=st.integers(1, 30).map(lambda n: 4 * n),
    width=st.integers(1, 30).map(lambda n: 4 * n),
    tile=st.integers(4, 80),
)
def test_the_tile_size_never_changes_a_pixel(
    network: FastStyleNet, height: int, width: int, tile: int
) -> None:
    picture, weights = random_picture(height, width), torch.tensor([[0.2, 0.5, 0.3]])
    with torch.inference_mode(), fixed_norm_statistics(network, picture, weights):
        writer = TensorWriter(height, width)
        paint_exact(
            lambda tiles, _: network(tiles, weights.expand(len(tiles), -1)),
            network.tile_geometry,
            TensorReader(picture[0]),
            writer,
            tile_side=tile,
        )
        assert torch.allclose(writer.image, network(picture, weights)[0], atol=1e-5)


def test_fixed_on_the_whole_picture_nothing_changes(network: FastStyleNet) -> None:
    picture, weights = random_picture(64, 48), network.style_weights(2)
    with torch.inference_mode():
        unfixed = network(picture, weights)
        with fixed_norm_statistics(network, picture, weights):
            assert torch.allclose(network(picture, weights), unfixed, atol=1e-5)


def test_rows_have_styles_of_their_own(network: FastStyleNet) -> None:
    pictures = random_picture(32, 32).repeat(3, 1, 1, 1)
    with torch.inference_mode():
        together = network(pictures, torch.eye(3))
        for index in range(3):
            alone = network(pictures[:1], network.style_weights(index))
            assert torch.allclose(together[index : index + 1], alone, atol=1e-5)
        assert torch.equal(network(pictures), network(pictures, network.style_weights(0).expand(3, -1)))
    assert (together[0] - together[1]).abs().mean() > 0.01


def test_weights_mix_scales_and_shifts(network: FastStyleNet) -> None:
    picture = random_picture(32, 32)
    with torch.inference_mode():
        first_style, second_style, both = (
            network(picture, torch.tensor([w])) for w in ([1.0, 0, 0], [0, 1.0, 0], [0.9, 0.1, 0])
        )
    assert (both - first_style).abs().mean() < (both - second_style).abs().mean()


@pytest.mark.parametrize("size", [(4, 4), (8, 52)])
def test_any_multiple_of_four(network: FastStyleNet, size: tuple[int, int]) -> None:
    picture = random_picture(*size)
    with torch.inference_mode(), fixed_norm_statistics(network, picture):
        painted = network(picture)
    assert painted.shape == (1, 3, *size)
    assert 0 <= float(painted.min()) <= float(painted.max()) <= 1


def test_one_file_is_a_whole_model(tmp_path: Path, network: FastStyleNet) -> None:
    save_model(tmp_path / "painter.safetensors", network, {"title": "painter"})
    loaded = load_model(tmp_path / "painter.safetensors", network_class=FastStyleNet).network
    assert loaded.config == network.config
    picture = random_picture(32, 32)
    with torch.inference_mode():
        assert torch.allclose(
            loaded(picture, network.style_weights(1)), network(picture, network.style_weights(1)), atol=0.02
        )
