"""Make one candidate of a run and put its files on disk, the picture last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError
from artgen.generation.chain import Setting, described, device_name, source_context, stages, versions
from artgen.hashing import file_hash
from artgen.imaging.io.files import write_png, write_preview
from artgen.recipe import Lineage, Recipe, draw
from artgen.runs.candidate import PREVIEW_SIDE, THUMBNAIL_SIDE, png_file, stage_file, thumbnail_file
from artgen.runs.input_files import name_of
from artgen.runs.provenance import FORMAT, Provenance, StageSize, UsedFile, carried_name
from artgen.runs.stages import restore
from artgen.steps.photos import Photos

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Job:
    """What every candidate of a run shares.

    Args:
        folder: the run's.
        recipe: what is run.
        files: name and hash of every file it reads, by path.
    """

    folder: Path
    recipe: Recipe
    files: Mapping[Path, UsedFile]


def make(job: Job, lineage: Lineage, setting: Setting) -> Tensor:
    """Make a candidate: stage previews, thumbnail, then the PNG that says how it was made.

    The PNG's presence means that everything else of the candidate is complete.

    Returns:
        The picture, float32 ``(3, H, W)``.

    Raises:
        ArtgenError: an input cannot be used; or ``WriteError``, the files cannot be written.
    """
    sizes: list[StageSize] = []
    pixels, index = None, lineage.number
    for number, made in enumerate(stages(job.recipe, lineage, setting)):
        pixels = made.pixels
        _, height, width = pixels.shape
        sizes.append(StageSize(step=made.name, use=made.use, width=width, height=height))
        write_preview(stage_file(job.folder, index, number, made.name), restore(pixels), PREVIEW_SIDE)
    if pixels is None:
        raise ArtgenError(f"candidate {index}", "the recipe has no source")
    image = restore(pixels)
    write_preview(thumbnail_file(job.folder, index), image, THUMBNAIL_SIDE)
    write_png(png_file(job.folder, index), image, provenance(job, lineage, setting, sizes).text())
    return image


def provenance(job: Job, lineage: Lineage, setting: Setting, sizes: list[StageSize]) -> Provenance:
    """What the candidate's PNG will say."""
    folder = job.recipe.folder
    drawn = draw(job.recipe, job.recipe.seed, lineage)
    # Of photographs only the one it started from matters; crops choose among all; of steps what was drawn.
    photo = None
    if isinstance(drawn.source, Photos):
        photo = drawn.source.photo(source_context(job.recipe, lineage))
    used = dict.fromkeys([photo] if photo else drawn.source.files(folder))
    for step in drawn.steps:
        used |= dict.fromkeys(step.files(folder))
    return Provenance(
        format=FORMAT,
        recipe_name=carried_name(job.recipe.path),
        recipe=job.recipe.text,
        digest=job.recipe.digest(),
        seed=job.recipe.seed,
        candidate=lineage.number,
        preview=setting.preview,
        device=device_name(setting.device),
        caption=described(job.recipe, lineage),
        draws=drawn.draws,
        files=[_known(job, file) for file in used],
        source_file=_known(job, photo).name if photo else None,
        stages=sizes,
        versions=versions(),
        variation_of=lineage.variation_of,
        ancestors=list(lineage.ancestors[:-1]),
    )


def _known(job: Job, file: Path) -> UsedFile:
    """A file as it was when the run began, or as it is where it came since."""
    return job.files.get(file) or UsedFile(name=name_of(file, job.recipe.folder), sha256=file_hash(file))
