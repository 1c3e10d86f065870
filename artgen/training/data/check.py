"""What is wrong with folders of images before anything is learned from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.events import Emit, WorkProgress
from artgen.training.data.decode_check import Examined, examine_all
from artgen.training.data.dhash import Look, duplicates
from artgen.training.data.folder import images_in, other_files

# px of the shorter side: what most recipes cut out of an image.
TINY = 256
Size = tuple[int, int]


@dataclass
class Findings:
    """What folders hold. Files are given with their paths.

    Attributes:
        images: files that should be images.
        bytes: of them all.
        formats: readable ones by format.
        sizes: (width, height) of the smallest, the middle and the largest one by area, px.
        corrupt: what cannot be read, and why; a training leaves it out.
        tiny: with a side below 256 px.
        grey: without colour.
        transparent: some of it is; a training sees white there.
        cmyk: colours are printing inks; a training sees them converted.
        turned: EXIF says how to hold them; a training sees them upright.
        duplicates: groups of images that look the same, the largest first.
        others: files that are no images to artgen, by ending.
    """

    images: int = 0
    bytes: int = 0
    formats: dict[str, int] = field(default_factory=dict)
    sizes: list[Size] = field(default_factory=list)
    corrupt: dict[str, str] = field(default_factory=dict)
    tiny: list[str] = field(default_factory=list)
    grey: list[str] = field(default_factory=list)
    transparent: list[str] = field(default_factory=list)
    cmyk: list[str] = field(default_factory=list)
    turned: list[str] = field(default_factory=list)
    duplicates: list[list[str]] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)

    @property
    def readable(self) -> int:
        """How many images can be learned from."""
        return self.images - len(self.corrupt)


def check(folders: Sequence[Path], emit: Emit) -> Findings:
    """Decode every image of ``folders``, taken as one set; about a kilobyte of each is kept in memory.

    Raises:
        ArtgenError: a folder is not there or holds no image.
    """
    found, files = Findings(), dict[Path, None]()
    others: Counter[str] = Counter()
    for folder in folders:
        inside = images_in(folder)
        files.update(dict.fromkeys(inside))
        others.update(other_files(folder, inside))
    found.images, found.others = len(files), dict(others.most_common())

    def seen(count: int) -> None:
        said = f"{count:,} of {len(files):,} images read, {len(found.corrupt):,} corrupt"
        emit(WorkProgress(count / len(files), said))

    names: list[str] = []
    looks: list[Look] = []
    sizes: list[Size] = []
    formats: Counter[str] = Counter()
    for file, result in zip(files, examine_all(list(files), seen), strict=True):
        name = str(file)
        found.bytes += file.stat().st_size if file.exists() else 0
        if isinstance(result, ArtgenError):
            found.corrupt[name] = result.found
            continue
        names.append(name)
        looks.append(result.look)
        sizes.append((result.width, result.height))
        formats[result.format] += 1
        _sort(found, name, result)
    found.formats = dict(formats.most_common())
    sizes.sort(key=lambda size: size[0] * size[1])
    found.sizes = [sizes[0], sizes[len(sizes) // 2], sizes[-1]] if sizes else []
    found.duplicates = _groups(names, duplicates(looks))
    return found


def _sort(found: Findings, name: str, image: Examined) -> None:
    """Add an image to the lists that it belongs to."""
    for belongs, names in (
        (min(image.width, image.height) < TINY, found.tiny),
        (image.look.grey, found.grey),
        (image.transparent, found.transparent),
        (image.cmyk, found.cmyk),
        (image.turned, found.turned),
    ):
        if belongs:
            names.append(name)


def _groups(names: Sequence[str], repeats: dict[int, int]) -> list[list[str]]:
    """Images that repeat one another, the first of each group first."""
    groups: dict[int, list[str]] = {}
    for row, first in repeats.items():
        groups.setdefault(first, [names[first]]).append(names[row])
    return sorted(groups.values(), key=len, reverse=True)
