"""Generation of one candidate from a recipe: the source, then each step, one stage after another."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError
from artgen.hashing import file_hash
from artgen.recipe import CandidateDraws, Lineage, Recipe, draw_candidate
from artgen.runs.stages import StageCache, dequantise_image, hash_pixels, hash_stage_inputs, quantise_image
from artgen.seeds import python_rng
from artgen.steps import find_part_plugin
from artgen.steps.base import SOURCE_ID, RecipePart, Source, Step, StepContext
from artgen.style.progress import ProgressCallback, ignore_progress
from artgen.version import __version__

if TYPE_CHECKING:
    from torch import Tensor

    from artgen.runs.stages import Pixels

# One thread, so that no pixel depends on the number of workers or cores; a fixed cuBLAS workspace, so that
# every run on a GPU gives the same sums.
ENVIRONMENT_VARIABLES = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}
StepStartedCallback = Callable[[str, int, int], None]
"""Called with the id and number (from 1) of the stage that starts, and the number of stages."""


@dataclass(frozen=True)
class GenerationSettings:
    """Device, cache and callbacks with which candidates are generated.

    Args:
        device: ``cpu``, ``cuda`` or ``mps``.
        preview: compute less, for a quick look.
        stage_cache: stages of earlier candidates; None computes every stage.
        file_hashes: SHA-256 of the files that the recipe reads, by path; other files are hashed on use.
        on_step_started: called when the source or a step starts.
        on_progress: called with the finished share of the step, 0 to 1.
        on_report: called with the reports of steps that show intermediate images or losses.
    """

    device: str = "cpu"
    preview: bool = False
    stage_cache: StageCache | None = None
    file_hashes: Mapping[str, str] = field(default_factory=dict)
    on_step_started: StepStartedCallback = lambda step, number, of: None
    on_progress: Callable[[float], None] = lambda fraction: None
    on_report: ProgressCallback = ignore_progress

    def build_context(self, recipe: Recipe, step_id: str, candidate: int) -> StepContext:
        """Build the context in which the source or a step runs.

        Args:
            recipe: gives the seed and the folder.
            step_id: the step's id, or ``"source"``.
            candidate: number of the candidate whose random streams the step uses.
        """
        return StepContext(
            seed=recipe.seed,
            candidate=candidate,
            step_id=step_id,
            folder=recipe.folder,
            device=self.device,
            preview=self.preview,
            on_progress=self.on_progress,
            on_report=self.on_report,
        )


@dataclass(frozen=True)
class StageImage:
    """The image of one stage of a candidate, with its pixels' hash.

    Args:
        step_id: the step's id, or ``"source"``.
        use: the source or step as the recipe names it.
        pixels: uint16 ``(3, H, W)``.
    """

    step_id: str
    use: str
    pixels: Pixels


def generate_stages(
    recipe: Recipe,
    candidate: int | Lineage,
    settings: GenerationSettings,
    recorded_draws: CandidateDraws | None = None,
) -> Iterator[StageImage]:
    """Generate a candidate stage by stage; each stage is rounded to 16 bits before the next step.

    Args:
        recipe: its source and steps.
        candidate: its number, or its lineage if it is a variation.
        settings: device, cache and callbacks.
        recorded_draws: the values that an earlier version of artgen drew, to be used instead.

    Yields:
        The image after the source, then after each step.

    Raises:
        ArtgenError: a file cannot be read, or the image does not fit in memory.
    """
    drawn_candidate = draw_candidate(recipe, recipe.seed, candidate, recorded_draws)
    parts: list[Source | Step] = [drawn_candidate.source, *drawn_candidate.steps]
    pixels: Pixels | None = None
    for number, part in enumerate(parts, 1):
        settings.on_step_started(part.name, number, len(parts))
        context = settings.build_context(recipe, part.name, drawn_candidate.stream_candidates[part.name])
        pixels = _load_or_compute_stage(part, pixels, context, settings)
        yield StageImage(part.name, part.use, pixels)


def _load_or_compute_stage(
    part: RecipePart, input_pixels: Pixels | None, context: StepContext, settings: GenerationSettings
) -> Pixels:
    if settings.stage_cache is None or input_pixels is None or not (isinstance(part, Step) and part.cached):
        return _compute_stage(part, input_pixels, context)
    plugin = find_part_plugin(part)
    code = {"plugin": [plugin.package, plugin.version, plugin.hash_code()]} if plugin else {}
    key = hash_stage_inputs(
        step_fields=part.model_dump(mode="json", exclude={"id"}) | {"preview": context.preview} | code,
        version=part.version,
        file_hashes=[
            settings.file_hashes.get(str(file)) or file_hash(file) for file in part.list_files(context.folder)
        ],
        stream_key=context.derive_key("") if part.depends_on_chance(context.folder) else None,
        device=f"{context.device} {sorted(collect_versions().items())}",
        input_hash=hash_pixels(input_pixels),
    )
    pixels = settings.stage_cache.get(key)
    if pixels is None:
        pixels = _compute_stage(part, input_pixels, context)
        settings.stage_cache.put(key, pixels)
    return pixels


def _compute_stage(part: RecipePart, input_pixels: Pixels | None, context: StepContext) -> Pixels:
    from artgen.imaging.image import check_image

    with explain_out_of_memory(part.name, None if input_pixels is None else input_pixels.shape):
        image = None if input_pixels is None else dequantise_image(input_pixels)
        return quantise_image(check_image(_run_part(part, image, context), f"step {part.name}"))


@contextlib.contextmanager
def explain_out_of_memory(step_id: str, shape: Sequence[int] | None) -> Iterator[None]:
    """Turn a lack of memory inside the ``with`` block into an error with advice.

    Args:
        step_id: the step that runs.
        shape: of the image before the step, ``(3, H, W)``; None before the source.

    Raises:
        ArtgenError: there is not enough memory.
    """
    from artgen.imaging.tiles.exact import is_out_of_memory

    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        size = "" if shape is None else f" after {shape[2]} x {shape[1]} px"
        expected = "use a smaller scale or side, or fewer --workers"
        raise ArtgenError(f"step {step_id}", f"not enough memory{size}", expected) from error


def _run_part(part: RecipePart, image: Tensor | None, context: StepContext) -> Tensor:
    """Run a source or step. Any exception of a plug-in becomes an ArtgenError, and its output is not ours.

    A lack of memory stays what it is, for ``explain_out_of_memory``.
    """
    import torch

    from artgen.imaging.tiles.exact import is_out_of_memory

    plugin = find_part_plugin(part)
    try:
        with torch.no_grad(), contextlib.redirect_stdout(sys.stderr) if plugin else contextlib.nullcontext():
            if isinstance(part, Source):
                return part.create(context)
            if isinstance(part, Step) and image is not None:
                return part.apply(image, context)
    except (Exception, SystemExit) as error:
        if plugin is None or isinstance(error, ArtgenError) or is_out_of_memory(error):
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise ArtgenError(f"step {part.name}", f"{plugin} failed ({reason})", "report it there") from error
    raise TypeError(f"{part.name} is neither a source nor a step with an image before it")


def apply_step(
    step: Step, image: Tensor, *, seed: int, folder: Path, device: str, preview: bool = False
) -> Tensor:
    """Apply one step to one image, with its draws made as those of candidate 1 of a recipe.

    Args:
        step: the step; its fields may be draws.
        image: float32 ``(3, H, W)``, sRGB, [0, 1].
        seed: of the random streams.
        folder: where relative paths in the step start.
        device: ``cpu``, ``cuda`` or ``mps``.
        preview: compute less, for a quick look.

    Returns:
        The changed image, not rounded as the stages of a run are.

    Raises:
        ArtgenError: a file cannot be read, or there is not enough memory.
    """
    from artgen.imaging.image import check_image

    context = StepContext(seed, 1, step.name, folder, device, preview, lambda fraction: None)
    drawn_step, _ = step.resolve_draws(lambda name: python_rng(context.derive_key(name)))
    with explain_out_of_memory(step.name, image.shape):
        return check_image(_run_part(drawn_step, image, context), f"step {step.name}")


def build_caption(recipe: Recipe, candidate: int | Lineage, source_file: str | None = None) -> str:
    """Return the caption of a candidate.

    Args:
        recipe: gives the wording.
        candidate: its number, or its lineage if it is a variation.
        source_file: the photograph that the candidate started from, as its PNG says; None draws it from the
            folder, which may hold other files by now.
    """
    lineage = Lineage.from_candidate(candidate)
    if source_file is not None:
        return recipe.caption(lineage.number, recipe.seed, PurePosixPath(source_file).stem)
    source = draw_candidate(recipe, recipe.seed, lineage.root).source
    return recipe.caption(lineage.number, recipe.seed, source.describe(build_source_context(recipe, lineage)))


def build_source_context(recipe: Recipe, candidate: int | Lineage) -> StepContext:
    """Return the context of a candidate's source for questions that need no device."""
    first = Lineage.from_candidate(candidate).root
    return StepContext(recipe.seed, first, SOURCE_ID, recipe.folder, "cpu", False, lambda fraction: None)


def collect_versions() -> dict[str, str]:
    """Return the versions of everything that pixels may depend on: artgen, libraries and the CPU."""
    import numpy
    import PIL
    import torch

    return {
        "artgen": __version__,
        "torch": str(torch.__version__),
        "numpy": numpy.__version__,
        "pillow": PIL.__version__,
        "cpu": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
    }


def configure_torch(device: str, *, use_all_cores: bool = False) -> str:
    """Set up torch in this process so that results do not depend on the number of workers or cores.

    Args:
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        use_all_cores: use every core, for a process that makes one picture alone; else one thread.

    Returns:
        The device that will be used: ``cpu``, ``cuda`` or ``mps``.

    Raises:
        ArtgenError: the requested device does not exist.
    """
    os.environ.update(
        {name: value for name, value in ENVIRONMENT_VARIABLES.items() if not (use_all_cores and value == "1")}
    )
    import torch

    from artgen.imaging.devices import choose_device

    if not use_all_cores:
        torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    device = choose_device(device)
    if device == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(True, warn_only=True)
    return device


def device_name(device: str) -> str:
    """Return the device's name for provenance, with the model of a GPU."""
    import torch

    return f"cuda ({torch.cuda.get_device_name()})" if device == "cuda" else device
