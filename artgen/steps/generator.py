"""Pictures out of nothing but chance, by a trained generator; or a film through what it knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Draw, Drawn, plain
from artgen.errors import ArtgenError
from artgen.steps.base import Context, Finder, Source

if TYPE_CHECKING:
    from torch import Tensor

ARCHITECTURES = ("dcgan", "r3gan")


def find_generator(reference: str, folder: Path) -> Path:
    """The file of a generator named in a recipe.

    Raises:
        ArtgenError: no such model, or it makes no pictures out of nothing.
    """
    from artgen.models.files import catalog

    return catalog.find(reference, folder, ARCHITECTURES)


class Generator(Source):
    """Pictures that a DCGAN makes of random numbers, one a candidate; or a walk among them, as a film."""

    references: ClassVar[Mapping[str, Finder]] = {"model": find_generator}

    use: Literal["generator"] = "generator"
    model: Drawn[Annotated[str, Field(min_length=1, max_length=500)]] = Field(
        description="A model that `artgen train` made of the family dcgan or dcgan-r3: the path of its "
        ".safetensors file. Its size is the picture's."
    )
    truncation: Drawn[Annotated[float, Field(ge=0, le=1.5)]] = Field(
        1.0,
        description="How far from the middle of what it knows: below 1 pictures are calmer and more alike, "
        "above 1 bolder and more broken.",
    )
    walk: Annotated[int, Field(ge=2, le=1_000_000)] | None = Field(
        None,
        description="How many candidates one round takes of a closed walk from picture to picture: a film "
        "that loops. By default each candidate is a picture of its own.",
    )
    keys: (
        Annotated[int, Field(ge=2, le=100)]
        | Annotated[list[Annotated[int, Field(ge=1, le=1_000_000)]], Field(min_length=2, max_length=100)]
    ) = Field(
        6,
        description="Where the walk passes: through the pictures of the first so many candidates that the "
        "recipe has without `walk`, or of those listed.",
        json_schema_extra={"form": "a whole number from 2 to 100, or a list such as [3, 17, 8]"},
    )

    def wrong(self, folder: Path) -> Iterator[tuple[str, ArtgenError]]:
        """Also what would make a film flicker."""
        yield from super().wrong(folder)
        for field in ("model", "truncation"):
            value = getattr(self, field)
            if self.walk is not None and isinstance(value, Draw):
                right = "a walk wants one value: drawn anew for each frame, it would flicker"
                yield field, ArtgenError(field, str(plain(value)), right)

    def create(self, context: Context) -> Tensor:
        """The candidate's picture, or its frame of the walk: ``(3, side, side)``."""
        from artgen.models.inference.generating import generate

        if self.walk is None:
            candidates, at = [context.candidate], 0.0
        else:
            candidates = self.keys if isinstance(self.keys, list) else list(range(1, self.keys + 1))
            at = (context.candidate - 1) / self.walk
        return generate(
            find_generator(self.model, context.folder),
            [replace(context, candidate=candidate).derive("latent") for candidate in candidates],
            at=at,
            truncation=self.truncation,
            device=context.device,
        )

    def describe(self, context: Context) -> str:
        """The model's name."""
        return Path(self.model).stem
