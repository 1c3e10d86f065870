"""``artgen models import`` and ``export``: convert checkpoints of other programs, and install weights."""

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

MODEL_SUFFIX, CHECKPOINT_SUFFIX = ".safetensors", ".pth"


def import_(
    what: Annotated[
        str,
        typer.Argument(
            metavar="CHECKPOINT|NAME",
            help="A checkpoint: latest_net_G.pth, candy.pth; or vgg19 or squeezenet, and then a FILE.",
        ),
    ],
    weights_file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Of the weights NAME: .pth or .safetensors.")
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(help="unet_256, unet_128, resnet_9blocks or resnet_6blocks; by default detected."),
    ] = None,
    norm: Annotated[str | None, typer.Option(help="batch or instance; by default detected.")] = None,
    preprocessing: Annotated[
        str, typer.Option(help="Of weights: torchvision, caffe (BGR x 255) or auto.")
    ] = "auto",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The model's file; by default next to the checkpoint."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    json: JsonOption = False,
) -> None:
    """Convert a checkpoint to a model, or install weights from a file; no code in either is run.

    A checkpoint is a generator of junyanz/pytorch-CycleGAN-and-pix2pix, or a style net of pytorch/examples
    (fast_neural_style). Weights are the network that the step style uses with method = "vgg": `artgen models
    import vgg19 vgg19-dcbb9e9d.pth` for machines without network; elsewhere `artgen models pull vgg19`.
    """
    if weights_file is not None or what in weight_files.KNOWN_WEIGHTS:
        _check_weights_arguments(what, weights_file, {"--arch": arch, "--norm": norm, "--output": output})
        assert weights_file is not None
        weights.import_weights(what, weights_file, preprocessing, force, json)
        return
    if preprocessing != "auto":
        raise ArtgenError("--preprocessing", "for a checkpoint", "only weights have it: import vgg19 FILE")
    checkpoint = Path(what)
    if not checkpoint.name:
        raise ArtgenError(what or '""', "no file", "a checkpoint, such as latest_net_G.pth")
    file = output or checkpoint.with_suffix(MODEL_SUFFIX)
    if file.suffix != MODEL_SUFFIX:
        raise ArtgenError(
            f"--output {file}", "not a model file's name", f"a name that ends in {MODEL_SUFFIX}"
        )
    if output is None and file.exists() and not force:
        expected = "name another with -o, or overwrite it with --force"
        raise ArtgenError(str(file), "a model of this name already exists", expected)
    from artgen.hashing import file_hash
    from artgen.models.files.checkpoint import save_model
    from artgen.models.files.pickle_reader import read_pickled_weights

    state = read_pickled_weights(checkpoint)
    network, description, metadata = _import_network(checkpoint, file, state, arch, norm)
    origin = {"file": checkpoint.name, "sha256": file_hash(checkpoint)}
    # Not halved: what was imported can be exported again, bit for bit.
    save_model(
        file,
        network,
        metadata | {"title": file.stem, "origin": json_format.dumps(origin)},
        half_precision=False,
    )
    config = network.config.model_dump(mode="json")
    report = {"model": str(file), "architecture": network.architecture, "config": config}
    text = f"{description}\nmodel: {file}\nin a recipe: {_recipe_lines(network, file)}"
    messages.show_result(report, text, json=json)


def _check_weights_arguments(name: str, file: Path | None, others: dict[str, object]) -> None:
    """Refuse ``models import`` of weights without a file, and options that only checkpoints have."""
    weight_files.get_weights_info(name)
    if file is None:
        raise ArtgenError(
            f"import {name}", "no file", "a .pth or .safetensors", f"artgen models import {name} FILE"
        )
    for option, value in others.items():
        if value is not None:
            raise ArtgenError(option, f"for the weights {name}", "leave it out: it is for checkpoints")


def _import_network(
    checkpoint: Path, file: Path, state: dict[str, Tensor], arch: str | None, norm: str | None
) -> tuple[Network, str, dict[str, str]]:
    """Return the network in a checkpoint, its description, and the metadata for its model file."""
    from artgen.models.architectures import transformernet
    from artgen.models.files import cyclegan_pix2pix

    if not transformernet.is_transformer_net(state):
        generator = cyclegan_pix2pix.import_generator(str(checkpoint), state, arch=arch, norm=norm)
        description = cyclegan_pix2pix.describe_config(generator.config)
        return (
            generator,
            description,
            {"description": f"{description}, imported from {cyclegan_pix2pix.PUBLISHER}."},
        )
    if arch or norm:
        problem = f"these weights look like {transformernet.PUBLISHER}"
        raise ArtgenError(str(checkpoint), problem, "leave --arch and --norm out")
    painter = transformernet.import_transformer_net(str(checkpoint), state)
    description = f"a style net of {painter.config.blocks} blocks, {painter.config.width} channels"
    metadata = {"description": f"A style net, imported from {transformernet.PUBLISHER}."}
    return painter, description, metadata | {"styles": json_format.dumps([{"name": file.stem}])}


def _recipe_lines(network: Network, file: Path) -> str:
    """Return the keys of a recipe's step that use the imported model."""
    if network.architecture != "transformer-net":
        return f'use = "translate", model = "{file.name}"'
    return f'use = "style", method = "net", model = "{file.name}", style = "{file.stem}"'


def export(
    model: ModelArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The checkpoint, e.g. latest_net_G.pth.")],
    json: JsonOption = False,
) -> None:
    """Write a U-Net or ResNet as a checkpoint of junyanz/pytorch-CycleGAN-and-pix2pix."""
    from artgen.models.files import catalog

    file = catalog.find_model_file(model, Path())
    if output.suffix != CHECKPOINT_SUFFIX:  # in particular, the model itself
        problem = "the model itself" if output.resolve() == file.resolve() else "not a checkpoint's name"
        raise ArtgenError(f"--output {output}", problem, f"a name that ends in {CHECKPOINT_SUFFIX}")
    import torch

    from artgen.imaging.io.files import atomic_file
    from artgen.models.files.checkpoint import load_model
    from artgen.models.files.cyclegan_pix2pix import command_options, export_state_dict

    network: Network = load_model(file).network
    state = export_state_dict(str(file), network)
    with atomic_file(output) as partial_file:
        torch.save(state, partial_file)
    options = command_options(network.config)
    report = {"checkpoint": str(output), "options": options}
    messages.show_result(report, f"checkpoint: {output}\nto be loaded with: {options}", json=json)
