"""The family ``cyclegan``: pictures of one kind become pictures of another, learned without pairs.

Zhu et al. 2017 (arXiv:1703.10593): a ResNet with instance norm each way, an unconditional PatchGAN for each
kind, least squares, 10 for the cycle, 5 for the identity, critics that remember 50 pictures, Adam at 2e-4
with momentum 0.5, the rate falling to 0 over the second half. The generators have their turn first.

Deviations: what ships are averaged weights. A generator sees the picture to translate and the one to leave
alone in one batch, which is the same under instance norm. The critics' memory is of 8-bit pictures. Squares
are cut before they are resized, so that no picture is stretched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.models.architectures.network import Network
from artgen.models.architectures.resnet import ResNet, ResNetConfig
from artgen.training.critics.adversarial import adam, cost, falling, moved, settle
from artgen.training.critics.image_pool import Pool
from artgen.training.critics.patchgan import PatchGAN
from artgen.training.engine.family import Family, Figure, Measured, Place, Turn, grid, initialised
from artgen.training.evaluation.metrics import likeness, seen
from artgen.training.material.images import Pixels
from artgen.training.material.material import Material
from artgen.training.material.squares import centre_square, random_square
from artgen.training.recipes.cyclegan import CycleGANRecipe

SAMPLES, MEASURED = 4, 8  # pictures of each kind, where there are as many


@dataclass
class Batch:
    """Step ``number``'s pictures of the first kind and of the second, ``(B, 3, crop, crop)`` each."""

    number: int
    first: Tensor
    second: Tensor


