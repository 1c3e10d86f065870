"""``artgen models pull``, and the weights of feature networks in ``models list``, ``show`` and ``import``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from artgen.cli.arguments.options import JsonOption
from artgen.cli.terminal import messages, plain_text
from artgen.errors import ArtgenError
from artgen.models.features import weight_files
from artgen.models.files import header

if TYPE_CHECKING:
    from artgen.models.features.convert import InstalledWeights


def pull(
    name: Annotated[str, typer.Argument(metavar="NAME", help="vgg19.")],
    from_: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="URL",
            help="Another address of the same file, in place of the known ones; repeatable.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Also where they are already installed.")] = False,
    json: JsonOption = False,
) -> None:
    """Fetch weights that do not ship, once: for `method = "vgg"` of the step style, and for training.

    The published file is checked by its SHA-256, and its features are kept. After any interruption the same
    command resumes. Where they are stored: docs/weights.md.
    """
    weights = weight_files.get_weights_info(name)
    if weight_files.weights_path(name).is_file() and not force:
        row = _describe_weights(name)
        text = f"{name} is already installed: {row['file']}\n--force fetches it again"
        messages.show_result(row, text, json=json)
        return
    from artgen.cli.terminal.progress import show_work_progress
    from artgen.locks import lock_folder
    from artgen.models.features.download import pull_weights

    folder = weight_files.weights_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        expected = f"a folder that can be written, in {weight_files.WEIGHTS_FOLDER_VARIABLE}"
        raise ArtgenError(str(folder), error.strerror or str(error), expected) from None
    with lock_folder(folder), show_work_progress(name) as emit:
        installed = pull_weights(weights, emit, mirrors=from_ or ())
    _report_installed(name, installed, json)


def import_weights(name: str, file: Path, preprocessing: str, force: bool, json: bool) -> None:
    """Install feature weights from a file, for ``artgen models import``.

    Raises:
        ArtgenError: they are already installed, or the file is not what ``install_weights`` expects.
    """
    weights = weight_files.get_weights_info(name)
    path = weight_files.weights_path(name)
    if path.is_file() and not force:
        raise ArtgenError(str(path), f"{name} is already installed", "overwrite it with --force")
    from artgen.models.features.convert import install_weights

    _report_installed(name, install_weights(weights, file, preprocessing=preprocessing), json)


def describe_installed_weights() -> list[dict[str, Any]]:
    """List the metadata of the feature weights on this machine."""
    return [_describe_weights(weights.name) for weights in weight_files.list_installed_weights()]


def _describe_weights(name: str) -> dict[str, Any]:
    file = weight_files.weights_path(name)
    row = {"name": name, "file": str(file), "shipped": False, "bytes": file.stat().st_size}
    try:
        metadata = header.read_metadata(file)
    except ArtgenError as error:
        return row | {"problem": str(error)}
    return row | {key: header.parse_field(metadata, key) for key in metadata}


def print_installed_weights() -> None:
    """Print the lines of the installed feature weights in ``artgen models list``."""
    rows = describe_installed_weights()
    if not rows:
        typer.echo("\nweights for features: none installed; `artgen models pull vgg19` fetches them")
        return
    typer.echo("\nweights for features")
    for row in rows:
        head = f"{row['name']:<16}{row['bytes'] / 1e6:5.1f} MB  "
        text = row.get("problem") or row.get("description", "")
        typer.echo(plain_text.wrap_text(head + plain_text.clean_line(str(text)), len(head)))


def show_weights(name: str, json: bool) -> None:
    """Print what the feature weights ``name`` are, and how a recipe uses them.

    Raises:
        ArtgenError: they are not on this machine.
    """
    if not weight_files.weights_path(name).is_file():
        raise weight_files.missing_weights_error(name)
    row = _describe_weights(name)
    if json:
        messages.show_json(row)
        return
    typer.echo(f"file: {row['file']} ({row['bytes'] / 1e6:.1f} MB)")
    for key in ("problem", "description", "licence", "preprocessing", "layers", "origin"):
        if key in row:
            typer.echo(f"{key}: {plain_text.clean_line(plain_text.format_value(row[key]))}")
    typer.echo('for the step `style` with `method = "vgg"`')


def _report_installed(name: str, installed: InstalledWeights, json: bool) -> None:
    """Print what feature weights were installed, and from which file."""
    report = {
        "weights": name,
        "file": str(installed.file),
        "bytes": installed.file.stat().st_size,
        "layers": installed.layers,
        "preprocessing": installed.preprocessing,
        "published": installed.published_file,
        "sha256": installed.source_sha256,
    }
    source = f"the published {installed.published_file}" if installed.published_file else "an unknown file"
    text = f"{name}: {installed.layers[0]} to {installed.layers[-1]}, from {source}\n"
    text += f"expects: {_INPUTS_BY_PREPROCESSING[installed.preprocessing]}\nfile: {installed.file}"
    messages.show_result(report, text, json=json)


_INPUTS_BY_PREPROCESSING = {
    "torchvision": "RGB, ImageNet's mean and deviation, as torchvision",
    "caffe": "BGR x 255 minus the mean, as Caffe",
    "own": "RGB in [0, 1]; its own colour layer does the rest",
}
