"""Checkpoints of a training: written whole or not at all, the newest few kept, resumed bit for bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from artgen.errors import ArtgenError
from artgen.imaging.io.files import atomic_file, sweep
from artgen.training.engine.ema import AveragedNetwork
from artgen.training.engine.family import ModelFamily
from artgen.training.engine.fingerprint import TrainingIdentity


@dataclass(frozen=True)
class TrainingProgress:
    """The progress of a training, stored in checkpoints by the names of its fields.

    Attributes:
        step: how many steps are done.
        seconds: training time, summed over all resumed runs.
        identity: ``TrainingIdentity`` of the training as plain values.
        adopted: steps at which the training was resumed with a changed recipe or other images.
    """

    step: int
    seconds: float
    identity: dict[str, Any]
    adopted: list[int] = field(default_factory=list)


class Checkpoints:
    """The checkpoint files in the sub-folder ``checkpoints`` of a training's folder.

    Args:
        folder: the training's folder.
        max_checkpoints: how many of the newest checkpoints are kept.
    """

    def __init__(self, folder: Path, max_checkpoints: int) -> None:
        self.folder, self.max_checkpoints = folder / "checkpoints", max_checkpoints

    def list_files(self) -> list[Path]:
        """List the training's checkpoint files, oldest first."""
        return sorted(self.folder.glob("[0-9]*.pt"))

    def latest_step(self) -> int:
        """Return the training step of the newest checkpoint, 0 if there is none."""
        return max((int(file.stem) for file in self.list_files() if file.stem.isdigit()), default=0)

    def save(
        self,
        family: ModelFamily,
        averages: Mapping[str, AveragedNetwork],
        progress: TrainingProgress,
        extra_states: Sequence[Mapping[str, Any]],
    ) -> None:
        """Write a checkpoint of the training, then remove the oldest ones.

        Args:
            family: networks and optimisers.
            averages: averaged copies of the exported networks, by name.
            progress: how far the training has come.
            extra_states: ``ModelFamily.extra_state`` of each process.

        Raises:
            ArtgenError: a weight is not finite (nobody could resume from such a checkpoint), or the disk is
                full.
        """
        for name, network in family.networks.items():
            if not all(bool(torch.isfinite(weight).all()) for weight in network.parameters()):
                raise ArtgenError(
                    f"step {progress.step}", f"weights of {name} are not finite", self.advice_after_bad_loss()
                )
        state = {
            "reached": asdict(progress),
            "networks": {name: network.state_dict() for name, network in family.networks.items()},
            "optimisers": {name: optimiser.state_dict() for name, optimiser in family.optimisers.items()},
            "averages": {name: average.network.state_dict() for name, average in averages.items()},
            "extra": list(extra_states),
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        sweep(self.folder)
        with atomic_file(self.folder / f"{progress.step:08d}.pt") as stream:
            torch.save(state, stream)
        for file in self.list_files()[: -self.max_checkpoints]:
            file.unlink(missing_ok=True)

    def restore(
        self,
        family: ModelFamily,
        averages: Mapping[str, AveragedNetwork],
        identity: TrainingIdentity,
        *,
        adopt: bool,
    ) -> TrainingProgress:
        """Load the newest checkpoint into networks, averages and optimisers, to resume the training.

        Args:
            family: its networks, optimisers and extra state are overwritten.
            averages: averaged copies of the exported networks, overwritten.
            identity: identity of this training.
            adopt: accept a checkpoint of another recipe or of other images.

        Raises:
            ArtgenError: the checkpoint is damaged, does not fit these networks, or belongs to another recipe
                or other images and ``adopt`` is false.
        """
        files = self.list_files()
        if not files:
            return TrainingProgress(0, 0.0, identity.to_dict())
        state = _load_state(files[-1])
        try:
            progress = TrainingProgress(**state["reached"])
            differences = identity.list_differences(progress.identity)
            if differences and not adopt:
                raise ArtgenError(
                    str(files[-1]),
                    f"belongs to another training ({'; '.join(differences)})",
                    "--adopt resumes from it with this recipe, --folder starts in another folder",
                )
            for name, network in family.networks.items():
                network.load_state_dict(state["networks"][name])
            for name, average in averages.items():
                average.network.load_state_dict(state["averages"][name])
            for name, optimiser in family.optimisers.items():
                # Moments come from the checkpoint, but rates and betas from the recipe, which may have
                # changed.
                settings_of_groups = [
                    {key: value for key, value in group.items() if key != "params"}
                    for group in optimiser.param_groups
                ]
                optimiser.load_state_dict(state["optimisers"][name])
                for group, settings in zip(optimiser.param_groups, settings_of_groups, strict=True):
                    group.update(settings | {"base": settings["lr"]})
            family.load_extra_state(state["extra"][family.context.process_index % len(state["extra"])])
        except (KeyError, TypeError, RuntimeError, ValueError) as error:
            expected = "adopt a recipe of the same networks only, or start in another --folder"
            raise ArtgenError(
                str(files[-1]), f"does not fit these networks ({_first_line(error)})", expected
            ) from None
        adopted = [*progress.adopted, progress.step] if differences else progress.adopted
        return TrainingProgress(progress.step, progress.seconds, identity.to_dict(), adopted)

    def advice_after_bad_loss(self) -> str:
        """Return what the user can do after a loss or a weight became infinite or NaN."""
        step = self.latest_step()
        if not step:
            return "lower `rate` or `clip` in the recipe and start again"
        return f"the last good checkpoint is step {step:,}: lower `rate` or `clip` and resume with --adopt"


def _load_state(file: Path) -> dict[str, Any]:
    expected = "delete it to resume from the checkpoint before it"
    try:
        state = torch.load(file, weights_only=True, map_location="cpu")
    except Exception as error:  # torch raises many types for a file that is no checkpoint
        problem = f"not a checkpoint of artgen ({_first_line(error)})"
        raise ArtgenError(str(file), problem, expected) from None
    if not isinstance(state, dict):
        raise ArtgenError(str(file), "not a checkpoint of artgen", expected)
    return state


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
