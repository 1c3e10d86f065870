"""The family ``upimage``: a compact generator learns to invent what a thumbnail has lost.

A conditional GAN: patch discriminators that judge in one of two ways (``critic_loss.py``), feature matching,
mode seeking (Mao et al. 2019), full L1 that fades out. The first steps are L1 only. A share of the inputs is
taken from the model's own earlier pictures, because a second pass eats the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.image import area_down
from artgen.models.architectures.network import Network
from artgen.models.architectures.upimage import UpImager, UpImagerConfig
from artgen.training.critics.adversarial import moved, settle
from artgen.training.critics.critic_loss import judge_of
from artgen.training.engine.family import Family, Measured, Place, Turn, grid, initialised
from artgen.training.evaluation.metrics import evaluate, imagine
from artgen.training.material.material import Material
from artgen.training.pairs import pair_maker
from artgen.training.recipes.upimage import UpImageRecipe

MEMORY = 48  # own pictures kept for second passes
SAMPLES = 5
INPUT = 32  # px of a sample's and of a measured thumbnail
FORM = torch.channels_last  # on a CPU too: unlike a U-Net's, its step is then no slower (0.98 of the time)


@dataclass
class Batch:
    """Step ``number``'s inputs with a noise each, and targets; the first input is there twice."""

    number: int
    inputs: Tensor
    targets: Tensor
    noise: list[Tensor]


