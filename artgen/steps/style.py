"""Paint the image in the manner of one or more paintings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from artgen.errors import ArtgenError
from artgen.steps import shares
from artgen.steps.base import Context, Finder, Step
from artgen.steps.draws import Drawn, possible
from artgen.steps.images import References

if TYPE_CHECKING:
    from torch import Tensor


# The field that names the files which a method reads.
READS = {"patch": "style", "net": "model"}


def find_style(reference: str, folder: Path) -> Path:
    """The file of a style image named in a recipe.

    Raises:
        ArtgenError: no such style.
    """
    from artgen.style import library

    return library.resolve(reference, folder)


class Style(Step):
    """Paint the image in the manner of one or more paintings: of their patches, or by a trained network."""

    dear: ClassVar[bool] = True
    references: ClassVar[Mapping[str, Finder]] = {"style": find_style, "model": shares.find_net}

    use: Literal["style"] = "style"
    method: Drawn[Literal["patch", "net"]] = Field(
        "patch",
        description="`patch` paints with patches of any painting; `net` is a trained network, quick and "
        "plainer, at home in its own styles only.",
    )
    style: Drawn[References] = Field(
        ["builtin:great-wave"],
        description="`builtin:NAME` or the path of an image; a list mixes several as one. With `net`, styles "
        "that the model holds.",
    )
    model: Drawn[Annotated[str, Field(min_length=1, max_length=500)]] = Field(
        "styles",
        description="Of `net`: a fast-style model, by its name in `artgen models` or the path of a "
        ".safetensors file.",
    )
    preset: Drawn[Literal["bold", "balanced", "faithful", "dream"]] = Field(
        "balanced",
        description="Of `patch`: who rules. Bold the painting, faithful the image; dream keeps only its "
        "composition.",
    )
    strength: Drawn[Annotated[float, Field(ge=0, le=4)]] = Field(
        1.0,
        description="0 leaves the image as it is, 1 is as meant, more lets go of the image: `net` then "
        "paints over what it painted.",
    )
    preserve: Drawn[Literal["none", "colour"]] = Field(
        "none", description="`colour` keeps the image's own colours and takes only the brushwork."
    )
    style_scale: Drawn[Annotated[float, Field(ge=0.25, le=4)]] = Field(
        1.33,
        description="Size of the painting relative to the image: larger gives larger strokes. With `net`, "
        "1.33 is as it has learned.",
        json_schema_extra={"unit": "times"},
    )

    side: Drawn[Annotated[int, Field(ge=16, le=16_384)]] | None = Field(
        None,
        description="Long side the image is smoothly resized to before it is painted; by default it keeps "
        "its size. For thumbnails, which dream paints at any size.",
        json_schema_extra={"unit": "px"},
    )

    @field_validator("preset")
    @classmethod
    def _of_patch(cls, preset: object, others: ValidationInfo) -> object:
        if others.data.get("method") == "net":
            right = 'only method = "patch" has presets: leave `preset` out, and use `strength`'
            raise PydanticCustomError("recipe_text", "{right}", {"right": right})
        return preset

    def wrong(self, folder: Path) -> Iterator[tuple[str, ArtgenError]]:
        """Also a style that the network does not hold."""
        found = list(super().wrong(folder))
        yield from found
        if found or "net" not in possible(self.method):
            return
        for reference in possible(self.model):
            for styles in possible(self.style):
                try:
                    shares.named(shares.find_net(reference, folder), styles)
                except ArtgenError as error:
                    yield "style", error

    def apply(self, image: Tensor, context: Context, start: Tensor | None = None) -> Tensor:
        """``(3, H, W)`` to the same size, or to ``side``; a preview of a given side is half as large.

        ``start``, of the result's size, is a painting to begin from: the last frame's, of a film.
        """
        from artgen.imaging.image import fit

        if self.side is not None:
            image = fit(image, max(16, self.side // 2) if context.preview else self.side)
        by = self._by_net if self.method == "net" else self._by_patch
        return by(image, context, start)

    def _by_patch(self, image: Tensor, context: Context, start: Tensor | None) -> Tensor:
        from artgen.imaging.files import read_image
        from artgen.style.patch import stylize

        styles = [read_image(find_style(reference, context.folder)) for reference in self.style]
        return stylize(
            image,
            styles,
            preset=self.preset,
            strength=self.strength,
            preserve=self.preserve,
            style_scale=self.style_scale,
            seed=context.derive("style"),
            watch=context.tell,
            start=start,
            device=context.device,
            fast=context.preview,
        )

    def _by_net(self, image: Tensor, context: Context, start: Tensor | None) -> Tensor:
        from artgen.style.net import stylize

        model = shares.find_net(self.model, context.folder)
        return stylize(
            image,
            model,
            [shares.named(model, [style]) for style in self.style],
            strength=self.strength,
            preserve=self.preserve,
            style_scale=self.style_scale,
            watch=context.tell,
            start=start,
            device=context.device,
        )

    def _references(self) -> Iterator[tuple[str, str, Finder]]:
        read = {READS[method] for method in possible(self.method)}
        return (named for named in super()._references() if named[0] in read)
