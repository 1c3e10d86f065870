"""Logging of a training's losses and samples for TensorBoard (the optional dependency ``artgen[train]``)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError, report_write_errors
from artgen.events import Event, SampleSaved, TrainingFinished, TrainingStarted, TrainingStep
from artgen.imaging.io.files import read_image

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoardLogger:
    """An ``Emit`` that writes event files into ``folder``, a new one each time that the training is resumed.

    The file is created with the first value, so that processes which report nothing write none. Values that
    an interrupted run wrote after the checkpoint resumed from are purged, so that no curve runs backwards.

    Args:
        folder: folder for the event files; need not exist.

    Raises:
        ArtgenError: tensorboard is not installed; raised before the training rather than after hours.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise ArtgenError(
                "--tensorboard", "tensorboard is not installed", "", "pip install 'artgen[train]'"
            ) from None
        self._writer_class, self._folder = SummaryWriter, folder
        self._writer: SummaryWriter | None = None
        self._purge_step: int | None = None

    def __call__(self, event: Event) -> None:
        """Write the losses, speed or samples of a training event to disk for TensorBoard.

        Raises:
            WriteError: the disk is full or the folder not writable.
        """
        with report_write_errors(self._folder):
            self._write_event(event)

    def _write_event(self, event: Event) -> None:
        match event:
            case TrainingStarted(step=step):
                # Values of the checkpoint's own step are kept.
                self._purge_step = step + 1 if step else 0
            case TrainingStep(step, losses, images_per_second, waiting_share):
                writer = self._open_writer(step)
                for name, loss in losses.items():
                    writer.add_scalar(f"losses/{name}", loss, step)
                writer.add_scalar("speed/images a second", images_per_second, step)
                writer.add_scalar("speed/networks busy", max(0.0, 1 - waiting_share), step)
                writer.flush()  # a few times a minute: a killed training loses no value
            case SampleSaved(step, file):
                writer = self._open_writer(step)
                writer.add_image("samples", read_image(Path(file)), step)
                writer.flush()
            case TrainingFinished():
                self.close()

    def _open_writer(self, step: int) -> SummaryWriter:
        if self._writer is None:
            purge_step = step if self._purge_step is None else self._purge_step
            self._writer = self._writer_class(str(self._folder), purge_step=purge_step)
        return self._writer

    def close(self) -> None:
        """Close TensorBoard's event file; a further event opens a new one."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
