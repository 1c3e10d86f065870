"""The ``[pairs]`` table: how inputs are made, so that an artist needs target images only."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from artgen.training.recipes.base import Table


class PairTable(Table):
    """What every pair maker says."""

    use: str
    two_folders: ClassVar[bool] = False
    """Whether inputs come from a folder of their own."""

    @property
    def channels(self) -> int:
        """Of the input: 3, or 1 for true greyscale."""
        return 3


class Pixelate(PairTable):
    """Inputs are the targets, reduced: the model learns to invent what is lost."""

    use: Literal["pixelate"] = "pixelate"
    factor: int = Field(8, ge=2, le=64, description="How many times smaller the input is.")


AnyPairs = Pixelate
