"""``artgen models import`` and ``export``: checkpoints of other programs, and weights for features."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from artgen.cli.arguments.options import JsonOption, ModelArgument
from artgen.cli.models import weights
from artgen.cli.terminal import messages
from artgen.errors import ArtgenError
from artgen.models.features import weight_files

if TYPE_CHECKING:
    from torch import Tensor

    from artgen.models.architectures.network import Network

ENDING, CHECKPOINT = ".safetensors", ".pth"


def import_(
    what: Annotated[
        str,
        typer.Argument(
            metavar="CHECKPOINT|NAME",
            help="A checkpoint: latest_net_G.pth, candy.pth; or vgg19 or squeezenet, and then a FILE.",
            show_default=False,
        ),
    ],
    weights_file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Of the weights NAME: .pth or .safetensors.")
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(help="unet_256, unet_128, resnet_9blocks or resnet_6blocks; by default what is found."),
    ] = None,
    norm: Annotated[str | None, typer.Option(help="batch or instance; by default what is found.")] = None,
    preprocessing: Annotated[
        str, typer.Option(help="Of weights: torchvision, caffe (BGR x 255) or auto.")
    ] = "auto",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The model's file; by default beside the checkpoint."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over what is there already.")] = False,
    json: JsonOption = False,
) -> None:
    """Make a model of a checkpoint, or take weights from a file; no code in either is run.

    A checkpoint is a generator of junyanz/pytorch-CycleGAN-and-pix2pix, or a style net of pytorch/examples
    (fast_neural_style). Weights are what the step style with method = "vgg" sees by: `artgen models import
    vgg19 vgg19-dcbb9e9d.pth` for machines without network; elsewhere `artgen models pull vgg19`.
    """
    if weights_file is not None or what in weight_files.KNOWN_WEIGHTS:
        _weights(what, weights_file, {"--arch": arch, "--norm": norm, "--output": output})
        assert weights_file is not None
        weights.import_weights(what, weights_file, preprocessing, force, json)
        return
    if preprocessing != "auto":
        raise ArtgenError("--preprocessing", "for a checkpoint", "only weights have it: import vgg19 FILE")
    checkpoint = Path(what)
    file = output or checkpoint.with_suffix(ENDING)
    if file.suffix != ENDING:
        raise ArtgenError(f"--output {file}", "not a model file's name", f"a name that ends in {ENDING}")
    if output is None and file.exists() and not force:
        right = "name another with -o, or write over it with --force"
        raise ArtgenError(str(file), "there is a model of this name already", right)
    from artgen.hashing import file_hash
    from artgen.models.files.checkpoint import save_model
    from artgen.models.files.pickle_reader import read_pickled_weights

    state = read_pickled_weights(checkpoint)
    network, what, said = _network(checkpoint, file, state, arch, norm)
    origin = {"file": checkpoint.name, "sha256": file_hash(checkpoint)}
    # Not halved: what was imported can be exported again, bit for bit.
    save_model(
        file, network, said | {"title": file.stem, "origin": json_format.dumps(origin)}, half_precision=False
    )
    if json:
        config = network.config.model_dump(mode="json")
        messages.show_json({"model": str(file), "architecture": network.architecture, "config": config})
        return
    typer.echo(f"{what}\nmodel: {file}\nin a recipe: {_use(network, file)}")


def _weights(name: str, file: Path | None, others: dict[str, object]) -> None:
    """Refuse what only a checkpoint has."""
    weight_files.get_weights_info(name)
    if file is None:
        raise ArtgenError(
            f"import {name}", "no file", "a .pth or .safetensors", f"artgen models import {name} FILE"
        )
    for option, given in others.items():
        if given is not None:
            raise ArtgenError(option, f"for the weights {name}", "leave it out: it is for checkpoints")


def _network(
    checkpoint: Path, file: Path, state: dict[str, Tensor], arch: str | None, norm: str | None
) -> tuple[Network, str, dict[str, str]]:
    """Return the network in a checkpoint, in words, and what its file is to say."""
    from artgen.models.architectures import transformernet
    from artgen.models.files import cyclegan_pix2pix

    if not transformernet.is_transformer_net(state):
        generator = cyclegan_pix2pix.import_generator(str(checkpoint), state, arch=arch, norm=norm)
        what = cyclegan_pix2pix.describe_config(generator.config)
        return generator, what, {"description": f"{what}, imported from {cyclegan_pix2pix.UPSTREAM}."}
    if arch or norm:
        right = "leave --arch and --norm out"
        raise ArtgenError(str(checkpoint), f"these weights look like {transformernet.UPSTREAM}", right)
    painter = transformernet.import_transformer_net(str(checkpoint), state)
    what = f"a style net of {painter.config.blocks} blocks, {painter.config.width} channels"
    said = {"description": f"A style net, imported from {transformernet.UPSTREAM}."}
    return painter, what, said | {"styles": json_format.dumps([{"name": file.stem}])}


def _use(network: Network, file: Path) -> str:
    if network.architecture != "transformer-net":
        return f'use = "translate", model = "{file.name}"'
    return f'use = "style", method = "net", model = "{file.name}", style = "{file.stem}"'


def export(
    model: ModelArgument,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="The checkpoint, e.g. latest_net_G.pth.", show_default=False),
    ],
    json: JsonOption = False,
) -> None:
    """Write a U-Net or ResNet as junyanz/pytorch-CycleGAN-and-pix2pix reads it."""
    from artgen.models.files import catalog

    file = catalog.find_model_file(model, Path())
    if output.suffix != CHECKPOINT:  # the model itself, above all
        found = "the model itself" if output.resolve() == file.resolve() else "not a checkpoint's name"
        raise ArtgenError(f"--output {output}", found, f"a name that ends in {CHECKPOINT}")
    import torch

    from artgen.imaging.io.files import atomic_file
    from artgen.models.files.checkpoint import load_model
    from artgen.models.files.cyclegan_pix2pix import command_options, export_state_dict

    network: Network = load_model(file).network
    state = export_state_dict(str(file), network)
    with atomic_file(output) as written:
        torch.save(state, written)
    if json:
        messages.show_json({"checkpoint": str(output), "options": command_options(network.config)})
    else:
        typer.echo(f"checkpoint: {output}\nto be loaded with: {command_options(network.config)}")
