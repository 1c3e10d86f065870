"""High dynamic range to standard: HLG, which phones record, and PQ (ITU-R BT.2100 and BT.2408).

Diffuse white, 203 cd/m², becomes the white of sRGB; what is brighter is compressed into the last eighth of
the range, in all channels by the same factor, so that a sunset keeps its hue.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

HLG_TRANSFER, PQ_TRANSFER = 18, 16  # FFmpeg's numbers
REFERENCE_WHITE_NITS, HLG_PEAK_NITS, PQ_PEAK_NITS = 203.0, 1000.0, 10_000.0
HLG_SYSTEM_GAMMA = 1.2  # of a display of 1,000 cd/m²
KNEE_LIGHT = 0.875  # linear light from which highlights are compressed
BT2020_LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)
BT2020_TO_BT709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]],
    np.float32,
)


def convert_hdr_to_srgb(
    pixels: npt.NDArray[np.uint16], transfer: int, *, has_wide_primaries: bool
) -> npt.NDArray[np.uint8]:
    """Convert a film's frame in high dynamic range to sRGB.

    Args:
        pixels: encoded ``(H, W, 3)``, full range.
        transfer: ``HLG_TRANSFER`` or ``PQ_TRANSFER``.
        has_wide_primaries: whether the primaries are those of BT.2020; otherwise they are those of sRGB.

    Returns:
        uint8 ``(H, W, 3)``.
    """
    light = _light_by_code(transfer)[pixels]  # 1 is the white of sRGB
    if transfer == HLG_TRANSFER:
        luminance = np.maximum(light @ BT2020_LUMINANCE, 1e-9)[..., None]
        light = light * luminance ** (HLG_SYSTEM_GAMMA - 1)
        light *= HLG_PEAK_NITS / REFERENCE_WHITE_NITS
    if has_wide_primaries:
        light = light @ BT2020_TO_BT709.T
    brightest = np.maximum(light.max(axis=2, keepdims=True), 1e-9)
    compressed = 1 - (1 - KNEE_LIGHT) * np.exp(
        -(np.maximum(brightest, KNEE_LIGHT) - KNEE_LIGHT) / (1 - KNEE_LIGHT)
    )
    light = np.clip(light * np.where(brightest > KNEE_LIGHT, compressed / brightest, 1), 0, 1)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    converted: npt.NDArray[np.uint8] = (encoded * 255 + 0.5).astype(np.uint8)
    return converted


@cache
def _light_by_code(transfer: int) -> npt.NDArray[np.float32]:
    """Return the light of each 16-bit code: of HLG in the scene, of PQ relative to the white of sRGB."""
    code = np.linspace(0, 1, 1 << 16)
    if transfer == HLG_TRANSFER:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        return np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12).astype(np.float32)
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    root = code ** (1 / m2)
    nits = PQ_PEAK_NITS * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    return (nits / REFERENCE_WHITE_NITS).astype(np.float32)
