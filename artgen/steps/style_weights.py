"""Shares of a trained network's styles that a recipe asks for, by name or in numbers. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

from artgen.errors import ArtgenError
from artgen.models.files import catalog, header
from artgen.references import BUILTIN_PREFIX

# The second contains one style, which is named after the model's file.
STYLE_NET_ARCHITECTURES = ("fast-style", "transformer-net")


def find_style_net_file(reference: str, folder: Path) -> Path:
    """Find the file of a style network that a recipe names.

    Args:
        reference: the model's name, or the path of its file.
        folder: the recipe's folder.

    Raises:
        ArtgenError: there is no such model, or it is of another kind.
    """
    return catalog.find_compatible_model(reference, folder, STYLE_NET_ARCHITECTURES)


def shares_by_name(model: Path, references: Sequence[str]) -> list[float]:
    """Return the share of each of a model's styles, in the model's order: equal shares for the named ones.

    Args:
        model: the model's file.
        references: names of styles, or the paintings from which they were learned, as a recipe names them.

    Raises:
        ArtgenError: the model does not contain such a style.
    """
    style_names = _read_style_names(model, ", ".join(map(repr, references)))
    chosen_names = []
    for reference in references:
        # A training names a style after its painting.
        candidate_names = (reference.removeprefix(BUILTIN_PREFIX), PurePath(reference).stem)
        name = next((name for name in candidate_names if name in style_names), None)
        if name is None and len(style_names) == 1 and model.stem in candidate_names:
            name = style_names[0]  # the file was renamed after its training
        if name is None:
            raise ArtgenError(
                "style", f"{reference!r}", f"one of {', '.join(style_names)}, which {model.stem} contains"
            )
        chosen_names.append(name)
    return [chosen_names.count(name) / len(chosen_names) for name in style_names]


def validate_shares(model: Path, shares: Sequence[float]) -> list[float]:
    """Check that there is a share for each of a model's styles, and return the shares as a list.

    Args:
        model: the model's file.
        shares: the shares, in the order of the model's styles.

    Raises:
        ArtgenError: their number is not that of the styles, or all are 0.
    """
    numbers = list(shares)
    style_names = _read_style_names(model, str(numbers))
    if len(numbers) != len(style_names) or sum(numbers) == 0:
        raise ArtgenError(
            "style", str(numbers), f"a number for each of {', '.join(style_names)}, not all of them 0"
        )
    return numbers


def _read_style_names(model: Path, request: str) -> list[str]:
    """Read the names of a model's styles.

    Args:
        model: the model's file.
        request: what the recipe asks for, as the message of an error names it.
    """
    metadata = header.read_metadata(model)
    names = header.style_names(metadata)
    if not names and metadata.get("architecture") == STYLE_NET_ARCHITECTURES[1]:
        return [model.stem]
    if not names:
        raise ArtgenError("style", request, f"{model.stem} has no styles to choose from")
    return names
