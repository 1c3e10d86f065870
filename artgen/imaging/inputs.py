"""What a network is shown: the inputs that image-to-image models learn from, made of pictures.

The pair makers of training and the steps of a recipe use the same functions, so that a model sees in a
recipe what it has learned from. ``prepare`` follows the description in a model's file.
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
from artgen.imaging.image import enlarge, luminance, resize

KINDS = ("pixelate", "learning-to-see", "edges", "blend", "folders")
# The smallest step of tone, of full, that begins an outline: of strongest contours only, and of nearly all.
STRONGEST, FAINTEST = 0.40, 0.04
# The gradient that skimage's Canny sees at a step of tone from 0 to 1: Sobel's gain of 8 times the slope of a
# Gaussian's integral; divided by sigma where the blur is wider than a pixel.
STEP = 8 / math.sqrt(math.tau)
# Larger pictures are outlined by strips of so many px: Canny takes about 40 bytes for each.
STRIP = 4_000_000


def prepare(image: Tensor, table: Mapping[str, object], size: tuple[int, int] | None = None) -> Tensor:
    """A picture as a model learned to see it, without the chance that training adds.

    Args:
        image: ``(3, H, W)``, sRGB, [0, 1], of any size.
        table: the ``[pairs]`` table from the model's file. It is checked: files come from anywhere.
        size: ``(H, W)`` of the result; by default the image's. A thumbnail given with the size that a
            network wants is enlarged as in training, not reduced once more.

    Returns:
        ``(1, H, W)`` where the model learned from one channel, else ``(3, H, W)``; in [0, 1].

    Raises:
        ArtgenError: the table says nothing that can be done.
    """
    size = size or (image.shape[-2], image.shape[-1])
    kind = table.get("use")
    if kind == "pixelate":
        return F.interpolate(pixelated(image, cells(size, _factor(table)))[None], size, mode="nearest")[0]
    if kind == "blend":
        return enlarge(pixelated(image, cells(size, _factor(table))), size)
    if kind == "learning-to-see":
        return defocused(luminance(image) if _flag(table, "grey") else image, _factor(table), size)
    if kind == "edges":
        sigma, thickness = (_middle(table, key) for key in ("sigma", "thickness"))
        return outlines(_sized(image, size), sigma, thickness, _number(table, "detail", 0, 1))
    if kind == "folders":
        sized = _sized(image, size)
        return luminance(sized) if _flag(table, "grey") else sized
    raise ArtgenError("inputs.use", f"{kind!r}"[:60], f"one of {', '.join(KINDS)}")


def grain_of(table: Mapping[str, object]) -> float:
    """Standard deviation of the noise that a network learned to make texture of; 0 for most.

    Raises:
        ArtgenError: the table's ``grain`` is no number from 0 to 1.
    """
    return _number(table, "grain", 0, 1) if "grain" in table else 0.0


def speckled(
    image: Tensor, table: Mapping[str, object], stream: torch.Generator, amount: float = 1.0
) -> Tensor:
    """An input as ``prepare`` made it, with the noise of which its network makes texture, if it learned so.

    Args:
        image: ``(C, H, W)``, in [0, 1]; with the noise it may lie outside.
        table: as for ``prepare``.
        stream: draws the noise, on the CPU.
        amount: of the noise that it learned with, 0 to 1.

    Raises:
        ArtgenError: as ``grain_of``.
    """
    grain = amount * grain_of(table)
    return image + grain * torch.randn(image.shape, generator=stream) if grain else image


def _sized(image: Tensor, size: tuple[int, int]) -> Tensor:
    return image if size == tuple(image.shape[-2:]) else resize(image, size)


def cells(size: tuple[int, int], factor: int) -> tuple[int, int]:
    """``(H, W)`` reduced ``factor`` times, rounded, at least 1."""
    return max(1, round(size[0] / factor)), max(1, round(size[1] / factor))


def pixelated(image: Tensor, size: tuple[int, int]) -> Tensor:
    """``(C, H, W)`` reduced to ``size`` by the mean over each cell's area; what is smaller is enlarged."""
    height, width = image.shape[-2:]
    if size[0] > height or size[1] > width:
        return resize(image, size)
    return F.interpolate(image[None], size, mode="area")[0]


def defocused(image: Tensor, factor: int, size: tuple[int, int]) -> Tensor:
    """``(C, H, W)`` reduced by area and enlarged by cubic convolution, as for Learning to See.

    Akten, Fiebrink and Grierson 2019, "Learning to See: You Are What You See": 24 times, from greyscale.
    """
    return enlarge(pixelated(image, cells(size, factor)), size)


