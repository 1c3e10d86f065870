"""Works made by several processes: a picture that brings one down takes no other with it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError
from artgen.events import Emit, WorkProgress
from artgen.subprocesses import count_usable_cores

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

    from artgen.gallery.media.render import RenderedArtwork, RenderTask

Result = tuple["RenderTask", "RenderedArtwork | ArtgenError"]
Said = tuple[str, str, str, str]  # an ArtgenError between processes: exceptions of several arguments get lost


def rendered(
    tasks: Sequence[RenderTask], site: Path, emit: Emit, workers: int | None = None
) -> Iterator[Result]:
    """Make works, in any order; of one that cannot be made the reason.

    Args:
        tasks: the works.
        site: where their files go.
        emit: told how far it has come.
        workers: processes; by default one for each core that we may use. One is this process itself.

    Raises:
        OSError: nothing more can be written.
    """
    count = min(workers or count_usable_cores(), len(tasks))
    if count == 1:
        for done, task in enumerate(tasks, 1):
            yield task, _heard(_made(task, site))
            emit(WorkProgress(done / len(tasks), f"{done} of {len(tasks)} works"))
        return
    from concurrent.futures import as_completed
    from concurrent.futures.process import BrokenProcessPool

    broken: list[RenderTask] = []
    done = 0
    with _pool(count) as pool:
        asked = {pool.submit(_made, task, site): task for task in tasks}
        try:
            for future in as_completed(asked):
                try:
                    result = _heard(future.result())
                except BrokenProcessPool:
                    broken.append(asked[future])
                    continue
                done += 1
                emit(WorkProgress(done / len(tasks), f"{done} of {len(tasks)} works"))
                yield asked[future], result
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    yield from _one_by_one(broken, site)


def _one_by_one(tasks: Sequence[RenderTask], site: Path) -> Iterator[Result]:
    """One of these ended its process: alone each shows whether it was that one."""
    from concurrent.futures.process import BrokenProcessPool

    waiting = list(tasks)
    while waiting:
        with _pool(1) as pool:
            while waiting:
                task = waiting.pop(0)
                try:
                    yield task, _heard(pool.submit(_made, task, site).result())
                except BrokenProcessPool:
                    found = "ends the process that decodes it, or needs more memory than there is"
                    yield task, ArtgenError(str(task.source), found, "save it again by other software")
                    break


def _pool(workers: int) -> ProcessPoolExecutor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Forking would copy whatever threads and locks the caller has; a preview's server has some.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=begin)


def begin() -> None:
    """Prepare a process that works for another: it ends when its parent does, and leaves Ctrl-C to it."""
    import signal
    import threading

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us in order
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    """Whose parent was killed must not go on writing into a folder that the next publishing uses."""
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    if parent := parent_process():
        wait([parent.sentinel])
        os._exit(1)


def _made(task: RenderTask, site: Path) -> RenderedArtwork | Said:
    from artgen.gallery.media.render import render_artwork

    try:
        return render_artwork(task, site)
    except ArtgenError as error:
        return error.where, error.problem, error.expected, error.command
    except OSError:
        raise  # the disk is full, or gone: no work's fault
    except Exception as error:  # decoders fail in ways that nobody lists; one file must not cost the others
        said = " ".join(f"{type(error).__name__}: {error}".split())
        return (
            str(task.film or task.source),
            f"cannot be made ({said})",
            "save it again by other software",
            "",
        )


def _heard(result: RenderedArtwork | Said) -> RenderedArtwork | ArtgenError:
    return ArtgenError(*result) if isinstance(result, tuple) else result
