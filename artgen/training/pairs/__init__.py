"""Pair makers, one a file: they make pairs of input and target from training images."""

from artgen.training.material.material import TrainingDataset
from artgen.training.pairs.blend import BlendPairMaker
from artgen.training.pairs.edges import EdgesPairMaker
from artgen.training.pairs.folders import FoldersPairMaker
from artgen.training.pairs.learning_to_see import LearningToSeePairMaker
from artgen.training.pairs.maker import PairMaker
from artgen.training.pairs.pixelate import PixelatePairMaker
from artgen.training.recipes.pairs import (
    AnyPairTable,
    BlendTable,
    EdgesTable,
    FoldersTable,
    LearningToSeeTable,
    PixelateTable,
)

__all__ = ["PairMaker", "build_pair_maker"]


def build_pair_maker(table: AnyPairTable, dataset: TrainingDataset) -> PairMaker:
    """Return the pair maker of a recipe's ``[pairs]`` table, for the images of ``dataset``.

    Raises:
        ArtgenError: the images of two folders do not match.
    """
    match table:
        case PixelateTable():
            return PixelatePairMaker(table, dataset)
        case LearningToSeeTable():
            return LearningToSeePairMaker(table, dataset)
        case EdgesTable():
            return EdgesPairMaker(table, dataset)
        case BlendTable():
            return BlendPairMaker(table, dataset)
        case FoldersTable():
            return FoldersPairMaker(table, dataset)
