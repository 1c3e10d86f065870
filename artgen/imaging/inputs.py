"""Inputs of image-to-image models, made from pictures: outlines, pixels, blurred greys.

The pair makers of training and the steps of a recipe use the same functions, so that a model gets in a
recipe what it was trained on. ``prepare_input`` follows the description in a model's file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import enlarge, luminance, resize, resize_if_needed

INPUT_KINDS = ("pixelate", "learning-to-see", "edges", "blend", "folders")
# The smallest step of tone, from 0 to 1, that starts an outline: at detail 0 and at detail 1.
MAX_CONTOUR_TONE_STEP, MIN_CONTOUR_TONE_STEP = 0.40, 0.04
# The gradient of skimage's Canny at a step of tone from 0 to 1: Sobel's gain of 8 times the slope of a
# Gaussian's integral. If the blur is wider than a pixel, it is divided by sigma.
CANNY_GRADIENT_PER_TONE_STEP = 8 / math.sqrt(math.tau)
# Larger images are outlined in strips of this many px: Canny takes about 40 bytes for each.
MAX_OUTLINE_STRIP_PIXELS = 4_000_000


def prepare_input(
    image: Tensor, inputs_table: Mapping[str, object], size: tuple[int, int] | None = None
) -> Tensor:
    """Turn an image into the input that a model was trained on, without the randomness of training.

    Args:
        image: ``(3, H, W)``, sRGB, [0, 1], of any size.
        inputs_table: the ``[pairs]`` table of the training, from the model's file. Its values are checked,
            because the file may come from anywhere.
        size: ``(H, W)`` of the result; by default the image's. A thumbnail with the size that a network
            expects is enlarged as in training, not reduced a second time.

    Returns:
        ``(1, H, W)`` if the model was trained on one channel, else ``(3, H, W)``; in [0, 1].

    Raises:
        ArtgenError: the table names an unknown kind of input, or a value of it is invalid.
    """
    size = size or (image.shape[-2], image.shape[-1])
    kind = inputs_table.get("use")
    if kind == "pixelate":
        cells = resize_by_area(image, reduced_size(size, _read_factor(inputs_table)))
        return F.interpolate(cells[None], size, mode="nearest")[0]
    if kind in ("blend", "learning-to-see"):
        is_grey = kind == "learning-to-see" and _read_flag(inputs_table, "grey")
        return defocus(luminance(image) if is_grey else image, _read_factor(inputs_table), size)
    if kind == "edges":
        sigma, thickness = (_read_range_middle(inputs_table, key) for key in ("sigma", "thickness"))
        detail = _read_number(inputs_table, "detail", 0, 1)
        return draw_outlines(resize_if_needed(image, size), sigma, thickness, detail)
    if kind == "folders":
        resized = resize_if_needed(image, size)
        return luminance(resized) if _read_flag(inputs_table, "grey") else resized
    raise ArtgenError("inputs.use", f"{kind!r}"[:60], f"one of {', '.join(INPUT_KINDS)}")


def read_grain(inputs_table: Mapping[str, object]) -> float:
    """Return the deviation of the noise that an image-to-image network turns into texture; for most it is 0.

    Raises:
        ArtgenError: ``grain`` in the table is no number from 0 to 1.
    """
    return _read_number(inputs_table, "grain", 0, 1) if "grain" in inputs_table else 0.0


def add_texture_noise(
    image: Tensor, inputs_table: Mapping[str, object], generator: torch.Generator, amount: float = 1.0
) -> Tensor:
    """Add the noise that a network learned to turn into texture to its input; for most networks none.

    Args:
        image: ``(C, H, W)`` in [0, 1], from ``prepare_input``; with the noise, values may be outside.
        inputs_table: as for ``prepare_input``.
        generator: draws the noise, on the CPU.
        amount: share of the noise that was used in training, 0 to 1.

    Raises:
        ArtgenError: as for ``read_grain``.
    """
    grain = amount * read_grain(inputs_table)
    return image + grain * torch.randn(image.shape, generator=generator) if grain else image


def reduced_size(size: tuple[int, int], factor: int) -> tuple[int, int]:
    """Return an image's size ``(H, W)`` divided by ``factor``, rounded, at least 1."""
    return max(1, round(size[0] / factor)), max(1, round(size[1] / factor))


