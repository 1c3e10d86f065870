"""Checkpoints of a training: whole or absent, the newest few kept, resumed bit for bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from artgen.errors import ArtgenError
from artgen.imaging.io.files import atomic_file, sweep
from artgen.training.engine.ema import Average
from artgen.training.engine.family import Family
from artgen.training.engine.fingerprint import Identity


@dataclass(frozen=True)
class Reached:
    """How far a training has come.

    Attributes:
        step: updates done.
        seconds: spent, over all sittings.
        identity: of the training, as plain values.
        adopted: steps at which it went on with another recipe or other images.
    """

    step: int
    seconds: float
    identity: dict[str, Any]
    adopted: list[int] = field(default_factory=list)


class Checkpoints:
    """The checkpoints in ``folder``.

    Args:
        folder: of the training.
        keep: how many stay.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self.folder, self.keep = folder / "checkpoints", keep

    def files(self) -> list[Path]:
        """Every checkpoint, oldest first."""
        return sorted(self.folder.glob("[0-9]*.pt"))

    def step(self) -> int:
        """The step of the newest one, 0 when there is none."""
        return max((int(file.stem) for file in self.files() if file.stem.isdigit()), default=0)

    def save(
        self,
        family: Family,
        averages: Mapping[str, Average],
        reached: Reached,
        extra: Sequence[Mapping[str, Any]],
    ) -> None:
        """Write one, then remove those too old.

        Args:
            family: networks and optimisers.
            averages: of the networks that ship.
            reached: how far it came.
            extra: what the family keeps beside weights, of each process.

        Raises:
            ArtgenError: a weight is not finite (such a checkpoint would be of no use), or the disk is full.
        """
        for name, network in family.networks.items():
            if not all(bool(torch.isfinite(weight).all()) for weight in network.parameters()):
                raise ArtgenError(f"step {reached.step}", f"weights of {name} are not finite", self.advice())
        state = {
            "reached": asdict(reached),
            "networks": {name: network.state_dict() for name, network in family.networks.items()},
            "optimisers": {name: optimiser.state_dict() for name, optimiser in family.optimisers.items()},
            "averages": {name: average.network.state_dict() for name, average in averages.items()},
            "extra": list(extra),
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        sweep(self.folder)
        with atomic_file(self.folder / f"{reached.step:08d}.pt") as file:
            torch.save(state, file)
        for old in self.files()[: -self.keep]:
            old.unlink(missing_ok=True)

    def restore(
        self, family: Family, averages: Mapping[str, Average], identity: Identity, *, adopt: bool
    ) -> Reached:
        """Bring everything to where the newest checkpoint left it; to the beginning when there is none.

        Raises:
            ArtgenError: it is damaged, or belongs to another recipe or other images and is not adopted.
        """
        files = self.files()
        if not files:
            return Reached(0, 0.0, identity.stored())
        state = _read(files[-1])
        try:
            reached = Reached(**state["reached"])
            changed = identity.differences(reached.identity)
            if changed and not adopt:
                raise ArtgenError(
                    str(files[-1]),
                    f"belongs to another training ({'; '.join(changed)})",
                    "--adopt goes on from it with this recipe, --folder begins elsewhere",
                )
            for name, network in family.networks.items():
                network.load_state_dict(state["networks"][name])
            for name, average in averages.items():
                average.network.load_state_dict(state["averages"][name])
            for name, optimiser in family.optimisers.items():
                # Moments come from the checkpoint, rates and betas from the recipe: it may be an adopted one.
                own = [{k: v for k, v in g.items() if k != "params"} for g in optimiser.param_groups]
                optimiser.load_state_dict(state["optimisers"][name])
                for group, values in zip(optimiser.param_groups, own, strict=True):
                    group.update(values | {"base": values["lr"]})
            family.load_extra_state(state["extra"][family.place.process % len(state["extra"])])
        except (KeyError, TypeError, RuntimeError, ValueError) as error:
            right = "adopt a recipe of the same networks only, or begin in another --folder"
            raise ArtgenError(
                str(files[-1]), f"does not fit these networks ({_first(error)})", right
            ) from None
        adopted = [*reached.adopted, reached.step] if changed else reached.adopted
        return Reached(reached.step, reached.seconds, identity.stored(), adopted)

    def advice(self) -> str:
        """What to do after a loss went wrong."""
        step = self.step()
        if not step:
            return "lower `rate` or `clip` in the recipe and begin again"
        return f"the last good checkpoint is step {step:,}: lower `rate` or `clip` and go on with --adopt"


def _read(file: Path) -> dict[str, Any]:
    try:
        state = torch.load(file, weights_only=True, map_location="cpu")
    except Exception as error:  # torch raises many kinds for what is no checkpoint
        right = "delete it to go on from the one before"
        raise ArtgenError(str(file), f"not a checkpoint of artgen ({_first(error)})", right) from None
    if not isinstance(state, dict):
        raise ArtgenError(str(file), "not a checkpoint of artgen", "delete it to go on from the one before")
    return state


def _first(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
