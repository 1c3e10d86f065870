"""``artgen data pairs`` and ``check``: compare and inspect folders of training images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from artgen.cli.arguments.options import JsonOption
from artgen.cli.terminal import messages
from artgen.cli.terminal.plain_text import count_noun
from artgen.errors import ArtgenError, artgen_command

if TYPE_CHECKING:
    from artgen.training.data.check import FolderFindings
    from artgen.training.data.pairs import FolderComparison

MAX_SHOWN_FILE_NAMES = 10


def pairs(
    a: Annotated[Path, typer.Argument(metavar="A", help="Inputs: sketches.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Targets: paintings.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write copies of one size to OUT/a and OUT/b.")
    ] = None,
    matched: Annotated[
        bool, typer.Option("--matched", help="Accept unmatched images: list them, and use the pairs.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Compare two folders of the same scenes, image by image, by their names without suffix."""
    if output is not None and any(output.resolve().is_relative_to(f.resolve()) for f in (a, b)):
        raise ArtgenError(f"--output {output}", "is inside a folder that is compared", "another folder")
    from artgen.cli.terminal.progress import show_work_progress
    from artgen.training.data.pairs import compare_folders, write_aligned_pairs

    with show_work_progress("pairs") as emit:
        comparison = compare_folders(a, b, emit)
    has_errors = bool(comparison.mismatches) and not matched
    report: dict[str, Any] = asdict(comparison) | {"mismatches": comparison.mismatches, "output": None}
    if not json:
        _print_comparison(comparison, a, b)
    if output is not None and not comparison.pairs:
        raise ArtgenError(f"{a}, {b}", "no pairs to write", "the same names in both, whatever their suffixes")
    if output is not None and not has_errors:
        with show_work_progress("pairs") as emit:
            written_count = write_aligned_pairs(comparison.pairs, output, emit)
        report |= {"output": str(output), "written": written_count}
        if not json:
            folders = ["--inputs", output / "a", "--data", output / "b"]
            train_command = artgen_command("train", "RECIPE.toml", *folders)
            typer.echo(
                f"{count_noun(len(comparison.pairs), 'pair')} in {output}, {written_count:,} written now\n"
                f"Next: {train_command}"
            )
    if json:
        messages.show_json(report)
    if has_errors:
        consequence = "; nothing written" if output else ""
        typer.echo(f"{comparison.mismatches:,} to correct{consequence} (--matched leaves them out)", err=True)
        raise typer.Exit(messages.EXIT_FIXABLE)


def _print_comparison(comparison: FolderComparison, a: Path, b: Path) -> None:
    """Print the number of pairs, and the images that have no partner or do not fit it."""
    unequal = sum(not pair.same for pair in comparison.pairs)
    sizes = f", {unequal:,} of them of two sizes" if unequal else ""
    typer.echo(f"{count_noun(len(comparison.pairs), 'pair')}{sizes}")
    for description, names in (
        (f"only in {a}", comparison.only_a),
        (f"only in {b}", comparison.only_b),
        ("whose name occurs twice", comparison.repeated),
        ("of different proportions", comparison.bent),
        ("that cannot be read", comparison.unreadable),
    ):
        if names:
            typer.echo(f"{len(names):,} {description}:\n{_indent_names(names)}")


def check(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders, taken as one set.")],
    json: JsonOption = False,
) -> None:
    """Report what folders of images hold: counts, sizes, corrupt files, near-duplicates."""
    from artgen.cli.terminal.progress import show_work_progress
    from artgen.training.data.check import check_folders

    with show_work_progress("check") as emit:
        findings = check_folders(folders, emit)
    report = asdict(findings) | {"folders": [str(folder) for folder in folders]}
    messages.show_result(report, "\n".join(_summarise_findings(findings)), json=json)
    if findings.corrupt:
        raise typer.Exit(messages.EXIT_FIXABLE)


def _summarise_findings(findings: FolderFindings) -> Iterator[str]:
    """Yield the lines that ``artgen data check`` prints."""
    kinds = ", ".join(f"{count:,} {name}" for name, count in findings.formats.items())
    yield f"{count_noun(findings.images, 'image')}, {findings.bytes / 1e6:,.1f} MB{kinds and ': '}{kinds}"
    if findings.sizes:
        smallest, median, largest = (f"{width} x {height}" for width, height in findings.sizes)
        yield f"{smallest} to {largest} px, median {median}"
    if findings.corrupt:
        reasons = [f"{name}: {reason}" for name, reason in findings.corrupt.items()]
        yield f"{len(reasons):,} corrupt, left out by a training:\n{_indent_names(reasons)}"
    for names, description in (
        (findings.tiny, "smaller than 256 px: enlarged for most recipes, so blurred"),
        (findings.grey, "grey: colours will come out pale, or grey if all are"),
        (findings.transparent, "transparent: a training sees white there"),
        (findings.cmyk, "CMYK: converted, with the profile where there is one"),
        (findings.animated, "of several frames or pages: a training sees the first"),
        (findings.turned, "turned by EXIF: a training sees them upright"),
    ):
        if names:
            yield f"{len(names):,} {description}, such as {names[0]}"
    if findings.duplicates:
        groups, largest_group = findings.duplicates, findings.duplicates[0]
        repeats = sum(len(group) - 1 for group in groups)
        examples = ", ".join(largest_group[:5]) + (", ..." if len(largest_group) > 5 else "")
        yield (
            f"{count_noun(repeats, 'near-duplicate')} of {count_noun(len(groups), 'image')}; "
            f"the largest group, {len(largest_group):,}: {examples}"
        )
    if findings.others:
        kinds = ", ".join(f"{count:,} {ending}" for ending, count in findings.others.items())
        yield f"other files, not read: {kinds}"


def _indent_names(lines: Sequence[str]) -> str:
    """Return indented lines of file names, the first ``MAX_SHOWN_FILE_NAMES`` and how many others."""
    omitted = (
        [f"and {len(lines) - MAX_SHOWN_FILE_NAMES:,} more: --json lists all"]
        if len(lines) > MAX_SHOWN_FILE_NAMES
        else []
    )
    return "\n".join(f"  {line}" for line in [*lines[:MAX_SHOWN_FILE_NAMES], *omitted])
