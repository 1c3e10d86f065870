"""From any Pillow mode to sRGB: depth, palettes, transparency, profiles, orientation."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from artgen.errors import ArtgenError

if TYPE_CHECKING:
    Array = NDArray[np.float32]

ORIENTATION = 0x0112
# EXIF orientation -> (mirror left to right first, then quarter turns counter-clockwise)
TURNS = {2: (True, 0), 3: (False, 2), 4: (True, 2), 5: (True, 1), 6: (False, 3), 7: (True, 3), 8: (False, 1)}


def srgb_array(image: Image.Image) -> Array:
    """A loaded picture as float32 ``(H, W, 3)``, sRGB-encoded, ``[0, 1]``, on white."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith(("I", "F")):
        return np.repeat(_deep_grey(image, profile)[..., None], 3, axis=2)
    if image.mode in ("PA", "La", "RGBa", "LA", "RGBA") or image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = _unit(image.getchannel("A"))[..., None]
        return _unit(_to_srgb(image.convert("RGB"), profile)) * alpha + (1 - alpha)
    if image.mode == "P":
        image = image.convert("RGB")
    elif image.mode == "1":
        image = image.convert("L")
    return _unit(_to_srgb(image, profile))


def upright(array: Array, image: Image.Image) -> Array:
    """``array`` turned as the picture's EXIF orientation says; an unreadable EXIF block says nothing."""
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
    except Exception:  # EXIF comes from every kind of device and is often broken
        return array
    mirrored, turns = TURNS.get(orientation, (False, 0))
    turned: Array = np.rot90(array[:, ::-1] if mirrored else array, turns)
    return turned


def _unit(image: Image.Image) -> Array:
    return np.asarray(image, dtype=np.float32) / np.float32(255)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # a profile that is broken or of another colour model: shown as if it had none
    return image.convert("RGB")


def _deep_grey(image: Image.Image, profile: bytes | None) -> Array:
    values: NDArray[Any] = np.asarray(image)
    if image.mode == "F":
        floats: Array = np.clip(np.nan_to_num(values), 0, 1).astype(np.float32)
        return floats
    if values.size and (values.min() < 0 or values.max() > 65535):
        raise ArtgenError(
            str(getattr(image, "filename", "")), "32-bit integer pixels", "save it with 8 or 16 bit"
        )
    unit: Array = values.astype(np.float32) / np.float32(65535)
    if not profile:
        return unit
    # The profile's curve, found on an 8-bit ramp, then applied without losing the depth.
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None], "L")
    curve = _unit(_to_srgb(ramp, profile)).mean(axis=2)[0]
    bent: Array = np.interp(unit, np.linspace(0, 1, 256), curve).astype(np.float32)
    return bent
