"""Films whose frames are the candidates of a run, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.events import Emit, WorkProgress, ignore_event
from artgen.imaging.film.writer import VideoWriter, load_av
from artgen.imaging.io.files import read_image
from artgen.runs.candidate import Candidate, format_number_ranges


def write_film(
    candidates: Sequence[Candidate],
    output_path: Path,
    *,
    fps: float,
    scale: int = 1,
    emit: Emit = ignore_event,
) -> tuple[int, int]:
    """Write an MP4 with one frame for each candidate; return its ``(width, height)`` in px.

    Args:
        candidates: at least one, all of one size.
        output_path: the film, ending in ``.mp4``; an existing file is replaced.
        fps: frames per second.
        scale: factor by which the pictures are enlarged, smoothly.
        emit: takes ``WorkProgress``.

    Raises:
        ArtgenError: pictures differ in size or cannot be read, the path is not that of a film, or PyAV is
            missing.
        WriteError: the disk is full or the folder not writable.
    """
    load_av()  # first, so that advice on a missing library comes at once
    if output_path.suffix.lower() != ".mp4":
        problem = f"a film that ends in {output_path.suffix or 'nothing'}"
        raise ArtgenError(str(output_path), problem, "a name such as walk.mp4")
    if not output_path.parent.is_dir():
        raise ArtgenError(str(output_path), f"no folder {output_path.parent}", "make it first")
    width, height = _find_common_size(candidates)
    from artgen.imaging.image import enlarge  # imports torch, so only after all checks

    with VideoWriter(output_path, width * scale, height * scale, fps) as film:
        for number, candidate in enumerate(candidates, 1):
            image = read_image(candidate.file)
            film.add_frame(enlarge(image, (height * scale, width * scale)) if scale > 1 else image)
            emit(WorkProgress(number / len(candidates), f"{number} of {len(candidates)} frames"))
    return width * scale, height * scale


def _find_common_size(candidates: Sequence[Candidate]) -> tuple[int, int]:
    """Return the ``(width, height)`` of all pictures of a film; raise an error if they differ."""
    sizes = Counter((candidate.width, candidate.height) for candidate in candidates)
    (width, height), _ = sizes.most_common(1)[0]
    others = [one.index for one in candidates if (one.width, one.height) != (width, height)]
    if others:
        problem = (
            f"most pictures have {width} x {height} px, but not candidate {format_number_ranges(others)}"
        )
        expected = "a film wants one size: pick pictures of the same size and add --picks"
        raise ArtgenError("film", problem, expected)
    return width, height
