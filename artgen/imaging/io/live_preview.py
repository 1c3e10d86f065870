"""Live preview of unfinished work: a picture file that is rewritten now and then, and removed at the end."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from artgen.errors import ArtgenError
from artgen.imaging.io.formats import write_image

if TYPE_CHECKING:
    from torch import Tensor

PREVIEW_INTERVAL_SECONDS = 2.0
MAX_PREVIEW_SIDE_PX = 1024


class LivePreview:
    """Preview file of unfinished work: ``with LivePreview(path) as preview: preview(image)``.

    The file is written at most every two seconds.

    Args:
        path: name of a picture file; None writes nothing, and an existing file is not touched.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = None if path is None or path.exists() else path
        self._last_write = time.monotonic()

    def __call__(self, image: Tensor) -> None:
        """Write ``(3, H, W)`` in [0, 1], reduced to 1024 px, unless the last write was just now."""
        if self._path is None or time.monotonic() - self._last_write < PREVIEW_INTERVAL_SECONDS:
            return
        from artgen.imaging.image import limit_longer_side

        with suppress(ArtgenError):  # a full disk must not stop the work
            write_image(self._path, limit_longer_side(image.detach().float().cpu(), MAX_PREVIEW_SIDE_PX))
        self._last_write = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)
