"""Make a picture again from what its file carries, and compare."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError
from artgen.events import CandidateFailed, Emit, StepProgress, StepStarted
from artgen.imaging.io.png_text import read_size
from artgen.recipe import Lineage, Recipe, draw, load
from artgen.runs.candidate import CANDIDATES
from artgen.runs.lookup import DATABASE
from artgen.runs.provenance import Provenance, read
from artgen.runs.sandbox import Mirror, mirrored
from artgen.runs.store import RECIPE_FOLDER, Run
from artgen.steps.photos import Photos

if TYPE_CHECKING:
    from artgen.runs.stages import Pixels


@dataclass(frozen=True)
class Reproduction:
    """How the picture made again compares with the file.

    Args:
        candidate: its number.
        identical: whether every pixel is the same.
        size: width and height made now, in px.
        largest: the largest difference of a channel, in 8-bit levels; 255 when the sizes differ.
        mean: the mean difference, in 8-bit levels.
        share: the share of pixels that differ, 0 to 1.
        differences: what is not as it was when the file was made, in words.
    """

    candidate: int
    identical: bool
    size: tuple[int, int]
    largest: int
    mean: float
    share: float
    differences: tuple[str, ...]

    def summary(self) -> str:
        """The result in words, one line for each thing that is not as it was."""
        width, height = self.size
        if self.identical:
            text = f"identical, every pixel of {width} x {height}"
        else:
            text = (
                f"not identical: {self.share:.2%} of the pixels differ, by at most {self.largest} "
                f"of 255 levels (mean {self.mean:.3f})"
            )
        return "\n  ".join([text, *self.differences])


def reproduce(
    picture: Path, emit: Emit, *, folder: Path | None = None, device: str | None = None
) -> Reproduction:
    """Make the candidate in ``picture`` again, without any stored stage, and compare the pixels.

    Args:
        picture: a PNG made by artgen. It is not trusted.
        emit: told the steps.
        folder: where the files that the recipe names are; None finds it by itself.
        device: None takes the kind of device that made the file, where there is one.

    Raises:
        ArtgenError: no provenance, or a file that the recipe needs is missing.
    """
    provenance = read(picture)
    try:
        with mirrored(picture, provenance, folder or _own_folder(picture)) as mirror:
            recipe = _recipe(picture, mirror, provenance)
            pixels, differences = _made(recipe, mirror, provenance, device, emit)
    except ArtgenError as error:
        emit(CandidateFailed(provenance.candidate, str(error)))
        raise
    differences += [f"{name} has changed" for name in mirror.changed]
    return _compared(picture, provenance.candidate, pixels, tuple(differences))


def _own_folder(picture: Path) -> Path | None:
    """The recipe's folder as the run remembers it, if the picture still lies in its run."""
    run = picture.resolve().parent.parent
    if picture.resolve().parent.name != CANDIDATES or not (run / DATABASE).is_file():
        return None
    with Run.open(run) as store:
        remembered = store.fact(RECIPE_FOLDER)
    return run / remembered if remembered and (run / remembered).is_dir() else None


def _recipe(picture: Path, mirror: Mirror, provenance: Provenance) -> Recipe:
    try:
        recipe = _checked(mirror.recipe)
        drawn = draw(_begun(recipe, mirror), provenance.seed, _lineage(provenance))
        for part in (drawn.source, *drawn.steps):
            for field, error in part.wrong(recipe.folder):
                raise ArtgenError(f"{part.name}.{field}", error.found, error.right, error.command)
    except ArtgenError as error:
        found = f"the recipe in it cannot be run here: {error}".replace(f"{mirror.recipe.parent}/", "")
        raise ArtgenError(str(picture), found) from error
    return recipe


def _checked(file: Path) -> Recipe:
    """The recipe without asking for its files: of what it draws from, only what was drawn is there."""
    from pydantic import ValidationError

    from artgen.config.document import read as read_document

    document = read_document(file)
    try:
        recipe = Recipe.model_validate(document.table)
    except ValidationError:
        return load(file)  # which says in words what is wrong
    recipe._path, recipe._text = document.path, document.text
    return recipe


def _lineage(provenance: Provenance) -> Lineage:
    parent = provenance.variation_of
    return Lineage(provenance.candidate, () if parent is None else (*provenance.ancestors, parent))


def _begun(recipe: Recipe, mirror: Mirror) -> Recipe:
    """The recipe with the photograph that the candidate started from in place of all its photographs."""
    if mirror.source_file is None or not isinstance(recipe.source, Photos):
        return recipe
    source = recipe.source.model_copy(update={"images": [str(mirror.source_file)]})
    return recipe.model_copy(update={"source": source})


def _made(
    recipe: Recipe, mirror: Mirror, provenance: Provenance, device: str | None, emit: Emit
) -> tuple[Pixels, list[str]]:
    from artgen.generation.chain import Setting, device_name, prepare, stages, versions

    differences = []
    kind = provenance.device.partition(" ")[0]
    if device is None:
        try:
            device = prepare(kind if kind in ("cuda", "mps") else "cpu")
        except ArtgenError:
            device = prepare("cpu")
    else:
        device = prepare(device)
    if (name := device_name(device)) != provenance.device:
        differences.append(f"made on {provenance.device}, now {name}")
    for part, version in versions().items():
        if (before := provenance.versions.get(part)) != version:
            differences.append(f"{part} was {before}, now {version}")
    if recipe.digest() != provenance.digest:
        differences.append("the recipe reads differently in this version of artgen")
    if draw(recipe, provenance.seed, _lineage(provenance)).draws != provenance.draws:
        differences.append("chance drew other values")
    recipe = _begun(recipe, mirror).model_copy(update={"seed": provenance.seed})
    candidate = provenance.candidate
    setting = Setting(
        device=device,
        preview=provenance.preview,
        started=lambda step, number, of: emit(StepStarted(candidate, step, number, of)),
        progress=lambda fraction: emit(StepProgress(candidate, fraction)),
    )
    *_, last = stages(recipe, _lineage(provenance), setting)
    return last.pixels, differences


def _compared(picture: Path, candidate: int, pixels: Pixels, differences: tuple[str, ...]) -> Reproduction:
    from artgen.imaging.io.files import read_image
    from artgen.runs.stages import restore

    _, height, width = pixels.shape
    size = (width, height)
    if (there := read_size(picture)) != size:
        differences += (f"the file has {there[0]} x {there[1]} px, now {width} x {height}",)
        return Reproduction(candidate, False, size, 255, 255.0, 1.0, differences)
    apart = (read_image(picture, max_pixels=width * height) - restore(pixels).mul(255).round().div(255)).abs()
    levels = apart.mul(255).round()
    largest = int(levels.max())
    share = float((levels.amax(0) > 0).float().mean())
    return Reproduction(candidate, largest == 0, size, largest, float(levels.mean()), share, differences)
