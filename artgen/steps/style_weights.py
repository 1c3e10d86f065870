"""How much of each style of a trained network a recipe asks for, by name or in numbers. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

from artgen.errors import ArtgenError
from artgen.models.files import catalog, header
from artgen.style.library import PREFIX

# The second holds one style, which goes by the name of its file.
ARCHITECTURES = ("fast-style", "transformer-net")


def find_net(reference: str, folder: Path) -> Path:
    """The file of a network with styles named in a recipe.

    Raises:
        ArtgenError: no such model, or one of another kind.
    """
    return catalog.find(reference, folder, ARCHITECTURES)


def named(model: Path, references: Sequence[str]) -> list[float]:
    """The share of each of a model's styles, in its order: those named, equally.

    Args:
        model: the file.
        references: names of styles, or the paintings that these were learned from, as a recipe names them.

    Raises:
        ArtgenError: it holds no such style.
    """
    known = _known(model, ", ".join(map(repr, references)))
    wanted = []
    for reference in references:
        # As a training calls a style after its painting.
        names = (reference.removeprefix(PREFIX), PurePath(reference).stem)
        name = next((name for name in names if name in known), None)
        if name is None and len(known) == 1 and model.stem in names:  # the only one, of a file renamed since
            name = known[0]
        if name is None:
            raise ArtgenError(
                "style", f"{reference!r}", f"one of {', '.join(known)}, which {model.stem} holds"
            )
        wanted.append(name)
    return [wanted.count(name) / len(wanted) for name in known]


def numbered(model: Path, shares: Sequence[float]) -> list[float]:
    """``shares`` of a model's styles, in its order.

    Raises:
        ArtgenError: there are not as many, or all are 0.
    """
    given = list(shares)
    known = _known(model, str(given))
    if len(given) != len(known) or sum(given) == 0:
        raise ArtgenError("style", str(given), f"a number for each of {', '.join(known)}, not all of them 0")
    return given


def _known(model: Path, asked: str) -> list[str]:
    said = header.metadata(model)
    names = header.style_names(said)
    if not names and said.get("architecture") == ARCHITECTURES[1]:
        return [model.stem]
    if not names:
        raise ArtgenError("style", asked, f"{model.stem} has no styles to choose from")
    return names
