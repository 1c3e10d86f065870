"""``artgen publish``: picks, and folders of pictures, become a site; the site goes where it is asked to."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from artgen.cli.arguments.options import JsonOption, RunsOption
from artgen.cli.terminal import messages

if TYPE_CHECKING:
    from artgen.events import Emit, Event
    from artgen.gallery.deploy.upload_set import UploadResult
    from artgen.gallery.publish.builder import PublishRequest, PublishSummary
    from artgen.gallery.publish.plan import Plan
    from artgen.gallery.works.settings import SiteSettings
    from artgen.runs.store import Run

SITE = Path("gallery")


def publish(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN|FOLDER]...",
            help="Runs, and folders of pictures; by default the last run.",
            show_default=False,
        ),
    ] = None,
    to: Annotated[
        str,
        typer.Option(
            "--to", help="The site's folder, gh-pages[:BRANCH], or an rsync target: user@host:path."
        ),
    ] = str(SITE),
    settings: Annotated[
        Path | None,
        typer.Option("--settings", help="By default gallery.toml in this folder.", show_default=False),
    ] = None,
    templates: Annotated[
        Path | None,
        typer.Option(
            "--templates",
            help="A folder whose templates replace ours; by default templates/ next to gallery.toml.",
            show_default=False,
        ),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would be done, and why.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Publish every candidate, not only the picks.")
    ] = False,
    originals: Annotated[
        bool | None,
        typer.Option(
            "--originals/--no-originals",
            help="Let visitors download the pictures as they were made; by default they can.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Take other series off the site, and a folder that artgen did not make; its files stay.",
        ),
    ] = False,
    title: Annotated[
        str | None, typer.Option(help="The site's title; by default the series'.", show_default=False)
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes; by default one a core.", show_default=False)
    ] = None,
    runs: RunsOption = Path("runs"),
    json: JsonOption = False,
) -> None:
    """Make a static site of the picks: a page for each piece, with how it was made."""
    from artgen.events import ignore_event
    from artgen.gallery.deploy.targets import check_target, is_remote_target
    from artgen.gallery.pages.templates import find_own_templates
    from artgen.gallery.publish.builder import PublishRequest, plan_publishing
    from artgen.gallery.works.settings import load_settings

    changes: dict[str, Any] = {"title": title, "originals": originals}
    said = load_settings(settings, **{name: value for name, value in changes.items() if value is not None})
    elsewhere = is_remote_target(to)
    check_target(SITE, to)
    with ExitStack() as stack:
        opened = _opened(sources or [], runs, stack)
        if not sources and not force:
            _refuse_to_take_off(opened, SITE if elsewhere else Path(to), runs, to)
        order = PublishRequest(
            opened,
            SITE if elsewhere else Path(to),
            said,
            find_own_templates(templates, said.folder if settings else _working_folder(said, opened)),
            everything,
            force,
            workers,
        )
        if plan:
            with ExitStack() as shown:
                planned = plan_publishing(order, ignore_event if json else _when_needed(shown))
            _tell_plan(planned, json)
            return
        summary, sent = _publish(order, to if elsewhere else None, json)
    _tell(summary, sent, json)
    if summary.problems:
        raise typer.Exit(messages.EXIT_FIXABLE)


def _opened(named: Sequence[str | None], root: Path, stack: ExitStack) -> list[Run | Path]:
    """List runs by name and folders of pictures by their path; each once."""
    found: dict[Path, Run | Path] = {}
    for name in named or (None,):
        place = Path(name) if name else None
        if place is not None and place.exists() and not _is_run(place):
            found.setdefault(place.resolve(), place)
            continue
        from artgen.runs.store import Run, find_run_folder

        folder = find_run_folder(name, root).resolve()
        if folder not in found:
            found[folder] = stack.enter_context(Run.open(folder))
    return list(found.values())


def _refuse_to_take_off(opened: list[Run | Path], site: Path, root: Path, to: str) -> None:
    """No name means the last run alone; it does not mean that a site's other series go."""
    import shlex

    from artgen.errors import ArtgenError
    from artgen.gallery.publish import manifest
    from artgen.gallery.works import slugs

    meant = {slugs.slugify(run.name): run.name for run in opened if not isinstance(run, Path)}
    shown = manifest.read_manifest(site.expanduser()).series
    others = [slug for slug in shown if slug not in meant]
    if not others:
        return
    names = {slugs.slugify(place.name): place.name for place in root.iterdir() if place.is_dir()} | meant
    said = [names.get(slug, slug) for slug in dict.fromkeys([*shown, *meant])]
    target = "" if to == str(SITE) else f" --to {shlex.quote(to)}"
    raise ArtgenError(
        str(site),
        f"also shows {', '.join(names.get(slug, slug) for slug in others)}, which would be taken off",
        "name them too, or --force",
        f"artgen publish {shlex.join(said)}{target}",
    )


