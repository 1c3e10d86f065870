"""The total loss of an image and its gradient, computed in one piece or, with the same result, in tiles."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.models.features.features import FeatureNetwork
from artgen.models.features.receptive import feature_length, receptive_field
from artgen.style.optimise.losses import STYLE_LOSSES, TOTAL_VARIATIONS, StyleLoss, weighted_squared_error
from artgen.style.optimise.moments import FeatureMoments, FeatureStatistics, compute_moments, mix_statistics
from artgen.style.optimise.presets import OptimiseSettings
from artgen.style.optimise.tiled_features import FeatureTile, find_tile_side, split_into_tiles

ImageSize = tuple[int, int]


@dataclass(frozen=True)
class StyleTerm:
    """The style loss of one layer in one region, and its weight."""

    layer: str
    region: int
    weight: float
    loss: StyleLoss


class StyleObjective:
    """The loss that style optimisation minimises: style, content and total variation.

    Args:
        network: computes the features.
        settings: losses and their weights.
        content: ``(3, H, W)``.
        styles: the images of each style, ``(3, h, w)`` each.
        style_shares: share of each style; they add up to 1.
        masks: ``(k, 1, H, W)`` in [0, 1]: the region of each style, which then has statistics of its own
            (Gatys et al. 2017, arXiv:1611.07865). With a single mask, or None, the styles are mixed.
        content_weight_map: ``(1, H, W)``: factor on the content weight of each pixel, or None.
        memory_bytes: memory for the network; an image that needs more is processed in tiles.
    """

    def __init__(
        self,
        network: FeatureNetwork,
        settings: OptimiseSettings,
        content: Tensor,
        styles: Sequence[Sequence[Tensor]],
        style_shares: Sequence[float],
        *,
        masks: Tensor | None = None,
        content_weight_map: Tensor | None = None,
        memory_bytes: float = torch.inf,
    ) -> None:
        self.network, self.settings, self.memory_bytes = network, settings, memory_bytes
        self.image_size: ImageSize = (content.shape[1], content.shape[2])
        self.layer_weights: dict[str, float] = {}
        for layer_name, weight in settings.style_layers:
            nearest_layer = network.nearest_layer(layer_name)
            self.layer_weights[nearest_layer] = self.layer_weights.get(nearest_layer, 0.0) + weight
        self.content_layer = network.nearest_layer(settings.content_layer)
        self.layers = {*self.layer_weights, self.content_layer}
        self.receptive_fields = {
            layer_name: receptive_field(network.sliding_windows(layer_name)) for layer_name in self.layers
        }
        self.tile_side = find_tile_side(self.image_size, memory_bytes, network, self.layers)
        self.position_weights = self._reduce_masks(masks)
        self.style_terms = self._build_style_terms(styles, style_shares, masks)
        self.content_features = self._compute_content_features(content)
        self.content_weight_map: Tensor | None = None
        if content_weight_map is not None:
            self.content_weight_map = self._reduce_to_layer(content_weight_map[None], self.content_layer)[0]
        self.content_weight = self._find_content_weight()

    @torch.no_grad()
    def _reduce_masks(self, masks: Tensor | None) -> dict[str, list[Tensor | None]]:
        """Return for each style layer the weights of its positions in each style's region."""
        if masks is None:
            return {name: [None] for name in self.layer_weights}
        return {name: list(self._reduce_to_layer(masks, name)) for name in self.layer_weights}

    def _reduce_to_layer(self, maps: Tensor, layer: str) -> Tensor:
        """Reduce masks ``(k, 1, H, W)`` to the positions of a layer, ``(k, h, w)``."""
        windows = self.network.sliding_windows(layer)
        size = (feature_length(windows, self.image_size[0]), feature_length(windows, self.image_size[1]))
        return F.adaptive_avg_pool2d(maps, size)[:, 0]

    @torch.no_grad()
    def _build_style_terms(
        self, styles: Sequence[Sequence[Tensor]], style_shares: Sequence[float], masks: Tensor | None
    ) -> list[StyleTerm]:
        style_statistics = []  # of each style, by layer: the mean over its images
        for style in styles:
            measured = [self._measure_style(image) for image in style]
            equal_shares = [1 / len(measured)] * len(measured)
            style_statistics.append(
                {name: mix_statistics([m[name] for m in measured], equal_shares) for name in measured[0]}
            )
        separately = masks is not None and len(masks) > 1
        terms = []
        for layer, weight in self.layer_weights.items():
            layer_statistics = [statistics[layer] for statistics in style_statistics]
            targets = layer_statistics if separately else [mix_statistics(layer_statistics, style_shares)]
            for region, statistics in enumerate(targets):
                loss = STYLE_LOSSES[self.settings.loss](statistics)
                # A pixel in a small region is to get as strong a gradient as without regions.
                area_share = 1.0 if masks is None else float(masks[region].mean())
                if separately:
                    area_share *= style_shares[region] * len(style_shares)
                if area_share > 0:
                    scale = loss.zero_loss if self.settings.relative_losses else 1.0
                    terms.append(StyleTerm(layer, region, weight * area_share / max(scale, 1e-12), loss))
        return terms

    def _measure_style(self, style_image: Tensor) -> dict[str, FeatureStatistics]:
        """Compute the statistics of a style image by layer, in tiles if it is large."""
        layers, size = set(self.layer_weights), (style_image.shape[1], style_image.shape[2])
        tile_side = find_tile_side(size, self.memory_bytes, self.network, layers)
        moments: dict[str, FeatureMoments] = {}
        for tile in split_into_tiles(size, tile_side, [self.receptive_fields[name] for name in layers]):
            for name, features in self._tile_features(tile, tile.crop_image(style_image), layers).items():
                added = compute_moments(features)
                moments[name] = moments[name] + added if name in moments else added
        return {name: layer_moments.statistics for name, layer_moments in moments.items()}

    def _split_image(self) -> list[FeatureTile]:
        return list(split_into_tiles(self.image_size, self.tile_side, list(self.receptive_fields.values())))

    @torch.no_grad()
    def _compute_content_features(self, content: Tensor) -> Tensor:
        """Compute the features of the content layer, ``(C, h, w)``."""
        layer = self.content_layer
        tile_rows: dict[int, list[Tensor]] = {}
        for tile in self._split_image():
            features = self._tile_features(tile, tile.crop_image(content), {layer})[layer]
            tile_rows.setdefault(tile.core.top, []).append(features)
        return torch.cat([torch.cat(row, 2) for row in tile_rows.values()], 1)

    def _find_content_weight(self) -> float:
        """Return the factor on the sum of squared differences of content features."""
        settings, features = self.settings, self.content_features
        if settings.halve_content_sum:
            return settings.content_weight / 2
        weight = settings.content_weight / features.numel()
        if settings.relative_losses:
            # Content is what varies over the image; a mean that all positions share carries none.
            variance = float(features.float().flatten(1).var(1, correction=0).mean())
            weight /= max(variance, 1e-6)
        return weight

    def __call__(self, image: Tensor) -> tuple[float, Tensor]:
        """Compute the style and content loss of an image and its gradient.

        Args:
            image: ``(3, H, W)``; usually in [0, 1], but any values are allowed.

        Returns:
            The loss, and its gradient ``(3, H, W)``. Either may be not finite.
        """
        tiles = self._split_image()
        evaluate = self._evaluate_tiled if len(tiles) > 1 else self._evaluate_untiled
        loss, gradient = self._total_variation(image)
        feature_loss, feature_gradient = evaluate(image, tiles)
        return loss + feature_loss, gradient.add_(feature_gradient)

    def _total_variation(self, image: Tensor) -> tuple[float, Tensor]:
        """Compute the weighted total variation and its gradient."""
        if not self.settings.tv:
            return 0.0, torch.zeros_like(image)
        pixels = image.detach().requires_grad_()
        loss: Tensor = self.settings.tv * TOTAL_VARIATIONS[self.settings.tv_kind](pixels)
        return float(loss.detach()), torch.autograd.grad(loss, pixels)[0]

    def _evaluate_untiled(self, image: Tensor, tiles: Sequence[FeatureTile]) -> tuple[float, Tensor]:
        """Compute the loss and gradient of an image that is the only tile."""
        pixels = image.detach().requires_grad_()
        features = self._tile_features(tiles[0], pixels)
        style_loss = self._style_loss(self._tile_moments(tiles[0], features))
        loss = style_loss + self._content_loss(tiles[0], features).to(style_loss)
        return float(loss.detach()), torch.autograd.grad(loss, pixels)[0]

    def _evaluate_tiled(self, image: Tensor, tiles: Sequence[FeatureTile]) -> tuple[float, Tensor]:
        """Compute the loss and gradient of an image in tiles: all moments, then each gradient."""
        moments: dict[str, list[FeatureMoments]] = {}
        with torch.no_grad():
            for tile in tiles:
                features = self._tile_features(tile, tile.crop_image(image))
                for name, added in self._tile_moments(tile, features).items():
                    previous = moments.get(name)
                    moments[name] = (
                        [a + b for a, b in zip(previous, added, strict=True)] if previous else added
                    )
        for region_moments in (region for layer in moments.values() for region in layer):
            region_moments.feature_sum.requires_grad_()
            region_moments.product_sum.requires_grad_()
        style_loss = self._style_loss(moments)
        style_loss.backward()
        loss, gradient = float(style_loss.detach()), torch.zeros_like(image)
        for tile in tiles:
            content_loss, tile_gradient = self._tile_gradient(tile, tile.crop_image(image), moments)
            loss += content_loss
            tile.crop_image(gradient).add_(tile_gradient)
        return loss, gradient

    def _tile_gradient(
        self, tile: FeatureTile, tile_image: Tensor, moments: Mapping[str, list[FeatureMoments]]
    ) -> tuple[float, Tensor]:
        """Return a tile's share of the content loss and of the gradient of the total loss."""
        pixels = tile_image.detach().requires_grad_()
        features = self._tile_features(tile, pixels)
        total = content_loss = self._content_loss(tile, features)
        for name, layer_moments in self._tile_moments(tile, features).items():
            for leaf, tile_moments in zip(moments[name], layer_moments, strict=True):
                # Gram losses do not depend on means, and regions without weight on nothing.
                for sum_gradient, tile_sum in (
                    (leaf.feature_sum.grad, tile_moments.feature_sum),
                    (leaf.product_sum.grad, tile_moments.product_sum),
                ):
                    if sum_gradient is not None:
                        total = total + (sum_gradient * tile_sum).sum().to(total)
        return float(content_loss.detach()), torch.autograd.grad(total, pixels)[0]

    def _tile_features(
        self, tile: FeatureTile, tile_image: Tensor, layers: Collection[str] = ()
    ) -> dict[str, Tensor]:
        """Compute the features ``(C, h, w)`` of a tile's core, by default of all layers."""
        features = self.network(tile_image[None], set(layers) or self.layers)
        return {
            name: tile.crop_core_features(layer_features[0], self.receptive_fields[name])
            for name, layer_features in features.items()
        }

    def _tile_moments(
        self, tile: FeatureTile, features: Mapping[str, Tensor]
    ) -> dict[str, list[FeatureMoments]]:
        """Compute the moments of a tile's core, by style layer and region."""
        return {
            name: [
                compute_moments(
                    features[name], tile.crop_layer_map(region, self.receptive_fields[name], features[name])
                )
                for region in self.position_weights[name]
            ]
            for name in self.layer_weights
        }

    def _style_loss(self, moments: Mapping[str, Sequence[FeatureMoments]]) -> Tensor:
        losses = [
            term.weight * term.loss(moments[term.layer][term.region].statistics) for term in self.style_terms
        ]
        # There are no terms if all masks are black.
        return torch.stack(losses).sum() if losses else torch.zeros((), dtype=torch.float64)

    def _content_loss(self, tile: FeatureTile, core_features: Mapping[str, Tensor]) -> Tensor:
        features, layer = core_features[self.content_layer], self.receptive_fields[self.content_layer]
        target, weights = (
            tile.crop_layer_map(layer_map, layer, features)
            for layer_map in (self.content_features, self.content_weight_map)
        )
        assert target is not None
        return self.content_weight * weighted_squared_error(features, target, weights)
