"""The models that ship with artgen, by name. Imports no torch: ``artgen check`` asks here."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.models import header

PRETRAINED = Path(__file__).parent / "pretrained"
USES = {
    "upimage": "the step `upscale`",
    "unet": "the step `translate`",
    "resnet": "the step `translate`",
    "fast-style": "the step `translate`",
    "dcgan": "the source `generator`",
    "r3gan": "the source `generator`",
}
"""What a recipe uses a model of each architecture for."""


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
