"""Model files: one ``.safetensors`` is a whole model, its metadata the rest.

The metadata holds ``architecture``, ``config`` (JSON), and what the card says. safetensors holds plain
arrays only, so a file from anywhere can be opened without running anything in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from artgen.errors import ArtgenError
from artgen.imaging.io.files import atomic_write
from artgen.models.architectures.network import Network
from artgen.models.architectures.registry import ARCHITECTURES

LARGEST = 2 << 30
N = TypeVar("N", bound=Network)


@dataclass(frozen=True)
class Model(Generic[N]):
    """A network ready for inference, and what its file says of itself."""

    network: N
    metadata: dict[str, str]


def save_model(path: Path, network: Network, metadata: Mapping[str, str], *, half: bool = True) -> None:
    """Write ``network`` with its architecture, configuration and ``metadata``, atomically.

    Args:
        path: of the file.
        network: its weights become float16.
        metadata: what else the file says.
        half: ``False`` keeps weights as they are: those of others, which can then be given back bit for bit.
    """
    state = network.state_dict()
    weights = {name: _half(value) if half else value.contiguous() for name, value in state.items()}
    described = {
        **metadata,
        "architecture": network.architecture,
        "config": network.config.model_dump_json(),
    }
    atomic_write(path, save(weights, described))


def _half(value: Tensor) -> Tensor:
    """Reals in half the space, where they fit; counts as they are."""
    fits = value.is_floating_point() and bool(value.abs().max() < torch.finfo(torch.half).max)
    return (value.half() if fits else value).contiguous()


def load_model(path: Path, device: str = "cpu", kind: type[N] = Network) -> Model[N]:  # type: ignore[assignment]
    """Read a model file; float32, ``eval``, channels last.

    Args:
        path: the file.
        device: where the network will run.
        kind: the class of network that is wanted; any by default.

    Raises:
        ArtgenError: when the file is missing, is not safetensors, or holds another kind of network.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ArtgenError(str(path), "larger than 2 GiB", "artgen's models are far smaller")
        with safe_open(str(path), framework="pt") as file:
            metadata = dict(file.metadata() or {})
            network = _build(path, metadata)
            weights = {name: _full(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise ArtgenError(str(path), error.strerror or str(error), "a model file") from None
    except SafetensorError as error:
        raise ArtgenError(
            str(path), f"not a safetensors file ({error})", "a model made by artgen train"
        ) from None
    if not isinstance(network, kind):
        right = f"one of {', '.join(name for name, a in ARCHITECTURES.items() if issubclass(a, kind))}"
        raise ArtgenError(str(path), f"architecture {network.architecture!r}", right)
    try:
        network.load_state_dict(weights, assign=True)
    except RuntimeError as error:
        raise ArtgenError(str(path), f"weights do not fit its configuration: {error}") from None
    network.eval().requires_grad_(False)
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Model(network, metadata)


def _full(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def parameters(network: nn.Module) -> int:
    """How many numbers a network has learned."""
    return sum(parameter.numel() for parameter in network.parameters())


def _build(path: Path, metadata: dict[str, str]) -> Network:
    architecture = metadata.get("architecture", "none named")
    if architecture not in ARCHITECTURES:
        right = f"one of {', '.join(ARCHITECTURES)}"
        raise ArtgenError(str(path), f"architecture {architecture!r}", right)
    network = ARCHITECTURES[architecture]
    try:
        config = network.configuration.model_validate_json(metadata.get("config", ""))
        with torch.device("meta"):  # no memory yet: what the configuration promises may not be there
            return network(config)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = f"{where}: {first['msg']}" if where else first["msg"]
        raise ArtgenError(str(path), f"a configuration that cannot be read ({reason})") from None