def _is_run(place: Path) -> bool:
    return (place / "run.db").is_file() or (place / "recipe.toml").is_file()


def _working_folder(settings: SiteSettings, sources: list[Run | Path]) -> Path | None:
    """Return the folder of the ``gallery.toml`` there, unless it is a run's own folder."""
    runs = {source.folder.resolve() for source in sources if not isinstance(source, Path)}
    folder = settings.folder
    return None if folder is None or folder.resolve() in runs else folder


def _publish(order: PublishRequest, to: str | None, json: bool) -> tuple[PublishSummary, UploadResult | None]:
    from artgen.events import ignore_event
    from artgen.gallery.publish.builder import publish_site as build

    with ExitStack() as stack:
        emit = ignore_event if json else _when_needed(stack)
        summary = build(order, emit)
        if to is None:
            return summary, None
        from artgen.gallery.deploy.targets import send_site

        return summary, send_site(order.target, to, emit, force=order.force)


def _when_needed(stack: ExitStack) -> Emit:
    """Show events; where nothing changed there are none, and nothing is loaded to show them."""
    shown: list[Emit] = []

    def emit(event: Event) -> None:
        if not shown:
            from artgen.cli.terminal.data_progress import show_work_progress

            shown.append(stack.enter_context(show_work_progress("publish")))
        shown[0](event)

    return emit


def _tell_plan(plan: Plan, json: bool) -> None:
    from artgen.gallery.publish.plan import describe_plan

    if json:
        messages.show_json(
            {
                "make": {each.work.slug: each.why for each in plan.made},
                "keep": [each.work.slug for each in plan.works if not each.why],
                "remove": plan.removed,
                "pages": plan.pages,
                "problems": [str(problem) for problem in plan.problems],
            }
        )
    else:
        typer.echo("\n".join(describe_plan(plan)))
        _complain(plan.problems)
    if plan.problems:
        raise typer.Exit(messages.EXIT_FIXABLE)


def _tell(summary: PublishSummary, sent: UploadResult | None, json: bool) -> None:
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
        if sent:
            report["sent"] = {"to": sent.target, "changed": sent.changed, "removed": sent.removed}
        messages.show_json(report)
        return
    done = [
        f"{len(summary.made)} made" if summary.made else "",
        f"{summary.kept} kept" if summary.kept else "",
    ]
    done += [f"{len(summary.removed)} removed" if summary.removed else ""]
    typer.echo(", ".join(filter(None, done)) + ("" if summary.touched else ": nothing changed"), err=True)
    if sent:
        typer.echo(f"{sent.target}: {len(sent.changed)} files sent, {len(sent.removed)} removed", err=True)
    _complain(summary.problems)
    typer.echo(str(summary.index))


def _complain(problems: tuple[Exception, ...]) -> None:
    for problem in problems:
        typer.echo(str(problem), err=True)
    if problems:
        count = len(problems)
        typer.echo(f"publish: {count} thing{'s' if count > 1 else ''} left out, the rest published", err=True)
