"""Conversion of published weights files: only feature layers are kept, as float16, with metadata.

A classifier's last layers are most of it (VGG-19: 495 of 575 MB) and not needed here. The others go into a
``.safetensors`` whose metadata names the preprocessing it expects, which published files leave to be guessed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import save
from torch import Tensor

from artgen.errors import ArtgenError, report_write_errors
from artgen.hashing import file_hash
from artgen.imaging.io.files import atomic_write
from artgen.models.features.squeezenet import load_squeezenet
from artgen.models.features.vgg import VGG, VGG19_BLOCK_SIZES, load_vgg
from artgen.models.features.weight_files import WeightsInfo, weights_path
from artgen.models.files.pickle_reader import read_weights_file

PREPROCESSINGS = ("auto", "torchvision", "caffe")
SQUEEZENET_NAME = "squeezenet"
# Names of the feature layers' weights. VGG's come with a prefix, in a classifier, or without it.
VGG_WEIGHT_NAME_PATTERN = re.compile(r"(?:features\.)?\d+\.(?:weight|bias)")
SQUEEZENET_WEIGHT_NAME_PATTERN = re.compile(r"(?:conv1|fire\d\.(?:squeeze|expand1|expand3))\.(?:weight|bias)")
COLOUR_LAYER_WEIGHT_SHAPE = (3, 3, 1, 1)


class ExtractedFeatures(NamedTuple):
    """Feature layers of a weights file: names of the layers, preprocessing, weights by name."""

    layers: list[str]
    preprocessing: str
    weights: dict[str, Tensor]


@dataclass(frozen=True)
class InstalledWeights:
    """Feature weights that are installed on this machine.

    Attributes:
        file: the converted file.
        layers: names of the feature layers.
        published_file: name of the published file that they came from, bit for bit; None if it was another.
        source_sha256: SHA-256 of the file that they came from.
        preprocessing: what they expect: ``torchvision``, ``caffe``, or ``own``, a colour layer in the file.
    """

    file: Path
    layers: list[str]
    published_file: str | None
    source_sha256: str
    preprocessing: str


def install_weights(
    weights: WeightsInfo, source: Path, *, preprocessing: str = "auto", origin: str = ""
) -> InstalledWeights:
    """Convert a weights file and install its feature layers.

    Args:
        weights: as which they are installed, some of ``KNOWN_WEIGHTS``.
        source: a ``.pth`` or ``.safetensors`` file: torchvision's, Caffe's under torchvision's names, one
            that ends early, one with a colour layer.
        preprocessing: what it expects; by default that of its metadata or colour layer, else torchvision's.
        origin: where it came from, for the metadata of the installed file; by default the name of ``source``.

    Raises:
        ArtgenError: a file that cannot be read, holds code, or is of another network.
        WriteError: the disk is full, or the folder not writable.
    """
    name = weights.name
    if preprocessing not in PREPROCESSINGS:
        raise ArtgenError("preprocessing", repr(preprocessing), f"one of {', '.join(PREPROCESSINGS)}")
    if name == SQUEEZENET_NAME:
        features = _extract_squeezenet(source, preprocessing)
    else:
        features = _extract_vgg(source, preprocessing)
    sha256 = file_hash(source)
    published_file = next(
        (published.file_name for published in weights.published_files if published.sha256 == sha256),
        None,
    )
    metadata = {
        "architecture": name,
        "title": name,
        "description": weights.description,
        "licence": weights.licence if published_file else "that of the file it came from",
        "preprocessing": features.preprocessing,
        "layers": json.dumps(features.layers),
        "origin": json.dumps(
            {"file": origin or source.name, "sha256": sha256, "published": bool(published_file)}
        ),
    }
    file = weights_path(name)
    with report_write_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    half_weights = {key: _to_half(source, value) for key, value in features.weights.items()}
    atomic_write(file, save(half_weights, metadata))
    return InstalledWeights(file, features.layers, published_file, sha256, features.preprocessing)


def _extract_vgg(source: Path, preprocessing: str) -> ExtractedFeatures:
    network = load_vgg(source, preprocessing)
    _check_vgg19(source, network)
    table = read_weights_file(source)
    weights = {key: value for key, value in table.weights.items() if VGG_WEIGHT_NAME_PATTERN.fullmatch(key)}
    if preprocessing == "auto":
        has_colour_layer = any(value.shape == COLOUR_LAYER_WEIGHT_SHAPE for value in weights.values())
        preprocessing = "own" if has_colour_layer else table.metadata.get("preprocessing", "torchvision")
    return ExtractedFeatures(network.layer_names, preprocessing, weights)


def _extract_squeezenet(source: Path, preprocessing: str) -> ExtractedFeatures:
    if preprocessing == "torchvision":
        raise ArtgenError("preprocessing", "torchvision, for SqueezeNet", "caffe: only Caffe's is read")
    network = load_squeezenet(source)
    all_weights = read_weights_file(source).weights
    weights = {
        key: value for key, value in all_weights.items() if SQUEEZENET_WEIGHT_NAME_PATTERN.fullmatch(key)
    }
    return ExtractedFeatures(network.layer_names, "caffe", weights)


def _check_vgg19(source: Path, network: VGG) -> None:
    """Require VGG-19, which may end early: a block before another must have as many layers as VGG-19's.

    Raises:
        ArtgenError: a complete block has another number of layers.
    """
    for block, vgg19_size in enumerate(VGG19_BLOCK_SIZES[:-1], 1):
        layers = [name for name in network.layer_names if name.startswith(f"relu{block}_")]
        is_complete = any(name > f"relu{block + 1}" for name in network.layer_names)
        if is_complete and len(layers) != vgg19_size:
            problem = f"{len(layers)} convolutions in block {block}, where VGG-19 has {vgg19_size}"
            raise ArtgenError(str(source), problem, "VGG-19's weights")


def _to_half(source: Path, value: Tensor) -> Tensor:
    """Convert a feature weight to float16, except a colour layer: up to 255 float16 would round to eighths.

    Raises:
        ArtgenError: the weight has values that are not finite.
    """
    value = value.detach().float()
    if not bool(value.isfinite().all()):
        raise ArtgenError(str(source), "numbers in it are not finite", "an undamaged file")
    # Recognised by the size of its weight or its bias.
    is_colour_layer = value.shape == COLOUR_LAYER_WEIGHT_SHAPE or value.numel() == 3
    fits_half = not is_colour_layer and float(value.abs().max()) < torch.finfo(torch.half).max
    return (value.half() if fits_half else value).contiguous()