def resize_by_area(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Reduce an image ``(C, H, W)`` to ``size`` ``(h, w)`` by area means; enlarge it if it is smaller."""
    height, width = image.shape[-2:]
    if size[0] > height or size[1] > width:
        return resize(image, size)
    return F.interpolate(image[None], size, mode="area")[0]


def defocus(image: Tensor, factor: int, size: tuple[int, int]) -> Tensor:
    """Blur ``(C, H, W)`` as for Learning to See: reduce by area, then enlarge by cubic convolution.

    Akten, Fiebrink and Grierson 2019, "Learning to See: You Are What You See": 24 times, from greyscale.

    Args:
        image: ``(C, H, W)`` in [0, 1].
        factor: size of the result over the size of the reduced image.
        size: ``(H, W)`` of the result.
    """
    return enlarge(resize_by_area(image, reduced_size(size, factor)), size)


def draw_outlines(
    image: Tensor,
    sigma: float,
    thickness: float,
    detail: float,
    max_strip_pixels: int = MAX_OUTLINE_STRIP_PIXELS,
) -> Tensor:
    """Draw the contours of an image, dark on white like a drawing on paper: ``(1, H, W)``.

    Canny 1986, "A computational approach to edge detection".

    Args:
        image: ``(3, H, W)``.
        sigma: width of the Gaussian blur before Canny, px.
        thickness: width of the lines, px, from 1.
        detail: 0 (only the strongest contours) to 1 (nearly all).
        max_strip_pixels: larger images are outlined in strips, with the same result.
    """
    contour_step = MAX_CONTOUR_TONE_STEP * (MIN_CONTOUR_TONE_STEP / MAX_CONTOUR_TONE_STEP) ** detail
    high_threshold = contour_step * CANNY_GRADIENT_PER_TONE_STEP / max(sigma, 1.0)
    contours = torch.from_numpy(
        _find_contours(image, sigma, 0.4 * high_threshold, high_threshold, max_strip_pixels)
    )
    drawing = torch.empty(1, *contours.shape)
    for rows, padded_rows, inner_rows in _split_into_strips(
        contours.shape, math.ceil(thickness / 2), max_strip_pixels
    ):
        drawing[:, rows] = 1 - _thicken_lines(contours[None, padded_rows].float(), thickness)[:, inner_rows]
    return drawing


def _find_contours(
    image: Tensor, sigma: float, low: float, high: float, max_strip_pixels: int
) -> npt.NDArray[np.bool_]:
    """Return Canny's contours ``(H, W)``, from a gradient of ``low``, that somewhere reach ``high``.

    In a large image, both thresholds are applied strip by strip, with a margin; contours are then followed
    through all strips. The result is the same as without strips.
    """
    import scipy.ndimage as ndi
    from skimage.feature import canny

    def find_edges(rows: slice, low: float, high: float) -> npt.NDArray[np.bool_]:
        grey = luminance(image[:, rows])[0].numpy()
        edges: npt.NDArray[np.bool_] = canny(
            grey, sigma, low_threshold=low, high_threshold=high, mode="nearest"
        )
        return edges

    height, width = image.shape[-2:]
    if height * width <= max_strip_pixels:
        return find_edges(slice(None), low, high)
    faint, strong = (np.empty((height, width), bool) for _ in range(2))
    # The Gaussian ends at 4 sigma; Sobel, the comparison with neighbours and an empty border add 4 px.
    for rows, padded_rows, inner_rows in _split_into_strips(
        (height, width), math.ceil(4 * sigma) + 4, max_strip_pixels
    ):
        faint[rows], strong[rows] = (
            find_edges(padded_rows, threshold, threshold)[inner_rows] for threshold in (low, high)
        )
    return ndi.binary_propagation(strong, np.ones((3, 3)), mask=faint)  # type: ignore[no-any-return]


def _split_into_strips(
    size: Sequence[int], margin: int, max_pixels: int
) -> Iterator[tuple[slice, slice, slice]]:
    """Yield for each strip of an image its rows, those with a margin, and the strip's rows inside these."""
    height, width = size
    strip_height = max(1, max_pixels // width)
    for top in range(0, height, strip_height):
        bottom, start = min(top + strip_height, height), max(0, top - margin)
        yield slice(top, bottom), slice(start, bottom + margin), slice(top - start, bottom - start)


def _thicken_lines(ink: Tensor, thickness: float) -> Tensor:
    """Widen an outline's lines of 1 px to ``thickness`` px."""
    # Each full iteration makes lines 2 px wider; a partial one leaves their edges grey.
    while thickness > 1:
        wider = F.max_pool2d(ink[None], 3, stride=1, padding=1)[0]
        ink = torch.lerp(ink, wider, min(1.0, (thickness - 1) / 2))
        thickness -= 2
    return ink


def _read_factor(inputs_table: Mapping[str, object]) -> int:
    factor = _read_number(inputs_table, "factor", 2, 64)
    if factor != int(factor):
        raise _invalid_value_error("factor", factor, "a whole number")
    return int(factor)


def _read_flag(inputs_table: Mapping[str, object], key: str) -> bool:
    value = inputs_table.get(key)
    if not isinstance(value, bool):
        raise _invalid_value_error(key, value, "true or false")
    return value


def _read_number(inputs_table: Mapping[str, object], key: str, low: float, high: float) -> float:
    return _check_number(key, inputs_table.get(key), low, high)


def _read_range_middle(inputs_table: Mapping[str, object], key: str) -> float:
    """Return the middle of a range in a ``[pairs]`` table, from which training draws at random."""
    limits = inputs_table.get(key)
    if not isinstance(limits, list) or len(limits) != 2:
        raise _invalid_value_error(key, limits, "two numbers")
    return sum(_check_number(key, limit, 0.5, 16) for limit in limits) / 2


def _check_number(key: str, value: object, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise _invalid_value_error(key, value, f"a number from {low:g} to {high:g}")
    return float(value)


def _invalid_value_error(key: str, value: object, expected: str) -> ArtgenError:
    return ArtgenError(f"inputs.{key}", f"{value!r}"[:60], f"the model's file should say {expected}")
