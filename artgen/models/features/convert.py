"""Weights of others made ours: of a file what sees pictures is kept, in half the space, and described.

A classifier's last layers are most of it (VGG-19: 495 of 575 MB) and no use here. The rest goes into a
``.safetensors`` whose metadata says what pictures it expects, which the published files leave to be guessed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from artgen.errors import ArtgenError, WriteError
from artgen.hashing import file_hash
from artgen.imaging.io.files import atomic_write
from artgen.models.features.squeezenet import load_squeezenet
from artgen.models.features.vgg import BLOCKS, VGG, load_vgg
from artgen.models.features.weight_files import file_of, known
from artgen.models.files.pickle_reader import read_table

PREPROCESSINGS = ("auto", "torchvision", "caffe")
SQUEEZENET = "squeezenet"
# Names of what sees pictures. VGG's features come in a network or by themselves.
VGGS = re.compile(r"(?:features\.)?\d+\.(?:weight|bias)")
SQUEEZENETS = re.compile(r"(?:conv1|fire\d\.(?:squeeze|expand1|expand3))\.(?:weight|bias)")
COLOUR = (3, 3, 1, 1)
# Names of layers, what pictures are expected, weights.
Kept = tuple[list[str], str, dict[str, Tensor]]


@dataclass(frozen=True)
class Adopted:
    """Weights on this machine.

    Attributes:
        file: ours.
        layers: names of what they see.
        published: the published file that they came from, bit for bit; None where it is another.
        sha256: of the file that they came from.
        preprocessing: what they expect: ``torchvision``, ``caffe``, or ``own``, a colour layer in the file.
    """

    file: Path
    layers: list[str]
    published: str | None
    sha256: str
    preprocessing: str


def adopt(name: str, source: Path, *, preprocessing: str = "auto", origin: str = "") -> Adopted:
    """Keep the features of ``source`` as the weights ``name``.

    Args:
        name: ``vgg19`` or ``squeezenet``.
        source: a ``.pth`` or ``.safetensors`` file: torchvision's, Caffe's under torchvision's names, one
            that ends early, one with a colour layer.
        preprocessing: what it expects; by default what the file says or shows, else torchvision's.
        origin: where it came from, to be told in our file.

    Raises:
        ArtgenError: unknown weights; a file that cannot be read, holds code, or is of another network.
        WriteError: the disk is full, or the folder not writable.
    """
    weights = known(name)
    if preprocessing not in PREPROCESSINGS:
        raise ArtgenError("preprocessing", repr(preprocessing), f"one of {', '.join(PREPROCESSINGS)}")
    if name == SQUEEZENET:
        layers, expects, kept = _squeezenet(source, preprocessing)
    else:
        layers, expects, kept = _vgg(source, preprocessing)
    digest = file_hash(source)
    published = next((each.file for each in weights.sources if each.sha256 == digest), None)
    said = {
        "architecture": name,
        "title": name,
        "description": weights.description,
        "licence": weights.licence if published else "that of the file it came from",
        "preprocessing": expects,
        "layers": json.dumps(layers),
        "origin": json.dumps({"file": origin or source.name, "sha256": digest, "published": bool(published)}),
    }
    file = file_of(name)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(file, error.strerror or str(error)) from error
    atomic_write(file, save({key: _half(source, value) for key, value in kept.items()}, said))
    return Adopted(file, layers, published, digest, expects)


def _vgg(source: Path, preprocessing: str) -> Kept:
    network = load_vgg(source, preprocessing)
    _check(source, network)
    table = read_table(source)
    kept = {key: value for key, value in table.weights.items() if VGGS.fullmatch(key)}
    if preprocessing == "auto":
        own = any(value.shape == COLOUR for value in kept.values())
        preprocessing = "own" if own else table.said.get("preprocessing", "torchvision")
    return network.names, preprocessing, kept


def _squeezenet(source: Path, preprocessing: str) -> Kept:
    if preprocessing == "torchvision":
        raise ArtgenError("preprocessing", "torchvision, for SqueezeNet", "caffe: only Caffe's is read")
    network = load_squeezenet(source)
    weights = read_table(source).weights
    return network.names, "caffe", {key: weights[key] for key in weights if SQUEEZENETS.fullmatch(key)}


def _check(source: Path, network: VGG) -> None:
    """A file may end early, but what is there must be VGG-19: a whole block has as many layers as there."""
    for block, most in enumerate(BLOCKS[:-1], 1):
        layers = [name for name in network.names if name.startswith(f"relu{block}_")]
        beyond = any(name > f"relu{block + 1}" for name in network.names)
        if beyond and len(layers) != most:
            found = f"{len(layers)} convolutions in block {block}, where VGG-19 has {most}"
            raise ArtgenError(str(source), found, "VGG-19's weights")


def _half(source: Path, value: Tensor) -> Tensor:
    """Float16; a colour layer counts up to 255, where float16 counts in eighths, and stays as it is."""
    value = value.detach().float()
    if not bool(value.isfinite().all()):
        raise ArtgenError(str(source), "numbers in it are not finite", "a file that is whole")
    # As large as its weight, or its bias.
    colour = value.shape == COLOUR or value.numel() == 3
    small = not colour and float(value.abs().max()) < torch.finfo(torch.half).max
    return (value.half() if small else value).contiguous()
