"""The family ``pix2pix``: a generator learns from pairs, taught by a critic that sees both.

Isola et al. 2017 (arXiv:1611.07004): U-Net or ResNet, a conditional PatchGAN on 70 px patches, cross-entropy
(or least squares) plus 100 L1, the critic's loss halved, Adam at 2e-4 with momentum 0.5, the rate falling to
0 over the second half. The critic has its turn first and judges the picture that the generator is changed by
afterwards, so that one forward of the generator serves both.

Deviations: what ships are averaged weights (``average = 0`` ships the last ones). Pairs are drawn anew for
every step, there are no epochs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from artgen.imaging.inputs import speckled
from artgen.models.architectures.network import Network
from artgen.models.architectures.resnet import ResNet, ResNetConfig
from artgen.models.architectures.unet import UNet, UNetConfig
from artgen.seeds import generator
from artgen.training.critics.adversarial import adam, cost, falling, moved, settle
from artgen.training.critics.patchgan import PatchGAN
from artgen.training.engine.family import Family, Figure, Measured, Place, Turn, grid, initialised
from artgen.training.evaluation.metrics import likeness, seen
from artgen.training.material.material import Material
from artgen.training.pairs import pair_maker
from artgen.training.pairs.maker import Pair
from artgen.training.recipes.pix2pix import Pix2PixRecipe

SAMPLES, MEASURED = 4, 8  # pairs, where there are as many


class Pix2PixTraining(Family):
    """Generator and critic."""

    def __init__(self, recipe: Pix2PixRecipe, material: Material, place: Place) -> None:
        self.recipe, self.place = recipe, place
        self.seed, self.batch = recipe.seed, recipe.batch
        self.pairs = pair_maker(recipe.pairs, material)
        with initialised(recipe.seed):
            self.generator = _generator(recipe, self.pairs.channels)
            channels = self.pairs.channels + 3
            self.critic = PatchGAN(channels, recipe.critic_width, recipe.critic_layers, recipe.norm)
        self.networks = {"generator": self.generator, "critic": self.critic}
        settle(self.networks.values(), place.device)
        self.optimisers = {
            name: adam([network], recipe.rate, recipe.beta1) for name, network in self.networks.items()
        }

    def draw(self, number: int) -> Pair:
        """Inputs ``(B, C, crop, crop)`` and targets ``(B, 3, crop, crop)``."""
        pairs = [self.pairs.random(self.recipe.crop, chance) for chance in self.rows(number)]
        inputs, targets = (torch.stack([pair[k] for pair in pairs]) for k in (0, 1))
        return self.pairs.enlarged(inputs, self.recipe.crop), targets

    def turns(self, batch: Pair, done: float) -> Iterator[Turn]:
        """The critic: which of the two pictures is real, given the input? Then the generator."""
        recipe = self.recipe
        inputs, targets = (self._move(part) for part in batch)
        fakes = self.generator(inputs)

        self.critic.requires_grad_(True)
        made = cost(self.critic(torch.cat([inputs, fakes.detach()], 1)), False, recipe.gan)
        real = cost(self.critic(torch.cat([inputs, targets], 1)), True, recipe.gan)
        yield Turn("critic", (made + real) / 2, {"made": made.detach(), "real": real.detach()})

        self.critic.requires_grad_(False)
        fool = cost(self.critic(torch.cat([inputs, fakes], 1)), True, recipe.gan)
        l1 = (fakes - targets).abs().mean() * 2  # the published scale is [-1, 1]
        yield Turn("generator", fool + recipe.l1 * l1, {"fool": fool.detach(), "l1": l1.detach()})

    def rate(self, done: float) -> float:
        return falling(done, self.recipe.decay)

    def preview(self, networks: Mapping[str, Network]) -> Tensor:
        """Rows: inputs of held-out pictures, what the model makes of them, the targets."""
        inputs, targets = self._fixed(SAMPLES)
        return grid([inputs.expand_as(targets), self._made(networks, inputs), targets])

    def measure(self, networks: Mapping[str, Network]) -> Measured:
        """Distance to the targets, and how alike they are where no pixel has a right value."""
        inputs, targets = self._fixed(MEASURED)
        made = self._made(networks, inputs)
        figures = [
            Figure("l1", "mean distance to the target", float((made - targets).abs().mean())),
            Figure("l1_input", "the same of the input", float((inputs - targets).abs().mean())),
            *likeness(made, targets, inputs.expand_as(targets), "the input"),
        ]
        held_out = self.pairs.material.held_out
        return Measured(seen(len(targets), "pair", held_out, f"{self.recipe.crop} px"), figures)

    def _fixed(self, most: int) -> Pair:
        """Of each validation picture one pair at most."""
        count = min(most, len(self.pairs.material.validation.pixels))
        return self.pairs.validation(count, self.recipe.crop, enlarged=True)

    def _made(self, networks: Mapping[str, Network], inputs: Tensor) -> Tensor:
        table = self.recipe.pairs.model_dump()
        shown = [speckled(row, table, generator(number)) for number, row in enumerate(inputs)]
        return torch.cat([networks["generator"](self._move(row[None])).float().cpu() for row in shown])

    def _move(self, batch: Tensor) -> Tensor:
        return moved(batch, self.place.device)


def _generator(recipe: Pix2PixRecipe, inputs: int) -> Network:
    if recipe.generator == "resnet":
        return ResNet(
            ResNetConfig(
                width=recipe.width,
                blocks=recipe.blocks,
                inputs=inputs,
                norm=recipe.norm,
                dropout=recipe.dropout,
                rise=recipe.rise,
            )
        )
    return UNet(
        UNetConfig(
            levels=recipe.levels,
            width=recipe.width,
            inputs=inputs,
            norm=recipe.norm,
            dropout=recipe.dropout,
            rise=recipe.rise,
        )
    )
