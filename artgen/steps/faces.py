"""Mixed faces: thumbnails of several people's faces, made into one."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn
from artgen.errors import ArtgenError
from artgen.references import BUILTIN, SHIPPED, SUFFIXES, References, find_images, too_many
from artgen.steps.base import Context, Finder, Source
from artgen.steps.thumbnails import thumbnail

if TYPE_CHECKING:
    from torch import Tensor


class Faces(Source):
    """Faces of one or more people, mixed into one thumbnail: the start of portraits of nobody."""

    version: ClassVar[int] = 2
    references: ClassVar[Mapping[str, Finder]] = {"people": find_images}

    use: Literal["faces"] = "faces"
    people: References = Field(
        description="Photographs, or faces already aligned, as `artgen data faces` makes them: a folder for "
        "each person, or one folder of all. Of several, each gives a face before one gives a second. "
        "`builtin:portraits/raven` and `builtin:portraits/amber` ship with artgen.",
    )
    align: bool = Field(
        True,
        description="Whether the face in each picture is looked for, set upright and cut out; a square that "
        "one fills already stays as it is, and a picture without a face is passed over. Otherwise the square "
        "in each picture's middle is taken.",
    )
    faces: Drawn[Annotated[int, Field(ge=1, le=4)]] = Field(2, description="How many faces are mixed.")
    mode: Drawn[Literal["blend", "regions", "halves", "features"]] = Field(
        "regions",
        description="`blend` lays them over each other, `regions` mixes by soft shapes, `halves` by a soft "
        "line at any angle, `features` takes eyes, nose, mouth or outline from the others.",
    )
    concentration: Drawn[Annotated[float, Field(ge=0.1, le=100)]] = Field(
        4.0,
        description="Of the Dirichlet distribution of the faces' shares: below 1 one face dominates, 100 "
        "makes all alike.",
    )
    softness: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.4, description="How gradually one face gives way to another: 0 by hard edges."
    )
    colours: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.5, description="How far the faces move to common colours and a common light first."
    )
    flips: bool = Field(True, description="Whether faces are mirrored by chance.")
    size: Drawn[Annotated[int, Field(ge=8, le=512)]] = Field(
        32, description="Side of the square thumbnail.", json_schema_extra={"unit": "px"}
    )

    def wrong(self, folder: Path) -> Iterator[tuple[str, ArtgenError]]:
        """What is wrong with the files, also that there are too many to be listed in every picture."""
        problems = list(super().wrong(folder))
        yield from problems
        if not problems:
            yield from too_many("people", self.files(folder), "faces are drawn of")

    def create(self, context: Context) -> Tensor:
        """A thumbnail, ``(3, size, size)``.

        Raises:
            ArtgenError: no picture of a person shows a face, or one cannot be read.
        """
        import torch

        from artgen.imaging import masks, mixing
        from artgen.seeds import generator, stream

        mirrored = stream(context.derive("flips"))
        thumbnails = [face for _, _, face in self._chosen(context)]
        if self.flips:
            thumbnails = [face.flip(-1) if mirrored.random() < 0.5 else face for face in thumbnails]
        shares = masks.dirichlet(len(thumbnails), self.concentration, stream(context.derive("shares")))
        faces, weights = torch.stack(thumbnails), torch.tensor(shares)
        covers = masks.masks(
            self.mode,
            weights,
            (self.size, self.size),
            generator(context.derive("masks")),
            softness=self.softness,
        )
        return masks.mix(mixing.agreed(faces, weights, self.colours), covers).clamp(0, 1)

    def describe(self, context: Context) -> str:
        """``faces of anna and ben``."""
        people, _ = self._people(context)
        names = _names(people)
        if names:
            called = [names[number % len(names)] for number in range(self.faces)]
        else:
            called = [file.stem for _, file, _ in self._chosen(context)]
        called = list(dict.fromkeys(called))
        listed = " and ".join(filter(None, [", ".join(called[:-1]), called[-1]]))
        return f"{'faces' if self.faces > 1 else 'a face'} of {listed}"

    def _people(self, context: Context) -> tuple[list[tuple[str, list[Path]]], random.Random]:
        """Every person's pictures, in the order in which they give a face, and the stream that draws on."""
        from artgen.seeds import stream

        pick = stream(context.derive("faces"))
        people = [(reference, find_images(reference, context.folder)) for reference in self.people]
        pick.shuffle(people)
        return people, pick

    def _chosen(self, context: Context) -> list[tuple[str, Path, Tensor]]:
        """Whose the candidate's faces are, their files and thumbnails."""
        people, pick = self._people(context)
        chosen: list[tuple[str, Path, Tensor]] = []
        for number in range(self.faces):
            reference, files = people[number % len(people)]
            taken = {file: face for _, file, face in chosen}
            chosen.append((reference, *self._another(reference, files, taken, pick)))
        return chosen

    def _another(
        self, reference: str, files: Sequence[Path], taken: Mapping[Path, Tensor], pick: random.Random
    ) -> tuple[Path, Tensor]:
        """A picture that shows a face, of those not taken yet where there is one."""
        align = self.align and reference.rstrip("/") not in SHIPPED  # those are aligned
        left = [file for file in files if file not in taken]
        while left:
            file = left.pop(pick.randrange(len(left)))
            face = thumbnail(file, self.size, align=align)
            if face is not None:
                return file, face
        again = [file for file in files if file in taken]
        if again:
            file = again[pick.randrange(len(again))]
            return file, taken[file]
        raise ArtgenError(
            f"{self.name}.people",
            f"no face is found in {_counted(files)} of {reference!r}",
            "photographs in which somebody looks towards the camera; or `align = false`, which takes the "
            "square in each picture's middle",
        )


def _names(people: Sequence[tuple[str, Sequence[Path]]]) -> list[str]:
    """What to call each; none where they are one folder of all, or patterns in one: then their files do."""
    names = [_person(reference, files[0]) for reference, files in people]
    return names if len(set(names)) == len(names) > 1 else []


def _counted(files: Sequence[Path]) -> str:
    return "the picture" if len(files) == 1 else f"any of the {len(files):,} pictures"


def _person(reference: str, file: Path) -> str:
    """``anna`` of ``photos/anna``, ``photos/anna/*.jpg`` and ``anna.jpg``."""
    named = Path(reference.removeprefix(BUILTIN))
    parts = [part for part in named.parts if not set("*?[") & set(part) and part.strip("./\\~")]
    last = Path(parts[-1] if parts else file.parent.name)
    return last.stem if last.suffix.lower() in SUFFIXES else last.name
