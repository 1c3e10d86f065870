"""``artgen data``: prepare training images from films and photographs, and check folders."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from artgen.cli.arguments.options import JsonOption
from artgen.cli.arguments.sizes import parse_size, parse_time
from artgen.cli.terminal import messages, plain_text
from artgen.cli.training import data_folders
from artgen.errors import ArtgenError

app = typer.Typer(
    help="Prepare images for training: frames of films, faces, pairs; check a folder.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
Output = Annotated[Path, typer.Option("--output", "-o", help="The folder for the pictures.")]


@app.callback()
def _data(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def frames(
    video: Annotated[list[Path], typer.Argument(metavar="VIDEO...", help="Films.")],
    output: Output,
    every: Annotated[int | None, typer.Option(min=1, help="Each Nth frame; by default one a second.")] = None,
    scenes: Annotated[bool, typer.Option("--scenes", help="One frame where each scene begins.")] = False,
    size: Annotated[str, typer.Option(help="Side in px, or WIDTHxHEIGHT, or `own`.")] = "256",
    fit: Annotated[
        str, typer.Option(help="crop: fill the size; pad: all of it on black; keep: all of it, no bars.")
    ] = "crop",
    most: Annotated[int | None, typer.Option(min=1, help="The most pictures of a film.")] = None,
    start: Annotated[str, typer.Option(help="Start time: seconds, or 1:30, or 0:12:05.")] = "0",
    end: Annotated[str | None, typer.Option(help="End time.")] = None,
    blank: Annotated[bool, typer.Option("--blank", help="Keep black and single-coloured frames.")] = False,
    alike: Annotated[
        bool, typer.Option("--alike", help="Keep frames that look like the last one kept.")
    ] = False,
    bars: Annotated[bool, typer.Option("--bars", help="Keep black bars.")] = False,
    png: Annotated[bool, typer.Option("--png", help="PNG, not JPEG.")] = False,
    json: JsonOption = False,
) -> None:
    """Extract pictures from films; the same command resumes where it stopped."""
    from artgen.cli.terminal.progress import show_work_progress
    from artgen.training.data.crop_pad import FitMode
    from artgen.training.data.frame_selection import FrameOptions
    from artgen.training.data.frames import extract_frames

    if scenes and every is not None:
        raise ArtgenError("--scenes", "used together with --every", "only one of the two")
    modes: dict[str, FitMode] = {"crop": "crop", "pad": "pad", "keep": "keep"}
    if fit not in modes:
        raise ArtgenError(f"--fit {fit}", "unknown mode", ", ".join(modes))
    options = FrameOptions(
        every=every,
        scenes=scenes,
        size=parse_size(size),
        fit=modes[fit],
        most=most,
        start=parse_time(start, "--start"),
        end=None if end is None else parse_time(end, "--end"),
        blank=blank,
        alike=alike,
        bars=bars,
        ending=".png" if png else ".jpg",
    )
    if options.end is not None and options.end <= options.start:
        raise ArtgenError(f"--end {end}", f"not after --start {start}", "a later time")
    reports = []
    for film in video:
        with show_work_progress(film.name) as emit:
            count = extract_frames(film, output, options, emit)
        reports.append({"film": str(film), "folder": str(output), **asdict(count)})
        if not json:
            omitted = f"{count.blank:,} blank, {count.alike:,} like the one before"
            damaged = f"; {count.damaged:,} damaged packets left out" if count.damaged else ""
            typer.echo(
                f"{film.name}: {count.kept:,} pictures in {output}, of {count.seen:,} frames; "
                f"left out {omitted}{damaged}"
            )
    if json:
        messages.show_json(reports)


@app.command()
def faces(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of photographs.")],
    output: Output,
    size: Annotated[int, typer.Option(min=16, max=2048, help="Side of the pictures, px.")] = 256,
    margin: Annotated[
        float, typer.Option(min=1.0, max=4.0, help="How much is shown: 1 is from the brows to the chin.")
    ] = 1.5,
    every: Annotated[
        bool, typer.Option("--all", help="Take every face; otherwise pictures of several are left out.")
    ] = False,
    png: Annotated[bool, typer.Option("--png", help="PNG, not JPEG.")] = False,
    json: JsonOption = False,
) -> None:
    """Crop faces from photographs, upright and of one size; the same command resumes where it stopped."""
    from artgen.cli.terminal.progress import show_work_progress
    from artgen.training.data.faces import FaceOptions, extract_faces

    options = FaceOptions(size=size, margin=margin, every=every, ending=".png" if png else ".jpg")
    with show_work_progress("faces") as emit:
        outcomes = extract_faces(folder, output, options, emit)
    skipped = [outcome for outcome in outcomes if outcome.skipped]
    count = sum(len(outcome.faces) for outcome in outcomes)
    if json:
        report = {"folder": str(output), "pictures": len(outcomes), "faces": count}
        messages.show_json(report | {"outcomes": [asdict(outcome) for outcome in outcomes]})
    else:
        for outcome in skipped:
            typer.echo(f"skipped {outcome.file}: {outcome.skipped}")
        totals = f"{plain_text.count_noun(count, 'face')} of {len(outcomes):,} pictures in {output}"
        typer.echo(f"{totals}; {len(skipped):,} pictures skipped")
    if not count:
        raise typer.Exit(messages.EXIT_FIXABLE)


app.command()(data_folders.pairs)
app.command()(data_folders.check)
