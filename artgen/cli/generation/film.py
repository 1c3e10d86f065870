"""``artgen film``: the candidates of a run as the frames of a film."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from artgen.cli.arguments.options import JsonOption, RunArgument, RunsOption
from artgen.cli.terminal import messages
from artgen.errors import ArtgenError, artgen_command


def film(
    run: RunArgument = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The film; by default film.mp4 in the run's folder.")
    ] = None,
    fps: Annotated[float, typer.Option(min=1, max=120, help="Frames a second.")] = 24.0,
    picks: Annotated[bool, typer.Option("--picks", help="Only the picked candidates.")] = False,
    times: Annotated[
        int, typer.Option("--enlarge", min=1, max=16, help="How many times larger than the pictures.")
    ] = 1,
    runs: RunsOption = Path("runs"),
    json: JsonOption = False,
) -> None:
    """Make a film of a run: a candidate is a frame. Walks of a generator are meant for it."""
    from artgen.cli.terminal.progress import show_work_progress
    from artgen.runs.film import write_film
    from artgen.runs.store import Run, find_run_folder

    with Run.open(find_run_folder(run, runs)) as opened:
        # Variations come after the last frame: they are in a film only when somebody picked them.
        originals = [candidate for candidate in opened.candidates() if candidate.variation_of is None]
        candidates = opened.picks() if picks else originals
        walk_length = None if picks else opened.walk_length
        name, path = opened.name, output or opened.folder / "film.mp4"
    if not candidates:
        command = artgen_command("pick", name, 3, "7-9") if picks else "artgen run RECIPE"
        raise ArtgenError(f"run {name}", "no picks" if picks else "no candidates yet", command=command)
    with show_work_progress(path.name) as emit:
        width, height = write_film(candidates, path, fps=fps, scale=times, emit=emit)
    seconds = len(candidates) / fps
    report = {"run": name, "film": str(path), "frames": len(candidates), "seconds": round(seconds, 3)}
    report |= {"width": width, "height": height, "fps": fps}
    text = f"{path}: {len(candidates)} frames of {width} x {height} px, {seconds:.1f} s"
    if walk_length is not None and len(candidates) % walk_length:
        command = artgen_command("run", "RECIPE", "-n", walk_length)
        text += (
            f"\nIt ends before the walk's {walk_length} frames are complete, so it does not loop: {command}"
        )
    messages.show_result(report, text, json=json)
