"""``artgen publish``: make a site of picks and folders of pictures, and send it to its target."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from artgen.cli.arguments.options import JsonOption, RunsOption
from artgen.cli.terminal import messages, plain_text

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
            metavar="[RUN|FOLDER]...", help="Runs, and folders of pictures; by default the last run."
        ),
    ] = None,
    to: Annotated[
        str,
        typer.Option(
            "--to", help="The site's folder, gh-pages[:BRANCH], or an rsync target: user@host:path."
        ),
    ] = str(SITE),
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
    from artgen.events import ignore_event
    from artgen.gallery.deploy.targets import check_target, is_remote_target
    from artgen.gallery.pages.templates import find_own_templates
    from artgen.gallery.publish.builder import PublishRequest, plan_publishing
    from artgen.gallery.works.settings import load_settings

    changes: dict[str, Any] = {"title": title, "originals": originals}
    site_settings = load_settings(
        settings, **{name: value for name, value in changes.items() if value is not None}
    )
    is_remote = is_remote_target(to)
    site = SITE if is_remote else Path(to)
    check_target(SITE, to)
    with ExitStack() as stack:
        opened = _open_sources(sources or [], runs, stack)
        if not sources and not force:
            _refuse_removal(opened, site, runs, to)
        order = PublishRequest(
            opened,
            site,
            site_settings,
            find_own_templates(
                templates, site_settings.folder if settings else _settings_folder(site_settings, opened)
            ),
            everything,
            force,
            workers,
        )
        if plan:
            with ExitStack() as progress:
                planned = plan_publishing(order, ignore_event if json else _show_progress_lazily(progress))
            _report_plan(planned, json)
            return
        summary, upload = _publish(order, to if is_remote else None, json)
    _report(summary, upload, json)
    if summary.problems:
        raise typer.Exit(messages.EXIT_FIXABLE)


def _open_sources(references: Sequence[str | None], root: Path, stack: ExitStack) -> list[Run | Path]:
    """Open the runs and list the folders of pictures that the arguments name, without duplicates."""
    sources: dict[Path, Run | Path] = {}
    for reference in references or (None,):
        path = Path(reference) if reference else None
        if path is not None and path.exists() and not _is_run(path):
            sources.setdefault(path.resolve(), path)
            continue
        from artgen.runs.store import Run, find_run_folder

        folder = find_run_folder(reference, root).resolve()
        if folder not in sources:
            sources[folder] = stack.enter_context(Run.open(folder))
    return list(sources.values())


def _refuse_removal(opened: list[Run | Path], site: Path, root: Path, to: str) -> None:
    """Refuse to publish the last run alone onto a site that shows other series, which would be removed."""
    import shlex

    from artgen.errors import ArtgenError
    from artgen.gallery.publish import manifest
    from artgen.gallery.works import slugs

    requested = {slugs.slugify(run.name): run.name for run in opened if not isinstance(run, Path)}
    series = manifest.read_manifest(site.expanduser()).series
    others = [slug for slug in series if slug not in requested]
    if not others:
        return
    names = {
        slugs.slugify(folder.name): folder.name for folder in root.iterdir() if folder.is_dir()
    } | requested
    arguments = [names.get(slug, slug) for slug in dict.fromkeys([*series, *requested])]
    target = "" if to == str(SITE) else f" --to {shlex.quote(to)}"
    raise ArtgenError(
        str(site),
        f"also shows {', '.join(names.get(slug, slug) for slug in others)}, which would be removed",
        "name them too, or --force",
        f"artgen publish {shlex.join(arguments)}{target}",
    )


def _is_run(folder: Path) -> bool:
    return (folder / "run.db").is_file() or (folder / "recipe.toml").is_file()


def _settings_folder(settings: SiteSettings, sources: list[Run | Path]) -> Path | None:
    """Return the folder of the ``gallery.toml`` that was read, or None where it is the folder of a run."""
    runs = {source.folder.resolve() for source in sources if not isinstance(source, Path)}
    folder = settings.folder
    return None if folder is None or folder.resolve() in runs else folder


def _publish(order: PublishRequest, to: str | None, json: bool) -> tuple[PublishSummary, UploadResult | None]:
    """Build the site, and send it to a remote target where one is named."""
    from artgen.events import ignore_event
    from artgen.gallery.publish.builder import publish_site as build

    with ExitStack() as stack:
        emit = ignore_event if json else _show_progress_lazily(stack)
        summary = build(order, emit)
        if to is None:
            return summary, None
        from artgen.gallery.deploy.targets import send_site

        return summary, send_site(order.target, to, emit, force=order.force)


def _show_progress_lazily(stack: ExitStack) -> Emit:
    """Show the progress of publishing from the first event; without events the display is never imported."""
    displays: list[Emit] = []

    def emit(event: Event) -> None:
        if not displays:
            from artgen.cli.terminal.data_progress import show_work_progress

            displays.append(stack.enter_context(show_work_progress("publish")))
        displays[0](event)

    return emit


def _report_plan(plan: Plan, json: bool) -> None:
    """Print what publishing would do; exit with 2 where something would be left out."""
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


def _report(summary: PublishSummary, upload: UploadResult | None, json: bool) -> None:
    """Print what was published, as JSON or as the counts and the address of the site."""
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
