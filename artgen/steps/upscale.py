"""The step ``upscale``, which re-imagines the image at a larger size with a trained network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn, possible_values, to_toml_value
from artgen.errors import ArtgenError
from artgen.imaging.sizes import Size
from artgen.steps.base import FileFinder, ModelReference, Step, StepContext

if TYPE_CHECKING:
    from torch import Tensor


def find_upscaler_file(reference: str, folder: Path) -> Path:
    """Find the file of an upscaling model that a recipe names.

    Args:
        reference: the model's name, or the path of its file.
        folder: the recipe's folder.

    Raises:
        ArtgenError: there is no such model, or it is of another kind.
    """
    from artgen.models.files import catalog

    return catalog.find_compatible_model(reference, folder, ("upimage",))


class UpscaleStep(Step):
    """Re-imagine the image at a larger size with a trained network, tile by tile, without seams."""

    cached: ClassVar[bool] = True
    file_finders: ClassVar[Mapping[str, FileFinder]] = {"model": find_upscaler_file}

    use: Literal["upscale"] = "upscale"
    model: Drawn[ModelReference] = Field(
        "abstract-8x",
        description="A model that comes with artgen (`artgen models`) or the path of a .safetensors file.",
    )
    scale: Drawn[Annotated[float, Field(ge=1, le=64)]] | None = Field(
        None,
        description="How many times larger the result is; by default the model's own scale. "
        "With a smaller scale the image is first reduced, so that more of it is invented.",
        json_schema_extra={"unit": "times"},
    )
    noise: Drawn[Annotated[float, Field(ge=0, le=2)]] = Field(
        0.8, description="How freely the network invents detail: 0 is plain, 1 as it was trained."
    )

    def validate_files(self, folder: Path) -> Iterator[tuple[str, ArtgenError]]:
        """Also yield an error for a scale that is larger than the model's."""
        from artgen.models.files import header

        file_errors = list(super().validate_files(folder))
        yield from file_errors
        if file_errors or self.scale is None:
            return
        for reference in possible_values(self.model):
            try:
                model_scale = header.read_scale(find_upscaler_file(reference, folder))
            except ArtgenError as error:
                yield "model", error
                continue
            if model_scale is not None and max(possible_values(self.scale)) > model_scale:
                expected = (
                    f"{reference} enlarges up to {model_scale:g} times; for more, add a second upscale step"
                )
                yield "scale", ArtgenError("scale", str(to_toml_value(self.scale)), expected)

    def largest_size(self, size: Size, folder: Path, *, preview: bool) -> Size:
        """Return the size enlarged by the largest scale."""
        scale = max(possible_values(self.scale or self._largest_model_scale(folder)))
        scale = _preview_scale(scale) if preview else scale
        return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))

    def _largest_model_scale(self, folder: Path) -> float:
        """Return the largest scale of the models that may be drawn; 1 for files that do not say it."""
        from artgen.models.files import header

        files = (find_upscaler_file(reference, folder) for reference in possible_values(self.model))
        return max(header.read_scale(file) or 1.0 for file in files)

    def depends_on_chance(self, folder: Path) -> bool:
        """Return whether the up-imager adds noise, which is all that is random."""
        return self.noise != 0

    def apply(self, image: Tensor, context: StepContext) -> Tensor:
        """Upscale the image to ``(3, scale H, scale W)``; a preview halves the scale, but not below 2."""
        from artgen.models.files import header
        from artgen.models.inference.upscaling import upscale_image

        model = find_upscaler_file(self.model, context.folder)
        scale = self.scale
        if context.preview:
            scale = _preview_scale(scale or header.read_scale(model) or 2.0)
        return upscale_image(
            image,
            model,
            scale=scale,
            noise=self.noise,
            seed=context.derive_key("noise"),
            device=context.device,
            progress=context.on_progress,
        )


def _preview_scale(scale: float) -> float:
    """Return half of a scale, but not below 2."""
    return min(scale, max(2.0, scale / 2))
