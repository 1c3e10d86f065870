"""Generators of junyanz/pytorch-CycleGAN-and-pix2pix: ``latest_net_G.pth``, read and written.

Layer for layer they are our U-Net and ResNet (reflection padding): only names differ. What a file holds is
seen from names and shapes: size, channels, blocks, norm. Two things cannot be seen:

- Whether a U-Net had dropout in training; it is taken as published, with. In use it has none either way.
- How the network was used. The published test run leaves it in training mode (``--eval`` is an option there):
  each picture is normalised by itself, and dropout stays. Here it is as with ``--eval``: batch norm has the
  statistics of the training, and nothing is dropped. Tiles of one picture must agree, and a picture made
  twice must be the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import torch
from pydantic import ValidationError
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.models.architectures.network import Network
from artgen.models.architectures.resnet import HALVINGS, ResNet, ResNetConfig
from artgen.models.architectures.unet import UNet, UNetConfig

UPSTREAM = "junyanz/pytorch-CycleGAN-and-pix2pix"
RIGHT = f"a generator of {UPSTREAM}: latest_net_G.pth"
Generator = UNet | ResNet
State = Mapping[str, Tensor]
FEWEST = 5  # levels that their U-Net is built of, whatever it is told
COUNT = "num_batches_tracked"
STATISTICS = ("running_mean", "running_var", COUNT)


def imported(where: str, state: State, *, arch: str | None = None, norm: str | None = None) -> Generator:
    """The generator that ``state`` holds.

    Args:
        where: what messages call it.
        state: weights by their published names.
        arch: what it should be, in the published words (``unet_256``, ``resnet_9blocks``); any by default.
        norm: what it should be normalised by, ``batch`` or ``instance``; any by default.

    Raises:
        ArtgenError: it is no generator of theirs, or another one than was said; with what was found.
    """
    try:
        config = _recognised(state)
    except (KeyError, ValueError, IndexError, ValidationError):
        raise ArtgenError(where, _described_otherwise(state), RIGHT) from None
    found = f"these weights look like {in_words(config)}"
    if arch not in (None, arch_name(config)):
        raise ArtgenError(f"--arch {arch}", found, f"--arch {arch_name(config)}, or leave it out")
    if norm not in (None, config.norm):
        raise ArtgenError(f"--norm {norm}", found, f"--norm {config.norm}, or leave it out")
    with torch.device("meta"):  # no memory yet: what the names promise may not be there
        network = UNet(config) if isinstance(config, UNetConfig) else ResNet(config)
    names = _names(network)
    state = _of_today(state, names.values(), config.norm)
    wanted = {names[name]: tuple(weight.shape) for name, weight in network.state_dict().items()}
    have = {name: tuple(weight.shape) for name, weight in state.items()}
    wrong = [name for name in {**wanted, **have} if wanted.get(name) != have.get(name)]
    if wrong:
        first = wrong[0]
        at = f"{first} is {_shape(have.get(first))} and should be {_shape(wanted.get(first))}"
        raise ArtgenError(where, f"{found}, but {at}", RIGHT)
    weights = {ours: state[theirs].detach().contiguous() for ours, theirs in names.items()}
    network.load_state_dict(
        {ours: weight if ours.endswith(COUNT) else weight.float() for ours, weight in weights.items()},
        assign=True,
    )
    return network


def exported(where: str, network: Network) -> dict[str, Tensor]:
    """The weights of ``network`` by their published names.

    Raises:
        ArtgenError: the published code has no such network.
    """
    right = 'a U-Net or ResNet of transposed convolutions (rise = "transposed")'
    if not isinstance(network, Generator):
        raise ArtgenError(where, f"architecture {network.architecture!r}", right)
    if isinstance(network.config, UNetConfig) and network.config.levels < FEWEST:
        raise ArtgenError(
            where, f"a U-Net of {network.config.levels} levels", f"theirs have {FEWEST} or more"
        )
    if network.config.rise != "transposed":
        raise ArtgenError(where, f"rise = {network.config.rise!r}, which {UPSTREAM} has not", right)
    if isinstance(network.config, ResNetConfig) and network.config.skips:
        raise ArtgenError(where, f"a ResNet with skips, which {UPSTREAM} has not", f"{right} without skips")
    state = network.state_dict()
    return {theirs: state[ours].contiguous() for ours, theirs in _names(network).items()}


def arch_name(config: UNetConfig | ResNetConfig) -> str:
    """What the published options call it: ``unet_256``, ``resnet_9blocks``."""
    if isinstance(config, UNetConfig):
        return f"unet_{config.multiple}"
    return f"resnet_{config.blocks}blocks"


def options(config: UNetConfig | ResNetConfig) -> str:
    """What the published programs must be told to load an exported file, ``--eval`` as it is used here."""
    said = f"--netG {arch_name(config)} --ngf {config.width} --norm {config.norm} --eval"
    said += f" --input_nc {config.inputs} --output_nc {config.outputs}"
    return said if config.dropout else f"{said} --no_dropout"


def in_words(config: UNetConfig | ResNetConfig) -> str:
    """Architecture, channels and norm."""
    pictures = (
        "" if config.inputs == config.outputs == 3 else f", {config.inputs} to {config.outputs} in pictures"
    )
    return f"{arch_name(config)} with {config.width} channels{pictures}, {config.norm} norm"


def _recognised(state: State) -> UNetConfig | ResNetConfig:
    """What names and shapes say.

    Raises:
        KeyError, ValueError, IndexError, ValidationError: no such network.
    """
    blocks = {name.split(".")[1] for name in state if ".conv_block." in name}
    if blocks:
        width, inputs, _, _ = state["model.1.weight"].shape
        last = len(blocks) + 4 + 6 * HALVINGS + 1
        second = state.get("model.10.conv_block.6.weight")
        return ResNetConfig(
            width=width,
            blocks=len(blocks),
            inputs=inputs,
            outputs=state[f"model.{last}.weight"].shape[0],
            norm="instance" if "model.1.bias" in state else "batch",
            # Where dropout lies between the two convolutions of a block, the second one's number is 6.
            dropout=second is not None and second.ndim == 4,
        )
    width, inputs, _, _ = state["model.model.0.weight"].shape
    return UNetConfig(
        levels=max(name.count(".model.") for name in state),
        width=width,
        inputs=inputs,
        outputs=state["model.model.3.weight"].shape[1],
        norm="instance" if "model.model.0.bias" in state else "batch",
    )


def _described_otherwise(state: State) -> str:
    first = state.get("model.0.weight")
    if first is not None and first.ndim == 4 and first.shape[-1] in (1, 4):
        return "these weights look like a discriminator"
    return f"no generator that is known; it begins with {next(iter(state))!r}"


def _of_today(state: State, names: Iterable[str], norm: str) -> State:
    """``state`` as torch has saved it since 0.4.1.

    Before, instance norm came with running statistics that meant nothing, and batch norm did not count.
    """
    if norm == "instance":
        return {name: weight for name, weight in state.items() if name.rpartition(".")[2] not in STATISTICS}
    return {name: torch.tensor(0) for name in names if name.endswith(COUNT)} | dict(state)


def _names(network: Generator) -> dict[str, str]:
    """Our name of every weight, in the published order, and the published one."""
    ours = network.state_dict().keys()
    config = network.config
    places = _unet(config.levels) if isinstance(config, UNetConfig) else _resnet(config)
    parts = ("weight", "bias", *STATISTICS)
    pairs = ((f"{our}.{part}", f"{their}.{part}") for our, their in places for part in parts)
    return {our: their for our, their in pairs if our in ours}


def _unet(levels: int) -> Iterator[tuple[str, str]]:
    """A block lies inside the next larger one: between its way down and its way up."""
    within = "model.model."
    rising = []
    for level in range(levels):
        up = levels - 1 - level
        outer, inner = level == 0, level == levels - 1
        yield f"downs.{level}", f"{within}{0 if outer else 1}"
        if not outer and not inner:
            yield f"down_norms.{level}", f"{within}2"
        rise = 3 if outer or inner else 5
        if not outer:
            rising.append((f"up_norms.{up}", f"{within}{rise + 1}"))
        rising.append((f"ups.{up}", f"{within}{rise}"))
        within += "1.model." if outer else "3.model."
    yield from reversed(rising)


def _resnet(config: ResNetConfig) -> Iterator[tuple[str, str]]:
    """One sequence of layers; paddings and ReLUs count."""
    yield "stem", "model.1"
    yield "stem_norm", "model.2"
    for number in range(HALVINGS):
        yield f"downs.{number}", f"model.{4 + 3 * number}"
        yield f"down_norms.{number}", f"model.{5 + 3 * number}"
    trunk = 4 + 3 * HALVINGS
    second = 6 if config.dropout else 5
    for block in range(config.blocks):
        at = f"model.{trunk + block}.conv_block"
        yield f"trunk.{block}.first", f"{at}.1"
        yield f"trunk.{block}.first_norm", f"{at}.2"
        yield f"trunk.{block}.second", f"{at}.{second}"
        yield f"trunk.{block}.second_norm", f"{at}.{second + 1}"
    rises = trunk + config.blocks
    for number in range(HALVINGS):
        yield f"ups.{number}", f"model.{rises + 3 * number}"
        yield f"up_norms.{number}", f"model.{rises + 3 * number + 1}"
    yield "paint", f"model.{rises + 3 * HALVINGS + 1}"


def _shape(shape: tuple[int, ...] | None) -> str:
    return "missing" if shape is None else " x ".join(map(str, shape)) or "one number"
