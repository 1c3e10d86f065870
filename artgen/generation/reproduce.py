"""Reproduction of a picture from the provenance in its PNG, and comparison of the pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError
from artgen.events import CandidateFailed, Emit, StepProgress, StepStarted
from artgen.generation.make_candidate import list_used_plugins
from artgen.imaging.io.png_text import read_png_size
from artgen.recipe import CandidateDraws, Lineage, Recipe, draw_candidate
from artgen.recipe.loading import build_recipe
from artgen.recipe.stage_sizes import check_stage_sizes
from artgen.runs.candidate import CANDIDATES_FOLDER
from artgen.runs.lookup import DATABASE_FILE_NAME
from artgen.runs.provenance import Provenance, read_provenance
from artgen.runs.sandbox import RecipeSandbox, open_sandbox
from artgen.runs.store import Run
from artgen.seeds import DRAW_SCHEME

if TYPE_CHECKING:
    from artgen.runs.stages import Pixels


@dataclass(frozen=True)
class ReproductionResult:
    """How a reproduced picture compares with the file.

    Args:
        candidate: the candidate's number.
        identical: whether every pixel is the same.
        size: width and height of the reproduced picture, in px.
        largest: the largest difference of a channel, in 8-bit levels; 255 if the sizes differ.
        mean: the mean difference, in 8-bit levels.
        share: the share of pixels that differ, 0 to 1.
        differences: what has changed since the file was made: sizes, versions, device, files; in words.
    """

    candidate: int
    identical: bool
    size: tuple[int, int]
    largest: int
    mean: float
    share: float
    differences: tuple[str, ...]

    def summary(self) -> str:
        """Return in words how the reproduced picture compares, with a line for each difference."""
        width, height = self.size
        if self.identical:
            text = f"identical, every pixel of {width} x {height}"
        else:
            text = (
                f"not identical: {self.share:.2%} of the pixels differ, by at most {self.largest} "
                f"of 255 levels (mean {self.mean:.3f})"
            )
        return "\n  ".join([text, *self.differences])


def reproduce_picture(
    png_path: Path, emit: Emit, *, recipe_folder: Path | None = None, device: str | None = None
) -> ReproductionResult:
    """Generate the candidate in a PNG again, without the stage cache, and compare the pixels.

    Args:
        png_path: a PNG made by artgen. Its content is not trusted.
        emit: takes ``StepStarted``, ``StepProgress`` and ``CandidateFailed``.
        recipe_folder: where the files that the recipe names are; None looks in the usual places.
        device: None takes the kind of device that made the file, if this machine has one.

    Returns:
        The comparison.

    Raises:
        ArtgenError: the PNG has no provenance, or a file that the recipe needs is missing.
    """
    provenance = read_provenance(png_path)
    try:
        with open_sandbox(png_path, provenance, recipe_folder or _find_recipe_folder(png_path)) as sandbox:
            recipe = _load_recipe(png_path, sandbox, provenance)
            pixels, differences = _regenerate(recipe, sandbox, provenance, device, emit)
    except ArtgenError as error:
        emit(CandidateFailed(provenance.candidate, str(error)))
        raise
    differences += [f"{name} has changed" for name in sandbox.changed_files]
    return _compare_pixels(png_path, provenance.candidate, pixels, tuple(differences))


def _find_recipe_folder(png_path: Path) -> Path | None:
    """Find the recipe's folder as the run recorded it, if the PNG is still in its run folder."""
    run_folder = png_path.resolve().parent.parent
    if png_path.resolve().parent.name != CANDIDATES_FOLDER or not (run_folder / DATABASE_FILE_NAME).is_file():
        return None
    with Run.open(run_folder) as run:
        return run.find_recipe_folder()


def _load_recipe(png_path: Path, sandbox: RecipeSandbox, provenance: Provenance) -> Recipe:
    """Load the recipe from the sandbox, and check the files that this candidate uses."""
    try:
        recipe = _load_without_files(sandbox.recipe_file, provenance)
        drawn_candidate = draw_candidate(
            _with_one_source_file(recipe, sandbox),
            provenance.seed,
            _lineage_from_provenance(provenance),
            _recorded_draws(provenance),
        )
        for part in (drawn_candidate.source, *drawn_candidate.steps):
            for field, error in part.validate_files(recipe.folder):
                raise ArtgenError(f"{part.name}.{field}", error.problem, error.expected, error.command)
    except ArtgenError as error:
        problem = f"the recipe in it cannot be run here: {error}".replace(
            f"{sandbox.recipe_file.parent}/", ""
        )
        raise ArtgenError(str(png_path), problem) from error
    return recipe


