"""``artgen data``: from films, photographs and folders to material that a training can use."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from artgen.cli.arguments.options import JsonOption
from artgen.cli.arguments.sizes import parse_size, parse_time
from artgen.cli.terminal import messages
from artgen.cli.training import data_folders
from artgen.errors import ArtgenError

app = typer.Typer(
    help="Prepare images for training: frames of films, faces, pairs; check a folder.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
Output = Annotated[
    Path, typer.Option("--output", "-o", help="The folder for the pictures.", show_default=False)
]


@app.callback()
def _data(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def frames(
    video: Annotated[list[Path], typer.Argument(metavar="VIDEO...", help="Films.", show_default=False)],
    output: Output,
    every: Annotated[
        int | None,
        typer.Option(min=1, help="Each Nth frame; by default one a second.", show_default=False),
    ] = None,
    scenes: Annotated[bool, typer.Option("--scenes", help="One frame where each scene begins.")] = False,
    size: Annotated[str, typer.Option(help="Side in px, or WIDTHxHEIGHT, or `own`.")] = "256",
    fit: Annotated[
        str, typer.Option(help="crop: fill the size; pad: all of it on black; keep: all of it, no bars.")
    ] = "crop",
    most: Annotated[int | None, typer.Option(min=1, help="At most so many.", show_default=False)] = None,
    start: Annotated[str, typer.Option(help="From here: seconds, or 1:30, or 0:12:05.")] = "0",
    end: Annotated[str | None, typer.Option(help="To here.", show_default=False)] = None,
    blank: Annotated[bool, typer.Option("--blank", help="Keep black and one-coloured frames.")] = False,
    alike: Annotated[
        bool, typer.Option("--alike", help="Keep frames that look like the last one kept.")
    ] = False,
    bars: Annotated[bool, typer.Option("--bars", help="Keep black bars.")] = False,
    png: Annotated[bool, typer.Option("--png", help="PNG, not JPEG.")] = False,
    json: JsonOption = False,
) -> None:
    """Take pictures out of films; the same command goes on where it stopped."""
    from artgen.cli.terminal.data_progress import show_work_progress
    from artgen.training.data.crop_pad import FitMode
    from artgen.training.data.frame_selection import FrameOptions
    from artgen.training.data.frames import extract_frames

    if scenes and every is not None:
        raise ArtgenError("--scenes", "given together with --every", "one of the two")
    ways: dict[str, FitMode] = {"crop": "crop", "pad": "pad", "keep": "keep"}
    if fit not in ways:
        raise ArtgenError(f"--fit {fit}", "no such way", ", ".join(ways))
    wish = FrameOptions(
        every=every,
        scenes=scenes,
        size=parse_size(size),
        fit=ways[fit],
        most=most,
        start=parse_time(start, "--start"),
        end=None if end is None else parse_time(end, "--end"),
        blank=blank,
        alike=alike,
        bars=bars,
        ending=".png" if png else ".jpg",
    )
    if wish.end is not None and wish.end <= wish.start:
        raise ArtgenError(f"--end {end}", f"not after --start {start}", "a later moment")
    reports = []
    for film in video:
        with show_work_progress(film.name) as emit:
            count = extract_frames(film, output, wish, emit)
        reports.append({"film": str(film), "folder": str(output), **asdict(count)})
        if not json:
            left = [f"{count.blank:,} blank", f"{count.alike:,} like the one before"]
            hurt = f"; {count.damaged:,} damaged packets left out" if count.damaged else ""
            typer.echo(
                f"{film.name}: {count.kept:,} pictures in {output}, of {count.seen:,} frames; "
                f"left out {', '.join(left)}{hurt}"
            )
    if json:
        messages.show_json(reports)


@app.command()
def faces(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder of photographs.", show_default=False)
    ],
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
    """Cut faces out of photographs, upright and of one size; the same command goes on where it stopped."""
    from artgen.cli.terminal.data_progress import show_work_progress
    from artgen.training.data.faces import FaceOptions, extract_faces

    wish = FaceOptions(size=size, margin=margin, every=every, ending=".png" if png else ".jpg")
    with show_work_progress("faces") as emit:
        outcomes = extract_faces(folder, output, wish, emit)
    skipped = [outcome for outcome in outcomes if outcome.skipped]
    count = sum(len(outcome.faces) for outcome in outcomes)
    if json:
        report = {"folder": str(output), "pictures": len(outcomes), "faces": count}
        messages.show_json(report | {"outcomes": [asdict(outcome) for outcome in outcomes]})
    else:
        for outcome in skipped:
            typer.echo(f"skipped {outcome.file}: {outcome.skipped}")
        many = f"{count:,} face{'' if count == 1 else 's'}"
        typer.echo(f"{many} of {len(outcomes):,} pictures in {output}; {len(skipped):,} pictures skipped")
    if not count:
        raise typer.Exit(messages.EXIT_FIXABLE)


app.command()(data_folders.pairs)
app.command()(data_folders.check)
