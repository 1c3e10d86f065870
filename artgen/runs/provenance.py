"""Provenance of a picture, stored in its PNG: enough to reproduce the picture, with the names of its files.

The ``artgen`` text chunk is JSON. Another chunk has IPTC's DigitalSourceType as XMP, so that other software
knows that the picture is synthetic. Nothing depends on the time: the same candidate gives the same bytes.
Files that are read are not trusted.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from artgen.errors import ArtgenError
from artgen.hashing import file_hash
from artgen.imaging.io.png_text import read_text
from artgen.plugins import SOURCE_GROUP, STEP_GROUP, installed_plugins
from artgen.references import find_package_folder

PNG_KEYWORD = "artgen"
PROVENANCE_FORMAT_VERSION = 1
DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
XMP_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    f'Iptc4xmpExt:DigitalSourceType="{DIGITAL_SOURCE_TYPE}"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
PORTABLE_PACKAGE_NAMES = ("artgen", "skimage")
"""Packages whose files have portable names, such as ``skimage:data/rocket.jpg``."""

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
ShortText = Annotated[str, Field(max_length=200)]
SideLength = Annotated[int, Field(ge=1, le=1 << 20)]
CandidateNumber = Annotated[int, Field(ge=1, lt=1 << 31)]


def _check_name_bytes(name: str) -> str:
    """Return a recipe's name, or raise an error if it is longer than file systems allow."""
    if len(name.encode()) > 200:
        raise ValueError("longer than 200 bytes")
    return name


# A plain file name on every system: a file of this name is written when the picture is reproduced.
RecipeName = Annotated[
    str,
    Field(pattern=r'^[^./\\:*?"<>|\x00-\x1f][^/\\:*?"<>|\x00-\x1f]*\.toml$'),
    AfterValidator(_check_name_bytes),
]
_RECIPE_NAME_ADAPTER: TypeAdapter[str] = TypeAdapter(RecipeName)


def safe_recipe_name(recipe_path: Path) -> str:
    """Return the recipe's file name for provenance; ``recipe.toml`` if not all systems allow that name."""
    try:
        return _RECIPE_NAME_ADAPTER.validate_python(recipe_path.name)
    except ValidationError:
        return "recipe.toml"


class _StrictModel(BaseModel):
    """Base of provenance's models: strict and frozen, ignoring keys of newer versions."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class UsedFile(_StrictModel):
    """A file whose content decided a picture, such as a model or a photograph.

    ``name`` is relative to the recipe's folder, or ``PACKAGE:PATH`` for a file inside a package.
    """

    name: Annotated[str, Field(max_length=4096)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class UsedPlugin(_StrictModel):
    """The plug-in that a source or step came from: its package, version and the hash of its code."""

    use: Identifier
    package: ShortText
    version: ShortText
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class StageSize(_StrictModel):
    """The size of a candidate's stage, the image after the source or a step, in px."""

    step: Identifier
    use: Identifier
    width: SideLength
    height: SideLength


class Provenance(_StrictModel):
    """The provenance of one candidate: how it was made.

    ``files`` are the files that decided this candidate. ``source_file`` is the one that it started from, if
    the source took one of many files; the others are not needed to reproduce it. ``variation_of`` is the
    number of the candidate whose draws were changed a little for this one; ``ancestors`` are the candidates
    which that one comes from in turn, starting with the one that the recipe drew.
    """

    format: Annotated[int, Field(ge=1)]
    recipe_name: RecipeName
    recipe: Annotated[str, Field(max_length=1 << 20)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    seed: Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]
    candidate: CandidateNumber
    preview: bool
    device: ShortText
    caption: Annotated[str, Field(max_length=10_000)]
    draws: dict[Identifier, dict[Identifier, Any]]
    draw_scheme: Annotated[int, Field(ge=1)] = 1
    files: list[UsedFile]
    source_file: str | None = None
    stages: list[StageSize]
    versions: dict[ShortText, ShortText]
    plugins: Annotated[list[UsedPlugin], Field(max_length=101)] = []
    variation_of: CandidateNumber | None = None
    ancestors: Annotated[list[CandidateNumber], Field(max_length=1000)] = []

    @field_validator("source_file")
    @classmethod
    def _check_source_file(cls, name: str | None, info: ValidationInfo) -> str | None:
        """Return the source file's name, or raise an error if it is not among the files."""
        if name is not None and name not in {used.name for used in info.data.get("files", ())}:
            raise ValueError("not among the files")
        return name

    def _omitted_fields(self) -> set[str]:
        """Return the provenance fields that only variations and plug-ins need, where not needed."""
        omitted = set() if self.variation_of else {"variation_of", "ancestors"}
        return omitted if self.plugins else omitted | {"plugins"}

    def png_text(self) -> dict[str, str]:
        """Return the PNG's text chunks by keyword, which hold the provenance."""
        return {
            "Software": f"artgen {self.versions.get('artgen', '')}".strip(),
            "XML:com.adobe.xmp": XMP_PACKET,
            PNG_KEYWORD: self.model_dump_json(exclude=self._omitted_fields()),
        }