def _load_without_files(recipe_file: Path, provenance: Provenance) -> Recipe:
    """Load a recipe without checking its files: only those that the candidate drew are in the sandbox."""
    from pydantic import ValidationError

    from artgen.config.document import read_document

    document = read_document(recipe_file)
    try:
        recipe = Recipe.model_validate(document.table)
    except (ValidationError, ArtgenError):
        packages = {plugin.use: plugin.package for plugin in provenance.plugins}
        return build_recipe(document, packages_by_use=packages)  # raises the errors in words
    recipe._path, recipe._text = document.path, document.text
    return recipe


def _lineage_from_provenance(provenance: Provenance) -> Lineage:
    """Return the lineage of the candidate, from the ancestors that its PNG names."""
    parent_number = provenance.variation_of
    return Lineage(
        provenance.candidate, () if parent_number is None else (*provenance.ancestors, parent_number)
    )


def _recorded_draws(provenance: Provenance) -> CandidateDraws | None:
    """Return the recorded draws if artgen drew in another way when it made the picture; else None."""
    return provenance.draws if provenance.draw_scheme != DRAW_SCHEME else None


def _with_one_source_file(recipe: Recipe, sandbox: RecipeSandbox) -> Recipe:
    """Return the recipe with one photograph as its source: the one that the candidate started from."""
    if sandbox.source_file is None:
        return recipe
    return recipe.model_copy(update={"source": recipe.source.with_starting_file(sandbox.source_file)})


def _regenerate(
    recipe: Recipe, sandbox: RecipeSandbox, provenance: Provenance, device: str | None, emit: Emit
) -> tuple[Pixels, list[str]]:
    """Generate the candidate again; return its pixels, and what differs from the provenance."""
    from artgen.generation.chain import (
        GenerationSettings,
        collect_versions,
        configure_torch,
        device_name,
        generate_stages,
    )

    differences = []
    recorded_device = provenance.device.partition(" ")[0]
    if device is None:
        try:
            device = configure_torch(recorded_device if recorded_device in ("cuda", "mps") else "cpu")
        except ArtgenError:
            device = configure_torch("cpu")
    else:
        device = configure_torch(device)
    if (name := device_name(device)) != provenance.device:
        differences.append(f"made on {provenance.device}, now {name}")
    for component, version in collect_versions().items():
        if (recorded_version := provenance.versions.get(component)) != version:
            differences.append(f"{component} was {recorded_version}, now {version}")
    differences += _plugin_differences(recipe, provenance)
    if recipe.digest(provenance.draw_scheme) != provenance.digest:
        differences.append("the recipe reads differently in this version of artgen")
    lineage, recorded_draws = _lineage_from_provenance(provenance), _recorded_draws(provenance)
    if draw_candidate(recipe, provenance.seed, lineage, recorded_draws).draws != provenance.draws:
        differences.append("the recipe draws other values")
    recipe = _with_one_source_file(recipe, sandbox).model_copy(update={"seed": provenance.seed})
    check_stage_sizes(recipe, preview=provenance.preview)
    candidate = provenance.candidate
    settings = GenerationSettings(
        device=device,
        preview=provenance.preview,
        on_step_started=lambda step_id, stage_number, stage_count: emit(
            StepStarted(candidate, step_id, stage_number, stage_count)
        ),
        on_progress=lambda fraction: emit(StepProgress(candidate, fraction)),
    )
    *_, last_stage = generate_stages(recipe, lineage, settings, recorded_draws)
    return last_stage.pixels, differences


def _plugin_differences(recipe: Recipe, provenance: Provenance) -> Iterator[str]:
    """Yield, in words, which installed plug-ins are not those that made the picture."""
    used_plugins = {
        (plugin.use, plugin.package): plugin for plugin in list_used_plugins([recipe.source, *recipe.steps])
    }
    for recorded in provenance.plugins:
        used = used_plugins.get((recorded.use, recorded.package))
        if used is None:
            yield f"{recorded.use} was that of {recorded.package}"
        elif used.version != recorded.version:
            yield f"{recorded.package} was {recorded.version}, now {used.version}"
        elif used != recorded:
            yield f"the code of {recorded.package} {recorded.version} has changed"


def _compare_pixels(
    png_path: Path, candidate: int, pixels: Pixels, differences: tuple[str, ...]
) -> ReproductionResult:
    """Compare the reproduced pixels, uint16 ``(3, H, W)``, with those of the PNG."""
    from artgen.imaging.io.files import read_image
    from artgen.runs.stages import dequantise_image

    _, height, width = pixels.shape
    size = (width, height)
    if (file_size := read_png_size(png_path)) != size:
        differences += (f"the file has {file_size[0]} x {file_size[1]} px, now {width} x {height}",)
        return ReproductionResult(candidate, False, size, 255, 255.0, 1.0, differences)
    difference = (
        read_image(png_path, max_pixels=width * height) - dequantise_image(pixels).mul(255).round().div(255)
    ).abs()
    levels = difference.mul(255).round()
    largest = int(levels.max())
    share = float((levels.amax(0) > 0).float().mean())
    return ReproductionResult(
        candidate, largest == 0, size, largest, float(levels.mean()), share, differences
    )
