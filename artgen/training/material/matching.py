"""Which image of one folder belongs to which of another: the one of the same name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.training.material.images import ImageSet

SHOWN = 5
COMMAND = "artgen data pairs INPUTS TARGETS"


def matched(targets: ImageSet, inputs: ImageSet) -> tuple[ImageSet, ImageSet]:
    """Both with only what has a partner, in the order of the targets: partners have the same place.

    A picture whose partner is there, but cannot be read, goes with it: that one is told as skipped.

    Raises:
        ArtgenError: a file without one of the same name in the other folder, or two of a name in one.
    """
    keys, others = _keys((*targets.files, *targets.skipped)), _keys((*inputs.files, *inputs.skipped))
    problems = [
        *listed("without an input", sorted(keys.keys() - others.keys())),
        *listed("without a target", sorted(others.keys() - keys.keys())),
    ]
    if problems:
        raise ArtgenError(
            "pairs", "; ".join(problems), "the same names in both folders but for the ending", COMMAND
        )
    pairs = [(place, others[key]) for key, place in keys.items()]
    whole = [(a, b) for a, b in pairs if a < len(targets.files) and b < len(inputs.files)]
    if not whole:
        raise ArtgenError("pairs", "no pair of which both images can be read", "whole files", COMMAND)
    return targets.only([a for a, _ in whole]), inputs.only([b for _, b in whole])


def listed(what: str, names: Sequence[str]) -> list[str]:
    """``3 images without an input: a, b, c``; nothing where there are none."""
    if not names:
        return []
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    count = f"{len(names)} image{'s' if len(names) > 1 else ''}"
    return [f"{count} {what}: {', '.join(names[:SHOWN])}{more}"]


def _keys(files: Sequence[Path]) -> dict[str, int]:
    """Each name without folder and ending, with its place; with its folder only where names repeat."""
    stems = [file.stem for file in files]
    if max(Counter(stems).values(), default=0) > 1:
        stems = [f"{file.parent.name}/{file.stem}" for file in files]
    twice = sorted(stem for stem, count in Counter(stems).items() if count > 1)
    if twice:
        found = "; ".join(listed("of which there are two", twice))
        raise ArtgenError("pairs", found, "one image of each name")
    return {stem: place for place, stem in enumerate(stems)}