def read_provenance(path: Path) -> Provenance:
    """Read the provenance of a PNG.

    Raises:
        ArtgenError: the file is no PNG, or its provenance is missing, damaged or from a newer artgen.
    """
    text = read_text(path).get(PNG_KEYWORD)
    if text is None:
        expected = "give a PNG that artgen made, not a copy by other software"
        raise ArtgenError(str(path), "carries no artgen provenance", expected)
    try:
        provenance = Provenance.model_validate_json(text)
    except (ValidationError, RecursionError) as error:
        problem = f"its provenance is damaged ({_describe_first_error(error)})"
        raise ArtgenError(str(path), problem, "give the original file") from error
    if provenance.format > PROVENANCE_FORMAT_VERSION:
        raise ArtgenError(str(path), f"made by a newer artgen (format {provenance.format})", "update artgen")
    return provenance


def _describe_first_error(error: ValidationError | RecursionError) -> str:
    """Return the first validation error of a PNG's provenance in a few words."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    details = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in details['loc'])}: {details['msg']}"


def hash_files(files: Iterable[Path], folder: Path) -> dict[Path, UsedFile]:
    """Return portable name and hash of each file that decides a picture, in order.

    Args:
        files: the files that the source and the steps read.
        folder: the recipe's folder; names are relative to it.

    Raises:
        ArtgenError: a file cannot be read.
    """
    return {file: UsedFile(name=portable_file_name(file, folder), sha256=file_hash(file)) for file in files}


def is_package_file(name: str) -> bool:
    """Return whether a portable name is that of a file inside an installed package."""
    package, colon, _ = name.partition(":")
    return bool(colon) and package in _list_package_names()


@cache
def _list_package_names() -> tuple[str, ...]:
    """List the packages whose files have portable names: artgen, scikit-image and those of plug-ins."""
    plugins = (plugin for group in (SOURCE_GROUP, STEP_GROUP) for plugin in installed_plugins(group))
    return tuple(dict.fromkeys([*PORTABLE_PACKAGE_NAMES, *(plugin.top_level_module for plugin in plugins)]))


def locate_file(name: str, folder: Path) -> Path:
    """Return the path of the file of a portable name on this machine; it may not exist.

    Args:
        name: as ``portable_file_name`` returned it.
        folder: the recipe's folder.

    Raises:
        ArtgenError: it leads out of its package, or belongs to a package that is not installed.
    """
    if not is_package_file(name):
        return folder / name
    package, _, relative_path = name.partition(":")
    package_folder = find_package_folder(package)
    if package_folder is None:
        raise ArtgenError(name, f"{package} is not installed", command=f"pip install {package}")
    path = Path(os.path.normpath(package_folder / relative_path))
    if not path.is_relative_to(package_folder):
        raise ArtgenError(name, "leads out of the package", "give the original file")
    return path


def portable_file_name(file: Path, folder: Path) -> str:
    """Return a file's portable name for provenance: relative to ``folder``, or ``PACKAGE:PATH``."""
    absolute_path = Path(os.path.abspath(file))
    for package in _list_package_names():
        package_folder = find_package_folder(package)
        if package_folder and absolute_path.is_relative_to(package_folder):
            return f"{package}:{absolute_path.relative_to(package_folder).as_posix()}"
    try:
        return Path(os.path.relpath(absolute_path, os.path.abspath(folder))).as_posix()
    except ValueError:  # another drive
        return absolute_path.as_posix()
