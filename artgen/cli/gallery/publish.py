"""``artgen publish``: make a site of picks and folders of pictures, and send it to its target."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from artgen.cli.arguments.options import JsonOption, RunsOption
from artgen.cli.terminal import messages, plain_text

if TYPE_CHECKING:
    from artgen.events import Emit, Event
    from artgen.gallery.publish.builder import PublishSummary
    from artgen.gallery.publish.plan import Plan


def publish(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN|FOLDER]...", help="Runs, and folders of pictures; by default the last run."
        ),
    ] = None,
    to: Annotated[
        str,
        typer.Option(
            "--to", help="The site's folder, gh-pages[:BRANCH], or an rsync target: user@host:path."
        ),
    ] = "gallery",
    settings: Annotated[
        Path | None, typer.Option("--settings", help="By default gallery.toml in this folder.")
    ] = None,
    templates: Annotated[
        Path | None,
        typer.Option(
            "--templates",
            help="A folder whose templates replace ours; by default templates/ next to gallery.toml.",
        ),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only list what would be done, and why.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Publish every candidate, not only the picks.")
    ] = False,
    originals: Annotated[
        bool | None,
        typer.Option(
            "--originals/--no-originals",
            help="Let visitors download the pictures as they were made; by default they can.",
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Remove other series; accept a folder that artgen did not make, and keep its files.",
        ),
    ] = False,
    title: Annotated[str | None, typer.Option(help="The site's title; by default the series'.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes; by default one per core.")
    ] = None,
    runs: RunsOption = Path("runs"),
    json: JsonOption = False,
) -> None:
    """Make a static site of the picks: a page for each piece, with how it was made."""
    from artgen.api import publishing
    from artgen.events import ignore_event
    from artgen.gallery.publish.builder import plan_publishing

    options: dict[str, Any] = {
        "to": to,
        "settings": settings,
        "templates": templates,
        "all_candidates": everything,
        "originals": originals,
        "title": title,
        "force": force,
        "workers": workers,
        "runs_folder": runs,
    }
    with ExitStack() as progress:
        emit = ignore_event if json else _show_progress_lazily(progress)
        if not plan:
            summary = publishing.publish(sources or (), **options, emit=emit)
        else:
            with publishing.prepare_publishing(sources or (), **options) as request:
                planned = plan_publishing(request, emit)
    if plan:
        _report_plan(planned, json)
        return
    _report(summary, json)
    if summary.problems:
        raise typer.Exit(messages.EXIT_FIXABLE)


def _show_progress_lazily(stack: ExitStack) -> Emit:
    """Show the progress of publishing from the first event; without events the display is never imported."""
    displays: list[Emit] = []

    def emit(event: Event) -> None:
        if not displays:
            from artgen.cli.terminal.progress import show_work_progress

            displays.append(stack.enter_context(show_work_progress("publish")))
        displays[0](event)

    return emit


def _report_plan(plan: Plan, json: bool) -> None:
    """Print what publishing would do (``--plan``); exit with 2 where something would be left out."""
    from artgen.gallery.publish.plan import describe_plan

    if json:
        messages.show_json(
            {
                "make": {piece.work.slug: piece.why for piece in plan.made},
                "keep": [piece.work.slug for piece in plan.works if not piece.why],
                "remove": plan.removed,
                "pages": plan.pages,
                "problems": [str(problem) for problem in plan.problems],
            }
        )
    else:
        typer.echo("\n".join(describe_plan(plan)))
        _print_problems(plan.problems)
    if plan.problems:
        raise typer.Exit(messages.EXIT_FIXABLE)


def _report(summary: PublishSummary, json: bool) -> None:
    """Print what ``artgen publish`` made, as JSON or as the counts and the address of the site."""
    upload = summary.upload
    if json:
        report = {
            "index": str(summary.index),
            "pieces": [str(page) for page in summary.pieces],
            "series": summary.series,
            "made": summary.made,
            "kept": summary.kept,
            "removed": summary.removed,
            "problems": [str(problem) for problem in summary.problems],
        }
        if upload:
            report["sent"] = {"to": upload.target, "changed": upload.changed, "removed": upload.removed}
        messages.show_json(report)
        return
    counts = {"made": len(summary.made), "kept": summary.kept, "removed": len(summary.removed)}
    text = ", ".join(f"{count} {action}" for action, count in counts.items() if count)
    typer.echo(text + ("" if summary.touched else ": nothing changed"), err=True)
    if upload:
        changes = f"{len(upload.changed)} files sent, {len(upload.removed)} removed"
        typer.echo(f"{upload.target}: {changes}", err=True)
    _print_problems(summary.problems)
    typer.echo(str(summary.index))


def _print_problems(problems: tuple[Exception, ...]) -> None:
    """Print on standard error what was left out of the site."""
    for problem in problems:
        typer.echo(str(problem), err=True)
    if problems:
        count = plain_text.count_noun(len(problems), "item")
        typer.echo(f"publish: {count} left out, everything else is published", err=True)
