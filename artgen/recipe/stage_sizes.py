"""The size of every stage of a recipe, computed before anything is made, and the memory that it takes."""

from __future__ import annotations

from collections.abc import Iterator

from artgen.errors import ArtgenError
from artgen.imaging.sizes import Size, count_pixels, largest_of, read_size
from artgen.memory import total_memory
from artgen.recipe.model import Recipe
from artgen.references import IMAGE_SUFFIXES
from artgen.steps.base import RecipePart

LEAST_BYTES_PER_PIXEL = 30  # no stage takes less: the image as 32-bit floats, twice, and rounded to 16 bits
READ_BYTES_PER_PIXEL = 20  # of a picture that is read, before it is reduced; measured
PROCESS_BYTES = 400_000_000  # Python, torch and a small model; measured
BYTES_PER_GB = 1_000_000_000


def stage_sizes(recipe: Recipe, *, preview: bool = False) -> Iterator[tuple[RecipePart, Size]]:
    """Yield the source and each step with the width and height of the largest image that it may make, px.

    Nothing is yielded if the source, such as that of a plug-in, cannot tell its size.

    Args:
        recipe: a valid recipe, whose files exist.
        preview: whether the run is a preview.
    """
    size = recipe.source.largest_size(recipe.folder, preview=preview)
    if size is None:
        return
    yield recipe.source, size
    for step in recipe.steps:
        size = step.largest_size(size, recipe.folder, preview=preview)
        yield step, size


def check_stage_sizes(recipe: Recipe, *, preview: bool = False, memory_bytes: int | None = None) -> None:
    """Raise an error that names the first stage whose image cannot fit in memory.

    Args:
        recipe: a valid recipe, whose files exist.
        preview: whether the run is a preview.
        memory_bytes: of the computer; None takes this computer's.

    Raises:
        ArtgenError: a stage does not fit.
    """
    memory = memory_bytes or total_memory()
    if memory is None:
        return
    for part, (width, height) in stage_sizes(recipe, preview=preview):
        needed = PROCESS_BYTES + LEAST_BYTES_PER_PIXEL * width * height
        if needed > memory:
            title = part.name if part is recipe.source else f"steps.{part.name}"
            size = f"makes up to {width:,} x {height:,} px"
            problem = f"{size}, which takes {needed / BYTES_PER_GB:,.0f} GB of memory"
            expected = f"this computer has {memory / BYTES_PER_GB:.0f} GB: use a smaller scale, side or size"
            raise ArtgenError(f"{recipe.path}: {title}", problem, expected)


def estimate_worker_memory(recipe: Recipe, *, preview: bool = False) -> int:
    """Estimate how many bytes of memory a process takes that makes candidates of a recipe.

    Args:
        recipe: a valid recipe, whose files exist.
        preview: whether the run is a preview.
    """
    needed, input_pixels = 0, 0
    for part, size in stage_sizes(recipe, preview=preview):
        pixels = count_pixels(size)
        needed = max(needed, part.estimate_memory(max(pixels, input_pixels)))
        input_pixels = pixels
    parts = [recipe.source, *recipe.steps]
    files = {file for part in parts for file in part.list_files(recipe.folder)}
    pictures = (file for file in files if file.suffix.lower() in IMAGE_SUFFIXES)
    largest_picture = largest_of(map(read_size, pictures)) or (0, 0)
    return PROCESS_BYTES + max(needed, READ_BYTES_PER_PIXEL * count_pixels(largest_picture))
