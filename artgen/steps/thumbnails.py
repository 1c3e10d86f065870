"""The thumbnail of a face in a picture file, whatever the picture: aligned or not, of any size."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from artgen.imaging.faces.detect import Face

REMEMBERED = 64  # px; every worker has thumbnails of its own
CUT = 256  # px; what `artgen data faces` makes, and thumbnails are reduced from

# Whose faces were looked for, by file and time of change: half a second each.
_found: dict[tuple[Path, int], Face | None] = {}


def thumbnail(file: Path, size: int, *, align: bool) -> Tensor | None:
    """The face in a picture as ``(3, size, size)``, or None without one.

    Small ones are remembered: 25 MB hold 512 of them.

    Args:
        file: the picture.
        size: px.
        align: whether the face is looked for and set upright; otherwise the middle square is taken.

    Raises:
        ArtgenError: the file cannot be read.
    """
    changed = file.stat().st_mtime_ns
    if size > REMEMBERED:
        return _reduced(file, size, align, changed)
    return _remembered(file, size, align, changed)


@functools.lru_cache(maxsize=512)
def _remembered(file: Path, size: int, align: bool, changed: int) -> Tensor | None:
    return _reduced(file, size, align, changed)


def _reduced(file: Path, size: int, align: bool, changed: int) -> Tensor | None:
    """Reduced by area, as the pair maker ``blend`` does."""
    from artgen.imaging.faces.portrait import cut_portrait, find_portrait, middle_square
    from artgen.imaging.inputs import pixelated
    from artgen.imaging.io.files import read_image

    known = align and (file, changed) in _found
    if known and _found[file, changed] is None:
        return None
    image = read_image(file)
    if not align:
        return pixelated(middle_square(image), (size, size))
    face = _found[file, changed] if known else _found.setdefault((file, changed), find_portrait(image))
    return None if face is None else pixelated(cut_portrait(image, face, max(CUT, size)), (size, size))
