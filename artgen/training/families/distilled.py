"""``fast-style`` distilled: the network learns from pictures that patch EM painted.

Pix2pix (Isola et al. 2017) with other weights. What patch EM paints is sharp, but where a stroke falls is
chance: L1 alone would paint the mean of all of them, which is blur. So L1 decides composition and colour, and
strokes are left to a spectrally normalised critic that knows content and style, with hinge loss and feature
matching (Wang et al. 2018). It sees detail once more, magnified: strokes are faint beside what they are laid
on, and under a spectral norm of 1 its verdict could not follow them.

Tried and left out. The distance of patch distributions (Elnekave and Weiss 2022): after 1,200 steps it left
ghosts beside outlines, and a step cost half as much again. What patch EM would paint over the network's own
picture, as a target that moves along: what is still soft finds the painting's flat patches, and stays soft.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.models.architectures.network import Network
from artgen.seeds import derive
from artgen.training.critics.adversarial import adam, layout
from artgen.training.critics.discriminator import PatchDiscriminator
from artgen.training.engine.family import Figure, Measured, Place, Turn, grid, initialised
from artgen.training.evaluation.metrics import likeness
from artgen.training.families.distill import Painting, Workshop
from artgen.training.families.fast_style import SAMPLES, SHOWN, FastStyleTraining
from artgen.training.material.images import Pixels, load_images
from artgen.training.material.material import Material
from artgen.training.recipes.fast_style import FastStyleRecipe

DETAIL = 4.0
SOFT = 8  # px: what is smaller is detail


@dataclass
class Batch:
    """Contents and their paintings ``(B, 3, crop, crop)``, and each row's style ``(B, N)``."""

    contents: Tensor
    targets: Tensor
    weights: Tensor


