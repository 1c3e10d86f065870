"""Thumbnails of the faces in picture files, aligned or not, of any size."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from artgen.imaging.faces.detect import Face

MAX_CACHED_SIDE_PX = 64  # px; larger thumbnails are not kept in memory, since every worker has its own cache
MIN_FACE_CROP_SIDE_PX = 256  # px; faces are cut out at this size, as by `artgen data faces`, and then reduced

# Detected faces by file and modification time (ns), None without a face: detection takes half a second.
_face_by_file: dict[tuple[Path, int], Face | None] = {}


def face_thumbnail(file: Path, size: int, *, align: bool) -> Tensor | None:
    """Return the face in a picture as ``(3, size, size)``, or None if there is no face.

    Up to 512 small thumbnails are cached, which take 25 MB.

    Args:
        file: the picture.
        size: the thumbnail's side in px.
        align: whether the face is detected and rotated upright; otherwise the middle square is used.

    Raises:
        ArtgenError: the file cannot be read.
    """
    modified_ns = file.stat().st_mtime_ns
    if size > MAX_CACHED_SIDE_PX:
        return _make_thumbnail(file, size, align, modified_ns)
    return _cached_thumbnail(file, size, align, modified_ns)


@functools.lru_cache(maxsize=512)
def _cached_thumbnail(file: Path, size: int, align: bool, modified_ns: int) -> Tensor | None:
    return _make_thumbnail(file, size, align, modified_ns)


def _make_thumbnail(file: Path, size: int, align: bool, modified_ns: int) -> Tensor | None:
    """Read, cut and reduce a face, by area averaging as in the training pairs of ``blend``."""
    from artgen.imaging.faces.portrait import crop_middle_square, crop_portrait, find_portrait_face
    from artgen.imaging.inputs import resize_by_area
    from artgen.imaging.io.files import read_image

    was_searched = align and (file, modified_ns) in _face_by_file
    if was_searched and _face_by_file[file, modified_ns] is None:
        return None
    image = read_image(file)
    if not align:
        return resize_by_area(crop_middle_square(image), (size, size))
    face = (
        _face_by_file[file, modified_ns]
        if was_searched
        else _face_by_file.setdefault((file, modified_ns), find_portrait_face(image))
    )
    return (
        None
        if face is None
        else resize_by_area(crop_portrait(image, face, max(MIN_FACE_CROP_SIDE_PX, size)), (size, size))
    )
