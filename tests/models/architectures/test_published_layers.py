"""U-Net, ResNet and PatchGAN have the published layers and initial weights."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from artgen.models.architectures.network import Network
from artgen.models.architectures.resnet import ResNet, ResNetConfig
from artgen.models.architectures.unet import UNet, UNetConfig
from artgen.training.critics.patchgan import PatchGAN

NETWORKS = [
    UNet(UNetConfig(levels=6, width=8)),
    UNet(UNetConfig(levels=6, width=8, rise="resize", norm="instance")),
    ResNet(ResNetConfig(width=8, blocks=2)),
    ResNet(ResNetConfig(width=8, blocks=2, rise="resize", norm="batch", dropout=True)),
    ResNet(ResNetConfig(width=8, blocks=2, skips=True)),
]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: f"{n.architecture}-{n.config.rise}")
def test_initial_weights(network: Network) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            assert abs(float(module.weight.detach().std()) - 0.02) < 0.006
            assert module.bias is None or not module.bias.any()


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: f"{n.architecture}-{n.config.rise}")
def test_chance_is_for_training_only(network: Network) -> None:
    x = torch.rand(2, 3, 64, 64)
    network.eval()
    assert torch.equal(network(x), network(x))
    assert network(x).shape == x.shape
    network.train()
    assert torch.equal(network(x), network(x)) != network.config.dropout


def test_dropout_is_in_the_published_blocks() -> None:
    """The three after the innermost of eight levels; where there are fewer levels, fewer."""
    assert list(UNet(UNetConfig(levels=8, width=2)).dropout_blocks) == [1, 2, 3]
    assert list(UNet(UNetConfig(levels=7, width=2)).dropout_blocks) == [1, 2]
    assert list(UNet(UNetConfig(levels=8, width=2, dropout=False)).dropout_blocks) == []


def test_a_patchgan_of_three_layers_judges_patches_of_70_px() -> None:
    discriminator = PatchGAN(6, width=4).eval()
    x = torch.rand(1, 6, 256, 256, requires_grad=True)
    logits = discriminator(x)
    assert logits.shape == (1, 1, 30, 30)
    (gradient,) = torch.autograd.grad(logits[0, 0, 15, 15], x)
    rows = gradient.abs().sum((0, 1, 3)).nonzero().flatten()
    assert int(rows.max() - rows.min()) + 1 == 70


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_a_patchgan_is_the_published_discriminator(norm: str) -> None:
    """Convolution by convolution, as ``NLayerDiscriminator`` has them; on [-1, 1]."""
    torch.manual_seed(0)
    discriminator = PatchGAN(4, width=4, norm=norm).train()
    weights = [
        value for name, value in discriminator.state_dict().items() if name.startswith(("layers", "judge"))
    ]
    x = torch.rand(2, 4, 64, 64)
    y, remaining = x * 2 - 1, weights
    for layer, stride in enumerate((2, 2, 2, 1, 1)):
        biased = layer in (0, 4) or norm == "instance"
        y = F.conv2d(y, remaining[0], remaining[1] if biased else None, stride, 1)
        remaining = remaining[2 if biased else 1 :]
        if 0 < layer < 4:
            scale = discriminator.norms[layer].weight if norm == "batch" else None
            y = F.batch_norm(y, None, None, scale, training=True) if norm == "batch" else F.instance_norm(y)
        y = F.leaky_relu(y, 0.2) if layer < 4 else y
    assert not remaining
    assert (discriminator(x) - y).abs().max() <= 1e-5
