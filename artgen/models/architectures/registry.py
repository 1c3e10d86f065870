"""Network classes by the architecture name that a model file has in its header."""

from __future__ import annotations

from artgen.models.architectures.dcgan import DCGenerator
from artgen.models.architectures.faststyle import FastStyleNet
from artgen.models.architectures.network import Network
from artgen.models.architectures.r3gan import R3Generator
from artgen.models.architectures.resnet import ResNet
from artgen.models.architectures.transformernet import TransformerNet
from artgen.models.architectures.unet import UNet
from artgen.models.architectures.upimage import UpImager
from artgen.plugins import ARCHITECTURE_GROUP, PluginRegistry

NETWORK_CLASSES: tuple[type[Network], ...] = (
    *(UpImager, UNet, ResNet, FastStyleNet, TransformerNet),
    *(DCGenerator, R3Generator),
)
ARCHITECTURES: PluginRegistry[Network] = PluginRegistry(
    ARCHITECTURE_GROUP,
    Network,
    {network_class.architecture: network_class for network_class in NETWORK_CLASSES},
    "architecture",
)
