"""The family ``upimage``: a compact generator learns to invent what a thumbnail has lost.

A conditional GAN: hinge loss (Lim and Ye 2017) with spectrally normalised patch discriminators, feature
matching (Wang et al. 2018, pix2pixHD), mode seeking (Mao et al. 2019), full L1 that fades out. The first
steps are L1 only. A share of the inputs is taken from the model's own earlier pictures, because a second
pass eats the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from artgen.imaging.image import area_down
from artgen.models.discriminator import Critic
from artgen.models.upimage import UpImager, UpImagerConfig
from artgen.training.images import Pixels
from artgen.training.pairs import pixelate
from artgen.training.recipe import UpImageRecipe

MEMORY = 48  # own pictures kept for second passes


@dataclass
class Batch:
    """Inputs with two noises for the first of them, targets, and which rows have a target."""

    inputs: Tensor
    targets: Tensor
    real: Tensor
    noise: list[Tensor]


class UpImageTraining:
    """Networks, optimisers and one step; the loop calls it and knows nothing of its losses."""

    def __init__(self, recipe: UpImageRecipe, images: Sequence[Pixels], device: torch.device) -> None:
        self.recipe, self.images, self.device = recipe, images, device
        with torch.random.fork_rng():  # torch initialises weights from its global stream only
            torch.manual_seed(recipe.seed)
            self.generator = UpImager(UpImagerConfig(recipe.width, recipe.blocks, tuple(recipe.widths)))
            self.critic = Critic(recipe.critic_width)
        layout: dict[str, Any] = {"device": device, "memory_format": torch.channels_last}
        self.generator.to(**layout)
        self.critic.to(**layout)
        betas = (0.0, 0.99)  # no momentum: each network must follow the other as it is now
        self.optimisers = {
            "generator": torch.optim.Adam(self.generator.parameters(), recipe.rate, betas),
            "critic": torch.optim.Adam(self.critic.parameters(), recipe.rate * recipe.critic_rate, betas),
        }
        self.memory: list[Tensor] = []

    @property
    def modules(self) -> dict[str, nn.Module]:
        """Every network with weights to keep; ``generator`` is the one that ships."""
        return {"generator": self.generator, "critic": self.critic}

    def extra_state(self) -> dict[str, Any]:
        """What an exact resume needs beyond weights and optimisers."""
        return {"memory": self.memory}

    def load_extra_state(self, state: Mapping[str, Any]) -> None:
        """The inverse of ``extra_state``."""
        self.memory = list(state["memory"])

    def step(self, number: int) -> dict[str, float]:
        """One update of both networks; every random choice is keyed by the step's ``number``."""
        recipe = self.recipe
        done = number / recipe.steps
        batch = self._batch(number, done)
        warm = done < recipe.warm_up
        for group in self.optimisers.values():
            for parameters in group.param_groups:
                parameters["lr"] = parameters.setdefault("base", parameters["lr"]) * _rate(done, warm)
        fakes = self.generator(batch.inputs, batch.noise)
        real = batch.real.view(-1, 1, 1, 1)
        losses = {"l1": ((fakes - batch.targets).abs() * real).mean()}
        fade = min(1.0, max(0.0, (done - recipe.warm_up) / recipe.l1_fade))
        total = losses["l1"] * (recipe.l1 + (recipe.l1_end - recipe.l1) * fade)
        losses["consistency"] = F.l1_loss(area_down(fakes, self.generator.config.scale), batch.inputs)
        total = total + recipe.consistency * losses["consistency"]
        if not warm:
            total = total + self._adversarial(batch, fakes, losses)
        self.optimisers["generator"].zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(self.generator.parameters(), recipe.clip)
        self.optimisers["generator"].step()
        self._remember(fakes, number)
        return {name: float(value.detach()) for name, value in losses.items()}

    def _adversarial(self, batch: Batch, fakes: Tensor, losses: dict[str, Tensor]) -> Tensor:
        recipe = self.recipe
        scale = self.generator.config.scale
        condition = F.interpolate(batch.inputs, scale_factor=scale, mode="bicubic", align_corners=False)
        rows = batch.real.bool()
        self.critic.requires_grad_(True)
        verdicts, features = self.critic(
            torch.cat([batch.targets[rows], fakes.detach()]), torch.cat([condition[rows], condition])
        )
        count = int(rows.sum())
        loss = _mean([F.relu(1 - v[:count]).mean() + F.relu(1 + v[count:]).mean() for v in verdicts])
        self.optimisers["critic"].zero_grad(set_to_none=True)
        loss.backward()
        self.optimisers["critic"].step()
        self.critic.requires_grad_(False)
        verdicts, own = self.critic(fakes, condition)
        losses["critic"], losses["fool"] = loss, _mean([-v.mean() for v in verdicts])
        pairs = zip(own, features, strict=True)
        losses["features"] = _mean([F.l1_loss(a[rows], b[:count].detach()) for a, b in pairs])
        # Mode seeking as a hinge: the pictures of the two noises must differ this much, more is not asked
        # for. Measured at half size, so that grain alone does not count as another invention.
        losses["spread"] = (area_down(fakes[:1], 2) - area_down(fakes[1:2], 2)).abs().mean()
        total = recipe.adversarial * losses["fool"] + recipe.feature_matching * losses["features"]
        return total + recipe.mode_seeking * F.relu(recipe.spread - losses["spread"]) / recipe.spread

    def _batch(self, number: int, done: float) -> Batch:
        recipe = self.recipe
        size = next(s for s in reversed(recipe.sizes) if done >= s.since)
        rng = np.random.default_rng((recipe.seed, number))
        inputs, targets = pixelate(
            self.images, count=size.batch - 1, crop=size.crop, factor=self.generator.config.scale, rng=rng
        )
        real = torch.ones(len(inputs))
        large = [picture for picture in self.memory if picture.shape[-1] >= 2 * size.crop]
        if large and rng.random() < recipe.second_pass * len(inputs):
            inputs[-1] = _second_pass(large[int(rng.integers(len(large)))], size.crop, rng)
            real[-1] = 0.0
        inputs, targets = torch.cat([inputs[:1], inputs]), torch.cat([targets[:1], targets])
        real = torch.cat([real[:1], real])
        noise = [
            torch.from_numpy(rng.standard_normal((len(inputs), c, size.crop * k, size.crop * k), np.float32))
            for c, k in self.generator.noise_layers()
        ]
        move = partial(Tensor.to, device=self.device, memory_format=torch.channels_last)
        return Batch(move(inputs), move(targets), real.to(self.device), [move(n) for n in noise])

    def _remember(self, fakes: Tensor, number: int) -> None:
        if number % 4 == 0:
            row = number // 4 % len(fakes)
            picture = (fakes[row].detach().clamp(0, 1) * 255).round().byte().cpu()
            self.memory = [*self.memory[-(MEMORY - 1) :], picture]


def _second_pass(picture: Tensor, crop: int, rng: np.random.Generator) -> Tensor:
    """A crop of an own picture, uint8, reduced by half as the next pass of a recipe would reduce it."""
    half = F.avg_pool2d(picture.float() / 255, 2)
    top, left = (int(rng.integers(half.shape[-1] - crop + 1)) for _ in range(2))
    return half[:, top : top + crop, left : left + crop]


def _rate(done: float, warm: bool) -> float:
    """Learning rate over training: thrice for L1 alone, then flat, falling to a tenth over the last fifth."""
    if warm:
        return 3.0
    return 1.0 if done < 0.8 else 1.0 - 0.9 * (done - 0.8) / 0.2


def _mean(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values)).mean()
