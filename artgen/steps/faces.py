"""The source ``faces``: thumbnails of several people's faces, mixed into one."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn, possible_values
from artgen.errors import ArtgenError
from artgen.imaging.sizes import Size
from artgen.references import (
    BUILTIN_FOLDERS,
    BUILTIN_PREFIX,
    IMAGE_SUFFIXES,
    ImageReferences,
    find_images,
)
from artgen.steps.base import FileFinder, Source, StepContext
from artgen.steps.thumbnails import face_thumbnail

if TYPE_CHECKING:
    from torch import Tensor


class FacesSource(Source):
    """Faces of one or more people, mixed into one thumbnail: the start of portraits of invented people."""

    version: ClassVar[int] = 2
    file_finders: ClassVar[Mapping[str, FileFinder]] = {"people": find_images}
    purposes_of_images: ClassVar[Mapping[str, str]] = {"people": "faces are drawn from"}

    use: Literal["faces"] = "faces"
    people: ImageReferences = Field(
        description="Photographs, or aligned faces as `artgen data faces` makes them: a folder for each "
        "person, or one folder for all. With several folders, each gives one face before any gives a second. "
        "`builtin:portraits/raven` and `builtin:portraits/amber` come with artgen.",
    )
    align: bool = Field(
        True,
        description="Whether the face in each picture is detected, rotated upright and cut out; a square "
        "picture that a face already fills is used as it is, and a picture without a face is skipped. "
        "Otherwise the square in the middle of each picture is used.",
    )
    faces: Drawn[Annotated[int, Field(ge=1, le=4)]] = Field(2, description="How many faces are mixed.")
    mode: Drawn[Literal["blend", "regions", "halves", "features"]] = Field(
        "regions",
        description="`blend` averages the faces, `regions` mixes them by soft shapes, `halves` along a soft "
        "line at any angle, `features` takes eyes, nose, mouth or outline from the other faces.",
    )
    concentration: Drawn[Annotated[float, Field(ge=0.1, le=100)]] = Field(
        4.0,
        description="Concentration of the Dirichlet distribution of the faces' shares: below 1 one face "
        "dominates, at 100 all shares are nearly equal.",
    )
    softness: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.4, description="How gradual the transition from one face to another is: 0 gives hard edges."
    )
    colours: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.5,
        description="How far the colours and brightness of the faces are made alike before they are mixed.",
    )
    flips: bool = Field(True, description="Whether faces are mirrored at random.")
    size: Drawn[Annotated[int, Field(ge=8, le=512)]] = Field(
        32, description="Side of the square thumbnail.", json_schema_extra={"unit": "px"}
    )

    def create(self, context: StepContext) -> Tensor:
        """Return a thumbnail of mixed faces, ``(3, size, size)``.

        Raises:
            ArtgenError: no picture of a person shows a face, or a picture cannot be read.
        """
        import torch

        from artgen.imaging import masks, mixing
        from artgen.seeds import python_rng, torch_generator

        flip_rng = python_rng(context.derive_key("flips"))
        thumbnails = [face for _, _, face in self._choose_faces(context)]
        if self.flips:
            thumbnails = [face.flip(-1) if flip_rng.random() < 0.5 else face for face in thumbnails]
        shares = masks.draw_dirichlet_weights(
            len(thumbnails), self.concentration, python_rng(context.derive_key("shares"))
        )
        faces, weights = torch.stack(thumbnails), torch.tensor(shares)
        masks_per_face = masks.draw_masks(
            self.mode,
            weights,
            (self.size, self.size),
            torch_generator(context.derive_key("masks")),
            softness=self.softness,
        )
        faces = mixing.harmonise_colours(faces, weights, self.colours)
        return masks.blend_by_masks(faces, masks_per_face).clamp(0, 1)

    def largest_size(self, folder: Path, *, preview: bool) -> Size:
        """Return the side of the square thumbnail, twice."""
        side = max(possible_values(self.size))
        return side, side

    def describe(self, context: StepContext) -> str:
        """Return for captions whose faces they are, such as ``faces of anna and ben``."""
        people, _ = self._shuffle_people(context)
        names = _people_names(people)
        if names:
            face_names = [names[number % len(names)] for number in range(self.faces)]
        else:
            face_names = [file.stem for _, file, _ in self._choose_faces(context)]
        face_names = list(dict.fromkeys(face_names))
        listed = " and ".join(filter(None, [", ".join(face_names[:-1]), face_names[-1]]))
        return f"{'faces' if self.faces > 1 else 'a face'} of {listed}"

    def _shuffle_people(self, context: StepContext) -> tuple[list[tuple[str, list[Path]]], random.Random]:
        """Shuffle the people whose faces are mixed; return each with their pictures, and the generator."""
        from artgen.seeds import python_rng

        rng = python_rng(context.derive_key("faces"))
        people = [(reference, find_images(reference, context.folder)) for reference in self.people]
        rng.shuffle(people)
        return people, rng

    def _choose_faces(self, context: StepContext) -> list[tuple[str, Path, Tensor]]:
        """Choose the candidate's faces: for each its entry in ``people``, its file and its thumbnail."""
        people, rng = self._shuffle_people(context)
        chosen: list[tuple[str, Path, Tensor]] = []
        for number in range(self.faces):
            reference, files = people[number % len(people)]
            used = {file: face for _, file, face in chosen}
            chosen.append((reference, *self._choose_face(reference, files, used, rng)))
        return chosen

    def _choose_face(
        self, reference: str, files: Sequence[Path], used: Mapping[Path, Tensor], rng: random.Random
    ) -> tuple[Path, Tensor]:
        """Choose a random picture that shows a face, one that was not used yet if possible.

        Args:
            reference: the entry in ``people``.
            files: its pictures.
            used: thumbnails of the pictures that were used already.
            rng: chooses the picture.
        """
        align = self.align and reference.rstrip("/") not in BUILTIN_FOLDERS  # these are aligned
        unused = [file for file in files if file not in used]
        while unused:
            file = unused.pop(rng.randrange(len(unused)))
            face = face_thumbnail(file, self.size, align=align)
            if face is not None:
                return file, face
        reusable = [file for file in files if file in used]
        if reusable:
            file = reusable[rng.randrange(len(reusable))]
            return file, used[file]
        raise ArtgenError(
            f"{self.name}.people",
            f"no face is found in {_count_pictures(files)} of {reference!r}",
            "photographs in which somebody looks towards the camera; or `align = false`, which uses the "
            "square in the middle of each picture",
        )


def _people_names(people: Sequence[tuple[str, Sequence[Path]]]) -> list[str]:
    """Return the names of the people in pictures; empty for one person, or if names are not unique."""
    names = [_person_name(reference, files[0]) for reference, files in people]
    return names if len(set(names)) == len(names) > 1 else []


def _count_pictures(files: Sequence[Path]) -> str:
    return "the picture" if len(files) == 1 else f"any of the {len(files):,} pictures"


def _person_name(reference: str, file: Path) -> str:
    """Return a person's name of a path: ``anna`` for ``photos/anna``, ``photos/anna/*.jpg``, ``anna.jpg``.

    Args:
        reference: the entry in ``people``.
        file: its first picture.
    """
    path = Path(reference.removeprefix(BUILTIN_PREFIX))
    parts = [part for part in path.parts if not set("*?[") & set(part) and part.strip("./\\~")]
    last_part = Path(parts[-1] if parts else file.parent.name)
    return last_part.stem if last_part.suffix.lower() in IMAGE_SUFFIXES else last_part.name
