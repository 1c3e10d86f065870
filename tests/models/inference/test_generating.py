"""DCGAN and the small R3GAN: shapes, what an image depends on, initial weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from artgen.errors import ArtgenError
from artgen.models.architectures.dcgan import DCDiscriminator, DCGANConfig, DCGenerator
from artgen.models.architectures.latent import LatentConfig, LatentGenerator
from artgen.models.architectures.r3gan import R3Discriminator, R3GANConfig, R3Generator
from artgen.models.architectures.upimage import UpImager, UpImagerConfig
from artgen.models.files.checkpoint import count_parameters, load_model, save_model
from artgen.models.inference.generating import generate_image


def latents(count: int, size: int) -> torch.Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(1))


def network_pairs(side: int) -> list[tuple[LatentGenerator, torch.nn.Module]]:
    dcgan, r3gan = DCGANConfig(side=side, latent=8, width=4), R3GANConfig(side=side, latent=8, width=8)
    return [(DCGenerator(dcgan), DCDiscriminator(dcgan)), (R3Generator(r3gan), R3Discriminator(r3gan))]


@pytest.mark.parametrize("side", [16, 64, 256])
def test_shapes_from_latents_to_images_to_logits(side: int) -> None:
    for generator, discriminator in network_pairs(side):
        pictures = generator(latents(2, 8))
        assert pictures.shape == (2, 3, side, side)
        assert pictures.min() >= 0
        assert pictures.max() <= 1
        assert discriminator(pictures).shape == (2,)


def test_dcgan_at_64_px_is_the_published_one() -> None:
    network = DCGenerator(DCGANConfig(width=128))
    convolutions = [layer for layer in network.layers if isinstance(layer, torch.nn.ConvTranspose2d)]
    assert [layer.out_channels for layer in convolutions] == [1024, 512, 256, 128, 3]
    assert convolutions[0].in_channels == 100
    assert convolutions[1].weight.std().item() == pytest.approx(0.02, rel=0.01)


@pytest.mark.parametrize("side", [8, 48, 2048])
def test_sides_are_powers_of_two(side: int) -> None:
    with pytest.raises(ValidationError):
        LatentConfig(side=side)


def test_at_inference_an_image_depends_on_its_latent_alone() -> None:
    for generator, discriminator in network_pairs(32):
        generator.fix_batch_statistics(latents(64, 8))
        generator.eval()
        latent_batch = latents(5, 8)
        assert torch.allclose(generator(latent_batch)[2], generator(latent_batch[2:3])[0], atol=1e-5)
        if isinstance(generator, R3Generator):  # and in training too
            pictures = generator.train()(latent_batch)
            assert torch.allclose(pictures[2], generator(latent_batch[2:3])[0], atol=1e-5)
            assert torch.allclose(discriminator(pictures)[2], discriminator(pictures[2:3])[0], atol=1e-5)


def test_fixed_statistics_are_those_of_a_large_batch() -> None:
    network = DCGenerator(DCGANConfig(side=32, latent=8, width=4))
    latent_batch = latents(32, 8)
    batch_normalised = network.train()(latent_batch)
    network.fix_batch_statistics(latent_batch)
    assert network.training
    assert network.layers[1].momentum == 0.1
    assert torch.allclose(
        network.eval()(latent_batch), batch_normalised, atol=0.02
    )  # but for the sample's variance
    state_before = {name: value.clone() for name, value in network.state_dict().items()}
    network.fix_batch_statistics(latent_batch)
    assert all(torch.equal(value, state_before[name]) for name, value in network.state_dict().items())


def test_initial_weights_keep_a_deep_network_stable() -> None:
    for blocks in (1, 8):
        config = R3GANConfig(side=64, latent=64, blocks=blocks)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            generator, discriminator = R3Generator(config), R3Discriminator(config)
        block = generator.levels[0][0]
        x = torch.rand(1, block.widen.in_channels, 4, 4)
        assert torch.equal(block(x), x)  # a block is the identity at first
        pictures = generator(latents(8, 64))
        assert 0.05 < pictures.std() < 0.3
        assert discriminator(pictures).abs().max() < 10


def test_a_small_r3gan_is_small() -> None:
    assert count_parameters(R3Generator(R3GANConfig())) < 1e6


def test_files_of_other_architectures_are_refused(tmp_path: Path) -> None:
    for generator, _ in network_pairs(32):
        file = tmp_path / f"{generator.architecture}.safetensors"
        save_model(file, generator, {})
        assert type(load_model(file, network_class=LatentGenerator).network) is type(generator)
        picture = generate_image(file, [7])
        assert picture.shape == (3, 32, 32)
        assert torch.equal(picture, generate_image(file, [7]))
        assert not torch.equal(picture, generate_image(file, [8]))
        assert torch.equal(
            generate_image(file, [7], truncation=0.0), generate_image(file, [8], truncation=0.0)
        )
    other = tmp_path / "other.safetensors"
    save_model(other, UpImager(UpImagerConfig(width=8, blocks=1, widths=(8,))), {})
    with pytest.raises(ArtgenError, match=r"architecture 'upimage'; one of dcgan, r3gan"):
        generate_image(other, [1])
