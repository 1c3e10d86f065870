"""What every source and step of a recipe is: fields, the files it reads, its draws, its work."""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from artgen.config.draws import Draw, possible
from artgen.errors import ArtgenError
from artgen.seeds import derive
from artgen.style.progress import Report, Watch, unwatched

if TYPE_CHECKING:
    from torch import Tensor

SOURCE_ID = "source"
Finder = Callable[[str, Path], Path | Sequence[Path]]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


@dataclass(frozen=True)
class Context:
    """Where a step runs: whose candidate, which random streams, on what machine.

    Args:
        seed: the run's seed.
        candidate: the candidate's index.
        step: the step's id (``"source"`` for the source); names its random streams.
        folder: the recipe's folder; paths in the recipe start here.
        device: ``cpu``, ``cuda`` or ``mps``.
        preview: do less, for a quick look.
        progress: told how far the step has come, 0 to 1.
        watch: told more of it, where a step has more to tell: the picture as it is by now, a loss.
    """

    seed: int
    candidate: int
    step: str
    folder: Path
    device: str
    preview: bool
    progress: Callable[[float], None]
    watch: Watch = unwatched

    def tell(self, report: Report) -> None:
        """Pass on what a painter reports."""
        self.progress(report.done)
        self.watch(report)

    def derive(self, name: str) -> int:
        """The key of this step's stream called ``name``."""
        return derive(self.seed, self.candidate, self.step, name)


class Part(BaseModel):
    """A table of the recipe with a ``use`` key."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    version: ClassVar[int] = 1
    """Raise it when the same fields give other pixels: stored stages of the old kind are then not used."""
    chance: ClassVar[bool] = True
    """Whether the pixels depend on the random stream, beyond the drawn fields."""
    references: ClassVar[Mapping[str, Finder]] = {}
    """Fields that name files, each with the function that finds them (or says what is wrong)."""

    use: str

    @property
    def name(self) -> str:
        """What names this part's random streams, its stage and its draws."""
        return SOURCE_ID

    def files(self, folder: Path) -> list[Path]:
        """Every file whose content decides the result, for any draw, sorted.

        Raises:
            ArtgenError: a reference leads nowhere.
        """
        found: set[Path] = set()
        for _, reference, find in self._references():
            paths = _find(find, reference, folder)
            found.update([paths] if isinstance(paths, Path) else paths)
        return sorted(found)

    def by_chance(self, folder: Path) -> bool:
        """Whether the pixels depend on the random stream: by ``chance``, or by the files that it names.

        Args:
            folder: the recipe's.
        """
        return self.chance

    def wrong(self, folder: Path) -> Iterator[tuple[str, ArtgenError]]:
        """Each field that is not right for the files it meets, e.g. names one that is not there."""
        for field, reference, find in self._references():
            try:
                _find(find, reference, folder)
            except ArtgenError as error:
                found = error.found if reference in error.found else f"{reference!r}: {error.found}"
                yield field, ArtgenError(field, found, error.right, error.command)

    def concrete(self, stream: Callable[[str], random.Random]) -> tuple[Self, dict[str, Any]]:
        """This part with each draw replaced by a value, and those values.

        Args:
            stream: gives the random stream of a name; each field has its own, so that drawing one
                more field changes no other.
        """
        values = {
            field: value.draw(stream(f"draw.{field}"))
            for field in type(self).model_fields
            if isinstance(value := getattr(self, field), Draw)
        }
        return self.model_copy(update=values), values

    def _references(self) -> Iterator[tuple[str, str, Finder]]:
        for field, find in self.references.items():
            for value in possible(getattr(self, field)):
                for reference in [value] if isinstance(value, str) else value or ():
                    yield field, reference, find


def _find(find: Finder, reference: str, folder: Path) -> Path | Sequence[Path]:
    """What the system says of a name (too long, closed to us, ``~`` of nobody) as a problem to put right."""
    try:
        return find(reference, folder)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ArtgenError(reference, f"cannot be read as a path ({reason})") from None


class Source(Part):
    """Where a candidate starts."""

    @abstractmethod
    def create(self, context: Context) -> Tensor:
        """The first image of a candidate: float32 ``(3, H, W)``, sRGB, ``[0, 1]``."""

    @abstractmethod
    def describe(self, context: Context) -> str:
        """A few words for captions: what ``{source}`` stands for."""


class Step(Part):
    """One change to the image. Steps are applied in file order."""

    dear: ClassVar[bool] = False
    """Whether the result is worth storing, because making it again costs seconds."""

    id: Id | None = Field(
        None,
        description="Names this step's random stream, stage and draws; by default the value of `use`.",
        json_schema_extra={"form": 'a short text of a-z, 0-9, - and _, such as "grow"'},
    )

    @property
    def name(self) -> str:
        """The step's id."""
        return self.id or self.use

    @abstractmethod
    def apply(self, image: Tensor, context: Context) -> Tensor:
        """The image after this step: float32 ``(3, H, W)``, sRGB, ``[0, 1]``; ``image`` is not modified."""