class DistilledTraining(FastStyleTraining):
    """Generator and critic. Making it paints the pairs that are missing."""

    def __init__(self, recipe: FastStyleRecipe, material: Material, place: Place) -> None:
        super().__init__(recipe, material, place)
        self.table = recipe.distilled
        with initialised(recipe.seed + 1):
            self.critic = PatchDiscriminator(self.table.critic_width, 9 + len(self.paintings))
        self.critic.to(device=place.device, memory_format=layout(place.device))  # type: ignore[call-overload]
        self.networks["critic"] = self.critic
        self.optimisers["critic"] = adam([self.critic], recipe.critic_rate, 0.0)
        self.pairs, self.held_out = self._painted_pairs()

    def draw(self, number: int) -> Batch:
        contents, targets, styles = [], [], []
        for chance in self.rows(number):
            style = int(chance.integers(len(self.paintings)))
            pair = self.pairs[style][int(chance.integers(len(self.pairs[style])))]
            content, target = _cut(pair, self.recipe.crop, chance)
            contents.append(content)
            targets.append(target)
            styles.append(style)
        return Batch(
            torch.stack(contents),
            torch.stack(targets),
            F.one_hot(torch.tensor(styles), len(self.paintings)).float(),
        )

    def turns(self, batch: Batch, done: float) -> Iterator[Turn]:
        """The critic after a warm-up, then the generator."""
        table = self.table
        contents, targets = self._move(batch.contents), self._move(batch.targets)
        weights = self._move(batch.weights)
        made = self.generator(contents, weights)
        losses = {"l1": (made - targets).abs().mean() * 2}  # the published scale is [-1, 1]
        total = table.l1 * losses["l1"]
        if table.adversarial and done >= table.warm_up:
            judge = partial(self._judge, contents, weights)
            self.critic.requires_grad_(True)
            # Of the same precision, or a critic would tell them apart by that.
            (real, features), (fake, _) = judge(targets.to(made.dtype)), judge(made.detach())
            loss = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
            yield Turn("critic", loss, {"critic": loss.detach()})
            self.critic.requires_grad_(False)
            verdicts, own = judge(made)
            losses["fool"] = -verdicts.mean()
            apart = [F.l1_loss(a, b.detach()) for a, b in zip(own, features, strict=True)]
            losses["features"] = torch.stack(apart).mean()
            total = total + table.adversarial * losses["fool"] + table.features * losses["features"]
        yield Turn("generator", total, {name: loss.detach() for name, loss in losses.items()})

    def preview(self, networks: Mapping[str, Network]) -> Tensor:
        """Rows: contents it never saw; then, style by style, patch EM's paintings and the model's own."""
        rows = []
        for style, (contents, targets) in enumerate(self.held_out[:SHOWN]):
            rows += [targets, self._painted(networks, contents, style)]
        return grid([self.held_out[0][0], *rows])

    def measure(self, networks: Mapping[str, Network]) -> Measured:
        """How near it comes to patch EM, in pixels and in the statistics of strokes."""
        contents, targets = (torch.cat([pair[k] for pair in self.held_out]) for k in (0, 1))
        made = torch.cat(
            [self._painted(networks, pair[0], style) for style, pair in enumerate(self.held_out)]
        )
        figures = [
            Figure("l1", "mean distance to patch EM's painting", float((made - targets).abs().mean())),
            Figure("l1_content", "the same of the content", float((contents - targets).abs().mean())),
            *likeness(made, targets, contents, "the content"),
        ]
        kind = "pictures it never saw" if self.material.held_out else "pictures it was trained on"
        count, side = len(contents), self.table.side
        return Measured(f"{count} paintings by patch EM of {side} px, of {kind}", figures)

    def _judge(self, contents: Tensor, weights: Tensor, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        planes = weights[:, :, None, None].expand(-1, -1, *pictures.shape[2:])
        soft = F.interpolate(F.avg_pool2d(pictures, SOFT), pictures.shape[2:], mode="bilinear")
        views = [pictures * 2 - 1, (pictures - soft) * DETAIL, contents * 2 - 1, planes]
        seen: tuple[Tensor, list[Tensor]] = self.critic(torch.cat(views, 1))
        return seen

    def _painted_pairs(self) -> tuple[list[list[Pixels]], list[tuple[Tensor, Tensor]]]:
        """For each style its pairs as pixels, and the pairs held out for samples as tensors."""
        recipe, table = self.recipe, self.table
        workshop = Workshop(self.place.folder / "pairs", table, recipe.seed)
        held = [partial(self._middle, i, SAMPLES, table.side) for i in range(SAMPLES)]
        pairs, held_out = [], []
        orders = [
            (
                [
                    *workshop.orders(
                        (partial(self._ordered, painting, i) for i in range(table.pairs)), painting
                    )
                ],
                [*workshop.orders(held, painting)],
            )
            for painting in self.paintings
        ]
        workshop.fill(
            [o for both in orders for part in both[::-1] for o in part],
            self.place.emit,
            str(self.place.device),
        )
        for training, validation in orders:
            files = sorted({order.file for order in training})
            pairs.append([*load_images(files, self.place.folder, side=2 * table.side).pixels])
            shown = load_images([order.file for order in validation], self.place.folder, side=2 * table.side)
            halves = [_halves(pixels) for pixels in shown.pixels]
            held_out.append((torch.stack([h[0] for h in halves]), torch.stack([h[1] for h in halves])))
        return pairs, held_out

    def _ordered(self, painting: Painting, number: int) -> Tensor:
        chance = np.random.default_rng(derive(self.seed, number, "distil", painting.digest))
        return self._content(self.material.images.pixels, self.table.side, chance)


def _cut(pair: Pixels, crop: int, chance: np.random.Generator) -> tuple[Tensor, Tensor]:
    """The same square of content and painting. Never flipped: a painting's strokes have a direction."""
    side = pair.shape[0]
    top, left = (int(chance.integers(side - crop + 1)) for _ in range(2))
    rows = pair[top : top + crop]
    return _tensor(rows[:, left : left + crop]), _tensor(rows[:, side + left : side + left + crop])


def _halves(pair: Pixels) -> tuple[Tensor, Tensor]:
    side = pair.shape[0]
    return _tensor(pair[:, :side]), _tensor(pair[:, side:])


def _tensor(pixels: Pixels) -> Tensor:
    return torch.from_numpy(np.array(pixels, dtype=np.float32) / 255).permute(2, 0, 1).contiguous()
