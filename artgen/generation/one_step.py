"""One picture or film through the step ``style`` alone: the recipe that ``artgen style`` amounts to.

A picture made so is candidate 1 of a run of that recipe, and its PNG says so. It is so pixel for pixel,
except with ``vgg``: its sums depend on the number of threads, and a picture that is made alone has them all.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.config.document import Document
from artgen.errors import ArtgenError, Problems
from artgen.events import Emit, ignore
from artgen.hashing import file_hash, json_hash
from artgen.recipe import Lineage, Recipe, draw
from artgen.recipe.loading import of_document
from artgen.recipe.overrides import overridden
from artgen.runs.input_files import file_hash
from artgen.steps.style import Style

if TYPE_CHECKING:
    from torch import Tensor

    from artgen.config.key_lines import Keys
    from artgen.generation.chain import Setting
    from artgen.runs.provenance import Provenance
    from artgen.style.film.film import Painted

STEP = "style"
# Every file's name starts at the current folder, where `artgen reproduce` looks for it, too.
PATH = Path("style.toml")
LARGEST = 65_536
# What a film's frames owe to the way they follow each other: raise it when that changes.
FILM_VERSION = 1


@dataclass(frozen=True)
class Option:
    """A field of the step as the command line gives it.

    Attributes:
        value: the field's.
        shown: how messages name where it comes from, such as ``--strength 2``.
    """

    value: Any
    shown: str


def one_step_recipe(
    content: str,
    fields: Mapping[str, Option],
    sets: Sequence[str] = (),
    *,
    seed: int = 0,
    side: int = LARGEST,
) -> Recipe:
    """Write a recipe of one candidate: ``content``, painted by a step ``style`` with these fields.

    Args:
        content: the picture's or film's path.
        fields: by the step's names of them.
        sets: further ones as ``FIELD=VALUE``.
        seed: another one gives other strokes.
        side: long side in px that the content is reduced to first.

    Raises:
        Problems: everything that is wrong, named as the command line has it.
    """
    import tomlkit

    step = {"use": STEP, **{name: option.value for name, option in fields.items()}}
    table = {
        "title": Path(content).stem[:200],
        "seed": seed,
        "candidates": 1,
        "source": {"use": "photos", "images": [content], "side": side},
        "steps": [step],
    }
    text = tomlkit.dumps(table)
    given: dict[Keys, str] = {("steps", 0, name): option.shown for name, option in fields.items()}
    document = Document(PATH, text, tomllib.loads(text), {}, given | {("source", "images"): content})
    problems = [
        ArtgenError(f"--set {option}", "not of the form FIELD=VALUE", "such as --set strength=0.5")
        for option in sets
        if "=" not in option
    ]
    sets = [option for option in sets if "=" in option]
    try:
        changed, found = overridden(document, [f"steps.0.{option}" for option in sets])
        everything = {**document.set_by, **(changed.set_by if sets else {})}
        return of_document(replace(changed, set_by=everything), problems + found)
    except Problems as wrong:
        raise Problems("artgen style", [_plainly(problem) for problem in wrong.problems]) from None


def _plainly(problem: ArtgenError) -> ArtgenError:
    """Word a problem of the recipe as one of the command line, which knows no recipe."""
    where = problem.where.replace("--set steps.0.", "--set ").removeprefix(f"{PATH}: ")
    place, _, field = where.partition(f": steps.{STEP}.")
    right = problem.right.replace("relative to the recipe's folder", "relative to the current folder")
    return ArtgenError(place or field, problem.found, right, problem.command)


def paint_picture(recipe: Recipe, setting: Setting) -> tuple[Tensor, Provenance]:
    """Paint a picture.

    Args:
        recipe: of ``one_step_recipe``.
        setting: where and how; its device as ``chain.prepare`` returned it.

    Returns:
        The picture, ``(3, H, W)``, and what its PNG says.

    Raises:
        ArtgenError: a file cannot be read or used, or the memory does not suffice.
    """
    from artgen.generation.chain import stages
    from artgen.generation.make_candidate import Job, provenance
    from artgen.runs.provenance import StageSize
    from artgen.runs.stages import restore

    sizes = []
    for stage in stages(recipe, 1, setting):
        _, height, width = stage.pixels.shape
        sizes.append(StageSize(step=stage.name, use=stage.use, width=width, height=height))
    return restore(stage.pixels), provenance(Job(Path(), recipe, {}), Lineage(1), setting, sizes)


def paint_film(
    recipe: Recipe,
    source: Path,
    output: Path,
    setting: Setting,
    *,
    emit: Emit = ignore,
    shown: Callable[[Tensor], None] = lambda picture: None,
) -> Painted:
    """Paint a film; the same call resumes after any interruption. ``output`` is replaced when all is done.

    Args:
        recipe: of ``one_step_recipe``, with the film as its content.
        source: the film.
        output: an ``.mp4``.
        setting: where and how; a preview is half the size, and quicker.
        emit: takes ``WorkProgress`` and ``Note``.
        shown: called with every frame painted.

    Raises:
        ArtgenError: a file cannot be read or used, or the memory does not suffice.
    """
    import torch

    from artgen.generation.chain import within_memory
    from artgen.imaging.film.frames import describe
    from artgen.locks import held
    from artgen.style.film import film

    step = draw(recipe, recipe.seed, 1).steps[0]
    assert isinstance(step, Style)
    size = describe(source)
    side = step.side or (max(size.width, size.height) if setting.preview else None)
    side = max(16, side // 2) if setting.preview and side else side
    # Frames come in the step's size already, so that what they begin from has it, too.
    step = step.model_copy(update={"side": None})
    with within_memory(step.name, None):
        paint = step.painter(setting.context(recipe, step.name, 1))

    def paint_frame(frame: Tensor, start: Tensor | None) -> Tensor:
        with torch.no_grad(), within_memory(step.name, frame.shape):
            return paint(frame, start)

    return film.paint_film(
        source,
        output,
        paint_frame,
        _film_key(step, recipe, source, side, setting),
        side=side,
        emit=emit,
        shown=shown,
        held=held,
    )


def _film_key(step: Style, recipe: Recipe, source: Path, side: int | None, setting: Setting) -> str:
    """Hash everything that decides the pixels of a film's frames."""
    from artgen.generation.chain import versions

    return json_hash(
        {
            "film": [FILM_VERSION, file_hash(source), side, setting.preview],
            "step": step.model_dump(mode="json"),
            "version": step.version,
            "files": [file_hash(file) for file in step.files(recipe.folder)],
            "seed": recipe.seed,
            "device": setting.device,
            "versions": versions(),
        }
    )
