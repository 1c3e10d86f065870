"""Light and colour: sRGB and linear light, OKLab, and the adjustments of a darkroom.

Every function works on ``(..., 3, H, W)`` float tensors and returns a new one. *Linear* means linear
light with sRGB primaries, where 1 is the white of the screen.
"""

from __future__ import annotations

import torch
from torch import Tensor

from artgen.imaging.image import LUMINANCE

# Ottosson 2020, "A perceptual color space for image processing": linear sRGB -> cone response -> Lab.
_CONES = ((0.4122214708, 0.5363325363, 0.0514459929), (0.2119034982, 0.6806995451, 0.1073969566),
          (0.0883024619, 0.2817188376, 0.6299787005))  # fmt: skip
_LAB = ((0.2104542553, 0.7936177850, -0.0040720468), (1.9779984951, -2.4285922050, 0.4505937099),
        (0.0259040371, 0.7827717662, -0.8086757660))  # fmt: skip
# Middle grey: 18 % reflectance, about half way on a perceptual scale.
_PIVOT = 0.18 ** (1 / 3)


def to_linear(image: Tensor) -> Tensor:
    """sRGB-encoded ``[0, 1]`` to linear light (IEC 61966-2-1)."""
    return torch.where(image <= 0.04045, image / 12.92, ((image.clamp_min(0) + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: Tensor) -> Tensor:
    """Linear light to sRGB-encoded, clamped to ``[0, 1]``."""
    linear = linear.clamp(0, 1)
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055).clamp(0, 1)


def brightness(linear: Tensor) -> Tensor:
    """Relative luminance of linear light, ``(..., 1, H, W)``."""
    weights = torch.tensor(LUMINANCE, dtype=linear.dtype, device=linear.device).view(3, 1, 1)
    return (linear * weights).sum(-3, keepdim=True)


def to_oklab(linear: Tensor) -> Tensor:
    """Linear light to OKLab: lightness 0 to 1, then two opponent axes of about -0.4 to 0.4."""
    cones = _mix(linear, _CONES)
    return _mix(cones.sign() * cones.abs() ** (1 / 3), _LAB)


def from_oklab(lab: Tensor) -> Tensor:
    """OKLab to linear light; colours outside the gamut lie outside ``[0, 1]``."""
    cones = _mix(lab, _inverse(_LAB)) ** 3
    return _mix(cones, _inverse(_CONES))


def into_gamut(linear: Tensor) -> Tensor:
    """Bring colours back into ``[0, 1]`` by greying them, at unchanged luminance and hue."""
    grey = brightness(linear).clamp(0, 1)
    return grey + (linear - grey) / _reach(linear, grey).clamp_min(1)


def warm(linear: Tensor, amount: float) -> Tensor:
    """Shift the white point along blue to amber, ``-1`` to ``1``, at unchanged luminance.

    A von Kries adaptation in cone space, with the strength of about +-60 mired at the ends.
    """
    if amount == 0:
        return linear
    gains = torch.tensor([1 + 0.10 * amount, 1 + 0.01 * amount, 1 - 0.30 * amount])
    cones = _mix(linear, _CONES) * gains.to(linear).view(3, 1, 1)
    shifted = _mix(cones, _inverse(_CONES))
    before, after = brightness(linear), brightness(shifted)
    return shifted * (before / after.clamp_min(1e-6))


def expose(linear: Tensor, stops: float) -> Tensor:
    """Brighten or darken by stops in the shadows, while white stays white (Reinhard's curve)."""
    if stops == 0:
        return linear
    gain = float(2.0**stops)
    bright = brightness(linear)
    return into_gamut(linear * (gain / (1 + bright * (gain - 1))))


def levels(linear: Tensor, black: float, white: float, stretch: float) -> Tensor:
    """Choose which tones become black and white.

    Args:
        linear: linear light, ``(3, H, W)``.
        black: sRGB-encoded tone that becomes 0.
        white: sRGB-encoded tone that becomes 1.
        stretch: 0 to 1, how far these two move to the image's own 0.5 % and 99.5 % luminance first.
    """
    low, high = to_linear(torch.tensor([black, white])).tolist()
    if stretch > 0:
        tones = brightness(linear).flatten()
        tones = tones[:: max(1, tones.numel() // 1_000_000)].sort().values
        darkest, lightest = (float(tones[round(share * (len(tones) - 1))]) for share in (0.005, 0.995))
        low = max(low, min(darkest, 0.2) * stretch)
        # A flat picture stays flat: its noise is not blown up.
        high = max(low + 0.1, min(high, 1 - (1 - lightest) * stretch))
    if (low, high) == (0.0, 1.0):
        return linear
    return into_gamut((linear - low).clamp_min(0).div(high - low))


def contrast(linear: Tensor, amount: float) -> Tensor:
    """A film curve on luminance around middle grey, ``-1`` to ``1``; colour follows the light.

    Above 0 black and white stay, and the slope at middle grey is ``2 ** amount`` with a toe and a
    shoulder. Below 0 the tones come closer to grey and black is lifted, as in a faded print.
    """
    if amount == 0:
        return linear
    bright = brightness(linear)
    tone = bright.clamp(0, 1) ** (1 / 3)
    slope = 2.0**amount
    if amount > 0:
        toe = _PIVOT * (tone / _PIVOT) ** slope
        shoulder = 1 - (1 - _PIVOT) * ((1 - tone) / (1 - _PIVOT)).clamp_min(0) ** slope
        tone = torch.where(tone < _PIVOT, toe, shoulder)
    else:
        tone = _PIVOT + (tone - _PIVOT) * slope
    wanted = tone**3
    # Lifted shadows turn grey, as in a print; without this trace of grey black would stay black.
    trace = 0.03 if amount < 0 else 1e-3
    return into_gamut((linear + trace) * (wanted / (bright + trace)))


def saturate(linear: Tensor, amount: float) -> Tensor:
    """Scale colourfulness at unchanged luminance: 0 grey, 1 unchanged, 2 twice for pale colours.

    Above 1 each colour moves a part of its way to the gamut's edge, so strong colours gain little and
    none is cut off.
    """
    if amount == 1:
        return linear
    grey = brightness(linear).clamp(0, 1)
    if amount < 1:
        return grey + (linear - grey) * amount
    reach = _reach(linear, grey).clamp(1e-6, 1)
    return grey + (linear - grey) * ((1 - (1 - reach) ** amount) / reach)


def match_palette(image: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """The linear map of least colour change that gives the image this mean and covariance.

    Pitie and Kokaram 2007, "The linear Monge-Kantorovitch linear colour mapping". Linear, so no
    contour is torn.

    Args:
        image: ``(3, H, W)`` in any colour space.
        mean: ``(3,)`` of the same space.
        covariance: ``(3, 3)`` of the same space.
    """
    colours = image.flatten(1)
    centre, own = palette(image)
    root = _power(own, 0.5)
    inverse = _power(own, -0.5)
    transport = inverse @ _power(root @ covariance @ root, 0.5) @ inverse
    return (transport @ (colours - centre[:, None]) + mean[:, None]).view_as(image)


def palette(image: Tensor) -> tuple[Tensor, Tensor]:
    """Mean ``(3,)`` and covariance ``(3, 3)`` of an image's colours."""
    colours = image.flatten(1)
    mean = colours.mean(1)
    spread = colours - mean[:, None]
    return mean, spread @ spread.T / colours.shape[1] + 1e-6 * torch.eye(3)


def _power(matrix: Tensor, exponent: float) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    power: Tensor = (vectors * values.clamp_min(1e-9) ** exponent) @ vectors.T
    return power


def _reach(linear: Tensor, grey: Tensor) -> Tensor:
    """How far each colour lies on its way from grey (0) to the edge of the gamut (1)."""
    chroma = linear - grey
    room = torch.where(chroma > 0, 1 - grey, grey).clamp_min(1e-6)
    return (chroma.abs() / room).amax(-3, keepdim=True)


def _mix(image: Tensor, matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    weights = torch.tensor(matrix, dtype=image.dtype, device=image.device)
    return torch.einsum("ij,...jhw->...ihw", weights, image)


def _inverse(matrix: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, torch.linalg.inv(torch.tensor(matrix, dtype=torch.float64)).tolist()))
