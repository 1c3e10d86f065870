"""Frames of a film as training pictures: every Nth, or one a scene; goes on where it stopped."""

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

from artgen.errors import ArtgenError, WriteError
from artgen.events import Emit, Note, WorkProgress
from artgen.imaging.film.frames import Film, Frame, describe, read_frames
from artgen.imaging.film.scene_cuts import SMALL, Scenes, Small, difference, from_hex
from artgen.imaging.io.files import atomic_write, sweep
from artgen.training.data.crop_pad import Region, framed, visible
from artgen.training.data.frame_selection import Wish, clock
from artgen.training.data.writing import write_training_image

# A frame of whose 32 x 18 px no value differs from another by more is black, white, or fog.
BLANK = 16
# Mean difference (0 to 255) to the last picture kept below which a frame shows the same again.
ALIKE = 2.0
SAVE_SECONDS = 1.0


@dataclass
class Count:
    """What became of the frames.

    Attributes:
        seen: decoded.
        kept: written as pictures.
        blank: left out: black or of one colour.
        alike: left out: like the last one kept.
        damaged: packets that could not be decoded.
        complete: whether the film was read to its end, or ``most`` are there.
    """

    seen: int = 0
    kept: int = 0
    blank: int = 0
    alike: int = 0
    damaged: int = 0
    complete: bool = False


def extract(video: Path, folder: Path, wish: Wish, emit: Emit) -> Count:
    """Write the frames that ``wish`` names into ``folder``, named after the film and their time.

    ``NAME.frames.json`` beside them says how far it came: the same call goes on from there, as if it had
    never stopped, or says that nothing is left to do.

    Raises:
        ArtgenError: no film, or the folder holds frames of another film or wish under this name.
        WriteError: the disk is full or the folder not writable.
    """
    film = describe(video)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(folder, error.strerror or str(error)) from error
    sweep(folder)
    work = _Work(video, folder, wish, film)
    if work.count.complete:
        emit(Note(f"{video.name}: all its frames are in {folder}"))
        return work.count
    if work.count.seen:
        emit(Note(f"{video.name}: going on at {clock(work.seconds)}"))
    try:
        work.go(emit)
    finally:
        work.save()
    return work.count


@dataclass
class _Work:
    """One film's extraction, and its state on disk."""

    video: Path
    folder: Path
    wish: Wish
    film: Film
    count: Count = field(default_factory=Count)
    seconds: float = -1.0
    scenes: Scenes = field(default_factory=Scenes)
    kept: Small | None = None

    def __post_init__(self) -> None:
        self.file = self.folder / f"{self.video.stem}.frames.json"
        self.identity = {"film": _fingerprint(self.video), **json.loads(json.dumps(asdict(self.wish)))}
        self.every = self.wish.step(self.film)
        if self.file.exists():
            self._load()
            return
        whole = Region(0, 0, self.film.height, self.film.width)
        self.region = whole if self.wish.bars else visible(self.video, self.film)

    def go(self, emit: Emit) -> None:
        if (self.region.height, self.region.width) != (self.film.height, self.film.width):
            emit(Note(f"black bars left out: {self.region.width} x {self.region.height} px are picture"))
        saved = time.monotonic()
        end = min(self.wish.end or math.inf, self.film.seconds or math.inf)
        with closing(self._frames()) as frames:
            for frame in frames:
                if self.count.kept == self.wish.most:
                    break
                self._take(frame)
                if time.monotonic() - saved > SAVE_SECONDS:
                    self.save()
                    saved = time.monotonic()
                    done = (self.seconds - self.wish.start) / max(end - self.wish.start, 1e-6)
                    emit(WorkProgress(min(done, 1.0), f"{clock(self.seconds)}, {self.count.kept:,} kept"))
        self.count.complete = True

    def _frames(self) -> Generator[Frame]:
        def damaged(problem: str) -> None:
            self.count.damaged += 1

        start = max(self.wish.start, self.seconds)
        for frame in read_frames(self.video, start=start, end=self.wish.end, damaged=damaged):
            if frame.seconds > self.seconds:
                yield frame

    def _take(self, frame: Frame) -> None:
        """Judge one frame, and write it if it is wanted."""
        number, self.seconds = self.count.seen, frame.seconds
        self.count.seen += 1
        small = None
        if self.wish.scenes:
            small = frame.rgb(SMALL)
            if not self.scenes.begins(frame.seconds, small):
                return
        elif number % self.every:
            return
        small = frame.rgb(SMALL) if small is None else small
        if not self.wish.blank and int(np.ptp(small)) <= BLANK:
            self.count.blank += 1
        elif not self.wish.alike and self.kept is not None and difference(small, self.kept) < ALIKE:
            self.count.alike += 1
        else:
            same = (frame.height, frame.width) == (self.film.height, self.film.width)
            region = self.region if same else Region(0, 0, frame.height, frame.width)
            name = f"{self.video.stem}-{clock(frame.seconds, '{:02}h{:02}m{:02}s{:03}')}{self.wish.ending}"
            write_training_image(self.folder / name, framed(frame, region, self.wish.size, self.wish.fit))
            self.kept, self.count.kept = small, self.count.kept + 1

    def save(self) -> None:
        """Write down how far it came."""
        state = {
            "identity": self.identity,
            "count": asdict(self.count),
            "seconds": self.seconds,
            "region": asdict(self.region),
            "scenes": self.scenes.state(),
            "kept": None if self.kept is None else self.kept.tobytes().hex(),
        }
        atomic_write(self.file, json.dumps(state).encode())

    def _load(self) -> None:
        try:
            state: dict[str, Any] = json.loads(self.file.read_text("utf-8"))
            identity = state["identity"]
            self.count, self.seconds = Count(**state["count"]), float(state["seconds"])
            self.region = Region(**state["region"])
            self.scenes.load_state(state["scenes"])
            self.kept = None if state["kept"] is None else from_hex(state["kept"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            right = "delete it to begin this film again"
            raise ArtgenError(str(self.file), f"cannot be read ({error})", right) from error
        differs = [key for key, value in self.identity.items() if identity.get(key) != value]
        if differs:
            found = "frames of another film of this name" if differs[0] == "film" else ", ".join(differs)
            found = found if differs[0] == "film" else f"frames taken with another choice of {found}"
            raise ArtgenError(
                str(self.folder), f"holds {found}", f"another folder, or delete {self.file.name}"
            )


def _fingerprint(video: Path) -> str:
    """SHA-256 of the size and the first and last megabyte: a film of gigabytes is told apart at once."""
    digest = hashlib.sha256(str(video.stat().st_size).encode())
    with video.open("rb") as file:
        digest.update(file.read(1 << 20))
        file.seek(max(0, video.stat().st_size - (1 << 20)))
        digest.update(file.read(1 << 20))
    return digest.hexdigest()
