"""Mix the image with another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn
from artgen.errors import ArtgenError
from artgen.references import TEXTURES, References, find_images, too_many
from artgen.steps.base import Context, Finder, Step

if TYPE_CHECKING:
    from torch import Tensor


class Mix(Step):
    """Mix the image with one of yours, drawn anew for each candidate and cut to the image's shape."""

    references: ClassVar[Mapping[str, Finder]] = {"images": find_images}

    use: Literal["mix"] = "mix"
    images: References = Field(
        [TEXTURES],
        description="`builtin:textures`, files, folders or patterns with `*`; a list adds them up.",
    )
    amount: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.5, description="Share of the other image: 0 leaves the image as it is, 1 replaces it."
    )
    mode: Drawn[Literal["blend", "regions", "halves"]] = Field(
        "regions",
        description="`blend` lays one over the other, `regions` mixes by soft shapes, `halves` by a soft "
        "line at any angle.",
    )
    shapes: Drawn[Annotated[float, Field(ge=1, le=8)]] = Field(
        2.0, description="How many regions lie across: 1 gives large masses, 8 a patchwork."
    )
    softness: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.3, description="How gradually one image gives way to the other: 0 by hard edges."
    )
    colours: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.0, description="How far the other image takes on this one's colours first."
    )

    def wrong(self, folder: Path) -> Iterator[tuple[str, ArtgenError]]:
        """What is wrong with the files, also that there are too many to be listed in every picture."""
        problems = list(super().wrong(folder))
        yield from problems
        if not problems:
            yield from too_many("images", self.files(folder), "others are drawn of")

    def apply(self, image: Tensor, context: Context) -> Tensor:
        """``(3, H, W)`` stays ``(3, H, W)``."""
        import torch

        from artgen.imaging import color, masks, mixing
        from artgen.seeds import generator, stream

        if self.amount == 0:
            return image
        height, width = image.shape[-2:]
        files = [path for reference in self.images for path in find_images(reference, context.folder)]
        other = _covering(files[stream(context.derive("other")).randrange(len(files))], (height, width))
        if self.colours > 0:
            wanted = color.palette(color.to_oklab(color.to_linear(image)))
            other = mixing.recolour(other, *wanted, self.colours)
        weights = torch.tensor([1 - self.amount, self.amount])
        covers = masks.masks(
            self.mode,
            weights,
            (height, width),
            generator(context.derive("masks")),
            softness=self.softness,
            shapes=self.shapes,
        )
        return masks.mix(torch.stack([image, other]), covers).clamp(0, 1)


def _covering(file: Path, size: tuple[int, int]) -> Tensor:
    """The largest part in the middle of a picture that has the proportions of ``size``, at that size."""
    from artgen.imaging.image import resize
    from artgen.imaging.io.files import read_image

    image = read_image(file)
    scale = min(have / want for have, want in zip(image.shape[-2:], size, strict=True))
    cut = [max(1, round(want * scale)) for want in size]
    top, left = ((have - c) // 2 for have, c in zip(image.shape[-2:], cut, strict=True))
    return resize(image[:, top : top + cut[0], left : left + cut[1]], size)
