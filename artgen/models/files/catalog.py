"""The models that ship with artgen, found by name. Imports no torch, so that ``artgen check`` is quick."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from artgen.errors import ArtgenError
from artgen.models.files import header
from artgen.plugins import ARCHITECTURE_GROUP, list_usable_plugins, warn_of_unused_plugins

PRETRAINED_FOLDER = Path(__file__).parents[1] / "pretrained"


class ModelUse(NamedTuple):
    """Where a recipe uses a kind of model: the TOML table, its ``use``, and its ``method``, if any."""

    table: str
    use: str
    method: str | None = None

    def __str__(self) -> str:
        part = f"the {'source' if self.table == '[source]' else 'step'} `{self.use}`"
        return f'{part} with `method = "{self.method}"`' if self.method else part


USES_BY_ARCHITECTURE = {
    "upimage": ModelUse("[[steps]]", "upscale"),
    "unet": ModelUse("[[steps]]", "translate"),
    "resnet": ModelUse("[[steps]]", "translate"),
    "fast-style": ModelUse("[[steps]]", "style", "net"),
    "transformer-net": ModelUse("[[steps]]", "style", "net"),
    "dcgan": ModelUse("[source]", "generator"),
    "r3gan": ModelUse("[source]", "generator"),
}


@dataclass(frozen=True)
class ShippedModel:
    """A shipped model: its name, its file, and the metadata in the file's header."""

    name: str
    file: Path
    metadata: dict[str, str]


def get_shipped_model(name: str) -> ShippedModel:
    """Return a shipped model by name; only the header of its file is read.

    Raises:
        ArtgenError: no such model, or its file is damaged.
    """
    file = find_model_file(name, PRETRAINED_FOLDER)
    return ShippedModel(name, file, header.read_metadata(file))


def shipped_model_names() -> list[str]:
    """Return the names of the shipped models, sorted."""
    return sorted(file.stem for file in PRETRAINED_FOLDER.glob("*.safetensors"))


def find_model_file(reference: str, folder: Path) -> Path:
    """Return the file of a model named in a recipe.

    Args:
        reference: the name of a shipped model, or the path of a ``.safetensors`` file.
        folder: where relative paths start.

    Raises:
        ArtgenError: no such model; with the nearest name.
    """
    shipped_file = PRETRAINED_FOLDER / f"{reference}.safetensors"
    if "/" not in reference and "\\" not in reference and shipped_file.is_file():
        return shipped_file
    path = folder / Path(reference).expanduser()
    if path.suffix == ".safetensors" and path.is_file():
        return path
    nearest = difflib.get_close_matches(reference, shipped_model_names(), n=1)
    choices = f"one of {', '.join(shipped_model_names())}, or a .safetensors file"
    raise ArtgenError(
        "model", f"no model {reference!r}", f"did you mean {nearest[0]!r}?" if nearest else choices
    )


def find_use(architecture: str) -> ModelUse | None:
    """Return where recipes use models of an architecture, including those of plug-ins; None if unknown."""
    uses = dict.fromkeys(plugin_architectures(), USES_BY_ARCHITECTURE["resnet"]) | USES_BY_ARCHITECTURE
    return uses.get(architecture)


def plugin_architectures() -> list[str]:
    """List the architectures that plug-ins offer, whose models the step ``translate`` uses."""
    return list(list_usable_plugins(ARCHITECTURE_GROUP, USES_BY_ARCHITECTURE))


def warn_of_unused_architectures() -> None:
    """Give a ``PluginWarning`` for each architecture of a plug-in that is not used because of its name."""
    warn_of_unused_plugins(ARCHITECTURE_GROUP, USES_BY_ARCHITECTURE)


def find_compatible_model(reference: str, folder: Path, architectures: Sequence[str]) -> Path:
    """Return the file of a model, as ``find_model_file`` does, if it has one of some architectures.

    Args:
        reference: the name of a shipped model, or the path of a ``.safetensors`` file.
        folder: where relative paths start.
        architectures: those allowed.

    Raises:
        ArtgenError: no such model, or one of another architecture.
    """
    path = find_model_file(reference, folder)
    architecture = header.read_metadata(path).get("architecture", "unknown")
    if architecture not in architectures:
        expected = f"here a model must be {' or '.join(architectures)}"
        if model_use := find_use(architecture):
            expected += f"; {architecture} is for {model_use}"
        raise ArtgenError("model", f"{reference!r} is of the architecture {architecture[:40]!r}", expected)
    return path


def recipe_toml(file: Path) -> str:
    """Return the TOML that uses a model in a recipe; a shipped model goes by its name, others by their path.

    Raises:
        ArtgenError: the file cannot be read, or has an unknown architecture.
    """
    metadata = header.read_metadata(file)
    architecture = metadata.get("architecture", "unknown")
    model_use = find_use(architecture)
    if model_use is None:
        raise ArtgenError(
            str(file), f"architecture {architecture[:40]!r}", f"one of {', '.join(USES_BY_ARCHITECTURE)}"
        )
    keys = {"use": model_use.use, "method": model_use.method}
    keys["model"] = file.stem if file.parent == PRETRAINED_FOLDER else str(file.resolve())
    if model_use.use == "style":
        keys["style"] = next(iter(header.style_names(metadata)), None)
    return "\n".join(
        [model_use.table, *(f"{key} = {json.dumps(value)}" for key, value in keys.items() if value)]
    )
