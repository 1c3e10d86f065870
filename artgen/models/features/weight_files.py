"""Feature weights (VGG, SqueezeNet), which do not ship: published files, and where they are stored.

Imports no torch, so that ``artgen check`` is quick. The files are written by ``download.py`` and
``convert.py``.

They are stored in ``ARTGEN_MODELS``, else in the platform's folder for a program's *data*: 40 MB that took
575 MB to download do not belong into a cache, are for all recipes of a person, and must outlive the virtual
environment that artgen is installed in. Next to recipes, each folder would download its own.
"""

from __future__ import annotations

import difflib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from artgen.errors import ArtgenError

WEIGHTS_FOLDER_VARIABLE = "ARTGEN_MODELS"
WEIGHTS_SUFFIX = ".safetensors"
READABLE_WEIGHTS_SUFFIXES = (".pth", WEIGHTS_SUFFIX)


@dataclass(frozen=True)
class PublishedFile:
    """A published weights file and its mirrors. With the pinned hash, any mirror is as good as the publisher.

    Attributes:
        file_name: its name.
        sha256: of the whole file, hexadecimal.
        size_bytes: size of the file; None where only the hash is known.
        urls: addresses of the same file, the publisher's first.
    """

    file_name: str
    sha256: str
    size_bytes: int | None
    urls: tuple[str, ...]


@dataclass(frozen=True)
class WeightsInfo:
    """Feature weights that a recipe may name, and the published files that hold them.

    Attributes:
        name: in recipes, ``artgen models pull`` and ``import``.
        description: one sentence.
        licence: of the weights themselves.
        published_files: those to download, in order of preference; none where they can only be imported.
    """

    name: str
    description: str
    licence: str
    published_files: tuple[PublishedFile, ...] = ()


KNOWN_WEIGHTS = {
    weights.name: weights
    for weights in (
        WeightsInfo(
            "vgg19",
            "VGG-19, trained on ImageNet: features for style, as Gatys et al. used them.",
            "torchvision's, BSD-3-Clause; the network by K. Simonyan and A. Zisserman, Oxford, CC BY",
            (
                PublishedFile(
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
                PublishedFile(
                    "vgg19-tv_in1k.safetensors",
                    "11aea017b543ff59233749d8f1cf544cda749378f5790d2fedab841fb86b7669",
                    None,
                    ("https://huggingface.co/timm/vgg19.tv_in1k/resolve/main/model.safetensors",),
                ),
            ),
        ),
        WeightsInfo(
            "squeezenet",
            "SqueezeNet 1.0, trained on ImageNet: features that are small, quick and coarser than VGG's.",
            "BSD-2-Clause, F. Iandola et al.; torchvision's, BSD-3-Clause",
        ),
    )
}


def get_weights_info(name: str) -> WeightsInfo:
    """Return the description of feature weights (VGG, SqueezeNet) by their name.

    Raises:
        ArtgenError: no weights have this name.
    """
    if name not in KNOWN_WEIGHTS:
        nearest = difflib.get_close_matches(name, KNOWN_WEIGHTS, n=1)
        expected = f"did you mean {nearest[0]!r}?" if nearest else f"one of {', '.join(KNOWN_WEIGHTS)}"
        raise ArtgenError("weights", f"no weights are called {name!r}", expected)
    return KNOWN_WEIGHTS[name]


def weights_folder(platform: str = sys.platform) -> Path:
    """Return the folder where downloaded feature weights are stored; it need not exist yet."""
    if folder := os.environ.get(WEIGHTS_FOLDER_VARIABLE):
        return Path(folder).expanduser()
    if platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "artgen" / "models"
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "artgen" / "models"
    xdg_data_home = Path(os.environ.get("XDG_DATA_HOME", ""))
    # The specification says to ignore a relative path.
    base = xdg_data_home if xdg_data_home.is_absolute() else Path.home() / ".local" / "share"
    return base / "artgen" / "models"


def weights_path(name: str) -> Path:
    """Return the file in which the feature weights ``name`` are stored, downloaded or not."""
    return weights_folder() / f"{name}{WEIGHTS_SUFFIX}"


def list_installed_weights() -> list[WeightsInfo]:
    """List the feature weights that are installed on this machine."""
    return [weights for weights in KNOWN_WEIGHTS.values() if weights_path(weights.name).is_file()]


def find_weights_file(reference: str, folder: Path) -> Path:
    """Return the file of feature weights that a recipe names.

    Args:
        reference: a name (``vgg19``), or the path of a ``.pth`` or ``.safetensors`` file.
        folder: where relative paths start.

    Raises:
        ArtgenError: it is not on this machine; with the ways to get it.
    """
    if reference in KNOWN_WEIGHTS:
        file = weights_path(reference)
        if not file.is_file():
            raise missing_weights_error(reference)
        return file
    path = folder / Path(reference).expanduser()
    if path.suffix not in READABLE_WEIGHTS_SUFFIXES:
        get_weights_info(reference)
    if not path.is_file():
        raise ArtgenError(
            "weights", f"no file '{path}'", f"{', '.join(KNOWN_WEIGHTS)}, or a .pth or .safetensors file"
        )
    return path


def missing_weights_error(name: str) -> ArtgenError:
    """Build the error for feature weights that are not installed, with the ways to get them."""
    weights = KNOWN_WEIGHTS[name]
    solutions = [
        f"`artgen models import {name} FILE` where you have them",
        'method = "patch", which needs none',
    ]
    command = f"artgen models import {name} FILE"
    if weights.published_files:
        command = f"artgen models pull {name}"
        solutions.insert(0, "`artgen models pull` fetches them once (575 MB, of which 40 are kept)")
    return ArtgenError("weights", f"{name!r} is not on this machine", ", or ".join(solutions), command)
