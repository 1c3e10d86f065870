"""Style transfer of a whole film, frame by frame in constant memory, resumable; the sound is kept."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.events import Emit, Note, WorkProgress, ignore_event
from artgen.imaging.film.frames import FilmFrame, read_film_info, read_frames
from artgen.imaging.film.resumable import ResumableFilm
from artgen.imaging.film.scene_cuts import FRAME_THUMBNAIL_SIZE, SceneDetector
from artgen.imaging.sizes import scaled_size
from artgen.style.film.coherence import WARPED_COLOUR_SHARE, FilmPainter, PaintFrame

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class PaintedFilm:
    """Frames, size and sound of a film that was painted in a style.

    Attributes:
        frame_count: number of frames.
        resumed_frames: how many of them were painted by an earlier, interrupted call.
        width: px.
        height: px.
        seconds: duration.
        scene_count: how often the paint started from scratch, in the frames of this call.
        sound_tracks: number of sound tracks.
    """

    frame_count: int
    resumed_frames: int
    width: int
    height: int
    seconds: float
    scene_count: int
    sound_tracks: int


def paint_film(
    source: Path,
    output: Path,
    paint: PaintFrame,
    settings_key: str,
    *,
    side: int | None = None,
    colour_persistence: float = WARPED_COLOUR_SHARE,
    emit: Emit = ignore_event,
    on_frame: Callable[[Tensor], None] = lambda picture: None,
    lock_folder: Callable[[Path], AbstractContextManager[object]] = nullcontext,
) -> PaintedFilm:
    """Paint every frame of ``source`` into the MP4 ``output``, with its times, its size and its sound.

    Finished frames are stored in a hidden folder next to ``output`` until the film is complete. After an
    interruption the same call resumes with them and paints the same frames as it would have without.

    Args:
        source: the film to paint.
        output: path that ends in ``.mp4``; an existing file is replaced.
        paint: paints one frame, deterministically.
        settings_key: hash of everything but ``source`` that determines the pixels: settings and files.
        side: longer side of the painted frames in px; None keeps their size.
        colour_persistence: see ``FilmPainter``.
        emit: receives ``WorkProgress`` and ``Note`` events.
        on_frame: called with every painted frame.
        lock_folder: locks the folder of finished frames against other processes.

    Raises:
        ArtgenError: PyAV is missing, ``source`` is not a film, or ``output`` does not end in ``.mp4``.
        WriteError: the disk is full or the folder is not writable; finished frames are kept.
    """
    description = read_film_info(source)
    size = description.height, description.width
    if side is not None:
        size = scaled_size(size, side)
    reel = ResumableFilm(output, settings_key)
    for folder in reel.list_other_folders():
        emit(
            Note(f"unfinished frames with other settings are in {folder}: remove it if you do not need them")
        )
    with lock_folder(reel.folder):
        try:
            reel.resume()
            resumed_frames, painter = reel.frame_count, FilmPainter(paint, colour_persistence)
            if resumed_frames:
                emit(Note(f"{resumed_frames} frames were painted before"))
            expected_frames = max(1, round(description.fps * description.seconds))
            frame_times = array("q")
            for index, frame, cut in _read_numbered_frames(source, emit):
                ticks = round(frame.seconds * description.ticks_per_second)
                frame_times.append(ticks if not frame_times else max(ticks, frame_times[-1] + 1))
                if index < resumed_frames - 1:
                    continue
                image = frame.to_tensor(size)
                if index == resumed_frames - 1:
                    painter.continue_from(image, reel.read_last_frame())
                    continue
                painting = painter.paint_next(image, cut=cut)
                reel.add_frame(painting)
                on_frame(painting)
                fraction = min(1.0, (index + 1) / expected_frames)
                emit(WorkProgress(fraction, f"{index + 1} of {max(expected_frames, index + 1)} frames"))
            first_time = frame_times[0]
            shifted_times = [ticks - first_time for ticks in frame_times]
            tracks = reel.finish(
                shifted_times, description.ticks_per_second, source, lambda text: emit(Note(text))
            )
        finally:
            reel.remove_folder_if_empty()
    return PaintedFilm(
        frame_count=len(frame_times),
        resumed_frames=resumed_frames,
        width=size[1],
        height=size[0],
        seconds=(frame_times[-1] - first_time) / description.ticks_per_second + 1 / description.fps,
        scene_count=painter.fresh_starts,
        sound_tracks=tracks,
    )


def _read_numbered_frames(source: Path, emit: Emit) -> Iterator[tuple[int, FilmFrame, bool]]:
    """Yield each frame of a film with its index, and whether a scene starts with it."""
    scene_cuts = SceneDetector()

    def report_damage(problem: str) -> None:
        emit(Note(f"{source}: damaged frames are skipped ({problem})"))

    with closing(read_frames(source, on_damaged_packet=report_damage)) as frames:
        for index, frame in enumerate(frames):
            yield index, frame, scene_cuts.starts_scene(frame.seconds, frame.to_rgb(FRAME_THUMBNAIL_SIZE))
