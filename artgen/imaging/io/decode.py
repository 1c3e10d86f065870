"""Conversion of Pillow images of any mode to sRGB: depth, palettes, transparency, profiles, orientation."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from artgen.errors import ArtgenError

if TYPE_CHECKING:
    ImageArray = NDArray[np.float32]

ORIENTATION_TAG = 0x0112
SRGB_GAMMA = 1 / 2.2  # as a PNG states it
# EXIF orientation -> (mirror left to right first, then quarter turns counter-clockwise)
ORIENTATION_TURNS = {
    2: (True, 0),
    3: (False, 2),
    4: (True, 2),
    5: (True, 1),
    6: (False, 3),
    7: (True, 3),
    8: (False, 1),
}


def to_srgb_array(image: Image.Image) -> ImageArray:
    """Convert a loaded image to float32 ``(H, W, 3)``, sRGB-encoded, ``[0, 1]``, on white."""
    return _apply_gamma(_to_srgb_array(image), image)


def _to_srgb_array(image: Image.Image) -> ImageArray:
    profile = image.info.get("icc_profile")
    if has_deep_pixels(image):
        return np.repeat(_deep_grey_array(image, profile)[..., None], 3, axis=2)
    if image.mode in ("PA", "La", "RGBa", "LA", "RGBA") or image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = _to_unit_range(image.getchannel("A"))[..., None]
        return _to_unit_range(_to_srgb(image.convert("RGB"), profile)) * alpha + (1 - alpha)
    if image.mode == "P":
        image = image.convert("RGB")
    elif image.mode == "1":
        image = image.convert("L")
    return _to_unit_range(_to_srgb(image, profile))


def has_deep_pixels(image: Image.Image) -> bool:
    """Return whether an image is grey with more than 8 bits: whole numbers or floats."""
    return image.mode.startswith(("I", "F"))


def apply_orientation(planes: ImageArray, image: Image.Image) -> ImageArray:
    """Turn ``(3, H, W)`` as the image's EXIF orientation says; an unreadable EXIF block is ignored."""
    try:
        orientation = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # many devices write broken EXIF
        return planes
    mirrored, quarter_turns = ORIENTATION_TURNS.get(orientation, (False, 0))
    turned: ImageArray = np.rot90(planes[:, :, ::-1] if mirrored else planes, quarter_turns, axes=(1, 2))
    return turned


def _to_unit_range(image: Image.Image) -> ImageArray:
    return np.asarray(image, dtype=np.float32) / np.float32(255)


def _float_to_unit_range(values: NDArray[Any]) -> ImageArray:
    """Convert float pixels to [0, 1]: programs write them from 0 to 1, to 255 or to 65535."""
    finite = np.nan_to_num(values, posinf=0, neginf=0)
    brightest = float(finite.max(initial=0))
    white = 1 if brightest <= 2 else 255 if brightest <= 511 else 65535
    unit: ImageArray = np.clip(finite / white, 0, 1).astype(np.float32)
    return unit


def _apply_gamma(array: ImageArray, image: Image.Image) -> ImageArray:
    """Convert a PNG that states another gamma than that of sRGB, e.g. linear light, to sRGB."""
    gamma = image.info.get("gamma")
    if not isinstance(gamma, float) or "icc_profile" in image.info or "srgb" in image.info:
        return array
    if not 0.05 <= gamma <= 20 or abs(gamma - SRGB_GAMMA) < 0.02:
        return array
    light = array ** np.float32(1 / gamma)
    srgb: ImageArray = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return srgb.astype(np.float32)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            source_profile = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                image, source_profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # broken, or for another colour model: the image is read as if it had no profile
    return image.convert("RGB")


def _deep_grey_array(image: Image.Image, profile: bytes | None) -> ImageArray:
    values: NDArray[Any] = np.asarray(image)
    if image.mode == "F":
        return _float_to_unit_range(values)
    if values.size and (values.min() < 0 or values.max() > 65535):
        raise ArtgenError(
            str(getattr(image, "filename", "")), "32-bit integer pixels", "save it with 8 or 16 bit"
        )
    grey: ImageArray = values.astype(np.float32) / np.float32(65535)
    if not profile:
        return grey
    # The profile's curve is measured on an 8-bit ramp, then applied to the full depth.
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None], "L")
    curve = _to_unit_range(_to_srgb(ramp, profile)).mean(axis=2)[0]
    converted: ImageArray = np.interp(grey, np.linspace(0, 1, 256), curve).astype(np.float32)
    return converted
