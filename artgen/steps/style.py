"""Paint the image in the manner of one or more paintings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn
from artgen.models.features import weight_files
from artgen.steps import style_weights
from artgen.steps.base import Context
from artgen.steps.style_fields import OPTIMISE_FIELDS, Name, StyleFields, find_mask, find_style
from artgen.style.optimise.presets import Loss, Optimiser, OptimiseSettings, Start, optimise_preset
from artgen.style.patch.presets import patch_preset
from artgen.style.request import StyleRequest

if TYPE_CHECKING:
    from torch import Tensor

    from artgen.style.film.coherence import Paint

FACES = 0.6
FEW = 40  # iterations of a preview, and of a frame that begins with the last one's paint


class Style(StyleFields):
    """Paint the image in the manner of paintings: of their patches, by a trained network, by optimisation."""

    version: ClassVar[int] = 2
    dear: ClassVar[bool] = True

    use: Literal["style"] = "style"
    features: Drawn[Name] = Field(
        "vgg19",
        description="Of `vgg`: the network that looks, by the name it was pulled under, or the path of a "
        "weights file.",
    )
    start: Drawn[Start] | None = Field(
        None,
        description="Of `vgg`: what it begins with: what `patch` paints (the fewest iterations), the image, "
        "or noise. This and what follows is by default as the preset has it.",
    )
    iterations: Drawn[Annotated[int, Field(ge=1, le=10_000)]] | None = Field(
        None, description="Of `vgg`: steps at each size."
    )
    passes: Drawn[Annotated[int, Field(ge=1, le=100)]] = Field(
        1, description="Of `vgg`: whole runs, each of which begins with what the last one painted."
    )
    loss: Drawn[Loss] | None = Field(
        None,
        description="Of `vgg`: what a style is: mean and covariance of features (wasserstein), or their Gram "
        "matrix as Gatys (gram) or neural-style (gram-mean) scale it; wasserstein-schulz is how crowsonkb "
        "computes the first.",
    )
    content_weight: Drawn[Annotated[float, Field(ge=0, le=1e6)]] | None = Field(
        None, description="Of `vgg`: how firmly the image is held."
    )
    content_layer: Drawn[Annotated[str, Field(max_length=40)]] | None = Field(
        None, description="Of `vgg`: the layer that sees the image's content, such as relu4_2."
    )
    style_layers: dict[Annotated[str, Field(max_length=40)], Annotated[float, Field(ge=0, le=1e6)]] | None = (
        Field(
            None,
            description="Of `vgg`: layers that see the style, and how much each counts.",
            json_schema_extra={"form": "layers and weights, such as { relu1_1 = 1.0, relu3_1 = 0.5 }"},
        )
    )
    tv: Drawn[Annotated[float, Field(ge=0, le=1e6)]] | None = Field(
        None, description="Of `vgg`: weight of the total variation, which smooths."
    )
    optimiser: Drawn[Optimiser] | None = Field(
        None, description="Of `vgg`: how it descends; lbfgs takes fewer iterations, adam less memory."
    )
    scales: Drawn[Annotated[int, Field(ge=1, le=64)]] | None = Field(
        None, description="Of `vgg`: at how many sizes, each root 2 larger than the last, from 128 px on."
    )
    memory: Drawn[Annotated[float, Field(ge=0.25, le=1024)]] = Field(
        4.0,
        description="Of `vgg`: memory it may take; larger pictures are seen in tiles, exactly.",
        json_schema_extra={"unit": "GB"},
    )

    def apply(self, image: Tensor, context: Context) -> Tensor:
        """``(3, H, W)`` to the same size, or to ``side``; a preview of a given side is half as large."""
        from artgen.imaging.image import fit

        if self.side is not None:
            image = fit(image, max(16, self.side // 2) if context.preview else self.side)
        return self.painter(context)(image, None)

    def painter(self, context: Context) -> Paint:
        """Read styles, masks and networks once, for any number of pictures.

        Returns:
            Paints ``(3, H, W)`` at its size, beginning from a painting of that size or, without one, afresh.

        Raises:
            ArtgenError: a file cannot be read or used.
        """
        folder, request = context.folder, self._request(context)
        if self.method == "net":
            from artgen.style.net import stylize_by_network

            model = style_weights.find_net(self.model, folder)
            known = [style_weights.named(model, [style]) for style in self.style]
            return lambda image, start: stylize_by_network(image, known, replace(request, start=start), model)
        albums = self._albums(folder)
        if self.method == "patch":
            from artgen.style.patch.patch import stylize_by_patches

            patch = replace(patch_preset(self.preset or "balanced"), fast=context.preview)
            return lambda image, start: stylize_by_patches(
                image, albums, replace(request, start=start), patch
            )
        from artgen.models.features.features import load_features
        from artgen.style.optimise.optimise import stylize_by_optimising

        features = load_features(weight_files.find_weights(self.features, folder))

        def optimise(image: Tensor, start: Tensor | None) -> Tensor:
            settings = self._optimise_settings(context.preview, follows=start is not None)
            return stylize_by_optimising(image, albums, replace(request, start=start), settings, features)

        return optimise

    def _request(self, context: Context) -> StyleRequest:
        """Collect what every method is asked for."""
        # A network lets faces be, a dream has nobody in it, and what was published knows of none.
        spares = self.method != "net" and self.preset in {None, "bold", "balanced", "faithful", "artgen"}
        return StyleRequest(
            seed=context.derive("style"),
            strength=self.strength,
            weights=self.weights,
            masks=self._masks(context.folder),
            preserve=self.preserve,
            faces=self.faces if self.faces is not None else FACES if spares else 0.0,
            scale=self.style_scale,
            watch=context.tell,
            device=context.device,
        )

    def _optimise_settings(self, preview: bool, *, follows: bool) -> OptimiseSettings:
        """Change the preset by the fields; a frame that follows another has its structure already."""
        written: dict[str, Any] = {
            name: value for name in OPTIMISE_FIELDS if (value := getattr(self, name)) is not None
        }
        if self.style_layers is not None:
            written["style_layers"] = tuple(self.style_layers.items())
        if follows:
            written["scales"] = 1
        iterations = self.iterations or (FEW if preview or follows else None)
        if iterations is not None:
            written |= {"iterations": iterations, "first_iterations": iterations}
        return replace(optimise_preset(self.preset or "artgen"), **written)

    def _albums(self, folder: Path) -> list[list[Tensor]]:
        """Read the pictures of each style."""
        from artgen.imaging.io.files import read_image
        from artgen.style.style_folder import read_album

        paths = [find_style(reference, folder) for reference in self.style]
        return [[read_image(path)] if isinstance(path, Path) else read_album(path) for path in paths]

    def _masks(self, folder: Path) -> Tensor | None:
        """``(k, 1, h, w)``: all at the size of the largest."""
        if self.mask is None:
            return None
        import torch

        from artgen.imaging.image import luminance, resize
        from artgen.imaging.io.files import read_image

        masks = [luminance(read_image(find_mask(reference, folder))) for reference in self.mask]
        largest = max(masks, key=lambda mask: mask.numel())
        size = (largest.shape[1], largest.shape[2])
        return torch.stack([resize(mask, size) for mask in masks])
