"""Two folders of the same scenes: what matches by name, what does not, and aligned copies."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from artgen.errors import ArtgenError, WriteError
from artgen.events import Emit, WorkProgress
from artgen.imaging.image import resize
from artgen.imaging.io.files import atomic_write, read_image, sweep
from artgen.references import SUFFIXES
from artgen.training.data.decode_check import Examined, examine_all
from artgen.training.data.folder import images_in
from artgen.training.data.writing import write_training_image
from artgen.training.pairs.folders import TOLERANCE

# Copies keep these endings; everything else becomes a PNG.
KEPT = frozenset({".jpg", ".jpeg", ".png"})


@dataclass(frozen=True)
class Pair:
    """Two images of one name.

    Attributes:
        name: the path in the folder without its ending, ``/`` written as ``-``: unique.
        a: the file in the first folder.
        b: the file in the second.
        same: whether both have the same size.
    """

    name: str
    a: Path
    b: Path
    same: bool


@dataclass
class Comparison:
    """What two folders have in common. Every image is in exactly one of these.

    Attributes:
        pairs: what can be learned from.
        only_a: no image of this name in the second folder.
        only_b: none in the first.
        repeated: images of one name in one folder, and what has this name in the other.
        bent: pairs whose proportions differ by more than a training takes, with both sizes.
        unreadable: pairs of which an image cannot be decoded, and why.
    """

    pairs: list[Pair] = field(default_factory=list)
    only_a: list[str] = field(default_factory=list)
    only_b: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    bent: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    @property
    def mismatches(self) -> int:
        """How many lines there are to put right."""
        lists = (self.only_a, self.only_b, self.repeated, self.bent, self.unreadable)
        return sum(len(names) for names in lists)


def compare(a: Path, b: Path, emit: Emit) -> Comparison:
    """Match the images of two folders by name without ending, and decode each that has a partner.

    Raises:
        ArtgenError: a folder is not there or holds no image.
    """
    first, second = _named(a), _named(b)
    found = Comparison()
    partners: list[tuple[str, Path, Path]] = []
    for name in sorted(first.keys() | second.keys()):
        here, there = first[name], second[name]
        if len(here) > 1 or len(there) > 1:
            found.repeated.append(", ".join(map(str, here + there)))
        elif not there:
            found.only_a.append(str(here[0].relative_to(a)))
        elif not here:
            found.only_b.append(str(there[0].relative_to(b)))
        else:
            partners.append((name, here[0], there[0]))
    total = 2 * len(partners)

    def seen(count: int) -> None:
        emit(WorkProgress(count / total, f"{count:,} of {total:,} images compared"))

    results = examine_all([file for _, *files in partners for file in files], seen)
    for (name, here_file, there_file), one, two in zip(partners, results, results, strict=True):
        _judge(found, name, (here_file, one), (there_file, two))
    return found


def _judge(
    found: Comparison,
    name: str,
    a: tuple[Path, Examined | ArtgenError],
    b: tuple[Path, Examined | ArtgenError],
) -> None:
    """Put a pair where it belongs."""
    (file_a, one), (file_b, two) = a, b
    if isinstance(one, ArtgenError) or isinstance(two, ArtgenError):
        errors = (error for error in (one, two) if isinstance(error, ArtgenError))
        found.unreadable.append("; ".join(f"{error.where}: {error.found}" for error in errors))
    elif abs(one.height * two.width / (one.width * two.height) - 1) > TOLERANCE:
        sizes = f"{one.width} x {one.height} px", f"{two.width} x {two.height} px"
        found.bent.append(f"{file_a} {sizes[0]}, {file_b} {sizes[1]}")
    else:
        same = (one.width, one.height) == (two.width, two.height)
        found.pairs.append(Pair(name, file_a, file_b, same))


def _named(folder: Path) -> dict[str, list[Path]]:
    """Every image of a folder under its name."""
    files: dict[str, list[Path]] = defaultdict(list)
    for file in images_in(folder):
        files["-".join(file.relative_to(folder).with_suffix("").parts)].append(file)
    return files


def align(pairs: list[Pair], output: Path, emit: Emit) -> int:
    """Write both images of each pair in the smaller one's size, as ``output/a/NAME`` and ``output/b/NAME``.

    What has the size already is copied as it is. Pairs that are there, newer than their images, stay: the
    same call goes on where it stopped. Returns how many it wrote.

    Raises:
        ArtgenError: ``output`` holds other images, which a training would take for part of these.
        WriteError: the disk is full or the folder not writable.
    """
    folders = output / "a", output / "b"
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(folder, error.strerror or str(error)) from error
        sweep(folder)
    copies = [(folders[0] / _copy(p.name, p.a), folders[1] / _copy(p.name, p.b)) for p in pairs]
    _no_others(output, {file for both in copies for file in both})
    written = 0
    for number, (pair, both) in enumerate(zip(pairs, copies, strict=True), 1):
        if not all(_newer(copy, file) for copy, file in zip(both, (pair.a, pair.b), strict=True)):
            _write(pair, both)
            written += 1
        emit(WorkProgress(number / len(pairs), f"{number:,} of {len(pairs):,} pairs written"))
    return written


def _copy(name: str, file: Path) -> str:
    ending = file.suffix.lower()
    return name + (ending if ending in KEPT else ".png")


def _newer(copy: Path, file: Path) -> bool:
    return copy.is_file() and copy.stat().st_mtime_ns >= file.stat().st_mtime_ns


def _write(pair: Pair, copies: tuple[Path, Path]) -> None:
    images = read_image(pair.a), read_image(pair.b)
    size = min((image.shape[-2:] for image in images), key=lambda shape: shape[0] * shape[1])
    for image, file, copy in zip(images, (pair.a, pair.b), copies, strict=True):
        if image.shape[-2:] == size and copy.suffix == file.suffix.lower():
            atomic_write(copy, file.read_bytes())
        else:
            pixels = resize(image, (size[0], size[1])).mul(255).round().byte().permute(1, 2, 0)
            write_training_image(copy, pixels.numpy())


def _no_others(output: Path, copies: set[Path]) -> None:
    there = (file for folder in ("a", "b") for file in (output / folder).rglob("*"))
    images = (file for file in there if file.suffix.lower() in SUFFIXES)
    others = sorted(str(file.relative_to(output)) for file in images if file not in copies)
    if others:
        found = f"holds {len(others):,} other image{'s' if len(others) > 1 else ''}, such as {others[0]}"
        raise ArtgenError(f"--output {output}", found, "another folder, or delete what is there")
