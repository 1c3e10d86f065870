"""What sources and steps are called on a wall."""

from __future__ import annotations

# Of each source and step: its name under a stage, and its part in the wall label's sentence.
WORDS = {
    "crops": ("Mixture of crops", "mixture of crops"),
    "photos": ("Photograph", "photograph"),
    "faces": ("Mixture of faces", "mixture of faces"),
    "generator": ("Invention", "invention of a neural network"),
    "mix": ("Mixed", "mixed with others"),
    "translate": ("Redrawn", "redrawn{times} by a neural network"),
    "upscale": ("Re-imagined", "re-imagined{times} by a neural network"),
    "style": ("Style transfer", "style transfer{times}"),
    "grade": ("Graded", "graded"),
    "grain": ("Film grain", "film grain"),
    "crop": ("Cropped", "cropped"),
}
TIMES = {1: "", 2: " twice", 3: " three times"}


def stage_name(use: str) -> str:
    """What stands under the stage that a source or step left."""
    return WORDS.get(use, (use.capitalize(), use))[0]


def plain_caption(title: str, index: int) -> str:
    """What a recipe without a caption of its own says; it says no more than title and number."""
    return f"{title}, candidate {index}"
