"""The artist's own templates rendered in a process of their own, which ends when it takes too much.

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
from artgen.gallery.pages.templates import MEND

if TYPE_CHECKING:
    from artgen.gallery.pages.site import Site

SECONDS = 10.0  # of computing for the whole site, and
SECONDS_PER_PIECE = 0.1  # more: a page takes a hundredth of that
MAX_WAIT = 120.0  # seconds without another page, whatever the reason
MAX_MEMORY = 512_000_000  # bytes more than the process has when it begins; known on Linux only


class _TimeUpError(Exception):
    """Rendering took longer than it may."""


def rendered(site: Site, own: Path) -> Iterator[tuple[str, str]]:
    """Each page's path, relative to the site, and its HTML.

    Args:
        site: what hangs in it.
        own: the artist's folder of templates.

    Raises:
        ArtgenError: a template is wrong, or takes more time or memory than a site may; with file and line as
            far as they can be known.
    """
    from multiprocessing import get_context

    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_render, args=(sender, site, own), daemon=True)
    process.start()
    sender.close()
    page = ""
    try:
        while True:
            if not receiver.poll(MAX_WAIT):
                raise ArtgenError(str(own), f"no page for {MAX_WAIT:.0f} s after {page or 'the first'}", MEND)
            kind, *values = receiver.recv()
            if kind == "end":
                return
            if kind == "error":
                raise ArtgenError(*values)
            page, text = values
            yield page, text
    except EOFError:
        process.join()
        late = sys.platform != "win32" and process.exitcode == -signal.SIGXCPU
        found = f"takes longer than {allowed(site)} s" if late else "ends the process that renders it"
        raise ArtgenError(str(own), f"{found}, after {page or 'no page'}", MEND) from None
    finally:
        process.kill()
        process.join()
        receiver.close()


def allowed(site: Site) -> int:
    """How many seconds of computing the pages of a site may take."""
    return math.ceil(SECONDS + SECONDS_PER_PIECE * len(site.pieces))


def _render(sender: Connection, site: Site, own: Path) -> None:
    """Send every page, or the error that it ends with."""
    from artgen.gallery.pages.pages import html
    from artgen.gallery.publish.pool import begin

    begin()
    seconds = allowed(site)
    _limit(seconds)
    pages = html(site, own)
    try:
        while page := _next(pages, seconds):
            sender.send(("page", *page))
        sender.send(("end",))
    except ArtgenError as error:
        sender.send(("error", error.where, error.problem, error.expected, error.command))
    except Exception as error:  # time or memory ran out between two pages
        sender.send(("error", str(own), str(error) or type(error).__name__, MEND))


def _next(pages: Iterator[tuple[str, str]], seconds: int) -> tuple[str, str] | None:
    """Return the next page, unless the process computed too long; on Windows only ``MAX_WAIT`` counts."""
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


def _limit(seconds: int) -> None:
    """Let the system end this process soon after its time is up, and on Linux refuse it more memory."""
    if sys.platform == "win32":
        return
    import resource

    _lower(resource.RLIMIT_CPU, seconds + 2)
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        _lower(resource.RLIMIT_AS, pages * resource.getpagesize() + MAX_MEMORY)


def _lower(limit: int, most: int) -> None:
    import resource

    soft, hard = resource.getrlimit(limit)
    given = [each for each in (soft, hard) if each != resource.RLIM_INFINITY]
    resource.setrlimit(limit, (min([most, *given]), hard))
