"""Frames of a film as training images: every Nth, or one for each scene; resumes where it stopped."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from artgen.errors import ArtgenError, report_write_errors
from artgen.events import Emit, Note, WorkProgress
from artgen.imaging.film.frames import FilmFrame, FilmInfo, read_film_info, read_frames
from artgen.imaging.film.scene_cuts import (
    FRAME_THUMBNAIL_SIZE,
    FrameThumbnail,
    SceneDetector,
    mean_difference,
    thumbnail_from_hex,
)
from artgen.imaging.io.files import atomic_write, sweep
from artgen.training.data.crop_pad import FrameRegion, crop_or_pad, find_picture_region
from artgen.training.data.frame_selection import FrameOptions, format_timestamp
from artgen.training.data.writing import write_training_image

# Largest difference between two values of a thumbnail (0 to 255) of a frame that is black, white or fog.
MAX_BLANK_FRAME_CONTRAST = 16
# Mean difference (0 to 255) to the last frame kept below which a frame shows the same again.
MIN_FRAME_DIFFERENCE = 2.0
SAVE_EVERY_SECONDS = 1.0
FINGERPRINT_END_BYTES = 1 << 20  # read at the beginning and at the end of a film


@dataclass
class FrameCounts:
    """Numbers of a film's frames that were decoded, kept as training images, and left out.

    Attributes:
        seen: frames decoded.
        kept: frames written as images.
        blank: frames left out because they are black or of one colour.
        alike: frames left out because they look like the last one kept.
        damaged: packets that could not be decoded.
        complete: whether the film was read to its end, or ``most`` frames are written.
    """

    seen: int = 0
    kept: int = 0
    blank: int = 0
    alike: int = 0
    damaged: int = 0
    complete: bool = False


def extract_frames(
    video: Path, folder: Path, options: FrameOptions, emit: Emit, *, save_seconds: float = SAVE_EVERY_SECONDS
) -> FrameCounts:
    """Write the selected frames of a film into ``folder`` as training images, named after film and time.

    ``NAME.frames.json`` in the folder records the progress: after an interruption the same call resumes, with
    exactly the result of an uninterrupted one, or reports that nothing is left to do.

    Args:
        video: the film's file.
        folder: for the images.
        options: which frames, and how to write them.
        emit: receives ``WorkProgress`` and ``Note``.
        save_seconds: shortest time between two records of the progress, each with an event.

    Raises:
        ArtgenError: the file is no film, or the folder holds frames of another film of this name, or of this
            film by other options.
        WriteError: the disk is full or the folder not writable.
    """
    film = read_film_info(video)
    with report_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    extraction = _FrameExtraction(video, folder, options, film)
    if extraction.counts.complete:
        emit(Note(f"{video.name}: all its frames are in {folder}"))
        return extraction.counts
    if extraction.counts.seen:
        emit(Note(f"{video.name}: resuming at {format_timestamp(extraction.position)}"))
    try:
        extraction.run(emit, save_seconds)
    finally:
        extraction.save()
    return extraction.counts


@dataclass
class _FrameExtraction:
    """The extraction of one film's frames, and its state on disk.

    Attributes:
        video: the film's file.
        folder: for the images and the state.
        options: which frames, and how to write them.
        film: size, rate and length of the film.
        counts: numbers of frames so far.
        position: time of the last frame that was decoded, seconds.
        scenes: detects where scenes begin.
        last_kept: thumbnail of the last frame written.
    """

    video: Path
    folder: Path
    options: FrameOptions
    film: FilmInfo
    counts: FrameCounts = field(default_factory=FrameCounts)
    position: float = -1.0
    scenes: SceneDetector = field(default_factory=SceneDetector)
    last_kept: FrameThumbnail | None = None

    def __post_init__(self) -> None:
        self.state_file = self.folder / f"{self.video.stem}.frames.json"
        options = json.loads(json.dumps(asdict(self.options)))
        self.identity = {"film": _film_fingerprint(self.video), **options}
        self.interval = self.options.frame_interval(self.film)
        if self.state_file.exists():
            self._load()
        elif self.options.bars:
            self.region = FrameRegion(0, 0, self.film.height, self.film.width)
        else:
            self.region = find_picture_region(self.video, self.film)

    def run(self, emit: Emit, save_seconds: float) -> None:
        """Extract the film's remaining frames, saving the state every second."""
        if (self.region.height, self.region.width) != (self.film.height, self.film.width):
            emit(Note(f"black bars left out: {self.region.width} x {self.region.height} px are picture"))
        saved_at = time.monotonic()
        end = min(self.options.end or math.inf, self.film.seconds or math.inf)
        with closing(self._remaining_frames()) as frames:
            for frame in frames:
                if self.counts.kept == self.options.most:
                    break
                self._process_frame(frame)
                if time.monotonic() - saved_at > save_seconds:
                    self.save()
                    saved_at = time.monotonic()
                    progress = (self.position - self.options.start) / max(end - self.options.start, 1e-6)
                    status = f"{format_timestamp(self.position)}, {self.counts.kept:,} kept"
                    emit(WorkProgress(min(progress, 1.0), status))
        self.counts.complete = True

    def _remaining_frames(self) -> Generator[FilmFrame]:
        def count_damaged_packet(problem: str) -> None:
            self.counts.damaged += 1

        start = max(self.options.start, self.position)
        for frame in read_frames(
            self.video, start=start, end=self.options.end, on_damaged_packet=count_damaged_packet
        ):
            if frame.seconds > self.position:
                yield frame

    def _process_frame(self, frame: FilmFrame) -> None:
        """Decide whether a film's frame is kept as a training image, and write it if so."""
        index, self.position = self.counts.seen, frame.seconds
        self.counts.seen += 1
        thumbnail = None
        if self.options.scenes:
            thumbnail = frame.to_rgb(FRAME_THUMBNAIL_SIZE)
            if not self.scenes.starts_scene(frame.seconds, thumbnail):
                return
        elif index % self.interval:
            return
        thumbnail = frame.to_rgb(FRAME_THUMBNAIL_SIZE) if thumbnail is None else thumbnail
        if not self.options.blank and int(np.ptp(thumbnail)) <= MAX_BLANK_FRAME_CONTRAST:
            self.counts.blank += 1
        elif not self.options.alike and self._looks_like_last_kept(thumbnail):
            self.counts.alike += 1
        else:
            self._write(frame)
            self.last_kept, self.counts.kept = thumbnail, self.counts.kept + 1

    def _looks_like_last_kept(self, thumbnail: FrameThumbnail) -> bool:
        return (
            self.last_kept is not None and mean_difference(thumbnail, self.last_kept) < MIN_FRAME_DIFFERENCE
        )

    def _write(self, frame: FilmFrame) -> None:
        has_film_size = (frame.height, frame.width) == (self.film.height, self.film.width)
        region = self.region if has_film_size else FrameRegion(0, 0, frame.height, frame.width)
        timestamp = format_timestamp(frame.seconds, "{:02}h{:02}m{:02}s{:03}")
        pixels = crop_or_pad(frame, region, self.options.size, self.options.fit)
        write_training_image(self.folder / f"{self.video.stem}-{timestamp}{self.options.ending}", pixels)

    def save(self) -> None:
        """Write the state of the film's extraction to its file."""
        state = {
            "identity": self.identity,
            "count": asdict(self.counts),
            "seconds": self.position,
            "region": asdict(self.region),
            "scenes": self.scenes.state_dict(),
            "kept": None if self.last_kept is None else self.last_kept.tobytes().hex(),
        }
        atomic_write(self.state_file, json.dumps(state).encode())

    def _load(self) -> None:
        try:
            state: dict[str, Any] = json.loads(self.state_file.read_text("utf-8"))
            identity = state["identity"]
            self.counts, self.position = FrameCounts(**state["count"]), float(state["seconds"])
            self.region = FrameRegion(**state["region"])
            self.scenes.load_state_dict(state["scenes"])
            self.last_kept = None if state["kept"] is None else thumbnail_from_hex(state["kept"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            expected = "delete it to begin this film again"
            raise ArtgenError(str(self.state_file), f"cannot be read ({error})", expected) from error
        changed_keys = [key for key, value in self.identity.items() if identity.get(key) != value]
        if changed_keys:
            if changed_keys[0] == "film":
                contents = "frames of another film of this name"
            else:
                contents = f"frames taken with other values of {', '.join(changed_keys)}"
            expected = f"another folder, or delete {self.state_file.name}"
            raise ArtgenError(str(self.folder), f"holds {contents}", expected)


def _film_fingerprint(video: Path) -> str:
    """Return SHA-256 of a film's size, first and last megabyte: fast even for gigabytes."""
    digest = hashlib.sha256(str(video.stat().st_size).encode())
    with video.open("rb") as file:
        digest.update(file.read(FINGERPRINT_END_BYTES))
        file.seek(max(0, video.stat().st_size - FINGERPRINT_END_BYTES))
        digest.update(file.read(FINGERPRINT_END_BYTES))
    return digest.hexdigest()
