"""Matching the images of two folders into pairs by their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.training.material.images import ImageSet

MAX_LISTED_NAMES = 5
PAIRS_COMMAND = "artgen data pairs INPUTS TARGETS"


def match_pairs(targets: ImageSet, inputs: ImageSet) -> tuple[ImageSet, ImageSet]:
    """Return targets and inputs of one name, which form training pairs, both in the order of the targets.

    A readable image whose partner exists but cannot be read is left out; the partner is reported as skipped.

    Raises:
        ArtgenError: a file has no partner of the same name in the other folder, two files of one folder have
            the same name, or no pair can be read.
    """
    target_indices = _index_by_name((*targets.files, *targets.skipped))
    input_indices = _index_by_name((*inputs.files, *inputs.skipped))
    problems = [
        *describe_names("without an input", sorted(target_indices.keys() - input_indices.keys())),
        *describe_names("without a target", sorted(input_indices.keys() - target_indices.keys())),
    ]
    if problems:
        raise ArtgenError(
            "pairs", "; ".join(problems), "the same names in both folders but for the ending", PAIRS_COMMAND
        )
    pairs = [(index, input_indices[name]) for name, index in target_indices.items()]
    # Indices past the files are those of skipped files.
    readable = [
        (target, input_)
        for target, input_ in pairs
        if target < len(targets.files) and input_ < len(inputs.files)
    ]
    if not readable:
        raise ArtgenError(
            "pairs", "no pair of which both images can be read", "readable files", PAIRS_COMMAND
        )
    return targets.subset([target for target, _ in readable]), inputs.subset(
        [input_ for _, input_ in readable]
    )


def describe_names(condition: str, names: Sequence[str]) -> list[str]:
    """Return one phrase such as ``3 images without an input: a, b, c``; nothing if there are no names."""
    if not names:
        return []
    more = f" and {len(names) - MAX_LISTED_NAMES} more" if len(names) > MAX_LISTED_NAMES else ""
    count = f"{len(names)} image{'s' if len(names) > 1 else ''}"
    return [f"{count} {condition}: {', '.join(names[:MAX_LISTED_NAMES])}{more}"]


def _index_by_name(files: Sequence[Path]) -> dict[str, int]:
    """Map each training image's name to its index: without folder unless names repeat."""
    names = [file.stem for file in files]
    if max(Counter(names).values(), default=0) > 1:
        names = [f"{file.parent.name}/{file.stem}" for file in files]
    repeated_names = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated_names:
        problem = "; ".join(describe_names("of which there are two", repeated_names))
        raise ArtgenError("pairs", problem, "one image of each name")
    return {name: index for index, name in enumerate(names)}
