"""Generation from Python: a whole run of a recipe, or one step on one image."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from artgen.errors import ArtgenError, ValidationErrors
from artgen.events import Emit, ignore_event
from artgen.recipe import Recipe, load_recipe
from artgen.runs.store import Run
from artgen.steps import Step

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor


def run(
    recipe: Recipe | Path | str,
    *,
    candidates: int | None = None,
    only: Sequence[int] | None = None,
    seed: int | None = None,
    device: str = "auto",
    preview: bool = False,
    workers: int | None = None,
    runs_folder: Path | str = "runs",
    emit: Emit = ignore_event,
) -> Run:
    """Draw the missing candidates of a recipe from Python, and return its run.

    Finished candidates are kept: the same call after an interruption resumes.

    Args:
        recipe: a loaded recipe, or the path of its file.
        candidates: draw candidates 1 to this number; by default the recipe's number.
        only: draw only these candidates.
        seed: another seed, for other candidates; only with the path of a recipe.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        preview: smaller and faster, in a run of its own.
        workers: worker processes; by default one per core, or one on a GPU.
        runs_folder: the folder of all runs.
        emit: called with each event of ``artgen.events``, e.g. to show progress.

    Returns:
        The open run; close it, or use it in a ``with`` statement.

    Raises:
        ArtgenError: the recipe is wrong, an input is missing, or some candidates could not be made; those
            that could are kept.

    Examples:
        >>> with artgen.run("sea.toml", candidates=2, preview=True) as run:
        ...     [candidate.width for candidate in run.candidates()]
        [128, 128]
    """
    from artgen.generation.coordinator import RunRequest, generate_candidates

    if not isinstance(recipe, Recipe):
        recipe = load_recipe(recipe, [] if seed is None else [f"seed={seed}"])
    elif seed is not None:
        raise ArtgenError(
            "seed", "given with a loaded recipe", "give it to load_recipe: overrides=['seed=7']"
        )
    request = RunRequest(candidates, only, device, preview, workers, Path(runs_folder))
    result = generate_candidates(recipe, request, emit)
    if result.errors:
        raise ValidationErrors(str(result.run_folder), list(result.errors.values()))
    return Run.open(result.run_folder)


@overload
def apply(step: Step | str, image: Tensor, *, seed: int = 0, **options: Any) -> Tensor: ...
@overload
def apply(step: Step | str, image: Image | Path | str, *, seed: int = 0, **options: Any) -> Image: ...
def apply(
    step: Step | str,
    image: Image | Tensor | Path | str,
    *,
    seed: int = 0,
    device: str = "auto",
    preview: bool = False,
    folder: Path | str = ".",
    **fields: Any,
) -> Image | Tensor:
    """Apply one step of a recipe to one image, from Python.

    Args:
        step: the step's name, as ``use`` has it in recipes, with its fields as further arguments; or a
            ``Step``. Steps of plug-ins are found as well.
        image: a Pillow image, a float32 tensor ``(3, H, W)`` in [0, 1], sRGB, or the path of a file. It is
            not modified.
        seed: of the step's randomness, and of fields that are drawn.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        preview: compute less, for a quick look.
        folder: where relative paths in the fields start.
        **fields: the step's fields, see ``artgen steps NAME``.

    Returns:
        A tensor ``(3, H, W)`` in [0, 1] if ``image`` is a tensor, else a Pillow image of 8 bits. Some steps
        change the size.

    Raises:
        ArtgenError: no such step, a field or file is wrong, or there is not enough memory.

    Examples:
        >>> import torch
        >>> grey = torch.full((3, 8, 8), 0.5)
        >>> artgen.apply("grain", grey, amount=0.5, seed=7).shape
        torch.Size([3, 8, 8])
    """
    from artgen.api.images import convert_like, to_tensor
    from artgen.generation.chain import apply_step
    from artgen.imaging.devices import choose_device
    from artgen.recipe.loading import build_step

    if fields and not isinstance(step, str):
        problem = f"given with a Step: {', '.join(fields)}"
        raise ArtgenError(f"step {step.name}", problem, "give them where the Step is made, or give its name")
    built_step = build_step(step, fields, Path(folder)) if isinstance(step, str) else step
    result = apply_step(
        built_step,
        to_tensor(image),
        seed=seed,
        folder=Path(folder),
        device=choose_device(device),
        preview=preview,
    )
    converted: Image | Tensor = convert_like(image, result)
    return converted


@overload
def stylize(
    image: Tensor, style: Image | Tensor | Path | str, *, seed: int = 0, **options: Any
) -> Tensor: ...
@overload
def stylize(
    image: Image | Path | str, style: Image | Tensor | Path | str, *, seed: int = 0, **options: Any
) -> Image: ...
def stylize(
    image: Image | Tensor | Path | str,
    style: Image | Tensor | Path | str | Sequence[Image | Tensor | Path | str],
    *,
    seed: int = 0,
    **options: Any,
) -> Image | Tensor:
    """Paint an image in the style of one or more paintings, from Python.

    Args:
        image: as ``apply`` takes it.
        style: a painting or a list of them: files, Pillow images, tensors, or names of the paintings that
            come with artgen, such as ``"builtin:great-wave"``.
        seed: another seed gives other strokes.
        **options: fields of the step ``style``, such as ``method``, ``preset`` or ``strength``, and the
            arguments of ``apply``.

    Returns:
        As ``apply``: a tensor for a tensor, else a Pillow image.

    Raises:
        ArtgenError: an image cannot be read, or an option is wrong.

    Examples:
        >>> from PIL import Image
        >>> artgen.stylize(Image.new("RGB", (64, 48), "teal"), "builtin:great-wave", preview=True).size
        (64, 48)
    """
    styles = [style] if isinstance(style, str) or not isinstance(style, Sequence) else list(style)
    with tempfile.TemporaryDirectory() as folder:
        references = [
            _save_style(Path(folder) / f"style-{number}.png", painting)
            for number, painting in enumerate(styles)
        ]
        painted: Image | Tensor = apply("style", image, seed=seed, style=references, **options)
    return painted


def _save_style(path: Path, painting: Image | Tensor | Path | str) -> str:
    """Return the reference of a style painting; one that is no file yet is written to ``path``."""
    if isinstance(painting, Path | str):
        return str(painting)
    from artgen.api.images import to_tensor
    from artgen.imaging.io.files import write_png

    no_text: Mapping[str, str] = {}
    write_png(path, to_tensor(painting), no_text)
    return str(path)
