"""The base class of model families, which give the training loop networks, batches, losses and metrics."""

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

from artgen.events import Emit, ignore_event
from artgen.models.architectures.network import Network


@dataclass(frozen=True)
class TrainingContext:
    """The folder, device and process in which a model family is trained.

    Attributes:
        folder: the training's folder, for caches.
        device: device of the networks.
        process_index: index of this process, from 0; each process draws its own rows of a batch.
        emit: receives events.
        recipe_folder: folder that relative paths in the recipe start from.
    """

    folder: Path
    device: torch.device
    process_index: int = 0
    emit: Emit = ignore_event
    recipe_folder: Path = Path()


@dataclass(frozen=True)
class OptimiserStep:
    """A loss of one training step, and the name of the optimiser with which the loop minimises it.

    Attributes:
        optimiser_name: key in ``ModelFamily.optimisers``.
        loss: the scalar to minimise.
        reported_losses: the losses to report, detached scalars by name.
    """

    optimiser_name: str
    loss: Tensor
    reported_losses: dict[str, Tensor]


@dataclass(frozen=True)
class Metric:
    """A measured value of a trained model, listed on its card.

    Attributes:
        name: key in the metadata of the model's file.
        label: description on the card.
        value: the measured value.
        format_spec: format of the printed value, as in ``format``.
    """

    name: str
    label: str
    value: float
    format_spec: str = ".3f"


@dataclass(frozen=True)
class Evaluation:
    """The metrics of a trained model and the images that they were measured on.

    Attributes:
        measured_on: the images in words, for the card.
        metrics: the metrics in the card's order.
    """

    measured_on: str
    metrics: list[Metric] = field(default_factory=list)


class ModelFamily(ABC):
    """Base class of model families: the networks, batches and losses by which one kind of model trains.

    ``__init__`` of every family takes its recipe, the dataset and the context. All random numbers are keyed
    by the step: ``draw_batch`` uses ``row_generators``, and the loop seeds the networks' dropout. So a
    resumed training equals an uninterrupted one.
    """

    export_suffixes: ClassVar[Mapping[str, str]] = {"generator": ""}
    """Names of the networks that are averaged and exported, each with the suffix of its model file's name."""

    compilable_networks: ClassVar[Collection[str] | None] = None
    """Names of the networks that torch may compile; None for all."""
    network_descriptions: ClassVar[Mapping[str, str]] = {}
    """Descriptions of exported networks that the recipe's description does not fit, by name."""
    memory_format: ClassVar[torch.memory_format | None] = None
    """Memory format of networks and images; None for the faster one: channels last on a GPU, and not on a
    CPU, where it makes a step of a U-Net 4 to 11 % slower."""

    networks: dict[str, nn.Module]
    """Every network whose weights are saved, by name, on the context's device."""
    optimisers: dict[str, torch.optim.Optimizer]
    """The optimisers by the names that ``optimiser_steps`` yields."""
    seed: int
    """The recipe's seed."""
    batch_size: int
    """Rows of a batch in each process."""
    context: TrainingContext
    """Folder, device and process of the training."""
    fingerprint: str = ""
    """Hash of further files that decide the weights, such as paintings that the recipe names."""

    def row_generators(self, step: int, row_count: int | None = None) -> Iterator[np.random.Generator]:
        """Yield a random generator for each row of this process's part of a training batch.

        Rows are numbered over all processes: two processes draw what one of twice the batch size draws.

        Args:
            step: the training step, from 0.
            row_count: rows in each process; by default ``batch_size``.
        """
        row_count = row_count or self.batch_size
        first_row = self.context.process_index * row_count
        for row in range(first_row, first_row + row_count):
            yield np.random.default_rng((self.seed, step, row))

    def move_networks(self) -> None:
        """Move ``networks`` to the training's device, in the family's memory format."""
        for network in self.networks.values():
            network.to(  # type: ignore[call-overload]
                device=self.context.device, memory_format=self._find_memory_format()
            )

    def move_batch(self, batch: Tensor) -> Tensor:
        """Move a part of a training batch to the device; images ``(B, C, H, W)`` in the memory format."""
        memory_format = self._find_memory_format() if batch.ndim == 4 else torch.preserve_format
        return batch.to(device=self.context.device, memory_format=memory_format)

    def _find_memory_format(self) -> torch.memory_format:
        is_gpu = self.context.device.type == "cuda"
        return self.memory_format or (torch.channels_last if is_gpu else torch.contiguous_format)

    @abstractmethod
    def draw_batch(self, step: int) -> Any:
        """Return the training batch of ``step``, on the CPU; called ahead of time in a thread."""

    @abstractmethod
    def optimiser_steps(self, batch: Any, progress: float) -> Iterator[OptimiserStep]:
        """Yield the losses of one training step in turn; the loop minimises each before it asks for the next.

        Args:
            batch: what ``draw_batch`` returned.
            progress: share of the training that is done, 0 to below 1.
        """

    def learning_rate_factor(self, progress: float) -> float:
        """Return the factor of the learning rates after a share ``progress`` of the training."""
        return 1.0

    @abstractmethod
    def sample_grid(self, networks: Mapping[str, Network]) -> Tensor:
        """Return a grid of sample images ``(3, H, W)`` of the averaged networks, of fixed inputs."""

    @abstractmethod
    def evaluate(self, networks: Mapping[str, Network]) -> Evaluation:
        """Measure the averaged networks for their model cards."""

    def extra_state(self) -> dict[str, Any]:
        """Return further state that an exact resume needs, as tensors and plain values."""
        return {}

    def load_extra_state(self, state: Mapping[str, Any]) -> None:  # noqa: B027
        """Restore the extra training state that ``extra_state`` returned."""


def make_grid(rows: list[Tensor]) -> Tensor:
    """Join rows of sample images, each ``(B, 3, H, W)``, to one image ``(3, rows * H, B * W)``."""
    return torch.cat([torch.cat(list(row), 2) for row in rows], 1).clamp(0, 1)


@contextmanager
def seeded_weights(seed: int) -> Iterator[None]:
    """Seed the initial weights of networks created inside, and restore torch's random state afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
