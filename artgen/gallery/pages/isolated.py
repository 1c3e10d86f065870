"""Rendering of the artist's own templates in a separate process with limits on time and memory.

The sandbox bounds what a template writes down; this bounds what escapes it: to compare lists that hold others
many times over, for instance, is one step that never ends.
"""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from artgen.errors import ArtgenError
from artgen.gallery.pages.templates import EXPECTED_TEMPLATE
from artgen.subprocesses import hidden_main_module

if TYPE_CHECKING:
    from artgen.gallery.pages.site import Site

SITE_RENDER_SECONDS = 10.0  # of computing for the whole site, and
RENDER_SECONDS_PER_PIECE = 0.1  # more: a page takes a hundredth of that
MAX_PAGE_WAIT_SECONDS = 120.0  # seconds without another page, whatever the reason
MAX_RENDER_MEMORY_BYTES = 512_000_000  # bytes more than the process has when it begins; known on Linux only


class _TimeUpError(Exception):
    """Rendering the artist's templates took longer than it may."""


def render_isolated(site: Site, own_templates: Path) -> Iterator[tuple[str, str]]:
    """Yield the path, relative to the site, and the HTML of each page, rendered in a separate process.

    Args:
        site: what hangs in it.
        own_templates: the artist's folder of templates.

    Raises:
        ArtgenError: a template is wrong, or takes more time or memory than a site may; with file and line as
            far as they can be known.
    """
    from multiprocessing import get_context

    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send_pages, args=(sender, site, own_templates), daemon=True)
    with hidden_main_module():
        process.start()
    sender.close()
    page = ""
    try:
        while True:
            if not receiver.poll(MAX_PAGE_WAIT_SECONDS):
                raise ArtgenError(
                    str(own_templates),
                    f"no page for {MAX_PAGE_WAIT_SECONDS:.0f} s after {page or 'the first'}",
                    EXPECTED_TEMPLATE,
                )
            kind, *values = receiver.recv()
            if kind == "end":
                return
            if kind == "error":
                raise ArtgenError(*values)
            page, text = values
            yield page, text
    except EOFError:
        process.join()
        is_over_time = sys.platform != "win32" and process.exitcode == -signal.SIGXCPU
        problem = (
            f"takes longer than {compute_time_limit(site)} s"
            if is_over_time
            else "ends the process that renders it"
        )
        raise ArtgenError(
            str(own_templates), f"{problem}, after {page or 'no page'}", EXPECTED_TEMPLATE
        ) from None
    finally:
        process.kill()
        process.join()
        receiver.close()


def compute_time_limit(site: Site) -> int:
    """Return how many seconds of CPU time the pages of a site may take."""
    return math.ceil(SITE_RENDER_SECONDS + RENDER_SECONDS_PER_PIECE * len(site.pieces))


def _send_pages(sender: Connection, site: Site, own_templates: Path) -> None:
    """Render the pages in the separate process: send every page, or the error."""
    from artgen.gallery.pages.pages import render_pages
    from artgen.gallery.publish.pool import prepare_worker

    prepare_worker()
    seconds = compute_time_limit(site)
    _limit_resources(seconds)
    pages = render_pages(site, own_templates)
    try:
        while page := _render_next_page(pages, seconds):
            sender.send(("page", *page))
        sender.send(("end",))
    except ArtgenError as error:
        sender.send(("error", error.where, error.problem, error.expected, error.command))
    except Exception as error:  # time or memory ran out between two pages
        sender.send(("error", str(own_templates), str(error) or type(error).__name__, EXPECTED_TEMPLATE))


def _render_next_page(pages: Iterator[tuple[str, str]], seconds: int) -> tuple[str, str] | None:
    """Return the next page from the process, unless it takes too long."""
    if sys.platform == "win32":
        return next(pages, None)

    def end(*_: Any) -> NoReturn:
        raise _TimeUpError(f"takes longer than {seconds} s")

    signal.signal(signal.SIGPROF, end)
    # Again and again: while a template is compiled jinja2 passes over one.
    signal.setitimer(signal.ITIMER_PROF, max(0.01, seconds - time.process_time()), 1.0)
    try:
        return next(pages, None)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _limit_resources(seconds: int) -> None:
    """Limit the CPU time of the process that renders pages, and on Linux its memory."""
    if sys.platform == "win32":
        return
    import resource

    _lower_limit(resource.RLIMIT_CPU, seconds + 2)
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        _lower_limit(resource.RLIMIT_AS, pages * resource.getpagesize() + MAX_RENDER_MEMORY_BYTES)


def _lower_limit(limit: int, maximum: int) -> None:
    import resource

    soft, hard = resource.getrlimit(limit)
    limits = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(limit, (min([maximum, *limits]), hard))
