"""What a family of models brings to the loop: networks, batches, losses, samples, figures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from artgen.events import Emit, ignore
from artgen.models.architectures.network import Network


@dataclass(frozen=True)
class Place:
    """Where a family is trained.

    Attributes:
        folder: of the training: caches go here.
        device: where the networks compute.
        process: the number of this process, from 0; each draws rows of its own.
        emit: takes events.
        beside: where relative paths of the recipe start.
    """

    folder: Path
    device: torch.device
    process: int = 0
    emit: Emit = ignore
    beside: Path = Path()


@dataclass(frozen=True)
class Turn:
    """One network's turn in a step: the loop goes down ``loss`` with the optimiser of that name.

    Attributes:
        optimiser: whose turn it is.
        loss: a scalar.
        losses: what to show, by name: detached scalars.
    """

    optimiser: str
    loss: Tensor
    losses: dict[str, Tensor]


@dataclass(frozen=True)
class Figure:
    """One figure of a model's card.

    Attributes:
        name: its key in the model's file.
        label: in words.
        value: measured.
        form: how it is printed, as in ``format``.
    """

    name: str
    label: str
    value: float
    form: str = ".3f"


@dataclass(frozen=True)
class Measured:
    """What was measured, and on what: one sentence for the card."""

    on: str
    figures: list[Figure] = field(default_factory=list)


class Family(ABC):
    """Networks and their losses. ``__init__`` of every family takes its recipe, material and place.

    All chance is keyed by the step's number: ``draw`` by the generators that ``rows`` gives, networks in
    training (dropout) by the loop. So a resumed training equals an undisturbed one.
    """

    ships: ClassVar[Mapping[str, str]] = {"generator": ""}
    """Networks that are averaged and written, each with what follows the title in its file's name."""

    compiled: ClassVar[Collection[str] | None] = None
    """Networks that torch may compile; all by default."""
    descriptions: ClassVar[Mapping[str, str]] = {}
    """What a shipped network is, where the recipe's description does not fit it."""

    networks: dict[str, nn.Module]
    """Every network with weights to keep, on the place's device."""
    optimisers: dict[str, torch.optim.Optimizer]
    """By the names that ``turns`` gives."""
    seed: int
    batch: int
    """Rows in a step, for each process."""
    place: Place
    fingerprint: str = ""
    """Of whatever else decides the weights, such as paintings that the recipe names."""

    def rows(self, number: int, count: int | None = None) -> Iterator[np.random.Generator]:
        """A stream of chance for each row of a step; two processes see what one of twice the batch sees."""
        many = count or self.batch
        for row in range(self.place.process * many, (self.place.process + 1) * many):
            yield np.random.default_rng((self.seed, number, row))

    @abstractmethod
    def draw(self, number: int) -> Any:
        """The batch of step ``number``, on the CPU; called ahead of time, by another thread."""

    @abstractmethod
    def turns(self, batch: Any, done: float) -> Iterator[Turn]:
        """One step: yields each network's turn; when it goes on, that network has been updated.

        Args:
            batch: what ``draw`` gave.
            done: share of the training done, 0 to below 1.
        """

    def rate(self, done: float) -> float:
        """The learning rate at this point, times the optimisers' own."""
        return 1.0

    @abstractmethod
    def preview(self, networks: Mapping[str, Network]) -> Tensor:
        """A grid of samples ``(3, H, W)`` by the averaged networks, of the same things every time."""

    @abstractmethod
    def measure(self, networks: Mapping[str, Network]) -> Measured:
        """The card's figures of the averaged networks."""

    def extra_state(self) -> dict[str, Any]:
        """Whatever else an exact resume needs, as tensors and plain values."""
        return {}

    def load_extra_state(self, state: Mapping[str, Any]) -> None:  # noqa: B027
        """The inverse."""


def grid(rows: list[Tensor]) -> Tensor:
    """Rows of pictures, each ``(B, 3, H, W)`` in [0, 1], as one picture ``(3, H', W')``."""
    return torch.cat([torch.cat(list(row), 2) for row in rows], 1).clamp(0, 1)


@contextmanager
def initialised(seed: int) -> Iterator[None]:
    """Networks made inside get their first weights by ``seed``: torch has only its global stream for that."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
