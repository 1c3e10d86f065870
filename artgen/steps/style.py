"""Paint the image in the manner of one or more paintings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn
from artgen.models.features import weight_files
from artgen.steps import style_weights
from artgen.steps.base import Context
from artgen.steps.style_fields import PUBLISHED, Manner, Name, find_mask, find_style

if TYPE_CHECKING:
    from torch import Tensor

SCALE, FACES = 1.33, 0.6
FEW = 40  # iterations of a preview, and of a frame that begins with the last one's paint


class Style(Manner):
    """Paint the image in the manner of paintings: of their patches, by a trained network, by optimisation."""

    version: ClassVar[int] = 2
    dear: ClassVar[bool] = True

    use: Literal["style"] = "style"
    features: Drawn[Name] = Field(
        "vgg19",
        description="Of `vgg`: the network that looks, by the name it was pulled under, or the path of a "
        "weights file.",
    )
    start: Drawn[Literal["patch", "content", "noise"]] | None = Field(
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
    loss: Drawn[Literal["wasserstein", "gram", "gram-mean", "wasserstein-schulz"]] | None = Field(
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
    optimiser: Drawn[Literal["lbfgs", "adam"]] | None = Field(
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

    def apply(self, image: Tensor, context: Context, start: Tensor | None = None) -> Tensor:
        """``(3, H, W)`` to the same size, or to ``side``; a preview of a given side is half as large.

        ``start``, of the result's size, is a painting to begin from: the last frame's, of a film.
        """
        from artgen.imaging.image import fit

        if self.side is not None:
            image = fit(image, max(16, self.side // 2) if context.preview else self.side)
        common = self._common(context)
        if self.method == "net":
            return self._by_net(image, context, common | {"start": start})
        if self.method == "vgg":
            return self._by_vgg(image, context, common, start)
        return self._by_patch(image, context, common | {"start": start})

    def _common(self, context: Context) -> dict[str, Any]:
        """What every method is told."""
        # A network lets faces be, a dream has nobody in it, and what was published knows of none.
        bare = self.method == "net" or self.preset in {"dream", *PUBLISHED}
        faces = self.faces if self.faces is not None else 0.0 if bare else FACES
        return {
            "strength": self.strength,
            "weights": self.weights,
            "masks": self._masks(context.folder),
            "preserve": self.preserve,
            "faces": faces,
            "seed": context.derive("style"),
            "watch": context.tell,
            "device": context.device,
        }

    def _by_patch(self, image: Tensor, context: Context, common: dict[str, Any]) -> Tensor:
        from artgen.style.patch.patch import stylize

        preset, scale = self.preset or "balanced", self.style_scale or SCALE
        albums = self._albums(context.folder)
        return stylize(image, albums, preset=preset, style_scale=scale, fast=context.preview, **common)

    def _by_net(self, image: Tensor, context: Context, common: dict[str, Any]) -> Tensor:
        from artgen.style.net import stylize

        model = style_weights.find_net(self.model, context.folder)
        styles = [style_weights.named(model, [style]) for style in self.style]
        return stylize(image, model, styles, style_scale=self.style_scale or SCALE, **common)

    def _by_vgg(
        self, image: Tensor, context: Context, common: dict[str, Any], start: Tensor | None
    ) -> Tensor:
        from artgen.models.features.features import load_features
        from artgen.style.optimise.optimise import stylize

        features = load_features(weight_files.find_weights(self.features, context.folder))
        goes_on = context.preview or start is not None
        iterations = self.iterations or (FEW if goes_on else None)
        scales = self.scales if start is None else 1
        begun = self.start if start is None else start
        return stylize(
            image,
            self._albums(context.folder),
            features,
            **common | {"iterations": iterations, "start": begun, "scales": scales},
            preset=self.preset or "artgen",
            style_scale=self.style_scale,
            loss=self.loss,
            content_layer=self.content_layer,
            content_weight=self.content_weight,
            style_layers=self.style_layers,
            tv=self.tv,
            optimiser=self.optimiser,
            passes=self.passes,
            memory=self.memory,
        )

    def _albums(self, folder: Path) -> list[list[Tensor]]:
        """The pictures of each style."""
        from artgen.imaging.io.files import read_image
        from artgen.style.style_folder import read_album

        found = [find_style(reference, folder) for reference in self.style]
        return [[read_image(f)] if isinstance(f, Path) else read_album(f) for f in found]

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
