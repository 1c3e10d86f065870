"""``artgen models pull`` and the weights' part of the rest: what features for style come from."""

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
    force: Annotated[bool, typer.Option("--force", help="Also where they are here already.")] = False,
    json: JsonOption = False,
) -> None:
    """Fetch weights that do not ship, once: for `method = "vgg"` of the step style, and for training.

    The published file is checked by its SHA-256, and its features are kept. After any interruption the same
    command goes on. Where they lie: docs/weights.md.
    """
    weight_files.get_weights_info(name)
    if weight_files.weights_path(name).is_file() and not force:
        row = _row(name)
        if json:
            messages.show_json(row)
        else:
            typer.echo(f"{name} is here already: {row['file']}\n--force fetches it anew")
        return
    from artgen.cli.terminal.data_progress import show_work_progress
    from artgen.locks import lock_folder
    from artgen.models.features.download import pull_weights

    folder = weight_files.weights_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        right = f"a folder that can be written, in {weight_files.WEIGHTS_FOLDER_VARIABLE}"
        raise ArtgenError(str(folder), error.strerror or str(error), right) from None
    with lock_folder(folder), show_work_progress(name) as emit:
        adopted = pull_weights(name, emit, mirrors=from_ or ())
    _report(name, adopted, json)


def import_weights(name: str, file: Path, preprocessing: str, force: bool, json: bool) -> None:
    """Take weights from a file.

    Raises:
        ArtgenError: they are here already; or as ``adopt``.
    """
    weight_files.get_weights_info(name)
    there = weight_files.weights_path(name)
    if there.is_file() and not force:
        raise ArtgenError(str(there), f"{name} is here already", "write over it with --force")
    from artgen.models.features.convert import install_weights

    _report(name, install_weights(name, file, preprocessing=preprocessing), json)


def rows() -> list[dict[str, Any]]:
    """List the metadata of the weights on this machine."""
    return [_row(weights.name) for weights in weight_files.list_installed_weights()]


def _row(name: str) -> dict[str, Any]:
    file = weight_files.weights_path(name)
    own = {"name": name, "file": str(file), "shipped": False, "bytes": file.stat().st_size}
    try:
        said = header.read_metadata(file)
    except ArtgenError as error:
        return own | {"problem": str(error)}
    return own | {key: header.parse_field(said, key) for key in said}


def tell() -> None:
    """Print the weights' lines of the list."""
    here = rows()
    if not here:
        typer.echo("\nweights for features: none here; `artgen models pull vgg19` fetches them")
        return
    typer.echo("\nweights for features")
    for row in here:
        head = f"{row['name']:<16}{row['bytes'] / 1e6:5.1f} MB  "
        said = row.get("problem") or row.get("description", "")
        typer.echo(plain_text.wrap_text(head + plain_text.clean_line(str(said)), len(head)))


def show(name: str, json: bool) -> None:
    """Show what the weights ``name`` are, and how a recipe uses them.

    Raises:
        ArtgenError: they are not on this machine.
    """
    if not weight_files.weights_path(name).is_file():
        raise weight_files.missing_weights_error(name)
    row = _row(name)
    if json:
        messages.show_json(row)
        return
    typer.echo(f"file: {row['file']} ({row['bytes'] / 1e6:.1f} MB)")
    for key in ("problem", "description", "licence", "preprocessing", "layers", "origin"):
        if key in row:
            typer.echo(f"{key}: {plain_text.clean_line(plain_text.format_value(row[key]))}")
    typer.echo('for the step `style` with `method = "vgg"`')


def _report(name: str, adopted: InstalledWeights, json: bool) -> None:
    if json:
        messages.show_json(
            {
                "weights": name,
                "file": str(adopted.file),
                "bytes": adopted.file.stat().st_size,
                "layers": adopted.layers,
                "preprocessing": adopted.preprocessing,
                "published": adopted.published_file,
                "sha256": adopted.source_sha256,
            }
        )
        return
    came = (
        f"the published {adopted.published_file}"
        if adopted.published_file
        else "not a published file that is known"
    )
    typer.echo(f"{name}: {adopted.layers[0]} to {adopted.layers[-1]}, from {came}")
    typer.echo(f"expects: {_EXPECTS[adopted.preprocessing]}\nfile: {adopted.file}")


_EXPECTS = {
    "torchvision": "RGB, ImageNet's mean and deviation, as torchvision",
    "caffe": "BGR x 255 minus the mean, as Caffe",
    "own": "RGB in [0, 1]; its own colour layer does the rest",
}
