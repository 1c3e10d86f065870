"""Pairs for a network to learn a style from: contents, and what patch EM makes of them. Painted once, kept.

A pair is one PNG, content left and painting right, named by a hash of content, style and parameters. So a
training killed in the middle goes on with only what is missing, and a folder of pairs can be looked through.
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
from artgen.steps.style import Style as StyleStep
from artgen.style.patch.patch import stylize_by_patches
from artgen.style.patch.presets import patch_preset
from artgen.style.request import StyleRequest
from artgen.training.recipes.fast_style import Distilled

TELL_EVERY = 30.0  # seconds


@dataclass(frozen=True)
class Painting:
    """A style to learn: its name and the file of the painting."""

    name: str
    file: Path

    @cached_property
    def picture(self) -> Tensor:
        """``(3, H, W)`` in [0, 1]."""
        return read_image(self.file)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return file_hash(self.file)


@dataclass(frozen=True)
class Order:
    """A pair to be painted, or found: where it lies, and what it is made of."""

    file: Path
    painting: Painting
    content: Callable[[], Tensor]
    seed: int


@dataclass(frozen=True)
class Workshop:
    """Paints pairs, and remembers them in its folder.

    Args:
        folder: where pairs are kept; one folder a painting.
        table: how they are painted.
        seed: of what patch EM leaves to chance.
    """

    folder: Path
    table: Distilled
    seed: int

    def orders(self, contents: Iterable[Callable[[], Tensor]], painting: Painting) -> Iterator[Order]:
        """A pair of each content ``(3, side, side)``, cut when it is needed: all would fill the memory."""
        how = self.table.model_dump_json(include={"preset", "strength", "style_scale", "hasty"})
        for content in contents:
            made_of = f"{painting.digest} {how} {self.seed} {StyleStep.version} "
            pixels = (content() * 255).round().byte().numpy().tobytes()
            digest = hashlib.sha256(made_of.encode() + pixels).hexdigest()
            file = self.folder / painting.name / f"{digest[:24]}.png"
            yield Order(file, painting, content, int(digest[:15], 16))

    def fill(self, orders: Sequence[Order], emit: Emit, device: str) -> None:
        """Paint what is missing, one at a time, each written whole or not at all."""
        missing = [order for order in orders if not order.file.exists()]
        if not missing:
            return
        for folder in {order.file.parent for order in missing}:
            folder.mkdir(parents=True, exist_ok=True)
            sweep(folder)
        emit(
            Note(f"{len(missing):,} of {len(orders):,} pairs are to be painted by patch EM, in {self.folder}")
        )
        start = told = time.monotonic()
        for number, order in enumerate(missing, 1):
            self._paint(order, device)
            now = time.monotonic()
            if now - told > TELL_EVERY or number == len(missing):
                told, left = now, (now - start) / number * (len(missing) - number)
                emit(Note(f"{number:,} of {len(missing):,} pairs painted, {left / 60:.0f} min left"))

    def _paint(self, order: Order, device: str) -> None:
        content, table = order.content(), self.table
        request = StyleRequest(
            seed=order.seed, strength=table.strength, scale=table.style_scale, device=device
        )
        settings = replace(patch_preset(table.preset), fast=table.hasty)
        painted = stylize_by_patches(content, [[order.painting.picture]], request, settings)
        write_png(order.file, torch.cat([content, painted], 2), {})
