"""What the families share that make pictures out of nothing: squares and latents by row, a grid, figures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from artgen.imaging.variety import diversity, novelty
from artgen.models.architectures.latent import LatentGenerator
from artgen.models.architectures.network import Network
from artgen.training.critics.diffaugment import chances
from artgen.training.engine.family import Family, Figure, Measured, Place, grid, initialised
from artgen.training.evaluation.metrics import likeness
from artgen.training.material.material import Material
from artgen.training.material.squares import centre_square, random_square
from artgen.training.recipes.dcgan import LatentRecipe

ROWS, COLUMNS = 4, 7  # nearly 16:9, as the movie of the network learning wants it
SETTLING = 256  # latents that statistics over a batch are measured with
MOST, LEARNED = 128, 1024  # pictures in the figures; learned ones that a copy is looked for among
CHUNK = 16


@dataclass(frozen=True)
class LatentBatch:
    """What one step needs, made on the CPU.

    Attributes:
        number: of the step.
        real: ``(B, 3, S, S)`` squares in [0, 1].
        latents: ``(B, latent)``.
        chance: ``(B, 4, 7)``: how real and made pictures are changed in the critic's and in the generator's
            turn.
    """

    number: int
    real: Tensor
    latents: Tensor
    chance: Tensor


class LatentTraining(Family):
    """A generator of latents and a critic of its pictures; both networks are made by ``pair``.

    Args:
        recipe: of either family.
        material: the pictures.
        place: where.
    """

    changed: float = 0.0
    """How often each change is made to a picture before the critic sees it."""

    def __init__(self, recipe: LatentRecipe, material: Material, place: Place) -> None:
        self.settings, self.place, self.seed, self.batch = recipe, place, recipe.seed, recipe.batch
        self.pictures = material.images.pixels
        with initialised(recipe.seed):
            self.generator, self.critic = self.pair()
        self.networks = {"generator": self.generator, "critic": self.critic}
        for network in self.networks.values():
            network.to(device=place.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @abstractmethod
    def pair(self) -> tuple[LatentGenerator, nn.Module]:
        """Generator and critic with their first weights."""

    def draw(self, number: int) -> LatentBatch:
        real, latents, changes = [], [], []
        for chance in self.rows(number):
            real.append(self._square(self.pictures[int(chance.integers(len(self.pictures)))], chance))
            latents.append(torch.from_numpy(chance.standard_normal(self.settings.latent, np.float32)))
            changes.append(chances(chance, 4, self.changed))
        return LatentBatch(number, torch.stack(real), torch.stack(latents), torch.stack(changes))

    def preview(self, networks: Mapping[str, Network]) -> Tensor:
        """What the same 28 latents give."""
        made = self._made(networks, ROWS * COLUMNS)
        return grid(list(made.split(COLUMNS)))

    def measure(self, networks: Mapping[str, Network]) -> Measured:
        """Against pictures it learned from: no held-out picture is what it should have made."""
        count = min(MOST, len(self.pictures))
        learned = self._learned(min(LEARNED, len(self.pictures)))
        real = learned[np.linspace(0, len(learned) - 1, count).round()]
        made = self._made(networks, count)
        flat = real.mean((2, 3), keepdim=True).expand_as(real)
        figures = [
            *likeness(made, real, flat, "the flat mean colour"),
            Figure("diversity", "mean difference of two pictures over real ones'", diversity(made, real)),
            Figure("novelty", "distance to the nearest learned picture over theirs", novelty(made, learned)),
        ]
        size = self.settings.size
        return Measured(f"{count} pictures of {size} px against {count} it was trained on", figures)

    def _square(self, pixels: np.ndarray, chance: np.random.Generator) -> Tensor:
        recipe = self.settings
        if recipe.crop == "centre":
            square = centre_square(pixels, recipe.size)
        else:
            square = random_square(pixels, recipe.size, recipe.smallest, chance)
        return square.flip(2) if chance.random() < 0.5 and recipe.flip else square

    def _learned(self, count: int) -> Tensor:
        """``count`` squares of pictures spread over all, the same every time."""
        places = np.linspace(0, len(self.pictures) - 1, count).round().astype(int)
        chances = (np.random.default_rng((self.seed, int(place))) for place in places)
        return torch.stack(
            [
                self._square(self.pictures[place], chance)
                for place, chance in zip(places, chances, strict=True)
            ]
        )

    @torch.inference_mode()
    def _made(self, networks: Mapping[str, Network], count: int) -> Tensor:
        """The first ``count`` pictures ``(count, 3, S, S)`` of a fixed stream of latents, on the CPU."""
        network = networks["generator"]
        assert isinstance(network, LatentGenerator)
        chance = torch.Generator().manual_seed(self.seed)
        latents = torch.randn((max(count, SETTLING), self.settings.latent), generator=chance)
        latents = latents.to(self.place.device)
        network.settle(latents[:SETTLING])
        made = [network(chunk).float().cpu() for chunk in latents[:count].split(CHUNK)]
        return torch.cat(made).clamp(0, 1)
