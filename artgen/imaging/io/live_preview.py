"""A picture in the making, in a file that any viewer shows: written anew now and then, gone in the end."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from artgen.errors import ArtgenError
from artgen.imaging.io.formats import write_picture

if TYPE_CHECKING:
    from torch import Tensor

SECONDS = 2.0
SIDE = 1024


class Live:
    """``with Live(path) as live: live(picture)``: at most every two seconds the file is written.

    Args:
        path: ends as a picture does; None writes nothing, and a file that is there already is let be.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = None if path is None or path.exists() else path
        self._last = time.monotonic()

    def __call__(self, picture: Tensor) -> None:
        """Show ``(3, H, W)`` in [0, 1], reduced to 1024 px."""
        if self._path is None or time.monotonic() - self._last < SECONDS:
            return
        from artgen.imaging.image import fit

        small = picture.detach().float().cpu()
        small = fit(small, SIDE) if max(small.shape[-2:]) > SIDE else small
        with suppress(ArtgenError):  # a disk that is full for this file is no reason to stop
            write_picture(self._path, small)
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)
