"""Painting the pairs that a distilled network learns from: contents, and what patch EM makes of them.

A pair is one PNG, with the content left and the painting right, named by a hash of content, style and
parameters. So an interrupted training only paints what is missing, and the pairs can be looked at.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from artgen.events import Emit, Note
from artgen.hashing import file_hash
from artgen.imaging.io.files import read_image, sweep, write_png
from artgen.steps.style import StyleStep
from artgen.style.patch.patch import stylize_by_patches
from artgen.style.patch.presets import patch_preset
from artgen.style.request import StyleRequest
from artgen.training.recipes.fast_style import DistilledTable

PROGRESS_NOTE_INTERVAL_SECONDS = 30.0  # between two notes about the progress


@dataclass(frozen=True)
class StylePainting:
    """The painting of a style that a distilled network learns.

    Attributes:
        name: name of the style.
        file: the painting.
    """

    name: str
    file: Path

    @cached_property
    def image(self) -> Tensor:
        """The style painting's pixels, ``(3, H, W)`` in [0, 1]."""
        return read_image(self.file)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the style painting's file."""
        return file_hash(self.file)


@dataclass(frozen=True)
class PlannedPair:
    """A training pair of content and painting, painted if its file does not exist yet.

    Attributes:
        file: where the pair is stored.
        painting: the style.
        load_content: returns the content, ``(3, side, side)`` in [0, 1].
        seed: seed of patch EM.
    """

    file: Path
    painting: StylePainting
    load_content: Callable[[], Tensor]
    seed: int


@dataclass(frozen=True)
class PairPainter:
    """Paints training pairs by patch EM and stores them in a folder.

    Attributes:
        folder: folder of the pairs, with one subfolder a painting.
        table: the settings of patch EM.
        seed: the recipe's seed; part of every pair's own seed.
    """

    folder: Path
    table: DistilledTable
    seed: int

    def plan(
        self, content_loaders: Iterable[Callable[[], Tensor]], painting: StylePainting
    ) -> Iterator[PlannedPair]:
        """Yield a planned training pair of one style for each content.

        Args:
            content_loaders: functions that return a content ``(3, side, side)`` in [0, 1]. They are called
                when it is needed: all contents would fill the memory.
            painting: the style.
        """
        settings = self.table.model_dump_json(include={"preset", "strength", "style_scale", "hasty"})
        for load_content in content_loaders:
            key = f"{painting.digest} {settings} {self.seed} {StyleStep.version} "
            pixels = (load_content() * 255).round().byte().numpy().tobytes()
            digest = hashlib.sha256(key.encode() + pixels).hexdigest()
            file = self.folder / painting.name / f"{digest[:24]}.png"
            yield PlannedPair(file, painting, load_content, int(digest[:15], 16))

    def paint_missing(self, pairs: Sequence[PlannedPair], emit: Emit, device: str) -> None:
        """Paint the training pairs whose files do not exist, and report the progress.

        Args:
            pairs: pairs that are needed.
            emit: receives ``Note``.
            device: device of patch EM.
        """
        missing = [pair for pair in pairs if not pair.file.exists()]
        if not missing:
            return
        for folder in {pair.file.parent for pair in missing}:
            folder.mkdir(parents=True, exist_ok=True)
            sweep(folder)
        emit(
            Note(f"{len(missing):,} of {len(pairs):,} pairs are to be painted by patch EM, in {self.folder}")
        )
        start_time = last_note_time = time.monotonic()
        for number, pair in enumerate(missing, 1):
            self._paint(pair, device)
            now = time.monotonic()
            if now - last_note_time > PROGRESS_NOTE_INTERVAL_SECONDS or number == len(missing):
                last_note_time = now
                minutes_left = (now - start_time) / number * (len(missing) - number) / 60
                emit(Note(f"{number:,} of {len(missing):,} pairs painted, {minutes_left:.0f} min left"))

    def _paint(self, pair: PlannedPair, device: str) -> None:
        content, table = pair.load_content(), self.table
        request = StyleRequest(
            seed=pair.seed, strength=table.strength, style_scale=table.style_scale, device=device
        )
        settings = replace(patch_preset(table.preset), fast=table.hasty)
        painted = stylize_by_patches(content, [[pair.painting.image]], request, settings)
        write_png(pair.file, torch.cat([content, painted], 2), {})
