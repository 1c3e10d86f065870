"""Conversion of the images that users of the Python API give and get: Pillow, tensors and files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

ImageT = TypeVar("ImageT", "Image", "Tensor")


def to_tensor(image: Image | Tensor | Path | str) -> Tensor:
    """Convert an image that a user of the Python API gave to a tensor.

    Args:
        image: a Pillow image of any mode, a float32 tensor ``(3, H, W)`` in [0, 1], or the path of a file.

    Returns:
        float32 ``(3, H, W)``, sRGB, [0, 1].

    Raises:
        ArtgenError: the file cannot be read, or the tensor is no image.
    """
    import torch

    from artgen.imaging.image import check_image
    from artgen.imaging.io.files import from_pillow, read_image

    if isinstance(image, torch.Tensor):
        return check_image(image, "image")
    return read_image(Path(image)) if isinstance(image, Path | str) else from_pillow(image)


def convert_like(image: object, result: Tensor) -> Any:
    """Return the API's ``result`` as a tensor if ``image`` is one, else as a Pillow image of 8 bits."""
    import torch

    from artgen.imaging.io.files import to_pillow

    return result if isinstance(image, torch.Tensor) else to_pillow(result)
