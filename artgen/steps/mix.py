"""The step ``mix``, which mixes the image with another one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn
from artgen.references import BUILTIN_TEXTURES, ImageReferences, find_images
from artgen.steps.base import FileFinder, Step, StepContext

if TYPE_CHECKING:
    from torch import Tensor


class MixStep(Step):
    """Mix the image with one of yours, drawn at random for each candidate and cut to the same shape."""

    file_finders: ClassVar[Mapping[str, FileFinder]] = {"images": find_images}
    purposes_of_images: ClassVar[Mapping[str, str]] = {"images": "the other image is drawn from"}

    use: Literal["mix"] = "mix"
    images: ImageReferences = Field(
        [BUILTIN_TEXTURES],
        description="`builtin:textures`, files, folders or patterns with `*`; a list combines several.",
    )
    amount: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.5, description="Share of the other image: 0 leaves the image as it is, 1 replaces it."
    )
    mode: Drawn[Literal["blend", "regions", "halves"]] = Field(
        "regions",
        description="`blend` averages both images, `regions` mixes them by soft shapes, `halves` along a "
        "soft line at any angle.",
    )
    shapes: Drawn[Annotated[float, Field(ge=1, le=8)]] = Field(
        2.0, description="How many regions a mask has across: 1 gives large areas, 8 a patchwork."
    )
    softness: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.3, description="How gradual the transition from one image to the other is: 0 gives hard edges."
    )
    colours: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.0, description="How far the other image first takes on the colours of this one."
    )

    def apply(self, image: Tensor, context: StepContext) -> Tensor:
        """Mix the candidate's image ``(3, H, W)`` with one of a file; the size stays the same."""
        import torch

        from artgen.imaging import color, masks, mixing
        from artgen.seeds import python_rng, torch_generator

        if self.amount == 0:
            return image
        height, width = image.shape[-2:]
        files = [path for reference in self.images for path in find_images(reference, context.folder)]
        file = files[python_rng(context.derive_key("other")).randrange(len(files))]
        other = _read_center_crop(file, (height, width))
        if self.colours > 0:
            target_statistics = color.colour_statistics(color.to_oklab(color.to_linear(image)))
            other = mixing.recolour(other, *target_statistics, self.colours)
        weights = torch.tensor([1 - self.amount, self.amount])
        masks_per_image = masks.draw_masks(
            self.mode,
            weights,
            (height, width),
            torch_generator(context.derive_key("masks")),
            softness=self.softness,
            shapes_across=self.shapes,
        )
        return masks.blend_by_masks(torch.stack([image, other]), masks_per_image).clamp(0, 1)


def _read_center_crop(file: Path, size: tuple[int, int]) -> Tensor:
    """Read the largest centred part of a picture that has a size's aspect ratio, resized to that size.

    Args:
        file: the picture.
        size: height and width in px.
    """
    from artgen.imaging.image import resize
    from artgen.imaging.io.files import read_image

    image = read_image(file)
    scale = min(full / target for full, target in zip(image.shape[-2:], size, strict=True))
    crop_size = [max(1, round(target * scale)) for target in size]
    top, left = ((full - part) // 2 for full, part in zip(image.shape[-2:], crop_size, strict=True))
    return resize(image[:, top : top + crop_size[0], left : left + crop_size[1]], size)
