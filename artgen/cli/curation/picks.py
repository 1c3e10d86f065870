"""``artgen pick``: which candidates the artist keeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from artgen.cli.arguments.candidate_numbers import parse_candidate_numbers
from artgen.cli.arguments.options import JsonOption, RunsOption
from artgen.cli.terminal import messages
from artgen.errors import ArtgenError

if TYPE_CHECKING:
    from artgen.curation.export.picks import PicksFile
    from artgen.runs.history import DecisionChange
    from artgen.runs.store import Run


def pick(
    run: Annotated[
        str | None, typer.Argument(help="A run's name, its beginning, or its folder.", show_default=False)
    ] = None,
    candidates: Annotated[
        list[str] | None, typer.Argument(help="Numbers, such as 3 7-9.", show_default=False)
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Take them back instead.")] = False,
    from_: Annotated[
        Path | None, typer.Option("--from", help="picks.json from a mailed contact sheet: all its decisions.")
    ] = None,
    runs: RunsOption = Path("runs"),
    json: JsonOption = False,
) -> None:
    """Keep candidates for the gallery."""
    from artgen.runs.store import Run, find_run_folder

    if (from_ is None) == (not candidates) or (from_ is not None and off) or not (run or from_):
        right = "give a run and numbers, or --from picks.json"
        raise ArtgenError("pick", "nothing to pick, or too much", right, "artgen pick RUN 3 7 12")
    if from_ is not None:
        picks = _picks(from_)
        with Run.open(find_run_folder(run or picks.run, runs)) as opened:
            _check_run(opened, picks, from_, run)
            _decide(opened, picks.changes(opened.candidates()))
            _say_picked(opened, json)
        return
    wanted = parse_candidate_numbers(",".join(candidates or []), "pick")
    with Run.open(find_run_folder(run, runs)) as opened:
        _keep(opened, wanted, not off)
        _say_picked(opened, json)


def _keep(run: Run, wanted: list[int], on: bool) -> None:
    from artgen.runs.history import KEPT_MARK, DecisionChange

    chosen = [run.candidate(index) for index in wanted]  # all of them or none
    mark = KEPT_MARK if on else None
    _decide(run, [DecisionChange(one.index, "mark", mark) for one in chosen if one.picked != on])


def _decide(run: Run, changes: list[DecisionChange]) -> None:
    from artgen.runs.decisions import current_user_name

    if changes:
        run.decisions.decide(changes, author=current_user_name(), view="command")


def _say_picked(run: Run, json: bool) -> None:
    picked = [candidate.index for candidate in run.picks()]
    if json:
        messages.show_json({"run": run.name, "picked": picked})
        return
    count = f"{len(picked)} pick{'' if len(picked) == 1 else 's'}"
    typer.echo(f"{run.name}: {count}" + (f": {', '.join(map(str, picked))}" if picked else ""))


def _picks(file: Path) -> PicksFile:
    from artgen.curation.export.picks import read_picks

    return read_picks(file)


def _check_run(opened: Run, picks: PicksFile, file: Path, named: str | None) -> None:
    if opened.name != picks.run:
        right = f"export them on the sheet of {opened.name}"
        right += f", or leave out {named} to pick in {picks.run}" if named else ""
        raise ArtgenError(str(file), f"these are picks of {picks.run}, not of {opened.name}", right)
