"""Model files: one ``.safetensors`` file holds a network's weights, and its metadata everything else.

The metadata holds ``architecture``, ``config`` (JSON), and the facts on the model card. safetensors holds
plain arrays only, so a file from anywhere can be opened without running anything in it.
"""

from __future__ import annotations

import functools
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
from artgen.plugins import PACKAGE_NAME, is_installed

MAX_MODEL_BYTES = 2 << 30
PLUGIN_PACKAGE_KEY = "package"  # of metadata: the package that the architecture of a plug-in comes with
NetworkT = TypeVar("NetworkT", bound=Network)


@dataclass(frozen=True)
class LoadedModel(Generic[NetworkT]):
    """A model's network, ready for inference, and the metadata of its file."""

    network: NetworkT
    metadata: dict[str, str]


def save_model(
    path: Path, network: Network, metadata: Mapping[str, str], *, half_precision: bool = True
) -> None:
    """Write a model file: ``network`` with its architecture, configuration and ``metadata``, atomically.

    Args:
        path: of the file.
        network: its weights become float16.
        metadata: further entries of the file's metadata.
        half_precision: ``False`` keeps weights as they are, so that an import can be exported bit for bit.
    """
    state = network.state_dict()
    weights = {
        name: _to_half(value) if half_precision else value.contiguous() for name, value in state.items()
    }
    plugin = ARCHITECTURES.plugin(network.architecture)
    all_metadata = {
        **metadata,
        **({PLUGIN_PACKAGE_KEY: plugin.package} if plugin else {}),
        "architecture": network.architecture,
        "config": network.config.model_dump_json(),
    }
    atomic_write(path, save(weights, all_metadata))


def _to_half(value: Tensor) -> Tensor:
    """Convert a model's floats to float16 where their range allows; leave integers as they are."""
    fits = value.is_floating_point() and bool(value.abs().max() < torch.finfo(torch.half).max)
    return (value.half() if fits else value).contiguous()


def load_model(
    path: Path,
    device: str = "cpu",
    network_class: type[NetworkT] = Network,  # type: ignore[assignment]
) -> LoadedModel[NetworkT]:
    """Read a model file; the network is float32, in ``eval``, channels last.

    Args:
        path: the file.
        device: where the network will run.
        network_class: the class that the network must have; any by default.

    Raises:
        ArtgenError: when the file is missing, is not safetensors, or holds another kind of network.
    """
    try:
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise ArtgenError(str(path), "larger than 2 GiB", "artgen's models are far smaller")
        with safe_open(str(path), framework="pt") as file:
            metadata = dict(file.metadata() or {})
            network = _build_network(path, metadata)
            weights = {name: _to_float32(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise ArtgenError(str(path), error.strerror or str(error), "a model file") from None
    except SafetensorError as error:
        raise ArtgenError(
            str(path), f"not a safetensors file ({error})", "a model made by artgen train"
        ) from None
    if not isinstance(network, network_class):
        allowed = [
            name
            for name, architecture in ARCHITECTURES.builtin_classes.items()
            if issubclass(architecture, network_class)
        ]
        raise ArtgenError(str(path), f"architecture {network.architecture!r}", f"one of {', '.join(allowed)}")
    try:
        network.load_state_dict(weights, assign=True)
    except RuntimeError as error:
        raise ArtgenError(str(path), f"weights do not fit its configuration: {error}") from None
    network.eval().requires_grad_(False)
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return LoadedModel(network, metadata)


def load_cached_model(
    path: Path,
    device: str = "cpu",
    network_class: type[NetworkT] = Network,  # type: ignore[assignment]
) -> LoadedModel[NetworkT]:
    """Return what ``load_model`` read before, while the file is unchanged, else read it; not to be modified.

    Raises:
        ArtgenError: as ``load_model``.
    """
    try:
        stat = path.stat()
    except OSError:  # the loader reports it
        return load_model(path, device, network_class)
    return _load_unchanged(path, (stat.st_mtime_ns, stat.st_size), device, network_class)  # type: ignore[arg-type]


@functools.lru_cache(maxsize=8)  # the networks of a recipe
def _load_unchanged(
    path: Path, modified_and_size: tuple[int, int], device: str, network_class: type[NetworkT]
) -> LoadedModel[NetworkT]:
    return load_model(path, device, network_class)


def _to_float32(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def count_parameters(network: nn.Module) -> int:
    """Count the numbers that a network has learned."""
    return sum(parameter.numel() for parameter in network.parameters())


def _explain_unknown(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return which architectures are known instead of a model's, and the command that installs it."""
    package = metadata.get(PLUGIN_PACKAGE_KEY, "")
    if PACKAGE_NAME.fullmatch(package) and not is_installed(package):
        return {
            "expected": f"it comes with {package}, which is not installed",
            "command": f"pip install {package}",
        }
    return {"expected": f"one of {', '.join(ARCHITECTURES.names())}"}


def _build_network(path: Path, metadata: dict[str, str]) -> Network:
    architecture = metadata.get("architecture", "none named")
    network_class = ARCHITECTURES.find(architecture)
    if network_class is None:
        raise ArtgenError(str(path), f"architecture {architecture[:40]!r}", **_explain_unknown(metadata))
    try:
        config = network_class.config_class.model_validate_json(metadata.get("config", ""))
        with torch.device("meta"):  # allocates nothing: the file may lack what its configuration promises
            return network_class(config)
    except ValidationError as error:
        first_error = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first_error["loc"])
        reason = f"{field}: {first_error['msg']}" if field else first_error["msg"]
        raise ArtgenError(str(path), f"a configuration that cannot be read ({reason})") from None
