"""Losses and samples for TensorBoard: a subscriber to the events of a training (the extra ``train``)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError, WriteError
from artgen.events import Event, SampleSaved, TrainingFinished, TrainingStarted, TrainingStep
from artgen.imaging.io.files import read_image

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoard:
    """An ``Emit`` that writes event files into ``folder``, one for each sitting.

    The file is made with the first figure, by the process that reports: the others write none. What an
    earlier sitting wrote beyond the checkpoint that this one goes on from is purged: no curve runs backwards.

    Args:
        folder: for the event files; need not exist.

    Raises:
        ArtgenError: tensorboard is not installed. Better now than hours later.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise ArtgenError(
                "--tensorboard", "tensorboard is not installed", "", "pip install 'artgen[train]'"
            ) from None
        self._make, self._folder = SummaryWriter, folder
        self._writer: SummaryWriter | None = None
        self._purge: int | None = None

    def __call__(self, event: Event) -> None:
        """Write what there is to see in ``event``; on disk when this returns.

        Raises:
            WriteError: the disk is full or the folder not writable.
        """
        try:
            self._take(event)
        except OSError as error:
            raise WriteError(self._folder, error.strerror or str(error)) from error

    def _take(self, event: Event) -> None:
        match event:
            case TrainingStarted(step=step):
                self._purge = step + 1 if step else 0  # what belongs to the checkpoint's own step stays
            case TrainingStep(step, losses, rate, waiting):
                writer = self._writing(step)
                for name, value in losses.items():
                    writer.add_scalar(f"losses/{name}", value, step)
                writer.add_scalar("speed/images a second", rate, step)
                writer.add_scalar("speed/networks busy", max(0.0, 1 - waiting), step)
                writer.flush()  # a few a minute: a training that is killed leaves all its figures
            case SampleSaved(step, file):
                writer = self._writing(step)
                writer.add_image("samples", read_image(Path(file)), step)
                writer.flush()
            case TrainingFinished():
                self.close()

    def _writing(self, step: int) -> SummaryWriter:
        if self._writer is None:
            purge = step if self._purge is None else self._purge
            self._writer = self._make(str(self._folder), purge_step=purge)
        return self._writer

    def close(self) -> None:
        """Close the event file; a further event begins another."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
