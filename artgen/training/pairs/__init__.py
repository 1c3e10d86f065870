"""Pair makers, one a file; ``pair_maker`` finds the one of a recipe's ``[pairs]``."""

from artgen.training.material.material import Material
from artgen.training.pairs.blend import BlendPairs
from artgen.training.pairs.edges import EdgesPairs
from artgen.training.pairs.folders import FolderPairs
from artgen.training.pairs.learning_to_see import LearningToSeePairs
from artgen.training.pairs.maker import PairMaker
from artgen.training.pairs.pixelate import PixelatePairs
from artgen.training.recipes.pairs import AnyPairs, Blend, Edges, Folders, LearningToSee, Pixelate

__all__ = ["PairMaker", "pair_maker"]


def pair_maker(table: AnyPairs, material: Material) -> PairMaker:
    """The pair maker that ``table`` describes, over ``material``.

    Raises:
        ArtgenError: the images of two folders do not match.
    """
    match table:
        case Pixelate():
            return PixelatePairs(table, material)
        case LearningToSee():
            return LearningToSeePairs(table, material)
        case Edges():
            return EdgesPairs(table, material)
        case Blend():
            return BlendPairs(table, material)
        case Folders():
            return FolderPairs(table, material)
