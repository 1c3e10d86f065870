"""Going on from a finished model: a training whose first weights are not left to chance."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from torch import Tensor

from artgen.config.fields import shown
from artgen.errors import ArtgenError
from artgen.models.architectures.network import Network
from artgen.models.files import catalog, header
from artgen.models.files.checkpoint import load_model
from artgen.training.engine.family import Family


@dataclass(frozen=True)
class Start:
    """The model that a training goes on from.

    Attributes:
        name: of its file, without the suffix.
        sha256: of its weights: what else a file says changes when it is measured again.
    """

    name: str
    sha256: str


def find_start(reference: str, beside: Path) -> Path:
    """The file that a recipe's ``start`` names, before anything is decoded for it: no weights are read.

    Args:
        reference: a shipped model's name, or a file relative to ``beside``.
        beside: the recipe's folder.

    Raises:
        ArtgenError: no such model, with the command that makes it where its recipe is beside; a damaged one.
    """
    try:
        file = catalog.resolve(reference, beside)
    except ArtgenError as error:
        path = beside / Path(reference).expanduser()
        recipe = beside / f"{path.parent.name}.toml"  # of training-runs/NAME/, as `artgen train` calls it
        if not path.exists() and recipe.is_file():
            found = f"no such file ({path.resolve()})"
            command = f"artgen train {recipe}"
            raise ArtgenError(f"start = {reference!r}", found, "train it first", command) from None
        raise ArtgenError(f"start = {reference!r}", error.found, error.right) from None
    header.metadata(file)
    return file


def begin_from(file: Path, family: Family) -> Start:
    """Give ``family``'s generator the weights in ``file``; its critic, which no file holds, learns anew.

    Args:
        file: a model.
        family: fresh; it ships one network.

    Raises:
        ArtgenError: another architecture or other sizes, or a damaged file.
    """
    (name,) = family.ships
    network = cast(Network, family.networks[name])
    found: Network = load_model(file).network
    if found.architecture != network.architecture:
        right = f"this family goes on from {network.architecture!r}"
        raise ArtgenError("start", f"{file.stem!r} is of the architecture {found.architecture!r}", right)
    has, wanted = found.config.model_dump(mode="json"), network.config.model_dump(mode="json")
    other = [key for key in wanted if has[key] != wanted[key]]
    if other:
        own, right = (", ".join(f"{key} = {shown(sizes[key])}" for key in other) for sizes in (has, wanted))
        raise ArtgenError("start", f"{file.stem!r} has {own}", f"the recipe asks for {right}")
    network.load_state_dict(found.state_dict())
    return Start(file.stem, _digest(found))


def keep_some(file: Path, family: Family, networks: Mapping[str, Network], share: float) -> None:
    """Let what ships lie between the model it went on from and what it became, weight by weight.

    Network interpolation (Wang et al. 2018, ESRGAN, arXiv:1809.00219): of two up-imagers of one descent, one
    smooth and one crumbly, what lies between is better by most figures than either.

    Args:
        file: the model it went on from.
        family: says which network ships.
        networks: trained; changed.
        share: of the former in what ships, 0 to 1.
    """
    (name,) = family.ships
    earlier: Network = load_model(file).network
    before: dict[str, Tensor] = earlier.state_dict()
    for key, value in networks[name].state_dict().items():
        if value.is_floating_point():
            value.lerp_(before[key].to(value.device), share)


def _digest(network: Network) -> str:
    digest = hashlib.sha256()
    for key, value in sorted(network.state_dict().items()):
        digest.update(key.encode() + value.contiguous().numpy().tobytes())
    return digest.hexdigest()
