"""Comparing two folders of the same scenes by file name, and writing aligned copies of the pairs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from artgen.errors import ArtgenError, report_write_errors
from artgen.events import Emit, Note, WorkProgress
from artgen.imaging.image import resize
from artgen.imaging.io.files import atomic_write, read_image, sweep
from artgen.imaging.io.survey import survey_references
from artgen.references import IMAGE_SUFFIXES
from artgen.training.data.decode_check import ExaminedImage, examine_images
from artgen.training.data.folder import list_images
from artgen.training.data.writing import write_training_image
from artgen.training.pairs.folders import MAX_PAIR_ASPECT_DIFFERENCE

KEPT_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})  # aligned copies of other formats become PNG


@dataclass(frozen=True)
class FilePair:
    """Two images of the same scene: files of one name in two folders.

    Attributes:
        name: the path in the folder without extension and with ``-`` for ``/``; unique.
        a: the file in the first folder.
        b: the file in the second folder.
        same: whether both images have the same size.
    """

    name: str
    a: Path
    b: Path
    same: bool


@dataclass
class FolderComparison:
    """The pairs in two folders, and the images without partner. Every image is in exactly one list.

    Attributes:
        pairs: pairs that a training can use.
        only_a: images of the first folder without a partner in the second.
        only_b: images of the second folder without a partner in the first.
        repeated: images of the same name in one folder, with those of this name in the other.
        bent: pairs whose proportions differ by more than a training accepts, with both sizes.
        unreadable: pairs with an image that cannot be decoded, with the reason.
    """

    pairs: list[FilePair] = field(default_factory=list)
    only_a: list[str] = field(default_factory=list)
    only_b: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    bent: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    @property
    def mismatches(self) -> int:
        """Number of listed images and pairs that do not match."""
        lists = (self.only_a, self.only_b, self.repeated, self.bent, self.unreadable)
        return sum(len(names) for names in lists)


def compare_folders(a: Path, b: Path, emit: Emit) -> FolderComparison:
    """Match the images of two folders by their paths without extension, and decode those with a partner.

    Args:
        a: first folder.
        b: second folder.
        emit: receives ``WorkProgress``.

    Raises:
        ArtgenError: a folder does not exist or holds no image.
    """
    for note in survey_references([str(a), str(b)], Path(), unreadable=False):
        emit(Note(note))
    files_by_name_a, files_by_name_b = _group_files_by_name(a), _group_files_by_name(b)
    comparison = FolderComparison()
    matches: list[tuple[str, Path, Path]] = []
    for name in sorted(files_by_name_a.keys() | files_by_name_b.keys()):
        files_a, files_b = files_by_name_a[name], files_by_name_b[name]
        if len(files_a) > 1 or len(files_b) > 1:
            comparison.repeated.append(", ".join(map(str, files_a + files_b)))
        elif not files_b:
            comparison.only_a.append(str(files_a[0].relative_to(a)))
        elif not files_a:
            comparison.only_b.append(str(files_b[0].relative_to(b)))
        else:
            matches.append((name, files_a[0], files_b[0]))
    total = 2 * len(matches)

    def emit_progress(count: int) -> None:
        emit(WorkProgress(count / total, f"{count:,} of {total:,} images compared"))

    results = examine_images([file for _, *files in matches for file in files], emit_progress)
    for (name, file_a, file_b), result_a, result_b in zip(matches, results, results, strict=True):
        _add_match(comparison, name, (file_a, result_a), (file_b, result_b))
    return comparison


def _add_match(
    comparison: FolderComparison,
    name: str,
    a: tuple[Path, ExaminedImage | ArtgenError],
    b: tuple[Path, ExaminedImage | ArtgenError],
) -> None:
    """Add two images of one name to the list of pairs, or of mismatches, that they belong to."""
    (file_a, image_a), (file_b, image_b) = a, b
    if isinstance(image_a, ArtgenError) or isinstance(image_b, ArtgenError):
        errors = (error for error in (image_a, image_b) if isinstance(error, ArtgenError))
        comparison.unreadable.append("; ".join(f"{error.where}: {error.problem}" for error in errors))
    elif (
        abs(image_a.height * image_b.width / (image_a.width * image_b.height) - 1)
        > MAX_PAIR_ASPECT_DIFFERENCE
    ):
        size_a, size_b = (f"{image.width} x {image.height} px" for image in (image_a, image_b))
        comparison.bent.append(f"{file_a} {size_a}, {file_b} {size_b}")
    else:
        same_size = (image_a.width, image_a.height) == (image_b.width, image_b.height)
        comparison.pairs.append(FilePair(name, file_a, file_b, same_size))


def _group_files_by_name(folder: Path) -> dict[str, list[Path]]:
    """Return the images of a folder by their relative paths without extension, with ``-`` for ``/``."""
    files_by_name: dict[str, list[Path]] = defaultdict(list)
    for file in list_images(folder):
        files_by_name["-".join(file.relative_to(folder).with_suffix("").parts)].append(file)
    return files_by_name


def write_aligned_pairs(pairs: list[FilePair], output: Path, emit: Emit) -> int:
    """Write both images of each pair in the smaller one's size, as ``output/a/NAME`` and ``output/b/NAME``.

    Images that have this size already are copied byte for byte. Copies that are newer than their images are
    not written again, so the same call resumes after an interruption.

    Args:
        pairs: the pairs.
        output: folder of the copies.
        emit: receives ``WorkProgress``.

    Returns:
        The number of pairs that were written.

    Raises:
        ArtgenError: ``output`` holds other images, which a training would take for part of these.
        WriteError: the disk is full or the folder not writable.
    """
    folder_a, folder_b = output / "a", output / "b"
    for folder in (folder_a, folder_b):
        with report_write_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
    copies = [
        (folder_a / _copy_name(pair.name, pair.a), folder_b / _copy_name(pair.name, pair.b)) for pair in pairs
    ]
    _reject_other_images(output, {file for pair_copies in copies for file in pair_copies})
    written_count = 0
    for number, (pair, pair_copies) in enumerate(zip(pairs, copies, strict=True), 1):
        files = (pair.a, pair.b)
        if not all(_is_up_to_date(copy, file) for copy, file in zip(pair_copies, files, strict=True)):
            _write_pair(pair, pair_copies)
            written_count += 1
        emit(WorkProgress(number / len(pairs), f"{number:,} of {len(pairs):,} pairs written"))
    return written_count


def _copy_name(name: str, file: Path) -> str:
    suffix = file.suffix.lower()
    return name + (suffix if suffix in KEPT_SUFFIXES else ".png")


def _is_up_to_date(copy: Path, file: Path) -> bool:
    return copy.is_file() and copy.stat().st_mtime_ns >= file.stat().st_mtime_ns


def _write_pair(pair: FilePair, copies: tuple[Path, Path]) -> None:
    images = read_image(pair.a), read_image(pair.b)
    size = min((image.shape[-2:] for image in images), key=lambda shape: shape[0] * shape[1])
    for image, file, copy in zip(images, (pair.a, pair.b), copies, strict=True):
        if image.shape[-2:] == size and copy.suffix == file.suffix.lower():
            atomic_write(copy, file.read_bytes())
        else:
            pixels = resize(image, (size[0], size[1])).mul(255).round().byte().permute(1, 2, 0)
            write_training_image(copy, pixels.numpy())


def _reject_other_images(output: Path, copies: set[Path]) -> None:
    files = (file for folder in ("a", "b") for file in (output / folder).rglob("*"))
    images = (file for file in files if file.suffix.lower() in IMAGE_SUFFIXES)
    others = sorted(str(file.relative_to(output)) for file in images if file not in copies)
    if others:
        contents = f"holds {len(others):,} other image{'s' if len(others) > 1 else ''}, such as {others[0]}"
        raise ArtgenError(f"--output {output}", contents, "another folder, or delete what is in it")
