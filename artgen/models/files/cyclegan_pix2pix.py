"""Generators of junyanz/pytorch-CycleGAN-and-pix2pix: ``latest_net_G.pth``, imported and exported.

Layer for layer they are the U-Net and the ResNet here (reflection padding): only names differ. Names and
shapes show the size, the channels, the blocks and the norm. They do not show:

- Whether a U-Net had dropout in training; it is taken to have, as published. At inference it has none either
  way.
- How the network was used. The published test run leaves it in training mode (``--eval`` is an option there):
  each image is normalised by itself, and dropout stays. Here it is as with ``--eval``: batch norm has the
  statistics of the training, and nothing is dropped. Tiles of one image must agree, and the same input must
  give the same image twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import torch
from pydantic import ValidationError
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.models.architectures.network import Network, format_shape
from artgen.models.architectures.norms import BATCH_COUNT, RUNNING_STATISTICS
from artgen.models.architectures.resnet import SIZE_HALVINGS, ResNet, ResNetConfig
from artgen.models.architectures.unet import UNet, UNetConfig

PUBLISHER = "junyanz/pytorch-CycleGAN-and-pix2pix"
EXPECTED_FILE = f"a generator of {PUBLISHER}: latest_net_G.pth"
TranslationGenerator = UNet | ResNet
StateDict = Mapping[str, Tensor]
MIN_UNET_LEVELS = 5  # of the published U-Net, whatever its options


def import_generator(
    path: str, state: StateDict, *, arch: str | None = None, norm: str | None = None
) -> TranslationGenerator:
    """Build the network of a published generator's checkpoint.

    Args:
        path: the checkpoint, as messages name it.
        state: weights by their published names.
        arch: what it should be, in the published words (``unet_256``, ``resnet_9blocks``); any by default.
        norm: the norm it should have, ``batch`` or ``instance``; any by default.

    Raises:
        ArtgenError: it is no published generator, or not the one that ``arch`` and ``norm`` name; with what
            it is.
    """
    try:
        config = _infer_config(state)
    except (KeyError, ValueError, IndexError, ValidationError):
        raise ArtgenError(path, _describe_unknown(state), EXPECTED_FILE) from None
    description = f"these weights look like {describe_config(config)}"
    if arch not in (None, published_arch_name(config)):
        raise ArtgenError(
            f"--arch {arch}", description, f"--arch {published_arch_name(config)}, or leave it out"
        )
    if norm not in (None, config.norm):
        raise ArtgenError(f"--norm {norm}", description, f"--norm {config.norm}, or leave it out")
    with torch.device("meta"):  # allocates nothing: the file may lack what its names promise
        network = UNet(config) if isinstance(config, UNetConfig) else ResNet(config)
    published_names = _published_names(network)
    state = _update_legacy_norms(state, published_names.values(), config.norm)
    expected_shapes = {
        published_names[name]: tuple(weight.shape) for name, weight in network.state_dict().items()
    }
    shapes = {name: tuple(weight.shape) for name, weight in state.items()}
    for name in {**expected_shapes, **shapes}:
        shape, expected_shape = shapes.get(name), expected_shapes.get(name)
        if shape != expected_shape:
            mismatch = f"{name} is {format_shape(shape)} and should be {format_shape(expected_shape)}"
            raise ArtgenError(path, f"{description}, but {mismatch}", EXPECTED_FILE)
    weights = {
        name: state[published_name].detach().contiguous() for name, published_name in published_names.items()
    }
    network.load_state_dict(
        {name: weight if name.endswith(BATCH_COUNT) else weight.float() for name, weight in weights.items()},
        assign=True,
    )
    return network


def export_state_dict(path: str, network: Network) -> dict[str, Tensor]:
    """Return the weights of a generator by the names of junyanz/pytorch-CycleGAN-and-pix2pix.

    Args:
        path: the model's file, as messages name it.
        network: a U-Net or ResNet.

    Raises:
        ArtgenError: the published code has no such network.
    """
    expected = 'a U-Net or ResNet of transposed convolutions (rise = "transposed")'
    if not isinstance(network, TranslationGenerator):
        raise ArtgenError(path, f"architecture {network.architecture!r}", expected)
    if isinstance(network.config, UNetConfig) and network.config.levels < MIN_UNET_LEVELS:
        raise ArtgenError(
            path, f"a U-Net of {network.config.levels} levels", f"theirs have {MIN_UNET_LEVELS} or more"
        )
    if network.config.rise != "transposed":
        raise ArtgenError(path, f"rise = {network.config.rise!r}, which {PUBLISHER} has not", expected)
    if isinstance(network.config, ResNetConfig) and network.config.skips:
        raise ArtgenError(
            path, f"a ResNet with skips, which {PUBLISHER} has not", f"{expected} without skips"
        )
    state = network.state_dict()
    return {
        published_name: state[name].contiguous() for name, published_name in _published_names(network).items()
    }


def published_arch_name(config: UNetConfig | ResNetConfig) -> str:
    """Return the generator's name in the published options: ``unet_256``, ``resnet_9blocks``."""
    if isinstance(config, UNetConfig):
        return f"unet_{config.size_multiple}"
    return f"resnet_{config.blocks}blocks"


def command_options(config: UNetConfig | ResNetConfig) -> str:
    """Return the command-line options with which the published programs load an exported generator.

    They include ``--eval``, as the network is used here.
    """
    text = f"--netG {published_arch_name(config)} --ngf {config.width} --norm {config.norm} --eval"
    text += f" --input_nc {config.inputs} --output_nc {config.outputs}"
    return text if config.dropout else f"{text} --no_dropout"


