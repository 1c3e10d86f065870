"""The models that ship with artgen, by name. Imports no torch: ``artgen check`` asks here."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from artgen.errors import ArtgenError
from artgen.models.files import header

PRETRAINED = Path(__file__).parents[1] / "pretrained"


class Use(NamedTuple):
    """What a recipe uses a model for: the table, its ``use``, and its ``method`` where it has several."""

    table: str
    name: str
    method: str | None = None

    def __str__(self) -> str:
        part = f"the {'source' if self.table == '[source]' else 'step'} `{self.name}`"
        return f'{part} with `method = "{self.method}"`' if self.method else part


USES = {
    "upimage": Use("[[steps]]", "upscale"),
    "unet": Use("[[steps]]", "translate"),
    "resnet": Use("[[steps]]", "translate"),
    "fast-style": Use("[[steps]]", "style", "net"),
    "transformer-net": Use("[[steps]]", "style", "net"),
    "dcgan": Use("[source]", "generator"),
    "r3gan": Use("[source]", "generator"),
}
"""By architecture."""


@dataclass(frozen=True)
class Entry:
    """A shipped model: its name, its file, and what the file says of itself."""

    name: str
    file: Path
    metadata: dict[str, str]


def entry(name: str) -> Entry:
    """A shipped model by name; only the header of its file is read.

    Raises:
        ArtgenError: no such model, or its file is damaged.
    """
    file = resolve(name, PRETRAINED)
    return Entry(name, file, header.metadata(file))


def names() -> list[str]:
    """Names of the shipped models."""
    return sorted(file.stem for file in PRETRAINED.glob("*.safetensors"))


def resolve(reference: str, folder: Path) -> Path:
    """The file of a shipped model's name, or of a path relative to ``folder``.

    Raises:
        ArtgenError: neither; with the nearest name.
    """
    shipped = PRETRAINED / f"{reference}.safetensors"
    if "/" not in reference and "\\" not in reference and shipped.is_file():
        return shipped
    path = folder / Path(reference).expanduser()
    if path.suffix == ".safetensors" and path.is_file():
        return path
    near = difflib.get_close_matches(reference, names(), n=1)
    right = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(names())}, or a .safetensors file"
    raise ArtgenError("model", f"no model {reference!r}", right)


def find(reference: str, folder: Path, architectures: Sequence[str]) -> Path:
    """As ``resolve``, for a use that only some architectures serve; the file's header tells.

    Raises:
        ArtgenError: no such model, or one of another kind.
    """
    path = resolve(reference, folder)
    found = header.metadata(path).get("architecture", "unknown")
    if found not in architectures:
        right = f"here a model must be {' or '.join(architectures)}"
        if found in USES:
            right += f"; {found} is for {USES[found]}"
        raise ArtgenError("model", f"{reference!r} is of the architecture {found[:40]!r}", right)
    return path


def lines(file: Path) -> str:
    """What to write into a recipe for the model in ``file``, as TOML; one that ships goes by its name.

    Raises:
        ArtgenError: the file cannot be read, or is of no architecture known here.
    """
    said = header.metadata(file)
    architecture = said.get("architecture", "unknown")
    if architecture not in USES:
        raise ArtgenError(str(file), f"architecture {architecture[:40]!r}", f"one of {', '.join(USES)}")
    use = USES[architecture]
    keys = {"use": use.name, "method": use.method}
    keys["model"] = file.stem if file.parent == PRETRAINED else str(file.resolve())
    if use.name == "style":
        keys["style"] = next(iter(header.style_names(said)), None)
    return "\n".join([use.table, *(f"{key} = {json.dumps(value)}" for key, value in keys.items() if value)])
