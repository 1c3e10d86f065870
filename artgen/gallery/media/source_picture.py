"""A picture to be shown: the pixels of ``read_image``, in strips where libvips decodes the same."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from artgen.errors import ArtgenError
from artgen.imaging.image import to_byte_array
from artgen.imaging.io.decode import has_usable_profile
from artgen.imaging.io.files import read_image
from artgen.imaging.io.libvips import RENDERING_INTENT, convert_profile, last_vips_message, load_vips
from artgen.imaging.io.opening import SUPPORTED_FILES, UnknownFormatError, open_image
from artgen.imaging.io.streaming import can_be_streamed

if TYPE_CHECKING:
    import pyvips

RUNS_FILE = "a run's is made again once it is gone"
_STRIP_ROWS = 256  # converted to bytes at once
_WHITE = (255, 255, 255)


class SourcePicture:
    """A picture file as a site shows it: upright, sRGB, 8 bits, transparency on white.

    A picture that libvips decodes as ``read_image`` does is never in memory as a whole; any other is read by
    ``read_image``, and has at most as many pixels as that accepts.

    Args:
        file: the picture.

    Raises:
        ArtgenError: the file is missing, damaged or no picture.
    """

    def __init__(self, file: Path) -> None:
        if not file.exists():
            raise decoding_error(file, "")
        self._file = file
        try:
            self._is_streamed, self._has_profile = _inspect(file)
            upright = self._open(sequential=True).autorot() if self._is_streamed else self._pixels
        except ArtgenError as error:
            if error.expected == SUPPORTED_FILES:
                raise ArtgenError(error.where, error.problem, f"{error.expected}; {RUNS_FILE}") from error
            raise
        self._is_deep = upright.format != "uchar"
        self.width, self.height = upright.width, upright.height

    def shrink(self, width: int, max_height: int) -> pyvips.Image:
        """Return the picture in memory, no wider than ``width`` and no higher than ``max_height``, px.

        Raises:
            pyvips.Error: the file is damaged.
        """
        options = {"height": max_height, "size": "down"}
        if not self._is_streamed:
            return self._pixels.thumbnail_image(width, **options).cast("uchar").copy_memory()
        if self._has_profile and self._is_deep:
            return self.open_full().thumbnail_image(width, **options).cast("uchar").copy_memory()
        options["fail_on"] = "error"
        if self._has_profile:  # without a profile it is sRGB, and ten times faster
            options |= {"export_profile": "srgb", "intent": RENDERING_INTENT}
        image = load_vips().Image.thumbnail(str(self._file), width, **options)
        return _flatten(image).copy_memory()

    def open_full(self) -> pyvips.Image:
        """Return the picture at its full size, decoded in strips as it is used.

        Raises:
            pyvips.Error: the file is damaged.
        """
        if not self._is_streamed:
            return self._pixels
        image = self._open(sequential=True)
        if "orientation" in image.get_fields() and image.get("orientation") != 1:
            # Rotation needs all rows; libvips uses a temporary file if they do not fit into memory.
            image = self._open(sequential=False).autorot()
        if self._has_profile:
            image = convert_profile(image)
        return _flatten(image)

    def _open(self, *, sequential: bool) -> pyvips.Image:
        access = {"access": "sequential"} if sequential else {}
        return load_vips().Image.new_from_file(str(self._file), fail_on="error", **access)

    @cached_property
    def _pixels(self) -> pyvips.Image:
        image = read_image(self._file)
        height, width = image.shape[-2:]
        pixels = np.empty((height, width, 3), np.uint8)
        for top in range(0, height, _STRIP_ROWS):
            pixels[top : top + _STRIP_ROWS] = to_byte_array(image[:, top : top + _STRIP_ROWS])
        whole = load_vips().Image.new_from_memory(pixels, width, height, 3, "uchar")
        return whole.copy(interpretation="srgb")


def _inspect(file: Path) -> tuple[bool, bool]:
    """Return whether a picture can be streamed, and whether with its colour profile.

    Raises:
        ArtgenError: the file cannot be opened.
    """
    vips = load_vips()
    try:
        with open_image(file) as image:
            bands = vips.Image.new_from_file(str(file), access="sequential").bands
            if can_be_streamed(image, bands):
                return True, has_usable_profile(image)
    except (UnknownFormatError, vips.Error):
        pass  # read_image may read it all the same, or else says what is wrong
    return False, False


def _flatten(image: pyvips.Image) -> pyvips.Image:
    """Return an image in sRGB with 8 bits, on white."""
    image = image.colourspace("srgb")
    return (image.flatten(background=_WHITE) if image.hasalpha() else image).cast("uchar")


def decoding_error(file: Path, vips_message: str) -> ArtgenError:
    """Turn libvips' message about a file that it cannot decode or encode into an error for the artist.

    Raises:
        OSError: as ``last_vips_message``.
    """
    if not file.exists():
        return ArtgenError(str(file), "missing", "put it back, or take back its pick")
    reason = last_vips_message(file, vips_message)
    if "too large" in vips_message:
        return ArtgenError(str(file), f"too large to be shown ({reason})", "give a smaller one")
    return ArtgenError(str(file), f"damaged ({reason})", f"give a whole one; {RUNS_FILE}")
