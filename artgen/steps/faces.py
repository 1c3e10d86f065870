"""Mixed faces: thumbnails of several people's faces, made into one."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.errors import ArtgenError
from artgen.steps.base import Context, Finder, Source
from artgen.steps.draws import Drawn
from artgen.steps.images import SUFFIXES, References, find_images, too_many

if TYPE_CHECKING:
    from torch import Tensor

REMEMBERED = 64  # px; every worker has thumbnails of its own


class Faces(Source):
    """Faces of one or more people, mixed into one thumbnail: the start of portraits of nobody."""

    references: ClassVar[Mapping[str, Finder]] = {"people": find_images}

    use: Literal["faces"] = "faces"
    people: References = Field(
        description="Square, aligned faces, as `artgen data faces` makes them: a folder for each person, or "
        "one folder of all. Of several, each gives a face before one gives a second.",
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
        """A thumbnail, ``(3, size, size)``."""
        import torch

        from artgen.imaging import masks, mixing
        from artgen.seeds import generator, stream

        chosen, mirrored = self._chosen(context), stream(context.derive("flips"))
        thumbnails = [_thumbnail(file, self.size) for file, _ in chosen]
        if self.flips:
            thumbnails = [face.flip(-1) if mirrored.random() < 0.5 else face for face in thumbnails]
        shares = masks.dirichlet(len(chosen), self.concentration, stream(context.derive("shares")))
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
        names = list(dict.fromkeys(name for _, name in self._chosen(context)))
        listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
        return f"{'faces' if self.faces > 1 else 'a face'} of {listed}"

    def _chosen(self, context: Context) -> list[tuple[Path, str]]:
        """The files of the candidate's faces and what to call each."""
        from artgen.seeds import stream

        pick = stream(context.derive("faces"))
        people = [(reference, find_images(reference, context.folder)) for reference in self.people]
        # One folder of all, or patterns in one folder, name no person: then the files do.
        named = len({_person(reference, files[0]) for reference, files in people}) == len(people) > 1
        pick.shuffle(people)
        chosen: list[tuple[Path, str]] = []
        for number in range(self.faces):
            reference, files = people[number % len(people)]
            file = _another(files, [file for file, _ in chosen], pick)
            chosen.append((file, _person(reference, file) if named else file.stem))
        return chosen


def _another(files: Sequence[Path], taken: Sequence[Path], pick: random.Random) -> Path:
    left = [file for file in files if file not in taken] or files
    return left[pick.randrange(len(left))]


def _person(reference: str, file: Path) -> str:
    """``anna`` of ``photos/anna``, ``photos/anna/*.jpg`` and ``anna.jpg``."""
    parts = [part for part in Path(reference).parts if not set("*?[") & set(part) and part.strip("./\\~")]
    last = Path(parts[-1] if parts else file.parent.name)
    return last.stem if last.suffix.lower() in SUFFIXES else last.name


def _thumbnail(file: Path, size: int) -> Tensor:
    """A face's thumbnail; small ones are remembered: 25 MB hold 512 of them."""
    if size > REMEMBERED:
        return _reduced(file, size)
    return _remembered(file, size, file.stat().st_mtime_ns)


@functools.lru_cache(maxsize=512)
def _remembered(file: Path, size: int, changed: int) -> Tensor:
    return _reduced(file, size)


def _reduced(file: Path, size: int) -> Tensor:
    """The square in the middle of a face's picture, reduced by area, as the pair maker ``blend`` does."""
    from artgen.imaging.files import read_image
    from artgen.imaging.inputs import pixelated

    image = read_image(file)
    height, width = image.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixelated(image[:, top : top + side, left : left + side], (size, size))
