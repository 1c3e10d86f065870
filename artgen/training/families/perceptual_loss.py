"""How VGG sees a picture: its content, and the textures of a painting.

After Gatys et al. 2016 and Johnson et al. 2016 (arXiv:1603.08155): content is what ``relu2_2`` shows, style
the Gram matrices of ``relu1_2``, ``relu2_2``, ``relu3_3`` and ``relu4_3``. Deviations: where a weights file
ends earlier, its last layer stands in; every distance is relative to the size of what is wanted, so that a
recipe's weights mean the same whatever the scale of a file's features.
"""

from __future__ import annotations

import torch
from torch import Tensor

from artgen.models.features.vgg import VGG

CONTENT = "relu2_2"
STYLE = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")


def gram(features: Tensor) -> Tensor:
    """``(B, C, h, w)`` to ``(B, C, C)``: how often two features meet, a mean over places."""
    with torch.autocast(features.device.type, enabled=False):
        flat = features.float().flatten(2)
        return flat @ flat.transpose(1, 2) / flat.shape[2]


class Perception:
    """Content and style distances by one VGG.

    Args:
        vgg: on the device of the pictures.
        paintings: ``(3, H, W)`` in [0, 1] each, at the size that decides the strokes.
    """

    def __init__(self, vgg: VGG, paintings: list[Tensor]) -> None:
        self.vgg = vgg
        self.content_layer = vgg.nearest(CONTENT)
        self.style_layers = sorted({vgg.nearest(name) for name in STYLE})
        self.wanted = {self.content_layer, *self.style_layers}
        with torch.no_grad():
            seen = [vgg(painting[None], self.wanted) for painting in paintings]
        self.grams = {name: torch.cat([gram(each[name]) for each in seen]) for name in self.style_layers}

    def distances(self, made: Tensor, contents: Tensor, styles: Tensor) -> tuple[Tensor, Tensor]:
        """How far ``made`` is from ``contents``, and from the paintings ``styles`` ``(B,)``: two scalars."""
        with torch.no_grad():
            wanted = self.vgg(contents, {self.content_layer})[self.content_layer]
        seen = self.vgg(made, self.wanted)
        apart = (seen[self.content_layer] - wanted).square().mean((1, 2, 3))
        content = (apart / wanted.square().mean((1, 2, 3))).mean()
        style = made.new_zeros(())
        for name in self.style_layers:
            target = self.grams[name][styles]
            apart = (gram(seen[name]) - target).square().sum((1, 2)) / target.square().sum((1, 2))
            style = style + apart.mean() / len(self.style_layers)
        return content, style


def roughness(pictures: Tensor) -> Tensor:
    """Total variation: the mean difference of neighbours, a scalar."""
    down, right = (pictures.diff(dim=axis).abs().mean() for axis in (2, 3))
    return down + right
