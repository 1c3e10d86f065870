"""The loss of a picture and its gradient: of the whole at once, or exactly the same in tiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.models.features.features import Features
from artgen.models.features.receptive import extent, sight
from artgen.style.optimise.losses import LOSSES, VARIATIONS, StyleLoss, squares
from artgen.style.optimise.moments import Moments, Statistics, mix, moments
from artgen.style.optimise.presets import OptimiseSettings
from artgen.style.optimise.tiled_features import Tile, find_side, tiles

Size = tuple[int, int]


@dataclass(frozen=True)
class Term:
    """One distance of style: of a layer, in a region, with its weight."""

    layer: str
    region: int
    weight: float
    loss: StyleLoss


class Objective:
    """What is to become small.

    Args:
        network: features.
        settings: losses and weights.
        content: ``(3, H, W)``.
        styles: of each one picture or more, ``(3, h, w)``.
        shares: of the styles, together 1.
        masks: ``(k, 1, H, W)`` in [0, 1]: where each style goes; statistics are then taken over each region
            alone (Gatys et al. 2017, arXiv:1611.07865). A single one, or none, is for all the styles mixed.
        hold: ``(1, H, W)``: factor on the content weight at each place, or None.
        room: bytes that the network may take; smaller pictures are never tiled.
    """

    def __init__(
        self,
        network: Features,
        settings: OptimiseSettings,
        content: Tensor,
        styles: Sequence[Sequence[Tensor]],
        shares: Sequence[float],
        *,
        masks: Tensor | None = None,
        hold: Tensor | None = None,
        room: float = torch.inf,
    ) -> None:
        self.network, self.settings, self.room = network, settings, room
        self.size: Size = (content.shape[1], content.shape[2])
        self.weights: dict[str, float] = {}
        for name, weight in settings.style_layers:
            own = network.nearest(name)
            self.weights[own] = self.weights.get(own, 0.0) + weight
        self.content_layer = network.nearest(settings.content_layer)
        self.wanted = {*self.weights, self.content_layer}
        self.sights = {name: sight(network.kernels(name)) for name in self.wanted}
        self.side = find_side(self.size, room, network, self.wanted)
        self.regions = self._regions(masks)
        self.terms = self._terms(styles, shares, masks)
        self.content = self._see_content(content)
        self.hold = None if hold is None else self._reduced(hold[None], self.content_layer)[0]
        self.content_weight = self._content_weight()

    @torch.no_grad()
    def _regions(self, masks: Tensor | None) -> dict[str, list[Tensor | None]]:
        """For each layer of style the weights of its places, by region."""
        if masks is None:
            return {name: [None] for name in self.weights}
        return {name: list(self._reduced(masks, name)) for name in self.weights}

    def _reduced(self, maps: Tensor, layer: str) -> Tensor:
        """Of ``(k, 1, H, W)`` what a layer has at its places: ``(k, h, w)``."""
        kernels = self.network.kernels(layer)
        size = (extent(kernels, self.size[0]), extent(kernels, self.size[1]))
        return F.adaptive_avg_pool2d(maps, size)[:, 0]

    @torch.no_grad()
    def _terms(
        self, styles: Sequence[Sequence[Tensor]], shares: Sequence[float], masks: Tensor | None
    ) -> list[Term]:
        seen = [self._together([self._statistics(picture) for picture in style]) for style in styles]
        apart = masks is not None and len(masks) > 1
        terms = []
        for layer, weight in self.weights.items():
            each = [statistics[layer] for statistics in seen]
            wanted = each if apart else [mix(each, shares)]
            for region, statistics in enumerate(wanted):
                loss = LOSSES[self.settings.loss](statistics)
                # So that a pixel is pulled as strongly in a small region as it is without any.
                part = 1.0
                if masks is not None:
                    part = float(masks[region].mean()) * (shares[region] * len(shares) if apart else 1)
                if part > 0:
                    size = loss.size if self.settings.relative else 1.0
                    terms.append(Term(layer, region, weight * part / max(size, 1e-12), loss))
        return terms

    @staticmethod
    def _together(pictures: Sequence[dict[str, Statistics]]) -> dict[str, Statistics]:
        """Of all pictures of a style."""
        equal = [1 / len(pictures)] * len(pictures)
        return {name: mix([each[name] for each in pictures], equal) for name in pictures[0]}

    def _statistics(self, style: Tensor) -> dict[str, Statistics]:
        """Of a whole style, tile by tile where it is large."""
        wanted = set(self.weights)
        size = (style.shape[1], style.shape[2])
        side = find_side(size, self.room, self.network, wanted)
        found: dict[str, Moments] = {}
        for tile in tiles(size, side, [self.sights[name] for name in wanted]):
            for name, features in self.network(tile.cut(style)[None], wanted).items():
                more = moments(tile.inner(features[0], self.sights[name]))
                found[name] = found[name] + more if name in found else more
        return {name: each.statistics for name, each in found.items()}

    def _tiles(self) -> list[Tile]:
        return list(tiles(self.size, self.side, list(self.sights.values())))

    @torch.no_grad()
    def _see_content(self, content: Tensor) -> Tensor:
        """Features of the content, ``(C, h, w)``."""
        layer = self.content_layer
        parts: dict[int, list[Tensor]] = {}
        for tile in self._tiles():
            features = self.network(tile.cut(content)[None], {layer})[layer][0]
            parts.setdefault(tile.own.top, []).append(tile.inner(features, self.sights[layer]))
        return torch.cat([torch.cat(row, 2) for row in parts.values()], 1)

    def _content_weight(self) -> float:
        """Factor on the sum of squared differences."""
        settings, features = self.settings, self.content
        if settings.content_halved:
            return settings.content_weight / 2
        weight = settings.content_weight / features.numel()
        if settings.relative:
            # What varies over the picture is its content; a mean that all places share is none.
            spread = float(features.float().flatten(1).var(1, correction=0).mean())
            weight /= max(spread, 1e-6)
        return weight

    def __call__(self, picture: Tensor) -> tuple[float, Tensor]:
        """Loss and gradient at a picture.

        Args:
            picture: ``(3, H, W)``; in [0, 1] where it is one, but any values are taken.

        Returns:
            The loss, and its gradient ``(3, H, W)``. Neither is checked to be finite.
        """
        places = self._tiles()
        loss, gradient = self._rough(picture)
        if len(places) == 1:
            more, slope = self._at_once(picture)
        else:
            more, slope = self._in_tiles(picture, places)
        return loss + more, gradient.add_(slope)

    def _rough(self, picture: Tensor) -> tuple[float, Tensor]:
        """Total variation."""
        if not self.settings.tv:
            return 0.0, torch.zeros_like(picture)
        x = picture.detach().requires_grad_()
        loss: Tensor = self.settings.tv * VARIATIONS[self.settings.variation](x)
        return float(loss.detach()), torch.autograd.grad(loss, x)[0]

    def _at_once(self, picture: Tensor) -> tuple[float, Tensor]:
        x = picture.detach().requires_grad_()
        features = {name: each[0] for name, each in self.network(x[None], self.wanted).items()}
        sums = {
            name: [moments(features[name], region) for region in self.regions[name]] for name in self.weights
        }
        style = self._style(sums)
        loss = style + self._content(features[self.content_layer], self.content, self.hold).to(style)
        return float(loss.detach()), torch.autograd.grad(loss, x)[0]

    def _in_tiles(self, picture: Tensor, places: Sequence[Tile]) -> tuple[float, Tensor]:
        """Two passes: statistics of all tiles, then what each tile's features would change in them."""
        sums: dict[str, list[Moments]] = {}
        for tile in places:
            with torch.no_grad():
                for name, each in self._sums(tile, self._inner(tile, tile.cut(picture))).items():
                    known = sums.get(name)
                    sums[name] = each if known is None else [a + b for a, b in zip(known, each, strict=True)]
        leaves = {
            name: [Moments(m.weight, m.first.requires_grad_(), m.second.requires_grad_()) for m in each]
            for name, each in sums.items()
        }
        style = self._style(leaves)
        style.backward()
        loss, gradient = float(style.detach()), torch.zeros_like(picture)
        for tile in places:
            more, slope = self._slope(tile, tile.cut(picture), leaves)
            loss += more
            tile.cut(gradient).add_(slope)
        return loss, gradient

    def _slope(self, tile: Tile, cut: Tensor, leaves: Mapping[str, list[Moments]]) -> tuple[float, Tensor]:
        """A tile's share of the content loss, and its share of the whole gradient."""
        x = cut.detach().requires_grad_()
        inner = self._inner(tile, x)
        features, layer = inner[self.content_layer], self.sights[self.content_layer]
        size = (features.shape[1], features.shape[2])
        hold = None if self.hold is None else tile.place(self.hold, layer, size)
        content = self._content(features, tile.place(self.content, layer, size), hold)
        total = content
        for name, sums in self._sums(tile, inner).items():
            for leaf, own in zip(leaves[name], sums, strict=True):
                # Gram matrices say nothing of means, and a region without weight nothing at all.
                for pull, sum_ in ((leaf.first.grad, own.first), (leaf.second.grad, own.second)):
                    if pull is not None:
                        total = total + (pull * sum_).sum().to(total)
        return float(content.detach()), torch.autograd.grad(total, x)[0]

    def _inner(self, tile: Tile, cut: Tensor) -> dict[str, Tensor]:
        features = self.network(cut[None], self.wanted)
        return {name: tile.inner(each[0], self.sights[name]) for name, each in features.items()}

    def _sums(self, tile: Tile, inner: Mapping[str, Tensor]) -> dict[str, list[Moments]]:
        found = {}
        for name in self.weights:
            size = (inner[name].shape[1], inner[name].shape[2])
            found[name] = [
                moments(
                    inner[name],
                    None if region is None else tile.place(region, self.sights[name], size),
                )
                for region in self.regions[name]
            ]
        return found

    def _style(self, sums: Mapping[str, Sequence[Moments]]) -> Tensor:
        losses = [term.weight * term.loss(sums[term.layer][term.region].statistics) for term in self.terms]
        # Without a term, as under masks that are all black, nothing is wanted.
        return torch.stack(losses).sum() if losses else torch.zeros((), dtype=torch.float64)

    def _content(self, features: Tensor, wanted: Tensor, hold: Tensor | None) -> Tensor:
        return self.content_weight * squares(features, wanted, hold)
