"""Rendering of artworks in several processes: a file that crashes one does not affect the others."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError
from artgen.events import Emit, WorkProgress
from artgen.imaging.sizes import count_pixels, largest_of, read_size
from artgen.memory import affordable_workers
from artgen.subprocesses import count_usable_cores, hidden_main_module

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

    from artgen.gallery.media.render import RenderedArtwork, RenderTask

RenderResult = tuple["RenderTask", "RenderedArtwork | ArtgenError"]
PROCESS_BYTES, BYTES_PER_PIXEL = 150_000_000, 24  # a picture is decoded and blended as 32-bit floats
ErrorFields = tuple[str, str, str, str]  # of an ArtgenError: pickle loses exceptions with several arguments


def render_artworks(
    tasks: Sequence[RenderTask], site: Path, emit: Emit, workers: int | None = None
) -> Iterator[RenderResult]:
    """Render artworks, and yield each in any order with its files or the error.

    Args:
        tasks: the artworks.
        site: folder that their files are written into.
        emit: receives the progress.
        workers: processes; by default one for each core that we may use, fewer if memory is short.
            One is this process itself.

    Raises:
        OSError: nothing more can be written.
    """
    process_count = affordable_workers(min(workers or count_usable_cores(), len(tasks)), _worker_bytes(tasks))
    if process_count == 1:
        for finished, task in enumerate(tasks, 1):
            yield task, _restore_error(_render_or_describe_error(task, site))
            emit(WorkProgress(finished / len(tasks), f"{finished} of {len(tasks)} works"))
        return
    from concurrent.futures import as_completed
    from concurrent.futures.process import BrokenProcessPool

    broken_tasks: list[RenderTask] = []
    finished = 0
    with _create_pool(process_count) as pool:
        with hidden_main_module():
            tasks_by_future = {pool.submit(_render_or_describe_error, task, site): task for task in tasks}
        try:
            for future in as_completed(tasks_by_future):
                try:
                    result = _restore_error(future.result())
                except BrokenProcessPool:
                    broken_tasks.append(tasks_by_future[future])
                    continue
                finished += 1
                emit(WorkProgress(finished / len(tasks), f"{finished} of {len(tasks)} works"))
                yield tasks_by_future[future], result
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    yield from _render_one_by_one(broken_tasks, site)


def _worker_bytes(tasks: Sequence[RenderTask]) -> int:
    """Estimate the memory of a process that renders the largest artwork."""
    largest_picture = largest_of(read_size(task.source) for task in tasks) or (0, 0)
    return PROCESS_BYTES + BYTES_PER_PIXEL * count_pixels(largest_picture)


def _render_one_by_one(tasks: Sequence[RenderTask], site: Path) -> Iterator[RenderResult]:
    """Render artworks alone, one of which ended its process, to find which one."""
    from concurrent.futures.process import BrokenProcessPool

    pending = list(tasks)
    while pending:
        with _create_pool(1) as pool:
            while pending:
                task = pending.pop(0)
                try:
                    with hidden_main_module():
                        future = pool.submit(_render_or_describe_error, task, site)
                    yield task, _restore_error(future.result())
                except BrokenProcessPool:
                    problem = "ends the process that decodes it, or needs more memory than there is"
                    yield task, ArtgenError(str(task.source), problem, "save it again by other software")
                    break


def _create_pool(workers: int) -> ProcessPoolExecutor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Forking would copy whatever threads and locks the caller has; a preview's server has some.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=prepare_worker)


def prepare_worker() -> None:
    """Prepare a rendering process: it exits when its parent does, and leaves Ctrl-C to the parent."""
    import signal
    import threading

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us in order
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    """Exit when the parent dies, so that an orphan never writes into a site being rebuilt."""
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    if parent := parent_process():
        wait([parent.sentinel])
        os._exit(1)


def _render_or_describe_error(task: RenderTask, site: Path) -> RenderedArtwork | ErrorFields:
    from artgen.gallery.media.render import render_artwork

    try:
        return render_artwork(task, site)
    except ArtgenError as error:
        return error.where, error.problem, error.expected, error.command
    except OSError:
        raise  # the disk is full, or gone: no work's fault
    except Exception as error:  # decoders fail in ways that nobody lists; one file must not cost the others
        message = " ".join(f"{type(error).__name__}: {error}".split())
        return (
            str(task.film or task.source),
            f"cannot be made ({message})",
            "save it again by other software",
            "",
        )


def _restore_error(result: RenderedArtwork | ErrorFields) -> RenderedArtwork | ArtgenError:
    return ArtgenError(*result) if isinstance(result, tuple) else result