class UpImageTraining(Family):
    """Up-imager and critic."""

    def __init__(self, recipe: UpImageRecipe, material: Material, place: Place) -> None:
        self.recipe, self.place, self.seed = recipe, place, recipe.seed
        self.pairs = pair_maker(recipe.made_by(), material)
        self.images = material
        with initialised(recipe.seed):
            config = UpImagerConfig(width=recipe.width, blocks=recipe.blocks, widths=tuple(recipe.widths))
            self.generator = UpImager(config)
            self.judge = judge_of(recipe)
        critic = self.judge.critic
        self.networks = {"generator": self.generator, "critic": critic}
        settle(self.networks.values(), place.device, FORM)
        betas = (0.0, 0.99)  # no momentum: each network must follow the other as it is now
        self.optimisers = {
            "generator": torch.optim.Adam(self.generator.parameters(), recipe.rate, betas),
            "critic": torch.optim.Adam(critic.parameters(), recipe.rate * recipe.critic_rate, betas),
        }
        self.memory: list[Tensor] = []
        self.batch = recipe.sizes[0].batch

    def draw(self, number: int) -> Batch:
        size = self._size(number / self.recipe.steps)
        scale = self.generator.config.scale
        rows = list(self.rows(number, size.batch))
        pairs = [self.pairs.random(size.crop * scale, chance) for chance in rows[1:]]
        pairs = [pairs[0], *pairs]
        noise = [
            torch.stack(
                [
                    torch.from_numpy(chance.standard_normal((c, size.crop * k, size.crop * k), np.float32))
                    for chance in rows
                ]
            )
            for c, k in self.generator.noise_layers()
        ]
        return Batch(
            number, torch.stack([pair[0] for pair in pairs]), torch.stack([pair[1] for pair in pairs]), noise
        )

    def turns(self, batch: Batch, done: float) -> Iterator[Turn]:
        """The critic, then the generator; in the warm-up one of them alone.

        That is the generator, by L1, when it begins from chance. One that goes on from a finished model would
        unlearn while a critic that knows nothing told it so; there the critic has the warm-up to itself.
        """
        recipe = self.recipe
        self.batch = len(batch.inputs)
        count = self._second_pass(batch)
        inputs, targets = self._move(batch.inputs), self._move(batch.targets)[:count]
        waits = recipe.start is not None and done < recipe.warm_up
        with torch.set_grad_enabled(not waits):
            fakes = self.generator(inputs, [self._move(noise) for noise in batch.noise])
        if waits:
            yield self.judge.turn(self.judge.look(targets, fakes, self._condition(inputs)), batch.number)
            return
        losses = {"l1": (fakes[:count] - targets).abs().sum() / fakes.numel()}
        fade = min(1.0, max(0.0, (done - recipe.warm_up) / recipe.l1_fade))
        total = losses["l1"] * (recipe.l1 + (recipe.l1_end - recipe.l1) * fade)
        losses["consistency"] = F.l1_loss(area_down(fakes, self.generator.config.scale), inputs)
        total = total + recipe.consistency * losses["consistency"]
        if done >= recipe.warm_up:
            condition = self._condition(inputs)
            seen = self.judge.look(targets, fakes, condition)
            yield self.judge.turn(seen, batch.number)
            losses |= self.judge.persuade(fakes, condition, seen)
            losses["spread"] = self._spread(fakes)
            asked = recipe.adversarial * losses["fool"] + recipe.feature_matching * losses["features"]
            asked = asked + recipe.mode_seeking * F.relu(recipe.spread - losses["spread"]) / recipe.spread
            total = total + asked
        yield Turn("generator", total, {name: loss.detach() for name, loss in losses.items()})
        self._remember(fakes, batch.number)

    def rate(self, done: float) -> float:
        """Thrice in the warm-up, whichever network it is for; then flat; to a tenth over the last fifth."""
        if done < self.recipe.warm_up:
            return 3.0
        return 1.0 if done < 0.8 else 1.0 - 0.9 * (done - 0.8) / 0.2

    def preview(self, networks: Mapping[str, Network]) -> Tensor:
        """Rows: thumbnails of held-out pictures, what the model makes of them, the real pictures."""
        network = networks["generator"]
        assert isinstance(network, UpImager)
        side = INPUT * network.config.scale
        count = min(SAMPLES, len(self.images.validation.pixels))
        inputs, targets = self.pairs.validation(count, side, enlarged=False)
        made = imagine(network, inputs, seed=1, device=str(self.place.device))
        return grid([F.interpolate(inputs, size=targets.shape[-2:], mode="nearest"), made, targets])

    def measure(self, networks: Mapping[str, Network]) -> Measured:
        network = networks["generator"]
        assert isinstance(network, UpImager)
        return evaluate(network, self.pairs, self.images, str(self.place.device))

    def extra_state(self) -> dict[str, Any]:
        """The model's own earlier pictures."""
        return {"memory": self.memory}

    def load_extra_state(self, state: Mapping[str, Any]) -> None:
        self.memory = list(state["memory"])

    def _size(self, done: float) -> Any:
        return next(size for size in reversed(self.recipe.sizes) if done >= size.since)

    def _condition(self, inputs: Tensor) -> Tensor:
        """Thumbnails as the critic sees them: enlarged."""
        scale = self.generator.config.scale
        return F.interpolate(inputs, scale_factor=scale, mode="bicubic", align_corners=False)

    def _spread(self, fakes: Tensor) -> Tensor:
        """How far the pictures of the two noises differ; the loss is a hinge: more than enough is not asked.

        At half size, so that grain alone does not count as another invention; but a 2x has nothing to invent
        except grain, and at half size it is its input.
        """
        size = 2 if self.generator.config.scale > 2 else 1
        return (area_down(fakes[:1], size) - area_down(fakes[1:2], size)).abs().mean()

    def _second_pass(self, batch: Batch) -> int:
        """Now and then put a crop of an own picture in the last row's place; how many rows have a target."""
        rows, crop = len(batch.inputs), batch.inputs.shape[-1]
        large = [picture for picture in self.memory if picture.shape[-1] >= 2 * crop]
        rng = np.random.default_rng((self.seed, batch.number, self.place.process, 2))
        if large and rng.random() < self.recipe.second_pass * (rows - 1):
            batch.inputs[-1] = _reduced(large[int(rng.integers(len(large)))], crop, rng)
            return rows - 1
        return rows

    def _remember(self, fakes: Tensor, number: int) -> None:
        if number % 4 == 0:
            row = number // 4 % len(fakes)
            picture = (fakes[row].detach().float().clamp(0, 1) * 255).round().byte().cpu()
            self.memory = [*self.memory[-(MEMORY - 1) :], picture]

    def _move(self, batch: Tensor) -> Tensor:
        return moved(batch, self.place.device, FORM)


def _reduced(picture: Tensor, crop: int, rng: np.random.Generator) -> Tensor:
    """A crop of an own picture, uint8, reduced by half as the next pass of a recipe would reduce it."""
    half = F.avg_pool2d(picture.float() / 255, 2)
    top, left = (int(rng.integers(half.shape[-1] - crop + 1)) for _ in range(2))
    return half[:, top : top + crop, left : left + crop]
