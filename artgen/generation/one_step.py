"""Recipes of the single step ``style``, which ``artgen style`` applies to one picture or film.

The result is candidate 1 of a run of that recipe, and its PNG says so. Such a run gives the same pixels,
except with ``vgg``: its sums depend on the number of threads, which is one in a run and all cores here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.config.document import Document
from artgen.errors import ArtgenError, ValidationErrors
from artgen.events import Emit, ignore_event
from artgen.hashing import file_hash, json_hash
from artgen.recipe import Lineage, Recipe, draw_candidate
from artgen.recipe.loading import build_recipe
from artgen.recipe.overrides import apply_overrides
from artgen.steps.style import StyleStep

if TYPE_CHECKING:
    from torch import Tensor

    from artgen.config.document import KeyPath
    from artgen.generation.chain import GenerationSettings
    from artgen.runs.provenance import Provenance
    from artgen.style.film.film import PaintedFilm

STYLE_STEP_USE = "style"
# In the current folder, so that file names are relative to it: `artgen reproduce` looks for them there, too.
ONE_STEP_RECIPE_PATH = Path("style.toml")
MAX_PAINTED_SIDE_PX = 65_536
# Raise it when the way in which a frame depends on the frame before changes, so that no old frame is reused.
FILM_FRAMES_VERSION = 1


@dataclass(frozen=True)
class StyleOption:
    """An option of ``artgen style``: the field of the step that it sets, and its value.

    Attributes:
        value: the value of the field.
        label: the option as messages name it, such as ``--strength 2``.
    """

    value: Any
    label: str


def build_one_step_recipe(
    content_path: str,
    options: Mapping[str, StyleOption],
    assignments: Sequence[str] = (),
    *,
    seed: int = 0,
    max_side_px: int = MAX_PAINTED_SIDE_PX,
) -> Recipe:
    """Build the recipe of one candidate: a picture or film painted by the step ``style``.

    Args:
        content_path: the picture or film.
        options: values of the step's fields, by field name.
        assignments: further fields as ``FIELD=VALUE``.
        seed: another seed gives other strokes.
        max_side_px: long side that the content is reduced to first, in px.

    Raises:
        ValidationErrors: every invalid option, named as on the command line.
    """
    import tomlkit

    step_table = {"use": STYLE_STEP_USE, **{name: option.value for name, option in options.items()}}
    recipe_table = {
        "title": Path(content_path).stem[:200],
        "seed": seed,
        "candidates": 1,
        "source": {"use": "photos", "images": [content_path], "side": max_side_px},
        "steps": [step_table],
    }
    text = tomlkit.dumps(recipe_table)
    labels: dict[KeyPath, str] = {("steps", 0, name): option.label for name, option in options.items()}
    document = Document(
        ONE_STEP_RECIPE_PATH, text, tomllib.loads(text), {}, labels | {("source", "images"): content_path}
    )
    errors = [
        ArtgenError(f"--set {option}", "not of the form FIELD=VALUE", "such as --set strength=0.5")
        for option in assignments
        if "=" not in option
    ]
    assignments = [option for option in assignments if "=" in option]
    if assignments:
        changed, override_errors = apply_overrides(document, [f"steps.0.{option}" for option in assignments])
        document = replace(changed, option_by_key={**document.option_by_key, **changed.option_by_key})
        errors += override_errors
    try:
        return build_recipe(document, errors)
    except ValidationErrors as error:
        raise ValidationErrors("artgen style", [_reword_error(part) for part in error.errors]) from None


def _reword_error(error: ArtgenError) -> ArtgenError:
    """Reword a recipe's error as one of ``artgen style``, whose user has written no recipe."""
    where = error.where.replace("--set steps.0.", "--set ").removeprefix(f"{ONE_STEP_RECIPE_PATH}: ")
    location, _, field = where.partition(f": steps.{STYLE_STEP_USE}.")
    expected = error.expected.replace("relative to the recipe's folder", "relative to the current folder")
    return ArtgenError(location or field, error.problem, expected, error.command)


def paint_picture(recipe: Recipe, settings: GenerationSettings) -> tuple[Tensor, Provenance]:
    """Paint one picture for ``artgen style`` by a one-step recipe.

    Args:
        recipe: from ``build_one_step_recipe``.
        settings: device and callbacks; the device as ``chain.configure_torch`` returned it.

    Returns:
        The image, ``(3, H, W)``, and its provenance.

    Raises:
        ArtgenError: a file cannot be read or used, or there is not enough memory.
    """
    from artgen.generation.chain import generate_stages
    from artgen.generation.make_candidate import RunInputs, build_provenance
    from artgen.runs.provenance import StageSize
    from artgen.runs.stages import dequantise_image

    stage_sizes = []
    for stage in generate_stages(recipe, 1, settings):
        _, height, width = stage.pixels.shape
        stage_sizes.append(StageSize(step=stage.step_id, use=stage.use, width=width, height=height))
    return dequantise_image(stage.pixels), build_provenance(
        RunInputs(Path(), recipe, {}), Lineage(1), settings, stage_sizes
    )


def paint_film(
    recipe: Recipe,
    film_path: Path,
    output_path: Path,
    settings: GenerationSettings,
    *,
    emit: Emit = ignore_event,
    on_frame: Callable[[Tensor], None] = lambda picture: None,
) -> PaintedFilm:
    """Paint a film for ``artgen style``; after an interruption the same call resumes.

    Args:
        recipe: from ``build_one_step_recipe``, with the film as its content.
        film_path: the film to paint.
        output_path: an ``.mp4``, replaced once every frame is painted.
        settings: device and callbacks; a preview has half the size, and is faster.
        emit: takes ``WorkProgress`` and ``Note``.
        on_frame: called with every painted frame.

    Raises:
        ArtgenError: a file cannot be read or used, or there is not enough memory.
    """
    import torch

    from artgen.generation.chain import explain_out_of_memory
    from artgen.imaging.film.frames import read_film_info
    from artgen.locks import lock_folder
    from artgen.style.film import film

    step = draw_candidate(recipe, recipe.seed, 1).steps[0]
    assert isinstance(step, StyleStep)
    size = read_film_info(film_path)
    side = step.side or (max(size.width, size.height) if settings.preview else None)
    side = max(16, side // 2) if settings.preview and side else side
    # Frames are read in the step's size, so that the picture which a frame starts from has it, too.
    step = step.model_copy(update={"side": None})
    with explain_out_of_memory(step.name, None):
        paint = step.create_painter(settings.build_context(recipe, step.name, 1))

    def paint_frame(frame: Tensor, start: Tensor | None) -> Tensor:
        with torch.no_grad(), explain_out_of_memory(step.name, frame.shape):
            return paint(frame, start)

    return film.paint_film(
        film_path,
        output_path,
        paint_frame,
        _film_cache_key(step, recipe, film_path, side, settings),
        side=side,
        emit=emit,
        on_frame=on_frame,
        lock_folder=lock_folder,
    )


def _film_cache_key(
    step: StyleStep, recipe: Recipe, film_path: Path, side: int | None, settings: GenerationSettings
) -> str:
    """Hash everything that decides the pixels of a film's frames, as the key of its stored frames."""
    from artgen.generation.chain import collect_versions

    return json_hash(
        {
            "film": [FILM_FRAMES_VERSION, file_hash(film_path), side, settings.preview],
            "step": step.model_dump(mode="json"),
            "version": step.version,
            "files": [file_hash(file) for file in step.list_files(recipe.folder)],
            "seed": recipe.seed,
            "device": settings.device,
            "versions": collect_versions(),
        }
    )
