"""Make one candidate of a run and put its files on disk, the picture last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.imaging.files import write_png, write_preview
from artgen.recipe import Recipe, draw
from artgen.runs.candidate import PREVIEW_SIDE, THUMBNAIL_SIDE, png_file, stage_file, thumbnail_file
from artgen.runs.provenance import FORMAT, Provenance, StageSize, UsedFile
from artgen.runs.stages import restore
from artgen.sampling.chain import Setting, described, device_name, stages, versions


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


def make(job: Job, index: int, setting: Setting) -> None:
    """Make candidate ``index``: stage previews, thumbnail, then the PNG that says how it was made.

    The PNG's presence means that everything else of the candidate is complete.

    Raises:
        ArtgenError: an input cannot be used; or ``WriteError``, the files cannot be written.
    """
    sizes: list[StageSize] = []
    pixels = None
    for number, made in enumerate(stages(job.recipe, index, setting)):
        pixels = made.pixels
        _, height, width = pixels.shape
        sizes.append(StageSize(step=made.name, use=made.use, width=width, height=height))
        write_preview(stage_file(job.folder, index, number, made.name), restore(pixels), PREVIEW_SIDE)
    if pixels is None:
        raise ArtgenError(f"candidate {index}", "the recipe has no source")
    image = restore(pixels)
    write_preview(thumbnail_file(job.folder, index), image, THUMBNAIL_SIDE)
    write_png(png_file(job.folder, index), image, provenance(job, index, setting, sizes).text())


def provenance(job: Job, index: int, setting: Setting, sizes: list[StageSize]) -> Provenance:
    """What the candidate's PNG will say."""
    drawn = draw(job.recipe, job.recipe.seed, index)
    # Of the source every file may matter (it chooses among them); of the steps only what was drawn.
    used = dict.fromkeys(drawn.source.files(job.recipe.folder))
    for step in drawn.steps:
        used |= dict.fromkeys(step.files(job.recipe.folder))
    return Provenance(
        format=FORMAT,
        recipe_name=job.recipe.path.name,
        recipe=job.recipe.text,
        digest=job.recipe.digest(),
        seed=job.recipe.seed,
        candidate=index,
        preview=setting.preview,
        device=device_name(setting.device),
        caption=described(job.recipe, index),
        draws=drawn.draws,
        files=[job.files[file] for file in used if file in job.files],
        stages=sizes,
        versions=versions(),
    )
