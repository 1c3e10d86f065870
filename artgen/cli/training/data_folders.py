"""``artgen data pairs`` and ``check``: folders before a training learns from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from artgen.cli.arguments.options import JsonOption
from artgen.cli.terminal import messages
from artgen.errors import ArtgenError

if TYPE_CHECKING:
    from artgen.training.data.check import FolderFindings
    from artgen.training.data.pairs import FolderComparison

SHOWN = 10


def pairs(
    a: Annotated[Path, typer.Argument(metavar="A", help="Inputs: sketches.", show_default=False)],
    b: Annotated[Path, typer.Argument(metavar="B", help="Targets: paintings.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write copies of one size to OUT/a and OUT/b.", show_default=False
        ),
    ] = None,
    matched: Annotated[
        bool, typer.Option("--matched", help="Be content with what matches; list the rest all the same.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Compare two folders of the same scenes, image by image, by their names without ending."""
    inside = output is not None and any(output.resolve().is_relative_to(f.resolve()) for f in (a, b))
    if inside:
        raise ArtgenError(f"--output {output}", "lies in a folder that is compared", "another folder")
    from artgen.cli.terminal.data_progress import show_work_progress
    from artgen.training.data.pairs import compare_folders, write_aligned_pairs

    with show_work_progress("pairs") as emit:
        found = compare_folders(a, b, emit)
    wrong = bool(found.mismatches) and not matched
    report: dict[str, Any] = asdict(found) | {"mismatches": found.mismatches, "output": None}
    if not json:
        _tell_pairs(found, a, b)
    if output is not None and not found.pairs:
        raise ArtgenError(f"{a}, {b}", "not one pair to write", "the same names in both but for the ending")
    if output is not None and not wrong:
        with show_work_progress("pairs") as emit:
            written = write_aligned_pairs(found.pairs, output, emit)
        report |= {"output": str(output), "written": written}
        if not json:
            typer.echo(
                f"{_count(len(found.pairs), 'pair')} in {output}, {written:,} written now\n"
                f"Next: artgen train RECIPE.toml --inputs {output / 'a'} --data {output / 'b'}"
            )
    if json:
        messages.show_json(report)
    if wrong:
        nothing = "; nothing written" if output else ""
        typer.echo(f"{found.mismatches:,} to put right{nothing} (--matched leaves them out)", err=True)
        raise typer.Exit(messages.EXIT_FIXABLE)


def _tell_pairs(found: FolderComparison, a: Path, b: Path) -> None:
    other = sum(not pair.same for pair in found.pairs)
    sizes = f", {other:,} of them of two sizes" if other else ""
    typer.echo(f"{_count(len(found.pairs), 'pair')}{sizes}")
    for what, names in (
        (f"only in {a}", found.only_a),
        (f"only in {b}", found.only_b),
        ("of a name that is there twice", found.repeated),
        ("of different proportions", found.bent),
        ("that cannot be read", found.unreadable),
    ):
        if names:
            typer.echo(f"{len(names):,} {what}:\n{_block(names)}")


def check(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="Folders, taken as one set.", show_default=False)
    ],
    json: JsonOption = False,
) -> None:
    """Say what folders of images hold: counts, sizes, corrupt files, near-duplicates."""
    from artgen.cli.terminal.data_progress import show_work_progress
    from artgen.training.data.check import check_folders as examined

    with show_work_progress("check") as emit:
        found = examined(folders, emit)
    if json:
        messages.show_json(asdict(found) | {"folders": [str(folder) for folder in folders]})
    else:
        typer.echo("\n".join(_summary(found)))
    if found.corrupt:
        raise typer.Exit(messages.EXIT_FIXABLE)


def _summary(found: FolderFindings) -> Iterator[str]:
    kinds = ", ".join(f"{count:,} {name}" for name, count in found.formats.items())
    yield f"{_count(found.images, 'image')}, {found.bytes / 1e6:,.1f} MB{': ' if kinds else ''}{kinds}"
    if found.sizes:
        least, middle, most = (f"{width} x {height}" for width, height in found.sizes)
        yield f"{least} to {most} px, the middle one {middle}"
    if found.corrupt:
        reasons = [f"{name}: {reason}" for name, reason in found.corrupt.items()]
        yield f"{len(reasons):,} corrupt, left out by a training:\n{_block(reasons)}"
    for names, what in (
        (found.tiny, "smaller than 256 px: enlarged for most recipes, so blurred"),
        (found.grey, "grey: colours will come out pale, or grey if all are"),
        (found.transparent, "transparent: a training sees white there"),
        (found.cmyk, "CMYK: converted, with the profile where there is one"),
        (found.turned, "turned by EXIF: a training sees them upright"),
    ):
        if names:
            yield f"{len(names):,} {what}, such as {names[0]}"
    if found.duplicates:
        groups, largest = found.duplicates, found.duplicates[0]
        repeats = sum(len(group) - 1 for group in groups)
        shown = ", ".join(largest[:5]) + (", ..." if len(largest) > 5 else "")
        yield (
            f"{_count(repeats, 'near-duplicate')} of {_count(len(groups), 'image')}; "
            f"the largest group, {len(largest):,}: {shown}"
        )
    if found.others:
        kinds = ", ".join(f"{count:,} {ending}" for ending, count in found.others.items())
        yield f"other files, not read: {kinds}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _block(lines: Sequence[str]) -> str:
    more = [f"and {len(lines) - SHOWN:,} more: --json lists all"] if len(lines) > SHOWN else []
    return "\n".join(f"  {line}" for line in [*lines[:SHOWN], *more])
