"""Faces out of a folder of photographs: upright, of one size, each in the middle of its image."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from artgen.errors import ArtgenError, report_write_errors
from artgen.events import Emit, Note, WorkProgress
from artgen.imaging.faces.detect import Face, crop_face, crop_share_outside, find_faces
from artgen.imaging.io.files import atomic_write, read_image, sweep
from artgen.imaging.io.survey import survey_references
from artgen.training.data.folder import list_images
from artgen.training.data.writing import write_training_image

# Smaller faces, relative to the largest one, are not counted: a poster on the wall makes no group photograph.
MIN_SECOND_FACE_SIZE_RATIO = 0.5
MAX_FACE_ENLARGEMENT = 2.0
MAX_CROP_SHARE_OUTSIDE = 0.2  # of a crop's area, that lies outside the photograph
SAVE_EVERY_SECONDS = 2.0
FACES_STATE_FILE_NAME = "faces.json"


@dataclass(frozen=True)
class FaceOptions:
    """Options of ``artgen data faces``: which faces are cut out, and how. Stored in ``faces.json``.

    Attributes:
        size: side of the images, px.
        margin: side of the crop relative to that of the detected face, which goes from the brows to the chin.
        every: take every face of a photograph; otherwise photographs with several are left out.
        ending: ``.jpg`` or ``.png``.
    """

    size: int = 256
    margin: float = 1.5
    every: bool = False
    ending: str = ".jpg"


@dataclass(frozen=True)
class FaceOutcome:
    """The faces that were cut out of one photograph, and why others were left out.

    Attributes:
        file: the photograph's path relative to the folder.
        faces: names of the image files written.
        skipped: why faces were left out; empty if none were.
    """

    file: str
    faces: tuple[str, ...]
    skipped: str


def extract_faces(folder: Path, output: Path, options: FaceOptions, emit: Emit) -> list[FaceOutcome]:
    """Cut the faces out of all photographs in ``folder``, as training images in ``output``.

    Args:
        folder: photographs, also in subfolders.
        output: folder for the faces and ``faces.json``, which records what is done.
        options: which faces, and how to crop them.
        emit: receives ``WorkProgress`` and ``Note``.

    Returns:
        What was extracted from each photograph, now or earlier.

    Raises:
        ArtgenError: the folder holds no images.
        WriteError: the disk is full or the output not writable.
    """
    images, resolved_output = list_images(folder), output.resolve()
    files = {
        file.relative_to(folder).as_posix(): file
        for file in images
        if resolved_output not in file.resolve().parents
    }
    for note in survey_references([str(folder)], Path(), unreadable=False, output_folder=output):
        emit(Note(note))
    with report_write_errors(output):
        output.mkdir(parents=True, exist_ok=True)
    sweep(output)
    state = _ExtractionState(output / FACES_STATE_FILE_NAME, options)
    outcomes = {name: state.find(name, file) for name, file in files.items()}
    done_count = sum(outcome is not None for outcome in outcomes.values())
    if done_count:
        emit(Note(f"{done_count:,} of {len(files):,} pictures were done before"))
    try:
        for number, (name, file) in enumerate(files.items(), 1):
            if outcomes[name] is None:
                outcome = _extract_from_photograph(name, file, output, options)
                state.add(file, outcome)
                outcomes[name] = outcome
            face_count = sum(len(outcome.faces) for outcome in outcomes.values() if outcome is not None)
            status = f"{number:,} of {len(files):,} pictures, {face_count:,} faces"
            emit(WorkProgress(number / len(files), status))
    finally:
        state.save()
    return [outcome for outcome in outcomes.values() if outcome is not None]


def _extract_from_photograph(name: str, file: Path, output: Path, options: FaceOptions) -> FaceOutcome:
    try:
        image = read_image(file)
    except ArtgenError as error:
        return FaceOutcome(name, (), f"cannot be read: {error.problem}")
    faces = find_faces(image)
    if not faces:
        return FaceOutcome(name, (), "no face found")
    if not options.every:
        large_faces = [face for face in faces if face.size >= MIN_SECOND_FACE_SIZE_RATIO * faces[0].size]
        if len(large_faces) > 1:
            return FaceOutcome(name, (), f"{len(large_faces)} faces: --all takes each")
        faces = faces[:1]
    written, reasons = [], []
    stem = name.replace("/", "-").rpartition(".")[0]
    height, width = image.shape[-2:]
    for number, face in enumerate(faces, 1):
        reason = _rejection_reason(face, height, width, options)
        if reason:
            reasons.append(reason)
            continue
        face_name = f"{stem}{f'-{number}' if len(faces) > 1 else ''}{options.ending}"
        crop = crop_face(image, face, options.size, options.margin)
        write_training_image(output / face_name, (crop * 255).round().byte().permute(1, 2, 0).numpy())
        written.append(face_name)
    return FaceOutcome(name, tuple(written), "; ".join(reasons))


def _rejection_reason(face: Face, height: int, width: int, options: FaceOptions) -> str:
    """Return why a face cannot be a training image, or an empty text."""
    crop_px = face.size * options.margin
    if crop_px * MAX_FACE_ENLARGEMENT < options.size:
        return f"too small: {crop_px:.0f} px for {options.size}"
    outside_share = crop_share_outside(face, height, width, options.margin)
    if outside_share > MAX_CROP_SHARE_OUTSIDE:
        return f"cut off: {outside_share:.0%} of it is outside the picture"
    return ""


class _ExtractionState:
    """The outcomes of earlier calls, stored in a file by photograph, with its size and modification time."""

    def __init__(self, file: Path, options: FaceOptions) -> None:
        self._file, self._options, self._saved_at = file, asdict(options), time.monotonic()
        self._rows: dict[str, Any] = {}
        try:
            state = json.loads(file.read_text("utf-8"))
            if state["wish"] == self._options:
                self._rows = dict(state["pictures"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # no file, or a damaged one: every photograph is read again

    def find(self, name: str, file: Path) -> FaceOutcome | None:
        """Return the stored outcome of a photograph, unless it or its faces have changed."""
        row = self._rows.get(name)
        if row is None or row["stamp"] != _size_and_time(file):
            return None
        if not all((self._file.parent / face_name).is_file() for face_name in row["faces"]):
            return None
        return FaceOutcome(name, tuple(row["faces"]), row["skipped"])

    def add(self, file: Path, outcome: FaceOutcome) -> None:
        """Add a photograph's outcome, and save all of them now and then."""
        row = {"stamp": _size_and_time(file), "faces": list(outcome.faces), "skipped": outcome.skipped}
        self._rows[outcome.file] = row
        if time.monotonic() - self._saved_at > SAVE_EVERY_SECONDS:
            self.save()

    def save(self) -> None:
        """Write the outcomes of all photographs to the file."""
        state = {"wish": self._options, "pictures": self._rows}
        atomic_write(self._file, json.dumps(state, indent=1).encode())
        self._saved_at = time.monotonic()


def _size_and_time(file: Path) -> list[int]:
    try:
        status = file.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]
