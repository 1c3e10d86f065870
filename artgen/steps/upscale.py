"""Re-imagine the image at a larger size with a trained network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn, plain, possible
from artgen.errors import ArtgenError
from artgen.steps.base import Context, Finder, Step

if TYPE_CHECKING:
    from torch import Tensor


def find_model(reference: str, folder: Path) -> Path:
    """The file of a model named in a recipe.

    Raises:
        ArtgenError: no such model, or one of another kind.
    """
    from artgen.models.files import catalog

    return catalog.find(reference, folder, ("upimage",))


class Upscale(Step):
    """Re-imagine the image at a larger size with a trained network, tile by tile, without seams."""

    dear: ClassVar[bool] = True
    references: ClassVar[Mapping[str, Finder]] = {"model": find_model}

    use: Literal["upscale"] = "upscale"
    model: Drawn[Annotated[str, Field(min_length=1, max_length=500)]] = Field(
        "abstract-8x",
        description="A model that ships with artgen (`artgen models`) or the path of a .safetensors file.",
    )
    scale: Drawn[Annotated[float, Field(ge=1, le=64)]] | None = Field(
        None,
        description="How many times larger the result is; by default the model's own scale. "
        "With less, the image is first reduced, so that more of it is invented.",
        json_schema_extra={"unit": "times"},
    )
    noise: Drawn[Annotated[float, Field(ge=0, le=2)]] = Field(
        0.8, description="How freely the network invents: 0 is plain, 1 as it was trained."
    )

    def wrong(self, folder: Path) -> Iterator[tuple[str, ArtgenError]]:
        """Also a scale that the model cannot reach."""
        from artgen.models.files import header

        found = list(super().wrong(folder))
        yield from found
        if found or self.scale is None:
            return
        for reference in possible(self.model):
            try:
                own = header.scale(find_model(reference, folder))
            except ArtgenError as error:
                yield "model", error
                continue
            if own is not None and max(possible(self.scale)) > own:
                right = f"{reference} enlarges up to {own:g} times; for more, add a second upscale step"
                yield "scale", ArtgenError("scale", str(plain(self.scale)), right)

    def by_chance(self, folder: Path) -> bool:
        """Not without noise."""
        return self.noise != 0

    def apply(self, image: Tensor, context: Context) -> Tensor:
        """``(3, H, W)`` to ``(3, scale H, scale W)``; a preview is half as large, at least doubled."""
        from artgen.models.files import header
        from artgen.models.inference.upscaling import upscale

        model = find_model(self.model, context.folder)
        scale = self.scale
        if context.preview:
            full = scale or header.scale(model) or 2.0
            scale = min(full, max(2.0, full / 2))
        return upscale(
            image,
            model,
            scale=scale,
            noise=self.noise,
            seed=context.derive("noise"),
            device=context.device,
            progress=context.progress,
        )
