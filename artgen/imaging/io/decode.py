"""Conversion of Pillow images of any mode to sRGB: depth, palettes, transparency, profiles, orientation."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from artgen.errors import ArtgenError

if TYPE_CHECKING:
    ImageArray = NDArray[np.float32]

ORIENTATION_TAG = 0x0112
PHOTOMETRIC_TAG, WHITE_IS_ZERO = 262, 0  # of TIFF
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


@dataclass(frozen=True)
class GreyScale:
    """What the pixels of an image with one deep channel mean.

    Attributes:
        white: the value of white.
        is_inverted: whether it is rather that of black.
    """

    white: float = 65535
    is_inverted: bool = False


def measure_grey_scale(image: Image.Image) -> GreyScale:
    """Return the scale of a loaded image, of which float pixels are searched for the brightest."""
    is_inverted = getattr(image, "tag_v2", {}).get(PHOTOMETRIC_TAG) == WHITE_IS_ZERO
    return GreyScale(find_white(np.asarray(image)) if image.mode == "F" else 65535, is_inverted)


def to_srgb_array(image: Image.Image, scale: GreyScale | None = None) -> ImageArray:
    """Convert a loaded image to float32 ``(H, W, 3)``, sRGB-encoded, ``[0, 1]``, on white.

    Args:
        image: the image, or a strip of it.
        scale: that of the whole image, if ``image`` is a strip.
    """
    return _apply_gamma(_to_srgb_array(image, scale), image)


def _to_srgb_array(image: Image.Image, scale: GreyScale | None) -> ImageArray:
    profile = image.info.get("icc_profile")
    if image.mode.startswith(("I", "F")):
        grey = _deep_grey_array(image, profile, scale or measure_grey_scale(image))
        return np.repeat(grey[..., None], 3, axis=2)
    if image.mode in ("PA", "La", "RGBa", "LA", "RGBA") or image.has_transparency_data:
        colours = "L" if image.mode in ("L", "LA", "La") else "RGB"
        image = image.convert("RGBA")
        alpha = _bytes_to_unit_range(image.getchannel("A"))[..., None]
        return _bytes_to_unit_range(_to_srgb(image.convert(colours), profile)) * alpha + (1 - alpha)
    if image.mode == "P":
        image = image.convert("RGB")
    elif image.mode == "1":
        image = image.convert("L")
    return _bytes_to_unit_range(_to_srgb(image, profile))


def apply_orientation(planes: ImageArray, image: Image.Image) -> ImageArray:
    """Turn ``(3, H, W)`` as the image's EXIF orientation says; an unreadable EXIF block is ignored."""
    try:
        orientation = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # many devices write broken EXIF
        return planes
    mirrored, quarter_turns = ORIENTATION_TURNS.get(orientation, (False, 0))
    turned: ImageArray = np.rot90(planes[:, :, ::-1] if mirrored else planes, quarter_turns, axes=(1, 2))
    return turned


def _bytes_to_unit_range(image: Image.Image) -> ImageArray:
    return np.asarray(image, dtype=np.float32) / np.float32(255)


def find_white(values: NDArray[Any]) -> float:
    """Return the float value of white: programs write pixels from 0 to 1, to 255 or to 65535."""
    brightest = float(np.nan_to_num(values, posinf=0, neginf=0).max(initial=0))
    return 1 if brightest <= 2 else 255 if brightest <= 511 else 65535


def to_unit_range(values: NDArray[Any], white: float) -> ImageArray:
    """Convert float pixels to [0, 1]; what is no finite number becomes black."""
    unit: ImageArray = np.nan_to_num(values, posinf=0, neginf=0).astype(np.float32) / np.float32(white)
    return unit.clip(0, 1)


def states_other_gamma(image: Image.Image) -> bool:
    """Return whether a PNG states another gamma than that of sRGB, e.g. linear light, and no profile."""
    gamma = image.info.get("gamma")
    if not isinstance(gamma, float) or "icc_profile" in image.info or "srgb" in image.info:
        return False
    return 0.05 <= gamma <= 20 and abs(gamma - SRGB_GAMMA) >= 0.02


def _apply_gamma(array: ImageArray, image: Image.Image) -> ImageArray:
    if not states_other_gamma(image):
        return array
    light = array ** np.float32(1 / image.info["gamma"])
    srgb: ImageArray = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return srgb.astype(np.float32)


def has_usable_profile(image: Image.Image) -> bool:
    """Return whether an opened image has an ICC profile that fits its colours."""
    grey = image.mode.startswith(("L", "I"))
    mode = image.mode if image.mode in ("CMYK", "LAB") else "L" if grey and image.mode != "LAB" else "RGB"
    return _build_transform(mode, image.info.get("icc_profile")) is not None


def _build_transform(mode: str, profile: bytes | None) -> ImageCms.ImageCmsTransform | None:
    """Return the transform of a mode to sRGB; None without profile, or with a broken or unsuitable one."""
    if not profile:
        return None
    try:
        source_profile = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.buildTransform(source_profile, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    transform = _build_transform(image.mode, profile)
    converted = ImageCms.applyTransform(image, transform) if transform else None
    return converted or image.convert("RGB")


def _deep_grey_array(image: Image.Image, profile: bytes | None, scale: GreyScale) -> ImageArray:
    """Convert grey of more than 8 bits to ``(H, W)``; what Pillow leaves undone with it is done here."""
    values: NDArray[Any] = np.asarray(image)
    if image.mode != "F" and values.size and (values.min() < 0 or values.max() > scale.white):
        raise ArtgenError("image", "32-bit integer pixels", "save it with 8 or 16 bit")
    grey = to_unit_range(values, scale.white)
    if scale.is_inverted:
        grey = 1 - grey
    if profile and image.mode != "F":
        # The profile's curve is measured on an 8-bit ramp, then applied to the full depth.
        ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None], "L")
        curve = _bytes_to_unit_range(_to_srgb(ramp, profile)).mean(axis=2)[0]
        grey = np.interp(grey, np.linspace(0, 1, 256), curve).astype(np.float32)
    transparent_value = image.info.get("transparency")
    return grey if transparent_value is None else np.where(values == transparent_value, 1, grey)
