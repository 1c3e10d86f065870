"""The source ``generator``: pictures that a trained GAN makes of random numbers, or a walk among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Draw, Drawn, possible_values, to_toml_value
from artgen.errors import ArtgenError
from artgen.imaging.sizes import Size, largest_of
from artgen.steps.base import FileFinder, Source, StepContext

if TYPE_CHECKING:
    from torch import Tensor

GENERATOR_ARCHITECTURES = ("dcgan", "r3gan")


def find_generator_file(reference: str, folder: Path) -> Path:
    """Find the file of a generator that a recipe names.

    Args:
        reference: the model's name, or the path of its file.
        folder: the recipe's folder.

    Raises:
        ArtgenError: there is no such model, or it is no generator.
    """
    from artgen.models.files import catalog

    return catalog.find_compatible_model(reference, folder, GENERATOR_ARCHITECTURES)


class GeneratorSource(Source):
    """Pictures that a GAN makes of random numbers, one per candidate; or a walk among them, as a film."""

    file_finders: ClassVar[Mapping[str, FileFinder]] = {"model": find_generator_file}

    use: Literal["generator"] = "generator"
    model: Drawn[Annotated[str, Field(min_length=1, max_length=500)]] = Field(
        description="A model of the family dcgan or dcgan-r3 that `artgen train` made: the path of its "
        ".safetensors file. The model determines the size of the picture."
    )
    truncation: Drawn[Annotated[float, Field(ge=0, le=1.5)]] = Field(
        1.0,
        description="Scale of the random numbers: below 1 pictures are calmer and more alike, above 1 more "
        "unusual and more often defective.",
    )
    walk: Annotated[int, Field(ge=2, le=1_000_000)] | None = Field(
        None,
        description="How many candidates make one round of a closed walk from picture to picture: the frames "
        "of a film that loops. By default each candidate is a separate picture.",
    )
    keys: (
        Annotated[int, Field(ge=2, le=100)]
        | Annotated[list[Annotated[int, Field(ge=1, le=1_000_000)]], Field(min_length=2, max_length=100)]
    ) = Field(
        6,
        description="The pictures that the walk passes through: those of the first N candidates that the "
        "recipe has without `walk`, or those of the listed candidates.",
        json_schema_extra={"form": "a whole number from 2 to 100, or a list such as [3, 17, 8]"},
    )

    def validate_files(self, folder: Path) -> Iterator[tuple[str, ArtgenError]]:
        """Also yield an error for draws in a walk, which would make a film flicker."""
        yield from super().validate_files(folder)
        for field in ("model", "truncation"):
            value = getattr(self, field)
            if self.walk is not None and isinstance(value, Draw):
                expected = "a walk needs one fixed value: a value drawn for each frame would flicker"
                yield field, ArtgenError(field, str(to_toml_value(value)), expected)

    def create(self, context: StepContext) -> Tensor:
        """Return the candidate's picture, or its frame of the walk: ``(3, side, side)``."""
        from artgen.models.inference.generating import generate_image

        if self.walk is None:
            candidates, walk_position = [context.candidate], 0.0
        else:
            candidates = self.keys if isinstance(self.keys, list) else list(range(1, self.keys + 1))
            walk_position = (context.candidate - 1) / self.walk
        return generate_image(
            find_generator_file(self.model, context.folder),
            [replace(context, candidate=candidate).derive_key("latent") for candidate in candidates],
            walk_position=walk_position,
            truncation=self.truncation,
            device=context.device,
        )

    def largest_size(self, folder: Path, *, preview: bool) -> Size | None:
        """Return the side of the model's pictures, twice; None if its file does not say it."""
        from artgen.models.files import header

        files = (find_generator_file(reference, folder) for reference in possible_values(self.model))
        return largest_of(header.generated_size(header.read_metadata(file)) for file in files)

    def describe(self, context: StepContext) -> str:
        """Return the name of the generator's model, for captions."""
        return Path(self.model).stem
