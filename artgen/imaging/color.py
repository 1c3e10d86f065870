"""Colour: conversions between sRGB, linear light and OKLab, and tone and colour adjustments.

Every function works on ``(..., 3, H, W)`` float tensors and returns a new one. *Linear* means linear
light with sRGB primaries, where 1 is the white of the screen.
"""

from __future__ import annotations

import torch
from torch import Tensor

from artgen.imaging.image import LUMINANCE_WEIGHTS

# Ottosson 2020, "A perceptual color space for image processing": linear sRGB -> cone response -> Lab.
_LINEAR_TO_CONES = ((0.4122214708, 0.5363325363, 0.0514459929), (0.2119034982, 0.6806995451, 0.1073969566),
          (0.0883024619, 0.2817188376, 0.6299787005))  # fmt: skip
_CONES_TO_LAB = ((0.2104542553, 0.7936177850, -0.0040720468), (1.9779984951, -2.4285922050, 0.4505937099),
        (0.0259040371, 0.7827717662, -0.8086757660))  # fmt: skip
# Middle grey: 18 % reflectance, about half way on a perceptual scale.
_MIDDLE_GREY = 0.18 ** (1 / 3)


def to_linear(image: Tensor) -> Tensor:
    """Convert an image from sRGB-encoded ``[0, 1]`` to linear light (IEC 61966-2-1)."""
    return torch.where(image <= 0.04045, image / 12.92, ((image.clamp_min(0) + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: Tensor) -> Tensor:
    """Convert an image in linear light to sRGB-encoded, clamped to ``[0, 1]``."""
    linear = linear.clamp(0, 1)
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055).clamp(0, 1)


def relative_luminance(linear: Tensor) -> Tensor:
    """Return the relative luminance ``(..., 1, H, W)`` of an image in linear light."""
    weights = torch.tensor(LUMINANCE_WEIGHTS, dtype=linear.dtype, device=linear.device).view(3, 1, 1)
    return (linear * weights).sum(-3, keepdim=True)


def to_oklab(linear: Tensor) -> Tensor:
    """Convert linear light to OKLab: lightness 0 to 1, then two opponent colour axes of about -0.4 to 0.4."""
    cones = _apply_matrix(linear, _LINEAR_TO_CONES)
    return _apply_matrix(cones.sign() * cones.abs() ** (1 / 3), _CONES_TO_LAB)


def from_oklab(lab: Tensor) -> Tensor:
    """Convert an image in OKLab to linear light; colours outside the gamut are outside ``[0, 1]``."""
    cones = _apply_matrix(lab, _invert_matrix(_CONES_TO_LAB)) ** 3
    return _apply_matrix(cones, _invert_matrix(_LINEAR_TO_CONES))


def desaturate_into_gamut(linear: Tensor) -> Tensor:
    """Bring colours into ``[0, 1]`` by desaturating them, at unchanged luminance and hue."""
    grey = relative_luminance(linear).clamp(0, 1)
    return grey + (linear - grey) / _gamut_fraction(linear, grey).clamp_min(1)


def adjust_warmth(linear: Tensor, amount: float) -> Tensor:
    """Shift an image's white point from blue (``amount`` -1) to amber (1), at unchanged luminance.

    This is a von Kries adaptation in cone space, of about 60 mired at either end.
    """
    if amount == 0:
        return linear
    gains = torch.tensor([1 + 0.10 * amount, 1 + 0.01 * amount, 1 - 0.30 * amount])
    cones = _apply_matrix(linear, _LINEAR_TO_CONES) * gains.to(linear).view(3, 1, 1)
    shifted = _apply_matrix(cones, _invert_matrix(_LINEAR_TO_CONES))
    old_luminance, new_luminance = relative_luminance(linear), relative_luminance(shifted)
    return shifted * (old_luminance / new_luminance.clamp_min(1e-6))


def adjust_exposure(linear: Tensor, stops: float) -> Tensor:
    """Brighten or darken an image's shadows by ``stops``, while white stays white (Reinhard's curve)."""
    if stops == 0:
        return linear
    gain = float(2.0**stops)
    luminance = relative_luminance(linear)
    return desaturate_into_gamut(linear * (gain / (1 + luminance * (gain - 1))))


def adjust_levels(linear: Tensor, black: float, white: float, stretch: float) -> Tensor:
    """Stretch an image's tones between a black point and a white point.

    Args:
        linear: linear light, ``(3, H, W)``.
        black: sRGB-encoded tone that becomes 0.
        white: sRGB-encoded tone that becomes 1.
        stretch: 0 to 1, how far the two points move first to the image's own 0.5 % and 99.5 % luminance.
    """
    black_point, white_point = to_linear(torch.tensor([black, white])).tolist()
    if stretch > 0:
        tones = relative_luminance(linear).flatten()
        tones = tones[:: max(1, tones.numel() // 1_000_000)].sort().values
        darkest, lightest = (float(tones[round(share * (len(tones) - 1))]) for share in (0.005, 0.995))
        black_point = max(black_point, min(darkest, 0.2) * stretch)
        # An image of one tone stays flat: its noise is not amplified.
        white_point = max(black_point + 0.1, min(white_point, 1 - (1 - lightest) * stretch))
    if (black_point, white_point) == (0.0, 1.0):
        return linear
    return desaturate_into_gamut((linear - black_point).clamp_min(0).div(white_point - black_point))


def adjust_contrast(linear: Tensor, amount: float) -> Tensor:
    """Raise (up to 1) or lower (down to -1) an image's contrast of luminance around middle grey.

    Above 0 black and white stay, and the curve has the slope ``2 ** amount`` at middle grey, with a toe and
    a shoulder as of film. Below 0 the tones come closer to grey and black becomes lighter, as in a faded
    print. Colours are scaled with the luminance.
    """
    if amount == 0:
        return linear
    luminance = relative_luminance(linear)
    tone = luminance.clamp(0, 1) ** (1 / 3)
    slope = 2.0**amount
    if amount > 0:
        toe = _MIDDLE_GREY * (tone / _MIDDLE_GREY) ** slope
        shoulder = 1 - (1 - _MIDDLE_GREY) * ((1 - tone) / (1 - _MIDDLE_GREY)).clamp_min(0) ** slope
        tone = torch.where(tone < _MIDDLE_GREY, toe, shoulder)
    else:
        tone = _MIDDLE_GREY + (tone - _MIDDLE_GREY) * slope
    new_luminance = tone**3
    # Lifted shadows turn grey, as in a print; without this small offset black would stay black.
    offset = 0.03 if amount < 0 else 1e-3
    return desaturate_into_gamut((linear + offset) * (new_luminance / (luminance + offset)))


def adjust_saturation(linear: Tensor, amount: float) -> Tensor:
    """Scale an image's saturation at unchanged luminance: 0 is grey, 1 unchanged, 2 double for pale colours.

    Above 1 each colour moves part of the way to the edge of the gamut, so that strong colours change little
    and none is clipped.
    """
    if amount == 1:
        return linear
    grey = relative_luminance(linear).clamp(0, 1)
    if amount < 1:
        return grey + (linear - grey) * amount
    fraction = _gamut_fraction(linear, grey).clamp(1e-6, 1)
    return grey + (linear - grey) * ((1 - (1 - fraction) ** amount) / fraction)


def match_colour_statistics(
    image: Tensor, mean: Tensor, covariance: Tensor, statistics: tuple[Tensor, Tensor] | None = None
) -> Tensor:
    """Map an image's colours linearly to this mean and covariance, with the least change of colours.

    Pitie and Kokaram 2007, "The linear Monge-Kantorovitch linear colour mapping". Because the map is
    linear, gradients stay smooth.

    Args:
        image: ``(3, H, W)`` in any colour space.
        mean: ``(3,)`` of the same space.
        covariance: ``(3, 3)`` of the same space.
        statistics: the image's own, from ``colour_statistics``, if not of all its colours.
    """
    image_mean, image_covariance = colour_statistics(image) if statistics is None else statistics
    root, inverse_root = _matrix_power(image_covariance, 0.5), _matrix_power(image_covariance, -0.5)
    transport = inverse_root @ _matrix_power(root @ covariance @ root, 0.5) @ inverse_root
    return (transport @ (image.flatten(1) - image_mean[:, None]) + mean[:, None]).view_as(image)


def colour_statistics(image: Tensor, least_variance: float = 1e-6) -> tuple[Tensor, Tensor]:
    """Return the mean ``(3,)`` and covariance ``(3, 3)`` of the colours of ``(3, H, W)`` or ``(3, N)``.

    ``least_variance`` is added to the diagonal, so that an image of one colour has an invertible covariance.
    """
    colours = image.flatten(1)
    mean = colours.mean(1)
    deviations = colours - mean[:, None]
    diagonal = least_variance * torch.eye(3, device=image.device)
    return mean, deviations @ deviations.T / colours.shape[1] + diagonal


def _matrix_power(matrix: Tensor, exponent: float) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    power: Tensor = (vectors * values.clamp_min(1e-9) ** exponent) @ vectors.T
    return power


def _gamut_fraction(linear: Tensor, grey: Tensor) -> Tensor:
    """Return how far each colour is on its way from grey (0) to the edge of the gamut (1)."""
    chroma = linear - grey
    max_chroma = torch.where(chroma > 0, 1 - grey, grey).clamp_min(1e-6)
    return (chroma.abs() / max_chroma).amax(-3, keepdim=True)


def _apply_matrix(image: Tensor, matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    weights = torch.tensor(matrix, dtype=image.dtype, device=image.device)
    return torch.einsum("ij,...jhw->...ihw", weights, image)


def _invert_matrix(matrix: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, torch.linalg.inv(torch.tensor(matrix, dtype=torch.float64)).tolist()))