def describe_config(config: UNetConfig | ResNetConfig) -> str:
    """Return a generator's architecture, channels and norm in words, for messages."""
    pictures = (
        "" if config.inputs == config.outputs == 3 else f", {config.inputs} to {config.outputs} in pictures"
    )
    return f"{published_arch_name(config)} with {config.width} channels{pictures}, {config.norm} norm"


def _infer_config(state: StateDict) -> UNetConfig | ResNetConfig:
    """Infer the sizes of a published generator from the names and shapes of its weights.

    Raises:
        KeyError: no such network.
        ValueError: no such network.
        IndexError: no such network.
        ValidationError: no such network.
    """
    blocks = {name.split(".")[1] for name in state if ".conv_block." in name}
    if blocks:
        width, inputs, _, _ = state["model.1.weight"].shape
        last_layer = len(blocks) + 4 + 6 * SIZE_HALVINGS + 1
        # With dropout between the two convolutions of a block, the second one's number is 6; without it, 5.
        second_weight = state.get("model.10.conv_block.6.weight")
        return ResNetConfig(
            width=width,
            blocks=len(blocks),
            inputs=inputs,
            outputs=state[f"model.{last_layer}.weight"].shape[0],
            norm="instance" if "model.1.bias" in state else "batch",
            dropout=second_weight is not None and second_weight.ndim == 4,
        )
    width, inputs, _, _ = state["model.model.0.weight"].shape
    return UNetConfig(
        levels=max(name.count(".model.") for name in state),
        width=width,
        inputs=inputs,
        outputs=state["model.model.3.weight"].shape[1],
        norm="instance" if "model.model.0.bias" in state else "batch",
    )


def _describe_unknown(state: StateDict) -> str:
    first_weight = state.get("model.0.weight")
    if first_weight is not None and first_weight.ndim == 4 and first_weight.shape[-1] in (1, 4):
        return "these weights look like a discriminator"
    return f"no generator that is known; it begins with {next(iter(state))!r}"


def _update_legacy_norms(state: StateDict, expected_names: Iterable[str], norm: str) -> StateDict:
    """Return ``state`` with the norms' entries that torch saves since 0.4.1.

    Before, instance norm came with meaningless running statistics, and batch norm counted no batches.
    """
    if norm == "instance":
        return {
            name: weight
            for name, weight in state.items()
            if name.rpartition(".")[2] not in RUNNING_STATISTICS
        }
    counts = {name: torch.tensor(0) for name in expected_names if name.endswith(BATCH_COUNT)}
    return counts | dict(state)


def _published_names(network: TranslationGenerator) -> dict[str, str]:
    """Map the name of every generator weight here to its published name, in the published order."""
    names = network.state_dict().keys()
    config = network.config
    layers = _unet_layers(config.levels) if isinstance(config, UNetConfig) else _resnet_layers(config)
    parts = ("weight", "bias", *RUNNING_STATISTICS)
    pairs = (
        (f"{layer}.{part}", f"{published_layer}.{part}")
        for layer, published_layer in layers
        for part in parts
    )
    return {name: published_name for name, published_name in pairs if name in names}


def _unet_layers(levels: int) -> Iterator[tuple[str, str]]:
    """Yield the name of every U-Net layer here and the published one, in the published order.

    There a block is nested in the next larger one: between its encoder and its decoder layers.
    """
    prefix = "model.model."
    decoder_layers = []
    for level in range(levels):
        up_index = levels - 1 - level
        is_outermost, is_innermost = level == 0, level == levels - 1
        yield f"downs.{level}", f"{prefix}{0 if is_outermost else 1}"
        if not is_outermost and not is_innermost:
            yield f"down_norms.{level}", f"{prefix}2"
        up_number = 3 if is_outermost or is_innermost else 5
        if not is_outermost:
            decoder_layers.append((f"up_norms.{up_index}", f"{prefix}{up_number + 1}"))
        decoder_layers.append((f"ups.{up_index}", f"{prefix}{up_number}"))
        prefix += "1.model." if is_outermost else "3.model."
    yield from reversed(decoder_layers)


def _resnet_layers(config: ResNetConfig) -> Iterator[tuple[str, str]]:
    """Yield the name of every ResNet layer here and the published one, in the published order.

    There all layers form one numbered sequence; paddings and ReLUs count.
    """
    yield "stem", "model.1"
    yield "stem_norm", "model.2"
    for number in range(SIZE_HALVINGS):
        yield f"downs.{number}", f"model.{4 + 3 * number}"
        yield f"down_norms.{number}", f"model.{5 + 3 * number}"
    first_block = 4 + 3 * SIZE_HALVINGS
    second_convolution = 6 if config.dropout else 5
    for block in range(config.blocks):
        prefix = f"model.{first_block + block}.conv_block"
        yield f"trunk.{block}.first", f"{prefix}.1"
        yield f"trunk.{block}.first_norm", f"{prefix}.2"
        yield f"trunk.{block}.second", f"{prefix}.{second_convolution}"
        yield f"trunk.{block}.second_norm", f"{prefix}.{second_convolution + 1}"
    first_doubling = first_block + config.blocks
    for number in range(SIZE_HALVINGS):
        yield f"ups.{number}", f"model.{first_doubling + 3 * number}"
        yield f"up_norms.{number}", f"model.{first_doubling + 3 * number + 1}"
    yield "paint", f"model.{first_doubling + 3 * SIZE_HALVINGS + 1}"
