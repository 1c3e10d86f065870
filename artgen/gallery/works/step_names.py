"""Names of sources and steps on wall labels and under the pictures of stages."""

from __future__ import annotations

# By `use`: the name under a stage's picture, and the words in the wall label's sentence.
STEP_NAME_BY_USE = {
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
REPETITION_WORDS = {1: "", 2: " twice", 3: " three times"}


def stage_name(use: str) -> str:
    """Return the name shown under the picture of the stage after a source or step."""
    return STEP_NAME_BY_USE.get(use, (use.capitalize(), use))[0]


def default_caption(title: str, index: int) -> str:
    """Return a recipe's default caption of pieces: only the title and the candidate's number."""
    return f"{title}, candidate {index}"