def outlines(image: Tensor, sigma: float, thickness: float, detail: float) -> Tensor:
    """Contours ``(1, H, W)``, dark on white as on paper, so that a scanned drawing is such an input, too.

    Canny 1986, "A computational approach to edge detection".

    Args:
        image: ``(3, H, W)``.
        sigma: of the Gaussian blur before, px.
        thickness: of the lines, px, from 1.
        detail: 0 (strongest contours) to 1 (nearly all).
    """
    high = STRONGEST * (FAINTEST / STRONGEST) ** detail * STEP / max(sigma, 1.0)
    found = torch.from_numpy(_contours(image, sigma, 0.4 * high, high))
    drawn = torch.empty(1, *found.shape)
    for rows, around, inside in _strips(found.shape, math.ceil(thickness / 2)):
        drawn[:, rows] = 1 - _inked(found[None, around].float(), thickness)[:, inside]
    return drawn


def _contours(image: Tensor, sigma: float, low: float, high: float) -> npt.NDArray[np.bool_]:
    """Canny's, ``(H, W)``: of contours of at least ``low`` those that somewhere reach ``high``.

    What is found depends on its surroundings, so strips of a large picture find both kinds; what belongs to
    one contour, on the other hand, may run through all of them. The result is the same.
    """
    import scipy.ndimage as ndi
    from skimage.feature import canny

    def found(rows: slice, low: float, high: float) -> npt.NDArray[np.bool_]:
        grey = luminance(image[:, rows])[0].numpy()
        edges: npt.NDArray[np.bool_] = canny(
            grey, sigma, low_threshold=low, high_threshold=high, mode="nearest"
        )
        return edges

    height, width = image.shape[-2:]
    if height * width <= STRIP:
        return found(slice(None), low, high)
    faint, strong = (np.empty((height, width), bool) for _ in range(2))
    # The Gaussian ends at 4 sigma; then follow Sobel, the comparison with neighbours, and a rim left out.
    for rows, around, inside in _strips((height, width), math.ceil(4 * sigma) + 4):
        faint[rows], strong[rows] = (found(around, level, level)[inside] for level in (low, high))
    return ndi.binary_propagation(strong, np.ones((3, 3)), mask=faint)  # type: ignore[no-any-return]


def _strips(size: Sequence[int], margin: int) -> Iterator[tuple[slice, slice, slice]]:
    """Rows of a strip; the same with a margin; and where in that the strip lies."""
    height, width = size
    many = max(1, STRIP // width)
    for top in range(0, height, many):
        bottom, start = min(top + many, height), max(0, top - margin)
        yield slice(top, bottom), slice(start, bottom + margin), slice(top - start, bottom - start)


def _inked(ink: Tensor, thickness: float) -> Tensor:
    """Lines of 1 px made ``thickness`` wide."""
    # Each full round makes lines 2 px wider; a part of one leaves their rims grey.
    while thickness > 1:
        wider = F.max_pool2d(ink[None], 3, stride=1, padding=1)[0]
        ink = torch.lerp(ink, wider, min(1.0, (thickness - 1) / 2))
        thickness -= 2
    return ink


def _factor(table: Mapping[str, object]) -> int:
    factor = _number(table, "factor", 2, 64)
    if factor != int(factor):
        raise _wrong("factor", factor, "a whole number")
    return int(factor)


def _flag(table: Mapping[str, object], key: str) -> bool:
    value = table.get(key)
    if not isinstance(value, bool):
        raise _wrong(key, value, "true or false")
    return value


def _number(table: Mapping[str, object], key: str, low: float, high: float) -> float:
    return _checked(key, table.get(key), low, high)


def _middle(table: Mapping[str, object], key: str) -> float:
    """The middle of a range that training draws from."""
    ends = table.get(key)
    if not isinstance(ends, list) or len(ends) != 2:
        raise _wrong(key, ends, "two numbers")
    return sum(_checked(key, end, 0.5, 16) for end in ends) / 2


def _checked(key: str, value: object, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise _wrong(key, value, f"a number from {low:g} to {high:g}")
    return float(value)


def _wrong(key: str, value: object, right: str) -> ArtgenError:
    return ArtgenError(f"inputs.{key}", f"{value!r}"[:60], f"the model's file should say {right}")
