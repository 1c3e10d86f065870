"""Turn the image into another kind of image with a trained network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.errors import ArtgenError
from artgen.steps.base import Context, Finder, Step
from artgen.steps.draws import Drawn, possible

if TYPE_CHECKING:
    from torch import Tensor

ARCHITECTURES = ("unet", "resnet", "fast-style")


def find_translator(reference: str, folder: Path) -> Path:
    """The file of an image-to-image model named in a recipe.

    Raises:
        ArtgenError: no such model, or one of another kind.
    """
    from artgen.models import catalog

    return catalog.find(reference, folder, ARCHITECTURES)


class Translate(Step):
    """Turn the image into another kind of image with a trained network, at any size, tile by tile."""

    dear: ClassVar[bool] = True
    chance: ClassVar[bool] = False
    references: ClassVar[Mapping[str, Finder]] = {"model": find_translator}

    use: Literal["translate"] = "translate"
    model: Drawn[Annotated[str, Field(min_length=1, max_length=500)]] = Field(
        description="A model of the family pix2pix, mix, cyclegan or fast-style: a name of `artgen models`, "
        "or the path of a .safetensors file."
    )
    prepare: bool = Field(
        True,
        description="Whether the image is first made into what the model learned from: outlines, pixels, "
        "soft greys. Set it to false for an image that is such an input already.",
    )
    side: Drawn[Annotated[int, Field(ge=16, le=16_384)]] | None = Field(
        None,
        description="Long side the image is smoothly resized to before; by default it keeps its size. "
        "For thumbnails.",
        json_schema_extra={"unit": "px"},
    )
    amount: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        1.0, description="How much of the result: 0 leaves the image, 1 takes the network's picture."
    )
    style: Drawn[Annotated[str, Field(min_length=1, max_length=500)]] | None = Field(
        None, description="Of a fast-style model: which of its styles (`artgen models show` names them)."
    )

    def wrong(self, folder: Path) -> Iterator[tuple[str, ArtgenError]]:
        """Also a style that the model does not have."""
        found = list(super().wrong(folder))
        yield from found
        if found or self.style is None:
            return
        for reference in possible(self.model):
            for style in possible(self.style):
                try:
                    _style_weights(find_translator(reference, folder), style)
                except ArtgenError as error:
                    yield "style", error

    def apply(self, image: Tensor, context: Context) -> Tensor:
        """``(3, H, W)`` to the same size, or to ``side``; a preview of a given side is half as large."""
        from artgen.imaging.image import fit
        from artgen.models.translating import translate

        if self.side is not None:
            image = fit(image, max(16, self.side // 2) if context.preview else self.side)
        model = find_translator(self.model, context.folder)
        painted = translate(
            image,
            model,
            prepare=self.prepare,
            styles=_style_weights(model, self.style) if self.style is not None else (),
            device=context.device,
            progress=context.progress,
        )
        return painted if self.amount == 1 else image.lerp(painted, self.amount)


def _style_weights(model: Path, style: str) -> list[float]:
    from artgen.models import header

    names = header.style_names(model)
    if style not in names:
        right = f"one of {', '.join(names)}" if names else "this model has no styles: leave `style` out"
        raise ArtgenError("style", f"{style!r}", right)
    return [float(name == style) for name in names]
