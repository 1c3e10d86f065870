"""Generation of one candidate of a run into files, the PNG last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError
from artgen.generation.chain import (
    GenerationSettings,
    build_caption,
    build_source_context,
    collect_versions,
    device_name,
    generate_stages,
)
from artgen.hashing import file_hash
from artgen.imaging.io.files import write_png, write_preview
from artgen.recipe import Lineage, Recipe, draw_candidate
from artgen.runs.candidate import (
    STAGE_PREVIEW_SIDE_PX,
    THUMBNAIL_SIDE_PX,
    candidate_png_path,
    stage_preview_path,
    thumbnail_path,
)
from artgen.runs.provenance import (
    PROVENANCE_FORMAT_VERSION,
    Provenance,
    StageSize,
    UsedFile,
    UsedPlugin,
    portable_file_name,
    safe_recipe_name,
)
from artgen.runs.stages import dequantise_image
from artgen.seeds import DRAW_SCHEME
from artgen.steps import RecipePart, find_part_plugin

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class RunInputs:
    """Recipe and files that all candidates of a run share.

    Args:
        run_folder: where the files of the candidates are written.
        recipe: the recipe of the run.
        used_files: name and hash of every file that the recipe reads, by path.
    """

    run_folder: Path
    recipe: Recipe
    used_files: Mapping[Path, UsedFile]


def make_candidate(inputs: RunInputs, lineage: Lineage, settings: GenerationSettings) -> Tensor:
    """Generate a candidate and write its stage previews, its thumbnail and its PNG with provenance.

    The PNG is written last: if it exists, every other file of the candidate is complete.

    Returns:
        The image, float32 ``(3, H, W)``.

    Raises:
        ArtgenError: an input cannot be used; or ``WriteError``, the files cannot be written.
    """
    stage_sizes: list[StageSize] = []
    pixels, index = None, lineage.number
    for stage_number, stage in enumerate(generate_stages(inputs.recipe, lineage, settings)):
        pixels = stage.pixels
        _, height, width = pixels.shape
        stage_sizes.append(StageSize(step=stage.step_id, use=stage.use, width=width, height=height))
        write_preview(
            stage_preview_path(inputs.run_folder, index, stage_number, stage.step_id),
            dequantise_image(pixels),
            STAGE_PREVIEW_SIDE_PX,
        )
    if pixels is None:
        raise ArtgenError(f"candidate {index}", "the recipe has no source")
    image = dequantise_image(pixels)
    write_preview(thumbnail_path(inputs.run_folder, index), image, THUMBNAIL_SIDE_PX)
    write_png(
        candidate_png_path(inputs.run_folder, index),
        image,
        build_provenance(inputs, lineage, settings, stage_sizes).png_text(),
    )
    return image


def build_provenance(
    inputs: RunInputs, lineage: Lineage, settings: GenerationSettings, stage_sizes: list[StageSize]
) -> Provenance:
    """Build the provenance that the candidate's PNG carries."""
    folder = inputs.recipe.folder
    drawn_candidate = draw_candidate(inputs.recipe, inputs.recipe.seed, lineage)
    # Only the photograph that the candidate started from matters; crops depend on all photographs.
    starting_file = drawn_candidate.source.starting_file(build_source_context(inputs.recipe, lineage))
    used_paths = dict.fromkeys(
        [starting_file] if starting_file else drawn_candidate.source.list_files(folder)
    )
    for step in drawn_candidate.steps:
        used_paths |= dict.fromkeys(step.list_files(folder))
    return Provenance(
        format=PROVENANCE_FORMAT_VERSION,
        recipe_name=safe_recipe_name(inputs.recipe.path),
        recipe=inputs.recipe.text,
        digest=inputs.recipe.digest(),
        seed=inputs.recipe.seed,
        candidate=lineage.number,
        preview=settings.preview,
        device=device_name(settings.device),
        caption=build_caption(inputs.recipe, lineage),
        draws=drawn_candidate.draws,
        draw_scheme=DRAW_SCHEME,
        files=[_identify_file(inputs, file) for file in used_paths],
        source_file=_identify_file(inputs, starting_file).name if starting_file else None,
        stages=stage_sizes,
        versions=collect_versions(),
        plugins=list_used_plugins([drawn_candidate.source, *drawn_candidate.steps]),
        variation_of=lineage.parent,
        ancestors=list(lineage.ancestors[:-1]),
    )


def list_used_plugins(parts: Sequence[RecipePart]) -> list[UsedPlugin]:
    """List the plug-ins of a source and steps; two packages may offer a source and a step of one name."""
    plugins = {
        (part.use, plugin.package): plugin for part in parts if (plugin := find_part_plugin(part)) is not None
    }
    return [
        UsedPlugin(use=use, package=package, version=plugin.version, sha256=plugin.hash_code())
        for (use, package), plugin in plugins.items()
    ]


def _identify_file(inputs: RunInputs, file: Path) -> UsedFile:
    """Return the name and hash of an input file as the run began with it; later files are hashed now."""
    return inputs.used_files.get(file) or UsedFile(
        name=portable_file_name(file, inputs.recipe.folder), sha256=file_hash(file)
    )
