"""From a drawn recipe to pixels: the source, then each step, one stage after another."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from artgen import __version__
from artgen.errors import ArtgenError
from artgen.hashing import file_hash
from artgen.recipe import Lineage, Recipe, draw
from artgen.runs.stages import StageCache, pixels_hash, quantise, restore, stage_key
from artgen.steps.base import SOURCE_ID, Context, Part, Source, Step
from artgen.style.progress import Watch, unwatched

if TYPE_CHECKING:
    from torch import Tensor

    from artgen.runs.stages import Pixels

# One thread, so that neither the number of workers nor of cores changes a pixel; cuBLAS alike every time.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}
StepReport = Callable[[str, int, int], None]
"""Told the id, number (from 1) and count of the source or step that begins."""


@dataclass(frozen=True)
class Setting:
    """Where and how candidates are made.

    Args:
        device: ``cpu``, ``cuda`` or ``mps``.
        preview: make less, for a quick look.
        cache: stages made before; None makes everything anew.
        hashes: SHA-256 of the files that the recipe reads, by path; others are hashed when met.
        started: told when a step begins.
        progress: told how far the step has come, 0 to 1.
        watch: told more, where a step has more to tell.
    """

    device: str = "cpu"
    preview: bool = False
    cache: StageCache | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)
    started: StepReport = lambda step, number, of: None
    progress: Callable[[float], None] = lambda fraction: None
    watch: Watch = unwatched

    def context(self, recipe: Recipe, step: str, candidate: int) -> Context:
        """Where a step, or the source, runs; ``candidate`` is the one whose random streams it has."""
        return Context(
            seed=recipe.seed,
            candidate=candidate,
            step=step,
            folder=recipe.folder,
            device=self.device,
            preview=self.preview,
            progress=self.progress,
            watch=self.watch,
        )


@dataclass(frozen=True)
class Made:
    """A stage as it was made.

    Args:
        name: the step's id, or ``"source"``.
        use: the source or step as the recipe names it.
        pixels: uint16 ``(3, H, W)``.
    """

    name: str
    use: str
    pixels: Pixels


def stages(recipe: Recipe, candidate: int | Lineage, setting: Setting) -> Iterator[Made]:
    """Make a candidate, stage by stage; every one is rounded to 16 bits before the next.

    Args:
        recipe: what is run.
        candidate: its number, or its lineage where it is a variation.
        setting: where and how.

    Raises:
        ArtgenError: a file cannot be read, or the picture does not fit in memory.
    """
    drawn = draw(recipe, recipe.seed, candidate)
    parts: list[Source | Step] = [drawn.source, *drawn.steps]
    pixels: Pixels | None = None
    for number, part in enumerate(parts, 1):
        setting.started(part.name, number, len(parts))
        context = setting.context(recipe, part.name, drawn.streams[part.name])
        pixels = _stored(part, pixels, context, setting)
        yield Made(part.name, part.use, pixels)


def _stored(part: Part, given: Pixels | None, context: Context, setting: Setting) -> Pixels:
    if setting.cache is None or given is None or not (isinstance(part, Step) and part.dear):
        return _fresh(part, given, context)
    key = stage_key(
        part=part.model_dump(mode="json", exclude={"id"}) | {"preview": context.preview},
        version=part.version,
        files=[setting.hashes.get(str(file)) or file_hash(file) for file in part.files(context.folder)],
        stream=context.derive("") if part.by_chance(context.folder) else None,
        device=f"{context.device} {sorted(versions().items())}",
        given=pixels_hash(given),
    )
    kept = setting.cache.get(key)
    if kept is None:
        kept = _fresh(part, given, context)
        setting.cache.put(key, kept)
    return kept


def _fresh(part: Part, given: Pixels | None, context: Context) -> Pixels:
    from artgen.imaging.image import check_image

    with within_memory(part.name, None if given is None else given.shape):
        return quantise(check_image(_image(part, given, context), f"step {part.name}"))


@contextmanager
def within_memory(name: str, shape: Sequence[int] | None) -> Iterator[None]:
    """Say in words that the memory did not suffice for the step ``name`` after a picture of ``shape``."""
    from artgen.imaging.tiles.exact import out_of_memory

    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not out_of_memory(error):
            raise
        size = "" if shape is None else f" after {shape[2]} x {shape[1]} px"
        right = "use a smaller scale or side, or fewer --workers"
        raise ArtgenError(f"step {name}", f"not enough memory{size}", right) from error


def _image(part: Part, given: Pixels | None, context: Context) -> Tensor:
    import torch

    with torch.no_grad():
        if isinstance(part, Source):
            return part.create(context)
        if isinstance(part, Step) and given is not None:
            return part.apply(restore(given), context)
    raise TypeError(f"{part.name} is neither a source nor a step with an image before it")


def described(recipe: Recipe, candidate: int | Lineage, source_file: str | None = None) -> str:
    """The caption of a candidate.

    Args:
        recipe: what is run.
        candidate: its number, or its lineage where it is a variation.
        source_file: the file that it started from, where its picture says so: the folder may hold
            others since.
    """
    lineage = Lineage.of(candidate)
    if source_file is not None:
        return recipe.caption(lineage.number, recipe.seed, PurePosixPath(source_file).stem)
    source = draw(recipe, recipe.seed, lineage.first).source
    return recipe.caption(lineage.number, recipe.seed, source.describe(source_context(recipe, lineage)))


def source_context(recipe: Recipe, candidate: int | Lineage) -> Context:
    """Where the source of a candidate stands, for what needs no device."""
    first = Lineage.of(candidate).first
    return Context(recipe.seed, first, SOURCE_ID, recipe.folder, "cpu", False, lambda fraction: None)


def versions() -> dict[str, str]:
    """What computed a picture, as far as the pixels may depend on it."""
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


def prepare(device: str, *, alone: bool = False) -> str:
    """Make this process compute so that results do not depend on how many work: one thread, no denormals.

    Args:
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        alone: one process makes one picture: it may take every core.

    Returns:
        The kind of device that will be used.

    Raises:
        ArtgenError: the device asked for is not there.
    """
    os.environ.update({name: value for name, value in ENVIRONMENT.items() if not (alone and value == "1")})
    import torch

    from artgen.imaging.devices import find_device

    if not alone:
        torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    device = find_device(device)
    if device == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(True, warn_only=True)
    return device


def device_name(device: str) -> str:
    """The device in words, for provenance."""
    import torch

    return f"cuda ({torch.cuda.get_device_name()})" if device == "cuda" else device