class CycleGANTraining(Family):
    """Generators ``there`` (first kind to second) and ``back``; a critic for what each makes."""

    ships: ClassVar[Mapping[str, str]] = {"there": "", "back": "-back"}
    descriptions: ClassVar[Mapping[str, str]] = {
        "back": "The way back: turns the kind of picture that the other model makes into the kind it takes."
    }

    def __init__(self, recipe: CycleGANRecipe, material: Material, place: Place) -> None:
        assert material.inputs is not None
        assert material.validation_inputs is not None
        self.recipe, self.place = recipe, place
        self.seed, self.batch = recipe.seed, recipe.batch
        self.kinds = (material.inputs.pixels, material.images.pixels)
        self.validation = (material.validation_inputs.pixels, material.validation.pixels)
        both = material.validation_inputs is not material.inputs  # too few of the other kind: none held out
        self.held_out = material.held_out and both
        config = ResNetConfig(
            width=recipe.width,
            blocks=recipe.blocks,
            norm="instance",
            rise=recipe.rise,
            skips=recipe.skips,
        )
        with initialised(recipe.seed):
            self.there, self.back = ResNet(config), ResNet(config)
            self.critics = [
                PatchGAN(3, recipe.critic_width, recipe.critic_layers, "instance") for _ in range(2)
            ]
            self.networks = {
                "there": self.there,
                "back": self.back,
                "critic_there": self.critics[0],
                "critic_back": self.critics[1],
            }
        settle(self.networks.values(), place.device)
        self.optimisers = {
            "generators": adam([self.there, self.back], recipe.rate, recipe.beta1),
            "critics": adam([*self.critics], recipe.rate * recipe.critic_rate, recipe.beta1),
        }
        self.pools = [Pool(recipe.pool), Pool(recipe.pool)]

    def draw(self, number: int) -> Batch:
        rows = list(self.rows(number))
        first, second = (torch.stack([self._cut(kind, chance) for chance in rows]) for kind in self.kinds)
        return Batch(number, first, second)

    def turns(self, batch: Batch, done: float) -> Iterator[Turn]:
        """Both generators, then both critics."""
        recipe = self.recipe
        first, second = self._move(batch.first), self._move(batch.second)
        for critic in self.critics:
            critic.requires_grad_(False)
        made_second, same_second = self.there(torch.cat([first, second])).chunk(2)
        made_first, same_first = self.back(torch.cat([second, first])).chunk(2)
        cycle = F.l1_loss(self.back(made_second), first) + F.l1_loss(self.there(made_first), second)
        same = F.l1_loss(same_second, second) + F.l1_loss(same_first, first)
        made = [made_second, made_first]
        fool = [cost(critic(m), True, recipe.gan) for critic, m in zip(self.critics, made, strict=True)]
        # L1 is doubled: the published scale is [-1, 1].
        total = sum(fool) + 2 * (recipe.cycle * cycle + recipe.same * same)
        shown = {"fool_there": fool[0], "fool_back": fool[1], "cycle": cycle, "same": same}
        yield Turn("generators", total, {name: loss.detach() for name, loss in shown.items()})

        chance = np.random.default_rng((self.seed, batch.number, self.place.process, 1))
        judged = []
        for critic, pool, m, real in zip(self.critics, self.pools, made, (second, first), strict=True):
            critic.requires_grad_(True)
            seen = pool.exchange(m.detach().float(), chance)
            judged.append((cost(critic(seen), False, recipe.gan) + cost(critic(real), True, recipe.gan)) / 2)
        shown = {"critic_there": judged[0], "critic_back": judged[1]}
        yield Turn("critics", judged[0] + judged[1], {name: loss.detach() for name, loss in shown.items()})

    def rate(self, done: float) -> float:
        return falling(done, self.recipe.decay)

    def preview(self, networks: Mapping[str, Network]) -> Tensor:
        """Rows: the first kind, turned into the second; the second kind, turned into the first."""
        first, second = self._fixed(SAMPLES)
        return grid(
            [first, self._made(networks["there"], first), second, self._made(networks["back"], second)]
        )

    def measure(self, networks: Mapping[str, Network]) -> Measured:
        """Statistics of each direction against real pictures of its kind, and how much comes back."""
        first, second = self._fixed(MEASURED)
        there, back = (
            self._made(networks[name], kind) for name, kind in (("there", first), ("back", second))
        )
        returned = self._made(networks["back"], there)
        figures = [
            Figure("cycle", "mean distance after there and back", float((returned - first).abs().mean())),
            *likeness(there, second, first, "the input"),
            *(
                Figure(f"{figure.name}_back", f"{figure.label}, backwards", figure.value, figure.form)
                for figure in likeness(back, first, second, "the input")
            ),
        ]
        sizes = f"of each kind, {self.recipe.crop} px"
        return Measured(seen(len(first), "picture", self.held_out, sizes), figures)

    def extra_state(self) -> dict[str, Any]:
        """What the critics remember."""
        return {"pools": [[picture.cpu() for picture in pool.pictures] for pool in self.pools]}

    def load_extra_state(self, state: Mapping[str, Any]) -> None:
        for pool, pictures in zip(self.pools, state["pools"], strict=True):
            pool.pictures = [picture.to(self.place.device) for picture in pictures]

    def _cut(self, images: Sequence[Pixels], chance: np.random.Generator) -> Tensor:
        """A square of an image by chance, flipped in half the cases."""
        pixels = images[int(chance.integers(len(images)))]
        square = random_square(pixels, self.recipe.crop, self.recipe.cut, chance)
        return square.flip(2) if chance.random() < 0.5 else square

    def _fixed(self, most: int) -> list[Tensor]:
        """Centre squares of as many validation pictures of each kind, spread over all and none twice."""
        count = min(most, *map(len, self.validation))
        return [
            torch.stack([centre_square(kind[i * len(kind) // count], self.recipe.crop) for i in range(count)])
            for kind in self.validation
        ]

    def _made(self, network: Network, pictures: Tensor) -> Tensor:
        return torch.cat([network(self._move(picture[None])).float().cpu() for picture in pictures])

    def _move(self, batch: Tensor) -> Tensor:
        return moved(batch, self.place.device)
