"""Paint the image in the manner of one or more paintings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.steps.base import Context, Finder, Step
from artgen.steps.draws import Drawn
from artgen.steps.images import References

if TYPE_CHECKING:
    from torch import Tensor


def find_style(reference: str, folder: Path) -> Path:
    """The file of a style image named in a recipe.

    Raises:
        ArtgenError: no such style.
    """
    from artgen.style import library

    return library.resolve(reference, folder)


class Style(Step):
    """Paint the image in the manner of one or more paintings (patch EM, no trained weights)."""

    dear: ClassVar[bool] = True
    references: ClassVar[Mapping[str, Finder]] = {"style": find_style}

    use: Literal["style"] = "style"
    style: Drawn[References] = Field(
        ["builtin:great-wave"],
        description="`builtin:NAME` or the path of an image; a list mixes several as one.",
    )
    preset: Drawn[Literal["bold", "balanced", "faithful", "dream"]] = Field(
        "balanced",
        description="Who rules: bold the painting, faithful the image; dream keeps only its composition.",
    )
    strength: Drawn[Annotated[float, Field(ge=0, le=4)]] = Field(
        1.0, description="0 leaves the image as it is, 1 is the preset as meant, more lets go of the image."
    )
    preserve: Drawn[Literal["none", "colour"]] = Field(
        "none", description="`colour` keeps the image's own colours and takes only the brushwork."
    )
    style_scale: Drawn[Annotated[float, Field(ge=0.25, le=4)]] = Field(
        1.33,
        description="Size of the painting relative to the image: larger gives larger strokes.",
        json_schema_extra={"unit": "times"},
    )

    side: Drawn[Annotated[int, Field(ge=16, le=16_384)]] | None = Field(
        None,
        description="Long side the image is smoothly resized to before it is painted; by default it keeps "
        "its size. For thumbnails, which dream paints at any size.",
        json_schema_extra={"unit": "px"},
    )

    def apply(self, image: Tensor, context: Context) -> Tensor:
        """``(3, H, W)`` to the same size, or to ``side``; a preview of a given side is half as large."""
        from artgen.imaging.files import read_image
        from artgen.imaging.image import fit
        from artgen.style.patch import stylize

        if self.side is not None:
            image = fit(image, max(16, self.side // 2) if context.preview else self.side)
        styles = [read_image(find_style(reference, context.folder)) for reference in self.style]
        return stylize(
            image,
            styles,
            preset=self.preset,
            strength=self.strength,
            preserve=self.preserve,
            style_scale=self.style_scale,
            seed=context.derive("style"),
            progress=context.progress,
            device=context.device,
            fast=context.preview,
        )
