"""Model files: one ``.safetensors`` is a whole model, its metadata the rest.

The metadata holds ``architecture``, ``config`` (JSON), and what the card says. safetensors holds plain
arrays only, so a file from anywhere can be opened without running anything in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from artgen.errors import ArtgenError
from artgen.imaging.files import atomic_write
from artgen.models.upimage import UpImager, UpImagerConfig

ARCHITECTURES = (UpImager.architecture,)
LARGEST = 2 << 30


@dataclass(frozen=True)
class Model:
    """A network ready for inference, and what its file says of it."""

    network: UpImager
    metadata: dict[str, str]


def save_model(path: Path, network: UpImager, metadata: Mapping[str, str]) -> None:
    """Write ``network`` as float16, with its architecture, configuration and ``metadata``, atomically."""
    weights = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    described = {
        **metadata,
        "architecture": network.architecture,
        "config": json.dumps(network.config.as_dict()),
    }
    atomic_write(path, save(weights, described))


def load_model(path: Path, device: str = "cpu") -> Model:
    """Read a model file; float32, ``eval``, channels last.

    Raises:
        ArtgenError: when the file is missing, is not safetensors, or holds another architecture.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ArtgenError(str(path), "larger than 2 GiB", "artgen's models are far smaller")
        with safe_open(str(path), framework="pt") as file:
            metadata = dict(file.metadata() or {})
            network = _build(path, metadata)
            weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise ArtgenError(str(path), error.strerror or str(error), "a model file") from None
    except SafetensorError as error:
        raise ArtgenError(
            str(path), f"not a safetensors file ({error})", "a model made by artgen train"
        ) from None
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ArtgenError(str(path), f"weights do not fit its configuration: {error}") from None
    network.eval().requires_grad_(False)
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Model(network, metadata)


def parameters(network: nn.Module) -> int:
    """How many numbers a network has learned."""
    return sum(parameter.numel() for parameter in network.parameters())


def _build(path: Path, metadata: dict[str, str]) -> UpImager:
    architecture = metadata.get("architecture", "none named")
    if architecture not in ARCHITECTURES:
        right = f"one of {', '.join(ARCHITECTURES)}"
        raise ArtgenError(str(path), f"architecture {architecture!r}", right)
    try:
        config: dict[str, Any] = json.loads(metadata["config"])
        sizes = UpImagerConfig.from_dict(config)
        within = 8 <= sizes.width <= 512 and 1 <= sizes.blocks <= 64 and 1 <= len(sizes.widths) <= 4
        if not within or not all(4 <= width <= 512 for width in sizes.widths):
            raise ValueError("sizes out of range")
        return UpImager(sizes)
    except (KeyError, TypeError, ValueError) as error:
        raise ArtgenError(str(path), f"a configuration that cannot be read: {error}") from None
