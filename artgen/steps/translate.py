"""The step ``translate``, which turns the image into another kind of image with a trained network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn, possible_values
from artgen.errors import ArtgenError
from artgen.imaging.sizes import Size, result_size
from artgen.steps import style_weights
from artgen.steps.base import FileFinder, ModelReference, Step, StepContext, preview_side

if TYPE_CHECKING:
    from torch import Tensor

TRANSLATOR_ARCHITECTURES = ("unet", "resnet", *style_weights.STYLE_NET_ARCHITECTURES)
StyleShares = Annotated[list[Annotated[float, Field(ge=0, le=1000)]], Field(min_length=1, max_length=256)]


def find_translator_file(reference: str, folder: Path) -> Path:
    """Find the file of an image-to-image model that a recipe names.

    Args:
        reference: the model's name, or the path of its file.
        folder: the recipe's folder.

    Raises:
        ArtgenError: there is no such model, or it is of another kind.
    """
    from artgen.models.files import catalog

    architectures = [*TRANSLATOR_ARCHITECTURES, *catalog.plugin_architectures()]
    return catalog.find_compatible_model(reference, folder, architectures)


class TranslateStep(Step):
    """Turn the image into another kind of image with a trained network, at any size, tile by tile."""

    cached: ClassVar[bool] = True
    file_finders: ClassVar[Mapping[str, FileFinder]] = {"model": find_translator_file}

    use: Literal["translate"] = "translate"
    model: Drawn[ModelReference] = Field(
        description="A model of the family pix2pix, mix, cyclegan or fast-style: a name of `artgen models`, "
        "or the path of a .safetensors file."
    )
    prepare: bool = Field(
        True,
        description="Whether the image is first converted to the kind of input that the model learned from: "
        "outlines, pixels, soft greys. Set it to false for an image that is such an input already.",
    )
    side: Drawn[Annotated[int, Field(ge=16, le=16_384)]] | None = Field(
        None,
        description="Longer side of the result; by default that of the image. Either is raised to the size "
        "of the pictures that the model learned from, so that a thumbnail becomes a picture.",
        json_schema_extra={"unit": "px"},
    )
    amount: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        1.0, description="Share of the network's picture: 0 leaves the image as it is, 1 replaces it."
    )
    noise: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        1.0,
        description="For models that learned with `grain`: how much noise the texture is made of. "
        "Use 0 in films, because new noise in each frame flickers.",
    )
    style: Drawn[ModelReference | StyleShares] | None = Field(
        None,
        description="For fast-style models: the name of one of its styles, or the share of each style, in "
        "the order in which `artgen models show` lists them. By default the first style.",
        json_schema_extra={"form": "a name in quotes, or a list of numbers from 0, such as [0.7, 0.3]"},
    )

    def validate_files(self, folder: Path) -> Iterator[tuple[str, ArtgenError]]:
        """Also yield an error for a style that a model does not have."""
        file_errors = list(super().validate_files(folder))
        yield from file_errors
        if file_errors or self.style is None:
            return
        for reference in possible_values(self.model):
            for style in possible_values(self.style):
                try:
                    _resolve_style_shares(find_translator_file(reference, folder), style)
                except ArtgenError as error:
                    yield "style", error

    def depends_on_chance(self, folder: Path) -> bool:
        """Return whether the model makes texture of noise; other models use no randomness."""
        from artgen.imaging.inputs import read_grain
        from artgen.models.files import header

        if self.noise == 0 or not isinstance(self.model, str):
            return False
        return (
            read_grain(header.training_inputs(header.read_metadata(find_translator_file(self.model, folder))))
            > 0
        )

    def largest_size(self, size: Size, folder: Path, *, preview: bool) -> Size:
        """Return the size of the image, or with the longest ``side``; at least that of training images."""
        from artgen.models.files import header

        files = (find_translator_file(reference, folder) for reference in possible_values(self.model))
        trained_sides = [header.training_side(header.read_metadata(file)) or 1 for file in files]
        side = None if self.side is None else max(possible_values(self.side))
        if side is not None and preview:
            side = preview_side(side)
        return result_size(*size, side, max(trained_sides))

    def apply(self, image: Tensor, context: StepContext) -> Tensor:
        """Translate the image ``(3, H, W)`` at its size, or at ``side``, which a preview halves."""
        from artgen.imaging.image import resize
        from artgen.models.inference.translating import translate_image

        side = self.side
        if side is not None and context.preview:
            side = preview_side(side)
        model = find_translator_file(self.model, context.folder)
        translated = translate_image(
            image,
            model,
            side=side,
            prepare_input=self.prepare,
            style_shares=() if self.style is None else _resolve_style_shares(model, self.style),
            noise=self.noise,
            seed=context.derive_key("grain"),
            device=context.device,
            progress=context.on_progress,
        )
        if self.amount == 1:
            return translated
        return resize(image, (translated.shape[-2], translated.shape[-1])).lerp(translated, self.amount)


def _resolve_style_shares(model: Path, style: str | list[float]) -> list[float]:
    """Return the share of each of a model's styles, for a style's name or for listed shares."""
    return (
        style_weights.shares_by_name(model, [style])
        if isinstance(style, str)
        else style_weights.validate_shares(model, style)
    )
