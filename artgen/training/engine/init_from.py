"""Starting a training from the weights of a finished model in place of random ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from torch import Tensor

from artgen.config.fields import format_toml_value
from artgen.errors import ArtgenError, artgen_command
from artgen.models.architectures.network import Network
from artgen.models.files import catalog, header
from artgen.models.files.checkpoint import load_model
from artgen.training.engine.family import ModelFamily


@dataclass(frozen=True)
class StartModel:
    """The finished model whose weights a training starts from.

    It is stored in the new model's metadata by the names of its fields.

    Attributes:
        name: the name of its file without the suffix.
        sha256: hash of its weights alone, for a file's metadata changes when the model is measured again.
    """

    name: str
    sha256: str


def find_start_model(reference: str, recipe_folder: Path) -> Path:
    """Return the model file that a recipe's key ``start`` names, without reading its weights.

    Args:
        reference: a shipped model's name, or a file relative to ``recipe_folder``.
        recipe_folder: the recipe's folder.

    Raises:
        ArtgenError: there is no such model (the error names the command that trains it, if its recipe is in
            ``recipe_folder``), or its file is damaged.
    """
    try:
        file = catalog.find_model_file(reference, recipe_folder)
    except ArtgenError as error:
        path = recipe_folder / Path(reference).expanduser()
        # `artgen train NAME.toml` writes its model into training-runs/NAME/.
        recipe = recipe_folder / f"{path.parent.name}.toml"
        if not path.exists() and recipe.is_file():
            problem = f"no such file ({path.resolve()})"
            command = artgen_command("train", recipe)
            raise ArtgenError(f"start = {reference!r}", problem, "train it first", command) from None
        raise ArtgenError(f"start = {reference!r}", error.problem, error.expected) from None
    header.read_metadata(file)
    return file


def load_start_weights(file: Path, family: ModelFamily) -> StartModel:
    """Load the weights in ``file`` into the generator of ``family``.

    The critic is in no model file, so it keeps its random weights.

    Args:
        file: a model file.
        family: a family that exports one network.

    Raises:
        ArtgenError: the model has another architecture or other sizes, or its file is damaged.
    """
    (name,) = family.export_suffixes
    network = cast(Network, family.networks[name])
    start_network: Network = load_model(file).network
    if start_network.architecture != network.architecture:
        problem = f"{file.stem!r} is of the architecture {start_network.architecture!r}"
        raise ArtgenError("start", problem, f"this family starts from {network.architecture!r}")
    start_config = start_network.config.model_dump(mode="json")
    config = network.config.model_dump(mode="json")
    different_keys = [key for key in config if start_config[key] != config[key]]
    if different_keys:
        start_sizes, expected_sizes = (
            ", ".join(f"{key} = {format_toml_value(values[key])}" for key in different_keys)
            for values in (start_config, config)
        )
        raise ArtgenError(
            "start", f"{file.stem!r} has {start_sizes}", f"the recipe asks for {expected_sizes}"
        )
    network.load_state_dict(start_network.state_dict())
    return StartModel(file.stem, _hash_weights(start_network))


def blend_start_weights(
    file: Path, family: ModelFamily, networks: Mapping[str, Network], share: float
) -> None:
    """Interpolate the weights of the trained network and of the model that it started from, in place.

    Network interpolation (Wang et al. 2018, ESRGAN, arXiv:1809.00219): between two up-imagers of which one
    started from the other, one smooth and one grainy, an interpolated one has better metrics than either,
    mostly.

    Args:
        file: the model that the training started from.
        family: names the exported network.
        networks: the trained networks by name; the exported one is changed.
        share: share of the start model's weights, 0 to 1.
    """
    (name,) = family.export_suffixes
    start_network: Network = load_model(file).network
    start_weights: dict[str, Tensor] = start_network.state_dict()
    for key, weight in networks[name].state_dict().items():
        if weight.is_floating_point():
            weight.lerp_(start_weights[key].to(weight.device), share)


def _hash_weights(network: Network) -> str:
    digest = hashlib.sha256()
    for key, weight in sorted(network.state_dict().items()):
        digest.update(key.encode() + weight.contiguous().numpy().tobytes())
    return digest.hexdigest()
