"""Pair makers, one a file; ``pair_maker`` finds the one of a recipe's ``[pairs]``."""

from artgen.training.material import Material
from artgen.training.pairs.maker import PairMaker
from artgen.training.pairs.pixelate import PixelatePairs
from artgen.training.recipes.pairs import AnyPairs

__all__ = ["PairMaker", "pair_maker"]


def pair_maker(table: AnyPairs, material: Material) -> PairMaker:
    """The pair maker that ``table`` describes, over ``material``."""
    return PixelatePairs(table, material)
