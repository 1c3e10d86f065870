"""Every architecture a model file may name."""

from __future__ import annotations

from artgen.models.dcgan import DCGenerator
from artgen.models.faststyle import FastStyle
from artgen.models.network import Network
from artgen.models.r3gan import R3Generator
from artgen.models.resnet import ResNet
from artgen.models.transformernet import TransformerNet
from artgen.models.unet import UNet
from artgen.models.upimage import UpImager

ARCHITECTURES: dict[str, type[Network]] = {
    network.architecture: network
    for network in (UpImager, UNet, ResNet, FastStyle, TransformerNet, DCGenerator, R3Generator)
}
