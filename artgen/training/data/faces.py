"""A folder of photographs becomes a folder of faces: upright, of one size, each in the middle."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from artgen.errors import ArtgenError, WriteError
from artgen.events import Emit, Note, WorkProgress
from artgen.imaging.faces.detect import Face, crop_face, find_faces, outside
from artgen.imaging.io.files import atomic_write, read_image, sweep
from artgen.training.data.folder import images_in
from artgen.training.data.writing import write_training_image

# A second face counts from this share of the largest one's size: a poster on the wall does not make a group.
SECOND = 0.5
# A crop may be enlarged so many times, and this share of it may lie outside of the picture.
ENLARGED, OUTSIDE = 2.0, 0.2
SAVE_SECONDS = 2.0
STATE = "faces.json"


@dataclass(frozen=True)
class Wish:
    """Which faces, and what becomes of them.

    Attributes:
        size: px of each side.
        margin: side of what is shown over the face's own, from the brows to the chin.
        every: take every face of a picture; otherwise pictures with several are left out.
        ending: ``.jpg`` or ``.png``.
    """

    size: int = 256
    margin: float = 1.5
    every: bool = False
    ending: str = ".jpg"


@dataclass(frozen=True)
class Outcome:
    """What became of one picture.

    Attributes:
        file: its path from the folder.
        faces: names of the pictures written.
        skipped: why something was left out; empty where nothing was.
    """

    file: str
    faces: tuple[str, ...]
    skipped: str


def collect(folder: Path, output: Path, wish: Wish, emit: Emit) -> list[Outcome]:
    """Write the faces of every image below ``folder`` into ``output``; what was done there before is kept.

    Raises:
        ArtgenError: the folder holds no images.
        WriteError: the disk is full or the output not writable.
    """
    found = images_in(folder)
    own = output.resolve()
    files = {f.relative_to(folder).as_posix(): f for f in found if own not in f.resolve().parents}
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(output, error.strerror or str(error)) from error
    sweep(output)
    known = _Known(output / STATE, wish)
    done = {name: known.find(name, file) for name, file in files.items()}
    there = sum(outcome is not None for outcome in done.values())
    if there:
        emit(Note(f"{there:,} of {len(files):,} pictures were done before"))
    try:
        for number, (name, file) in enumerate(files.items(), 1):
            if done[name] is None:
                done[name] = known.keep(file, _outcome(name, file, output, wish))
            taken = sum(len(outcome.faces) for outcome in done.values() if outcome is not None)
            emit(WorkProgress(number / len(files), f"{number:,} of {len(files):,} pictures, {taken:,} faces"))
    finally:
        known.save()
    return [outcome for outcome in done.values() if outcome is not None]


def _outcome(name: str, file: Path, output: Path, wish: Wish) -> Outcome:
    try:
        image = read_image(file)
    except ArtgenError as error:
        return Outcome(name, (), f"cannot be read: {error.found}")
    faces = find_faces(image)
    if not faces:
        return Outcome(name, (), "no face found")
    if not wish.every:
        group = [face for face in faces if face.size >= SECOND * faces[0].size]
        if len(group) > 1:
            return Outcome(name, (), f"{len(group)} faces: --all takes each")
        faces = faces[:1]
    written, reasons = [], []
    stem = name.replace("/", "-").rpartition(".")[0]
    height, width = image.shape[-2:]
    for number, face in enumerate(faces, 1):
        reason = _unfit(face, height, width, wish)
        if reason:
            reasons.append(reason)
            continue
        target = f"{stem}{f'-{number}' if len(faces) > 1 else ''}{wish.ending}"
        crop = crop_face(image, face, wish.size, wish.margin)
        write_training_image(output / target, (crop * 255).round().byte().permute(1, 2, 0).numpy())
        written.append(target)
    return Outcome(name, tuple(written), "; ".join(reasons))


def _unfit(face: Face, height: int, width: int, wish: Wish) -> str:
    """Why this face is not taken; empty where it is."""
    shown = face.size * wish.margin
    if shown * ENLARGED < wish.size:
        return f"too small: {shown:.0f} px for {wish.size}"
    share = outside(face, height, width, wish.margin)
    return f"cut off: {share:.0%} of it lies outside of the picture" if share > OUTSIDE else ""


class _Known:
    """What earlier calls did, by file, its size and its time of change."""

    def __init__(self, file: Path, wish: Wish) -> None:
        self._file, self._wish, self._saved = file, asdict(wish), time.monotonic()
        self._rows: dict[str, Any] = {}
        try:
            state = json.loads(file.read_text("utf-8"))
            if state["wish"] == self._wish:
                self._rows = dict(state["pictures"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # nothing was done, or it cannot be told: everything is done again

    def find(self, name: str, file: Path) -> Outcome | None:
        row = self._rows.get(name)
        if row is None or row["stamp"] != _stamp(file):
            return None
        if not all((self._file.parent / face).is_file() for face in row["faces"]):
            return None
        return Outcome(name, tuple(row["faces"]), row["skipped"])

    def keep(self, file: Path, outcome: Outcome) -> Outcome:
        row = {"stamp": _stamp(file), "faces": list(outcome.faces), "skipped": outcome.skipped}
        self._rows[outcome.file] = row
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self.save()
        return outcome

    def save(self) -> None:
        state = {"wish": self._wish, "pictures": self._rows}
        atomic_write(self._file, json.dumps(state, indent=1).encode())
        self._saved = time.monotonic()


def _stamp(file: Path) -> list[int]:
    try:
        status = file.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]
