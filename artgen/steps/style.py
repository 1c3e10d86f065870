"""The step ``style``, which paints the image in the style of one or more paintings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn, possible_values
from artgen.models.features import weight_files
from artgen.steps import style_weights
from artgen.steps.base import ModelReference, StepContext, preview_side
from artgen.steps.style_fields import (
    OPTIMISE_FIELDS,
    StyleFields,
    find_mask_file,
    find_style_files,
)
from artgen.style.optimise.presets import (
    LossName,
    OptimiserName,
    OptimiseSettings,
    StartKind,
    optimise_preset,
)
from artgen.style.patch.presets import patch_preset
from artgen.style.request import StyleRequest

if TYPE_CHECKING:
    from torch import Tensor

    from artgen.style.film.coherence import PaintFrame

DEFAULT_FACE_PROTECTION = 0.6
BYTES_PER_GB = 1_000_000_000
PREVIEW_ITERATIONS = 40  # for a preview, and for a film's frame that starts from the painting of the last one


class StyleStep(StyleFields):
    """Paint the image in the style of paintings: with their patches, by a trained network or optimised."""

    version: ClassVar[int] = 3
    cached: ClassVar[bool] = True
    bytes_per_pixel: ClassVar[int] = 400

    use: Literal["style"] = "style"
    features: Drawn[ModelReference] = Field(
        "vgg19",
        description="For `vgg`: the network whose features are compared: a name for `artgen models pull`, or "
        "the path of a weights file.",
    )
    start: Drawn[StartKind] | None = Field(
        None,
        description="For `vgg`: what it starts from: the result of `patch` (needs the fewest iterations), "
        "the image, or noise. By default this and the fields below are those of the preset.",
    )
    iterations: Drawn[Annotated[int, Field(ge=1, le=10_000)]] | None = Field(
        None, description="For `vgg`: iterations at each size."
    )
    passes: Drawn[Annotated[int, Field(ge=1, le=100)]] = Field(
        1, description="For `vgg`: how often all iterations are repeated, each time from the last result."
    )
    loss: Drawn[LossName] | None = Field(
        None,
        description="For `vgg`: the style loss: distance of the features' mean and covariance (wasserstein), "
        "or of their Gram matrices, scaled as by Gatys (gram) or by neural-style (gram-mean); "
        "wasserstein-schulz is wasserstein as crowsonkb computes it.",
    )
    content_weight: Drawn[Annotated[float, Field(ge=0, le=1e6)]] | None = Field(
        None, description="For `vgg`: weight of the content loss, which keeps the image recognisable."
    )
    content_layer: Drawn[Annotated[str, Field(max_length=40)]] | None = Field(
        None, description="For `vgg`: the layer of the content loss, such as relu4_2."
    )
    style_layers: dict[Annotated[str, Field(max_length=40)], Annotated[float, Field(ge=0, le=1e6)]] | None = (
        Field(
            None,
            description="For `vgg`: the layers of the style loss, with their weights.",
            json_schema_extra={"form": "layers and weights, such as { relu1_1 = 1.0, relu3_1 = 0.5 }"},
        )
    )
    tv: Drawn[Annotated[float, Field(ge=0, le=1e6)]] | None = Field(
        None, description="For `vgg`: weight of the total variation loss, which smooths the result."
    )
    optimiser: Drawn[OptimiserName] | None = Field(
        None, description="For `vgg`: the optimiser; lbfgs needs fewer iterations, adam less memory."
    )
    scales: Drawn[Annotated[int, Field(ge=1, le=64)]] | None = Field(
        None, description="For `vgg`: at how many sizes it paints, from 128 px on, each sqrt(2) times larger."
    )
    memory: Drawn[Annotated[float, Field(ge=0.25, le=1024)]] = Field(
        4.0,
        description="For `vgg`: memory that it may use; larger pictures are computed in tiles, with the same "
        "result.",
        json_schema_extra={"unit": "GB"},
    )

    def estimate_memory(self, pixels: int) -> int:
        """Return about how many bytes it takes: those of ``patch`` and ``net``, and what ``vgg`` may use."""
        optimises = "vgg" in possible_values(self.method)
        limit = max(possible_values(self.memory)) * BYTES_PER_GB if optimises else 0
        return super().estimate_memory(pixels) + round(limit)

    def apply(self, image: Tensor, context: StepContext) -> Tensor:
        """Paint the image ``(3, H, W)`` in the styles, at its size or at ``side``, which a preview halves."""
        from artgen.imaging.image import resize_longer_side

        if self.side is not None:
            image = resize_longer_side(image, preview_side(self.side) if context.preview else self.side)
        return self.create_painter(context)(image, None)

    def create_painter(self, context: StepContext) -> PaintFrame:
        """Read styles, masks and networks once, and return a function that paints any number of pictures.

        Returns:
            A function that paints ``(3, H, W)`` at its size; it starts from its second argument, a painting
            of the same size, or if that is None as the method does.

        Raises:
            ArtgenError: a file cannot be read or used.
        """
        folder, request = context.folder, self._build_request(context)
        if self.method == "net":
            from artgen.style.net import stylize_by_network

            model = style_weights.find_style_net_file(self.model, folder)
            style_shares = [style_weights.shares_by_name(model, [style]) for style in self.style]
            return lambda image, start: stylize_by_network(
                image, style_shares, replace(request, start_image=start), model
            )
        style_images = self._read_style_images(folder)
        if self.method == "patch":
            from artgen.style.patch.patch import stylize_by_patches

            patch = replace(patch_preset(self.preset or "balanced"), fast=context.preview)
            return lambda image, start: stylize_by_patches(
                image, style_images, replace(request, start_image=start), patch
            )
        from artgen.models.features.features import load_features
        from artgen.style.optimise.optimise import stylize_by_optimising

        features = load_features(weight_files.find_weights_file(self.features, folder))

        def optimise(image: Tensor, start: Tensor | None) -> Tensor:
            settings = self._build_optimise_settings(context.preview, follows=start is not None)
            return stylize_by_optimising(
                image, style_images, replace(request, start_image=start), settings, features
            )

        return optimise

    def _build_request(self, context: StepContext) -> StyleRequest:
        """Build the style request from the step's fields, which all methods share."""
        # A network hardly changes faces, `dream` shows no people, and the published presets protect no faces.
        protecting_presets = {None, "bold", "balanced", "faithful", "artgen"}
        protects_faces = self.method != "net" and self.preset in protecting_presets
        default_protection = DEFAULT_FACE_PROTECTION if protects_faces else 0.0
        return StyleRequest(
            seed=context.derive_key("style"),
            strength=self.strength,
            style_weights=self.weights,
            masks=self._read_masks(context.folder),
            preserve=self.preserve,
            face_protection=default_protection if self.faces is None else self.faces,
            style_scale=self.style_scale,
            on_progress=context.report,
            device=context.device,
        )

    def _build_optimise_settings(self, preview: bool, *, follows: bool) -> OptimiseSettings:
        """Build the optimisation's settings: the preset, changed by the step's fields.

        Args:
            preview: whether to do fewer iterations.
            follows: whether it starts from the painting of a film's previous frame: then one size is enough.
        """
        changes: dict[str, Any] = {
            name: value for name in OPTIMISE_FIELDS if (value := getattr(self, name)) is not None
        }
        if self.style_layers is not None:
            changes["style_layers"] = tuple(self.style_layers.items())
        if follows:
            changes["scales"] = 1
        iterations = self.iterations or (PREVIEW_ITERATIONS if preview or follows else None)
        if iterations is not None:
            changes |= {"iterations": iterations, "first_iterations": iterations}
        return replace(optimise_preset(self.preset or "artgen"), **changes)

    def _read_style_images(self, folder: Path) -> list[list[Tensor]]:
        """Read the paintings of each style that the step names."""
        from artgen.imaging.io.files import read_image
        from artgen.style.style_folder import read_style_images

        paths = [find_style_files(reference, folder) for reference in self.style]
        return [[read_image(path)] if isinstance(path, Path) else read_style_images(path) for path in paths]

    def _read_masks(self, folder: Path) -> Tensor | None:
        """Read the styles' masks as ``(k, 1, h, w)``, all resized to the size of the largest."""
        if self.mask is None:
            return None
        import torch

        from artgen.imaging.image import luminance, resize
        from artgen.imaging.io.files import read_image

        masks = [luminance(read_image(find_mask_file(reference, folder))) for reference in self.mask]
        largest = max(masks, key=lambda mask: mask.numel())
        size = (largest.shape[1], largest.shape[2])
        return torch.stack([resize(mask, size) for mask in masks])
