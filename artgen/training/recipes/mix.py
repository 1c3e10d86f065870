"""The training recipe of the family ``mix``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from artgen.training.recipes.pairs import AnyPairTable, BlendTable
from artgen.training.recipes.pix2pix import Pix2PixRecipe


class MixRecipe(Pix2PixRecipe):
    """Pix2pix on blended faces: it learns to make one coherent face of the thumbnails of two."""

    family: Literal["mix"] = Field(description="What kind of model.")  # type: ignore[assignment]
    pairs: AnyPairTable = Field(BlendTable(), description="How two faces become one input, see `[pairs]`.")
