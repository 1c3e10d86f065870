"""``artgen pick``: which candidates the artist keeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from artgen.cli import messages
from artgen.cli.numbers import LARGEST, numbers
from artgen.errors import ArtgenError

if TYPE_CHECKING:
    from artgen.runs.store import Run

Json = Annotated[bool, typer.Option("--json", help="Report as one JSON document.")]
Runs = Annotated[Path, typer.Option("--runs", help="The folder that holds the runs.")]


def pick(
    run: Annotated[
        str | None, typer.Argument(help="A run's name, its beginning, or its folder.", show_default=False)
    ] = None,
    candidates: Annotated[
        list[str] | None, typer.Argument(help="Numbers, such as 3 7-9.", show_default=False)
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Take them back instead.")] = False,
    from_: Annotated[
        Path | None, typer.Option("--from", help="picks.json as the contact sheet exports it: all picks.")
    ] = None,
    runs: Runs = Path("runs"),
    json: Json = False,
) -> None:
    """Keep candidates for the gallery."""
    from artgen.curation.sheet import SHEET, write_sheet
    from artgen.runs.store import Run, find_run

    if (from_ is None) == (not candidates) or (from_ is not None and off) or not (run or from_):
        right = "give a run and numbers, or --from picks.json"
        raise ArtgenError("pick", "nothing to pick, or too much", right, "artgen pick RUN 3 7 12")
    name, wanted = _picks(from_) if from_ else ("", numbers(",".join(candidates or []), "pick"))
    with Run.open(find_run(run or name, runs)) as opened:
        if from_ and opened.name != name:
            right = f"export them on the sheet of {opened.name}"
            right += f", or leave out {run} to pick in {name}" if run else ""
            raise ArtgenError(str(from_), f"these are picks of {name}, not of {opened.name}", right)
        before = {candidate.index for candidate in opened.picks()}
        changes = dict.fromkeys(wanted, not off)
        if from_:
            changes |= dict.fromkeys(sorted(before - set(wanted)), False)
        for index in changes:
            opened.candidate(index)  # all of them or none
        for index, on in changes.items():
            if (index in before) != on:
                opened.pick(index, on)
        if changes and (opened.folder / SHEET).exists():
            write_sheet(opened)  # so that a reload shows what the run knows
        picked = [candidate.index for candidate in opened.picks()]
        _say_picked(opened, picked, json)


def _say_picked(opened: Run, picked: list[int], json: bool) -> None:
    if json:
        messages.show_json({"run": opened.name, "picked": picked})
        return
    count = f"{len(picked)} pick{'' if len(picked) == 1 else 's'}"
    typer.echo(f"{opened.name}: {count}" + (f": {', '.join(map(str, picked))}" if picked else ""))


def _picks(file: Path) -> tuple[str, list[int]]:
    import json

    try:
        content = json.loads(file.read_bytes())
        name, picks = content["run"], content["picks"]
    except OSError as error:
        raise ArtgenError(str(file), f"cannot be read ({error.strerror or error})") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        name, picks = None, None
    sound = isinstance(name, str) and isinstance(picks, list) and name and not set(name) & set("/\\\0")
    if not sound or not all(type(number) is int and 0 < number <= LARGEST for number in picks or []):
        raise ArtgenError(str(file), "no picks of a contact sheet", "export them on the sheet again")
    return str(name), list(dict.fromkeys(picks or []))
