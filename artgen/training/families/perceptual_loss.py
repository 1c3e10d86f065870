"""The perceptual loss: distances of VGG features to a content, and of Gram matrices to a painting.

After Gatys et al. 2016 and Johnson et al. 2016 (arXiv:1603.08155): the content is represented by ``relu2_2``,
the style by the Gram matrices of ``relu1_2``, ``relu2_2``, ``relu3_3`` and ``relu4_3``. Deviations: if a
weights file ends earlier, its last layer is used instead; every distance is relative to the size of its
target, so that a recipe's weights mean the same for features of any scale.
"""

from __future__ import annotations

import torch
from torch import Tensor

from artgen.models.features.vgg import VGG

VGG_CONTENT_LAYER = "relu2_2"
VGG_STYLE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")


def gram_matrices(features: Tensor) -> Tensor:
    """Return the Gram matrices ``(B, C, C)`` of VGG features ``(B, C, h, w)``, as means over positions."""
    with torch.autocast(features.device.type, enabled=False):
        flat = features.float().flatten(2)
        return flat @ flat.transpose(1, 2) / flat.shape[2]


class PerceptualLoss:
    """Content and style distances of paintings by the features of one VGG.

    Args:
        vgg: on the device of the images.
        paintings: ``(3, H, W)`` in [0, 1] each, at the size that decides the strokes.
    """

    def __init__(self, vgg: VGG, paintings: list[Tensor]) -> None:
        self.vgg = vgg
        self.content_layer = vgg.nearest_layer(VGG_CONTENT_LAYER)
        self.style_layers = sorted({vgg.nearest_layer(name) for name in VGG_STYLE_LAYERS})
        self.layers = {self.content_layer, *self.style_layers}
        with torch.no_grad():
            painting_features = [vgg(painting[None], self.layers) for painting in paintings]
        self.painting_grams = {
            name: torch.cat([gram_matrices(features[name]) for features in painting_features])
            for name in self.style_layers
        }

    def distances(self, generated: Tensor, contents: Tensor, styles: Tensor) -> tuple[Tensor, Tensor]:
        """Return the perceptual loss's mean distances to contents and paintings, two scalars.

        Args:
            generated: images to measure, ``(B, 3, H, W)`` in [0, 1].
            contents: their contents, of the same shape.
            styles: index of each image's painting, ``(B,)``.
        """
        with torch.no_grad():
            content_features = self.vgg(contents, {self.content_layer})[self.content_layer]
        features = self.vgg(generated, self.layers)
        content_errors = (features[self.content_layer] - content_features).square().mean((1, 2, 3))
        content_distance = (content_errors / content_features.square().mean((1, 2, 3))).mean()
        style_distance = generated.new_zeros(())
        for name in self.style_layers:
            target = self.painting_grams[name][styles]
            errors = (gram_matrices(features[name]) - target).square().sum((1, 2))
            style_errors = errors / target.square().sum((1, 2))
            style_distance = style_distance + style_errors.mean() / len(self.style_layers)
        return content_distance, style_distance


def total_variation(images: Tensor) -> Tensor:
    """Return the total variation loss: mean absolute difference of neighbouring pixels, a scalar."""
    vertical, horizontal = (images.diff(dim=axis).abs().mean() for axis in (2, 3))
    return vertical + horizontal
