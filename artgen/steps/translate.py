"""Turn the image into another kind of image with a trained network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn, possible
from artgen.errors import ArtgenError
from artgen.steps import style_weights
from artgen.steps.base import Context, Finder, Step

if TYPE_CHECKING:
    from torch import Tensor

ARCHITECTURES = ("unet", "resnet", *style_weights.ARCHITECTURES)
Name = Annotated[str, Field(min_length=1, max_length=500)]
Shares = Annotated[list[Annotated[float, Field(ge=0, le=1000)]], Field(min_length=1, max_length=256)]


def find_translator(reference: str, folder: Path) -> Path:
    """The file of an image-to-image model named in a recipe.

    Raises:
        ArtgenError: no such model, or one of another kind.
    """
    from artgen.models.files import catalog

    return catalog.find(reference, folder, ARCHITECTURES)


class Translate(Step):
    """Turn the image into another kind of image with a trained network, at any size, tile by tile."""

    dear: ClassVar[bool] = True
    references: ClassVar[Mapping[str, Finder]] = {"model": find_translator}

    use: Literal["translate"] = "translate"
    model: Drawn[Name] = Field(
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
        description="Long side of the result; by default the image's. Either is raised to the size of the "
        "pictures that the model learned from, so that a thumbnail becomes a picture.",
        json_schema_extra={"unit": "px"},
    )
    amount: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        1.0, description="How much of the result: 0 leaves the image, 1 takes the network's picture."
    )
    noise: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        1.0,
        description="Of a model that learned with `grain`: how much noise its texture is made of. "
        "In films 0, for new noise in each frame flickers.",
    )
    style: Drawn[Name | Shares] | None = Field(
        None,
        description="Of a fast-style model: the name of one of its styles, or how much of each, in the order "
        "in which `artgen models show` lists them. By default the first.",
        json_schema_extra={"form": "a name in quotes, or a list of numbers from 0, such as [0.7, 0.3]"},
    )

    def wrong(self, folder: Path) -> Iterator[tuple[str, ArtgenError]]:
        """Also a style that a model does not have."""
        found = list(super().wrong(folder))
        yield from found
        if found or self.style is None:
            return
        for reference in possible(self.model):
            for style in possible(self.style):
                try:
                    _shares(find_translator(reference, folder), style)
                except ArtgenError as error:
                    yield "style", error

    def by_chance(self, folder: Path) -> bool:
        """Only through a model that makes texture of noise."""
        from artgen.imaging.inputs import grain_of
        from artgen.models.files import header

        if self.noise == 0 or not isinstance(self.model, str):
            return False
        return grain_of(header.inputs(header.metadata(find_translator(self.model, folder)))) > 0

    def apply(self, image: Tensor, context: Context) -> Tensor:
        """``(3, H, W)`` to the same size, or to ``side``; a preview of a given side is half as large."""
        from artgen.imaging.image import resize
        from artgen.models.inference.translating import translate

        side = self.side
        if side is not None and context.preview:
            side = max(16, side // 2)
        model = find_translator(self.model, context.folder)
        painted = translate(
            image,
            model,
            side=side,
            prepare=self.prepare,
            styles=() if self.style is None else _shares(model, self.style),
            noise=self.noise,
            seed=context.derive("grain"),
            device=context.device,
            progress=context.progress,
        )
        if self.amount == 1:
            return painted
        return resize(image, (painted.shape[-2], painted.shape[-1])).lerp(painted, self.amount)


def _shares(model: Path, style: str | list[float]) -> list[float]:
    return (
        style_weights.named(model, [style])
        if isinstance(style, str)
        else style_weights.numbered(model, style)
    )
