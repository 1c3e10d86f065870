"""Base classes of the sources and steps of a recipe: their fields, files, draws and work on images."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from artgen.config.draws import Draw, possible_values
from artgen.errors import ArtgenError
from artgen.imaging.sizes import Size
from artgen.references import (
    BUILTIN_PREFIX,
    HEIC_SUFFIXES,
    IMAGE_SUFFIXES,
    image_count_errors,
    list_passed_over,
)
from artgen.seeds import RandomStream, derive_key
from artgen.style.progress import ProgressCallback, StyleProgress, ignore_progress

if TYPE_CHECKING:
    from torch import Tensor

SOURCE_ID = "source"
FileFinder = Callable[[str, Path], Path | Sequence[Path]]
ModelReference = Annotated[str, Field(min_length=1, max_length=500)]
StepId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


@dataclass(frozen=True)
class StepContext:
    """What a source or step needs to make a candidate: its random streams, the device, progress callbacks.

    Args:
        seed: the run's seed.
        candidate: the number of the candidate whose random streams are used.
        step_id: the step's id (``"source"`` for the source); names its random streams.
        folder: the recipe's folder; paths in the recipe are relative to it.
        device: ``cpu``, ``cuda`` or ``mps``.
        preview: whether to do less work, for a quick preview.
        on_progress: called with the completed share of the step, 0 to 1.
        on_report: called with more details by a step that has them: the current picture, the loss.
    """

    seed: int
    candidate: int
    step_id: str
    folder: Path
    device: str
    preview: bool
    on_progress: Callable[[float], None]
    on_report: ProgressCallback = ignore_progress

    def report(self, report: StyleProgress) -> None:
        """Forward a style method's progress report to both callbacks."""
        self.on_progress(report.fraction)
        self.on_report(report)

    def derive_key(self, name: str) -> int:
        """Return the key of the step's random stream called ``name``."""
        return derive_key(self.seed, self.candidate, self.step_id, name)


class RecipePart(BaseModel):
    """A source or step: a table of the recipe with a ``use`` key."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    version: ClassVar[int] = 1
    """To be raised when the same fields give other pixels, so that stored stages of before are not used."""
    is_random: ClassVar[bool] = True
    """Whether the pixels depend on a random stream, apart from the drawn fields."""
    file_finders: ClassVar[Mapping[str, FileFinder]] = {}
    """The fields that name files, each with the function that finds the files or raises an ArtgenError."""
    purposes_of_images: ClassVar[Mapping[str, str]] = {}
    """The fields whose images provenance lists, each with the start of the advice if they are too many."""

    bytes_per_pixel: ClassVar[int] = 130
    """Memory that it takes for each pixel of its image, or of its input if that is larger; measured."""

    use: str

    @property
    def name(self) -> str:
        """The id that names the random streams, stage and draws of this source or step."""
        return SOURCE_ID

    def list_files(self, folder: Path) -> list[Path]:
        """List every file whose content determines the result, for any draw, sorted.

        Raises:
            ArtgenError: a file is missing.
        """
        paths: set[Path] = set()
        for _, reference, find in self._named_files():
            files = _find_files(find, reference, folder)
            paths.update([files] if isinstance(files, Path) else files)
        return sorted(paths)

    def list_pictures(self, folder: Path) -> tuple[list[Path], list[Path]]:
        """List the picture files that it names, without those of artgen, and what its folders hold besides.

        Args:
            folder: the recipe's folder.

        Raises:
            ArtgenError: a file is missing.
        """
        pictures: list[Path] = []
        passed_over: list[Path] = []
        for _, reference, find in self._named_files():
            if reference.startswith(BUILTIN_PREFIX):
                continue
            found = _find_files(find, reference, folder)
            if isinstance(found, Path):  # or else a model
                pictures += [found] if found.suffix.lower() in (*IMAGE_SUFFIXES, *HEIC_SUFFIXES) else []
            else:
                pictures += found
                passed_over += list_passed_over(reference, folder)
        return pictures, passed_over

    def depends_on_chance(self, folder: Path) -> bool:
        """Return whether the pixels depend on a random stream, which may depend on the files it names.

        Args:
            folder: the recipe's folder.
        """
        return self.is_random

    def validate_files(self, folder: Path) -> Iterator[tuple[str, ArtgenError]]:
        """Yield each field whose files are missing, do not match it or are too many, with the error."""
        all_found = True
        for field, reference, find in self._named_files():
            try:
                _find_files(find, reference, folder)
            except ArtgenError as error:
                all_found, names_file = False, reference in error.problem
                problem = error.problem if names_file else f"{reference!r}: {error.problem}"
                yield field, ArtgenError(field, problem, error.expected, error.command)
        for field, purpose in self.purposes_of_images.items() if all_found else ():
            yield from image_count_errors(field, self.list_files(folder), purpose)

    def estimate_memory(self, pixels: int) -> int:
        """Return about how many bytes of memory it takes.

        Args:
            pixels: of its image, or of its input if that is larger.
        """
        return self.bytes_per_pixel * pixels

    def resolve_draws(self, open_stream: Callable[[str], RandomStream]) -> tuple[Self, dict[str, Any]]:
        """Return this part with each draw replaced by a value, and those values by field.

        Args:
            open_stream: returns the random stream of a name; each field has its own stream, so that drawing
                one more field does not change the others.
        """
        values = {
            field: value.draw(open_stream(f"draw.{field}"))
            for field in type(self).model_fields
            if isinstance(value := getattr(self, field), Draw)
        }
        return self.model_copy(update=values), values

    def _named_files(self) -> Iterator[tuple[str, str, FileFinder]]:
        """Yield each field that names files, the name, and the function that finds the files."""
        for field, find in self.file_finders.items():
            for value in possible_values(getattr(self, field)):
                for reference in [value] if isinstance(value, str) else value or ():
                    yield field, reference, find


def _find_files(find: FileFinder, reference: str, folder: Path) -> Path | Sequence[Path]:
    """Find a recipe's files; convert errors of the operating system, e.g. too long names, to ArtgenError."""
    try:
        return find(reference, folder)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ArtgenError(reference, f"cannot be read as a path ({reason})") from None


