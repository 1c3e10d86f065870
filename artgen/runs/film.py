"""A run as a film: its candidates are the frames, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.events import Emit, WorkProgress, ignore
from artgen.imaging.film.writer import VideoWriter, load_av
from artgen.imaging.io.files import read_image
from artgen.runs.candidate import Candidate, ranges


def write_film(
    candidates: Sequence[Candidate], path: Path, *, fps: float, times: int = 1, emit: Emit = ignore
) -> tuple[int, int]:
    """Write an MP4 with a frame for each candidate; returns its ``(width, height)`` in px.

    Args:
        candidates: at least one, all of one size.
        path: the film, ending in ``.mp4``; one that is there is replaced.
        fps: frames a second.
        times: how many times larger the film is than the pictures, enlarged smoothly.
        emit: takes ``WorkProgress``.

    Raises:
        ArtgenError: pictures differ in size or cannot be read, the path is not a film's, PyAV is missing.
        WriteError: the disk is full or the folder not writable.
    """
    load_av()  # before anything else, so that the advice comes at once
    if path.suffix.lower() != ".mp4":
        raise ArtgenError(
            str(path), f"a film that ends in {path.suffix or 'nothing'}", "a name such as walk.mp4"
        )
    if not path.parent.is_dir():
        raise ArtgenError(str(path), f"no folder {path.parent}", "make it first")
    width, height = _size(candidates)
    from artgen.imaging.image import enlarge  # torch, once nothing is in the way

    with VideoWriter(path, width * times, height * times, fps) as film:
        for number, candidate in enumerate(candidates, 1):
            image = read_image(candidate.file)
            film.add(enlarge(image, (height * times, width * times)) if times > 1 else image)
            emit(WorkProgress(number / len(candidates), f"{number} of {len(candidates)} frames"))
    return width * times, height * times


def _size(candidates: Sequence[Candidate]) -> tuple[int, int]:
    """The ``(width, height)`` of all pictures."""
    sizes = Counter((candidate.width, candidate.height) for candidate in candidates).most_common()
    usual = sizes[0][0]
    if len(sizes) > 1:
        others = [c.index for c in candidates if (c.width, c.height) != usual]
        found = f"most pictures have {usual[0]} x {usual[1]} px, but not candidate {ranges(others)}"
        raise ArtgenError("film", found, "a film wants one size: pick pictures of the same and add --picks")
    return usual
