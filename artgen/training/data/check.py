"""Checking folders of training images: sizes, unreadable files, near-duplicates and images without colour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.events import Emit, WorkProgress
from artgen.training.data.decode_check import ExaminedImage, examine_images
from artgen.training.data.dhash import PerceptualHash, find_duplicates
from artgen.training.data.folder import count_other_files, list_images

MIN_SHORTER_SIDE_PX = (
    256  # shorter side below which an image counts as tiny: what most recipes cut out of an image
)
WidthHeight = tuple[int, int]


@dataclass
class FolderFindings:
    """What ``artgen data check`` found in folders of training images. Files are named by their paths.

    Attributes:
        images: number of files with the extension of an image.
        bytes: their total size.
        formats: number of readable images by format.
        sizes: (width, height) of the smallest image, the median one and the largest one by area, px.
        corrupt: files that cannot be read, with the reason; a training leaves them out.
        tiny: images whose shorter side is below 256 px.
        grey: images without colour.
        transparent: images with transparent pixels; a training puts them on white.
        cmyk: images in CMYK; a training converts them.
        animated: images of several frames or pages, of which a training sees the first.
        turned: images with an EXIF orientation; a training turns them upright.
        duplicates: groups of images that look the same, the largest group first.
        others: number of files that artgen does not read as images, by extension.
    """

    images: int = 0
    bytes: int = 0
    formats: dict[str, int] = field(default_factory=dict)
    sizes: list[WidthHeight] = field(default_factory=list)
    corrupt: dict[str, str] = field(default_factory=dict)
    tiny: list[str] = field(default_factory=list)
    grey: list[str] = field(default_factory=list)
    transparent: list[str] = field(default_factory=list)
    cmyk: list[str] = field(default_factory=list)
    animated: list[str] = field(default_factory=list)
    turned: list[str] = field(default_factory=list)
    duplicates: list[list[str]] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)

    @property
    def readable(self) -> int:
        """Number of images that a training can read."""
        return self.images - len(self.corrupt)


def check_folders(folders: Sequence[Path], emit: Emit) -> FolderFindings:
    """Decode every training image of the folders and report flaws, as one set.

    About a kilobyte of each image is kept in memory.

    Args:
        folders: folders to read with everything below them.
        emit: receives ``WorkProgress``.

    Raises:
        ArtgenError: a folder does not exist or holds no image.
    """
    findings, files = FolderFindings(), dict[Path, None]()
    others: Counter[str] = Counter()
    for folder in folders:
        files.update(dict.fromkeys(list_images(folder)))
        others.update(count_other_files(folder))
    findings.images, findings.others = len(files), dict(others.most_common())

    def emit_progress(count: int) -> None:
        status = f"{count:,} of {len(files):,} images read, {len(findings.corrupt):,} corrupt"
        emit(WorkProgress(count / len(files), status))

    names: list[str] = []
    hashes: list[PerceptualHash] = []
    sizes: list[WidthHeight] = []
    formats: Counter[str] = Counter()
    for file, result in zip(files, examine_images(list(files), emit_progress), strict=True):
        name = str(file)
        findings.bytes += file.stat().st_size if file.exists() else 0
        if isinstance(result, ArtgenError):
            findings.corrupt[name] = result.problem
            continue
        names.append(name)
        hashes.append(result.hash)
        sizes.append((result.width, result.height))
        formats[result.format] += 1
        _add_to_lists(findings, name, result)
    findings.formats = dict(formats.most_common())
    sizes.sort(key=lambda size: size[0] * size[1])
    findings.sizes = [sizes[0], sizes[len(sizes) // 2], sizes[-1]] if sizes else []
    findings.duplicates = _group_duplicates(names, find_duplicates(hashes))
    return findings


def _add_to_lists(findings: FolderFindings, name: str, image: ExaminedImage) -> None:
    """Add an image's name to every list of findings that it belongs to."""
    for belongs, names in (
        (min(image.width, image.height) < MIN_SHORTER_SIDE_PX, findings.tiny),
        (image.hash.is_grey, findings.grey),
        (image.transparent, findings.transparent),
        (image.cmyk, findings.cmyk),
        (image.frames > 1, findings.animated),
        (image.has_orientation, findings.turned),
    ):
        if belongs:
            names.append(name)


def _group_duplicates(names: Sequence[str], originals: dict[int, int]) -> list[list[str]]:
    """Group the names of duplicate training images, each group led by the image that others repeat.

    Args:
        names: of all images.
        originals: index of each duplicate's original, as ``find_duplicates`` returns.
    """
    groups: dict[int, list[str]] = {}
    for duplicate, original in originals.items():
        groups.setdefault(original, [names[original]]).append(names[duplicate])
    return sorted(groups.values(), key=len, reverse=True)