class Source(RecipePart):
    """A source: it makes the image from which a candidate starts."""

    @abstractmethod
    def create(self, context: StepContext) -> Tensor:
        """Return the first image of a candidate: float32 ``(3, H, W)``, sRGB, ``[0, 1]``."""

    @abstractmethod
    def describe(self, context: StepContext) -> str:
        """Return a short description for captions, where it replaces ``{source}``."""

    def largest_size(self, folder: Path, *, preview: bool) -> Size | None:
        """Return the width and height of the largest image that it may make, px; None if unknown.

        Args:
            folder: the recipe's folder.
            preview: whether to do less work, for a quick preview.
        """
        return None

    def starting_file(self, context: StepContext) -> Path | None:
        """Return the one file that a candidate starts from; None if it depends on all files of the source."""
        return None

    def with_starting_file(self, file: Path) -> Self:
        """Return this source with only this file; a source without a starting file returns itself."""
        return self


class Step(RecipePart):
    """A step: it changes the image. Steps are applied in the order of the file."""

    cached: ClassVar[bool] = False
    """Whether the result is kept in the stage cache, because making it again takes seconds."""

    id: StepId | None = Field(
        None,
        description="Name of this step's random stream, stage and draws; by default the value of `use`.",
        json_schema_extra={"form": 'a short text of a-z, 0-9, - and _, such as "grow"'},
    )

    @property
    def name(self) -> str:
        """The step's id: its ``id`` key, or the value of ``use``."""
        return self.id or self.use

    @abstractmethod
    def apply(self, image: Tensor, context: StepContext) -> Tensor:
        """Return the changed image, float32 ``(3, H, W)``, sRGB, ``[0, 1]``; ``image`` is not modified."""

    def largest_size(self, size: Size, folder: Path, *, preview: bool) -> Size:
        """Return the width and height of the largest result, whatever is drawn; by default that of the image.

        Args:
            size: width and height of the largest image that it may get.
            folder: the recipe's folder.
            preview: whether to do less work, for a quick preview.
        """
        return size


def preview_side(side: int) -> int:
    """Return the side of a preview, px: half of a side, but not below 16."""
    return max(16, side // 2)
