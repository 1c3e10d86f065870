"""Perceptual weights, which do not ship: what there is, where it lies on this machine, how it is found.

Imports no torch: ``artgen check`` asks here. Files are made by ``download.py`` and ``convert.py``.

They lie in ``ARTGEN_MODELS``, else in the platform's folder for a program's *data*: 40 MB that took 575 MB to
download are no cache to be swept away, belong to a person and not to a recipe, and must outlive the virtual
environment that artgen is installed in. Beside recipes each folder would fetch its own.
"""

from __future__ import annotations

import difflib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from artgen.errors import ArtgenError

PLACE = "ARTGEN_MODELS"
ENDING = ".safetensors"
READ = (".pth", ENDING)


@dataclass(frozen=True)
class Source:
    """A published file, and who gives it. The pin makes any mirror as good as the first.

    Attributes:
        file: its name.
        sha256: of the whole file, hexadecimal.
        size: bytes; None where only the hash is known.
        urls: places of the very same file, the publisher's first.
    """

    file: str
    sha256: str
    size: int | None
    urls: tuple[str, ...]


@dataclass(frozen=True)
class Weights:
    """Weights that a recipe may name.

    Attributes:
        name: as recipes, ``artgen models pull`` and ``import`` say it.
        description: one sentence.
        licence: of the weights themselves.
        sources: files to pull from, in order; none where they can only be imported.
    """

    name: str
    description: str
    licence: str
    sources: tuple[Source, ...] = ()


KNOWN = {
    weights.name: weights
    for weights in (
        Weights(
            "vgg19",
            "VGG-19, trained on ImageNet: features for style, as Gatys et al. used them.",
            "torchvision's, BSD-3-Clause; the network by K. Simonyan and A. Zisserman, Oxford, CC BY",
            (
                Source(
                    "vgg19-dcbb9e9d.pth",
                    "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
                    574_673_361,
                    (
                        "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
                        # The bucket behind it, as torchvision itself named it before 2017's end.
                        "https://s3.amazonaws.com/pytorch/models/vgg19-dcbb9e9d.pth",
                    ),
                ),
                # The same weights as another file, of another publisher.
                Source(
                    "vgg19-tv_in1k.safetensors",
                    "11aea017b543ff59233749d8f1cf544cda749378f5790d2fedab841fb86b7669",
                    None,
                    ("https://huggingface.co/timm/vgg19.tv_in1k/resolve/main/model.safetensors",),
                ),
            ),
        ),
        Weights(
            "squeezenet",
            "SqueezeNet 1.0, trained on ImageNet: features that are small, quick and coarser than VGG's.",
            "BSD-2-Clause, F. Iandola et al.; torchvision's, BSD-3-Clause",
        ),
    )
}


def known(name: str) -> Weights:
    """Weights by name.

    Raises:
        ArtgenError: no weights are called so.
    """
    if name not in KNOWN:
        near = difflib.get_close_matches(name, KNOWN, n=1)
        right = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(KNOWN)}"
        raise ArtgenError("weights", f"no weights are called {name!r}", right)
    return KNOWN[name]


def place() -> Path:
    """The folder of the weights; it need not be there yet."""
    if own := os.environ.get(PLACE):
        return Path(own).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "artgen" / "models"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "artgen" / "models"
    shared = os.environ.get("XDG_DATA_HOME", "")
    # A relative path there is to be ignored, says the specification.
    base = Path(shared) if Path(shared).is_absolute() else Path.home() / ".local" / "share"
    return base / "artgen" / "models"


def file_of(name: str) -> Path:
    """Where the weights ``name`` lie, or would."""
    return place() / f"{name}{ENDING}"


def here() -> list[Weights]:
    """The weights that are on this machine."""
    return [weights for weights in KNOWN.values() if file_of(weights.name).is_file()]


def find_weights(reference: str, folder: Path) -> Path:
    """The file of weights named in a recipe.

    Args:
        reference: a name (``vgg19``), or the path of a ``.pth`` or ``.safetensors`` file.
        folder: where relative paths start.

    Raises:
        ArtgenError: it is not on this machine; with all the ways to go on.
    """
    if reference in KNOWN:
        file = file_of(reference)
        if not file.is_file():
            raise absent(reference)
        return file
    path = folder / Path(reference).expanduser()
    if path.suffix not in READ:
        known(reference)
    if not path.is_file():
        raise ArtgenError(
            "weights", f"no file '{path}'", f"{', '.join(KNOWN)}, or a .pth or .safetensors file"
        )
    return path


def absent(name: str) -> ArtgenError:
    """What to do without the weights ``name``."""
    weights = KNOWN[name]
    ways = [f"`artgen models import {name} FILE` where you have them", 'method = "patch", which needs none']
    command = f"artgen models import {name} FILE"
    if weights.sources:
        command = f"artgen models pull {name}"
        ways.insert(0, "`artgen models pull` fetches them once (575 MB, of which 40 are kept)")
    return ArtgenError("weights", f"{name!r} is not on this machine", ", or ".join(ways), command)
