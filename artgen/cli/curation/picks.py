"""``artgen pick``: which candidates the artist keeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from artgen.cli.arguments.candidate_numbers import parse_candidate_numbers
from artgen.cli.arguments.options import JsonOption, RunsOption
from artgen.cli.terminal import messages, plain_text
from artgen.errors import ArtgenError

if TYPE_CHECKING:
    from artgen.curation.export.picks import PicksFile
    from artgen.runs.history import DecisionChange
    from artgen.runs.store import Run


def pick(
    run: Annotated[str | None, typer.Argument(help="A run's name, its beginning, or its folder.")] = None,
    candidates: Annotated[list[str] | None, typer.Argument(help="Numbers, such as 3 7-9.")] = None,
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
        expected = "give a run and numbers, or --from picks.json"
        raise ArtgenError("pick", "nothing to pick, or too much", expected, "artgen pick RUN 3 7 12")
    if from_ is not None:
        from artgen.curation.export.picks import read_picks

        picks = read_picks(from_)
        with Run.open(find_run_folder(run or picks.run, runs)) as opened:
            _check_run(opened, picks, from_, run)
            _decide(opened, picks.changes(opened.candidates()))
            _report_picks(opened, json)
        return
    numbers = parse_candidate_numbers(",".join(candidates or []), "pick")
    with Run.open(find_run_folder(run, runs)) as opened:
        _mark_candidates(opened, numbers, not off)
        _report_picks(opened, json)


def _mark_candidates(run: Run, numbers: list[int], on: bool) -> None:
    """Keep candidates of a run, or with ``on`` false take that back; an unknown number changes nothing."""
    from artgen.runs.history import KEPT_MARK, DecisionChange

    candidates = [run.candidate(number) for number in numbers]  # raises before anything is decided
    mark = KEPT_MARK if on else None
    _decide(run, [DecisionChange(one.index, "mark", mark) for one in candidates if one.picked != on])


def _decide(run: Run, changes: list[DecisionChange]) -> None:
    from artgen.runs.decisions import current_user_name

    if changes:
        run.decisions.decide(changes, author=current_user_name(), view="command")


def _report_picks(run: Run, json: bool) -> None:
    picked = [candidate.index for candidate in run.picks()]
    numbers = f": {', '.join(map(str, picked))}" if picked else ""
    text = f"{run.name}: {plain_text.count_noun(len(picked), 'pick')}{numbers}"
    messages.show_result({"run": run.name, "picked": picked}, text, json=json)


def _check_run(opened: Run, picks: PicksFile, file: Path, run_argument: str | None) -> None:
    """Refuse ``picks.json`` that was exported on the sheet of another run."""
    if opened.name != picks.run:
        expected = f"export them on the sheet of {opened.name}"
        expected += f", or leave out {run_argument} to pick in {picks.run}" if run_argument else ""
        raise ArtgenError(str(file), f"these are picks of {picks.run}, not of {opened.name}", expected)
