"""A film painted frame by frame in constant memory, the paint following what moves; its sound is kept."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.events import Emit, Note, WorkProgress, ignore
from artgen.imaging.film.frames import Frame, describe, read_frames
from artgen.imaging.film.resumable import Reel
from artgen.imaging.film.scene_cuts import SMALL, Scenes
from artgen.style.film.coherence import COLOURS, Follower, Paint

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Painted:
    """A film that was painted.

    Attributes:
        frames: how many it has.
        kept: how many of them were there from an earlier start.
        width: px.
        height: px.
        seconds: its length.
        scenes: how often the paint began afresh, in the frames painted now.
        tracks: of sound.
    """

    frames: int
    kept: int
    width: int
    height: int
    seconds: float
    scenes: int
    tracks: int


def paint_film(
    source: Path,
    output: Path,
    paint: Paint,
    key: str,
    *,
    side: int | None = None,
    hold: float = COLOURS,
    emit: Emit = ignore,
    shown: Callable[[Tensor], None] = lambda picture: None,
    held: Callable[[Path], AbstractContextManager[object]] = nullcontext,
) -> Painted:
    """Paint every frame of ``source`` into the MP4 ``output``, with its times, its size and its sound.

    Finished frames lie in a hidden folder beside ``output`` until the film is whole. The same call goes on
    with them after any interruption and paints the same frames.

    Args:
        source: the film.
        output: ends in ``.mp4``; one that is there is replaced.
        paint: paints one frame, the same one always alike.
        key: names what decides the pixels, but for ``source``'s own frames: settings and files, hashed.
        side: the long side the frames are resized to; None keeps their size.
        hold: as of ``Follower``.
        emit: takes ``WorkProgress`` and ``Note``.
        shown: called with every frame painted.
        held: locks the folder of the finished frames against another process.

    Raises:
        ArtgenError: PyAV is missing, ``source`` is no film, ``output`` no film's name.
        WriteError: the disk is full or the folder not writable; what is finished is kept.
    """
    film = describe(source)
    size = _size(film.height, film.width, side)
    reel = Reel(output, key)
    for folder in reel.others():
        emit(Note(f"unfinished frames by other settings lie in {folder}: remove it if they are not wanted"))
    with held(reel.folder):
        try:
            reel.open()
            kept, follower = reel.frames, Follower(paint, hold)
            if kept:
                emit(Note(f"{kept} frames are there already"))
            expected = max(1, round(film.rate * film.seconds))
            times = array("q")
            for number, frame, cut in _frames(source, emit):
                at = round(frame.seconds * film.ticks)
                times.append(at if not times else max(at, times[-1] + 1))
                if number < kept - 1:
                    continue
                image = frame.image(size)
                if number == kept - 1:
                    follower.go_on(image, reel.last())
                    continue
                painted = follower.next(image, cut=cut)
                reel.add(painted)
                shown(painted)
                fraction = min(1.0, (number + 1) / expected)
                emit(WorkProgress(fraction, f"{number + 1} of {max(expected, number + 1)} frames"))
            first = times[0]
            shifted = [at - first for at in times]
            tracks = reel.finish(shifted, film.ticks, source, lambda text: emit(Note(text)))
        finally:
            reel.leave()
    return Painted(
        frames=len(times),
        kept=kept,
        width=size[1],
        height=size[0],
        seconds=(times[-1] - first) / film.ticks + 1 / film.rate,
        scenes=follower.afresh,
        tracks=tracks,
    )


def _frames(source: Path, emit: Emit) -> Iterator[tuple[int, Frame, bool]]:
    """Each frame with its number, and whether a scene begins with it."""
    scenes = Scenes()

    def damaged(problem: str) -> None:
        emit(Note(f"{source}: damaged frames are left out ({problem})"))

    with closing(read_frames(source, damaged=damaged)) as frames:
        for number, frame in enumerate(frames):
            yield number, frame, scenes.begins(frame.seconds, frame.rgb(SMALL))


def _size(height: int, width: int, side: int | None) -> tuple[int, int]:
    if side is None:
        return height, width
    factor = side / max(height, width)
    return max(1, round(height * factor)), max(1, round(width * factor))
