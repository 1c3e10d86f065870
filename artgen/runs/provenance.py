"""What a picture says about itself: enough to make it again, from the PNG alone.

The ``artgen`` text chunk is JSON; beside it stands IPTC's DigitalSourceType as XMP, so that other
software knows the picture is synthetic. Nothing here depends on the time: the same candidate gives
the same bytes. A file that is read is not trusted.
"""

from __future__ import annotations

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
from artgen.imaging.io.png_text import read_text

KEYWORD = "artgen"
FORMAT = 1
DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    f'Iptc4xmpExt:DigitalSourceType="{DIGITAL_SOURCE_TYPE}"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Short = Annotated[str, Field(max_length=200)]
Side = Annotated[int, Field(ge=1, le=1 << 20)]
Number = Annotated[int, Field(ge=1, lt=1 << 31)]


def _short(name: str) -> str:
    if len(name.encode()) > 200:
        raise ValueError("longer than 200 bytes")
    return name


# A plain file's name on every system: it is written again when the picture is reproduced.
RecipeName = Annotated[
    str, Field(pattern=r'^[^./\\:*?"<>|\x00-\x1f][^/\\:*?"<>|\x00-\x1f]*\.toml$'), AfterValidator(_short)
]
_recipe_name: TypeAdapter[str] = TypeAdapter(RecipeName)


def carried_name(recipe: Path) -> str:
    """The name under which a picture carries its recipe: the file's own, or a plain one in its place."""
    try:
        return _recipe_name.validate_python(recipe.name)
    except ValidationError:
        return "recipe.toml"


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class UsedFile(_Checked):
    """A model or picture whose content decided the result.

    ``name`` is relative to the recipe's folder, or ``PACKAGE:PATH`` for what a package ships.
    """

    name: Annotated[str, Field(max_length=4096)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class StageSize(_Checked):
    """The size in px of the image after the source or a step."""

    step: Name
    use: Name
    width: Side
    height: Side


class Provenance(_Checked):
    """How one candidate was made.

    ``files`` are those that decided this candidate. ``source_file`` is the one of them that it started
    from, where the source took just one out of many, which need not be there to make it again.
    ``variation_of`` is the number of the candidate whose draws were moved a little to make this one;
    ``ancestors`` are those that that one comes from in its turn, the one that the recipe drew first.
    """

    format: Annotated[int, Field(ge=1)]
    recipe_name: RecipeName
    recipe: Annotated[str, Field(max_length=1 << 20)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    seed: Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]
    candidate: Number
    preview: bool
    device: Short
    caption: Annotated[str, Field(max_length=10_000)]
    draws: dict[Name, dict[Name, Any]]
    files: list[UsedFile]
    source_file: str | None = None
    stages: list[StageSize]
    versions: dict[Short, Short]
    variation_of: Number | None = None
    ancestors: Annotated[list[Number], Field(max_length=1000)] = []

    @field_validator("source_file")
    @classmethod
    def _listed(cls, name: str | None, info: ValidationInfo) -> str | None:
        if name is not None and name not in {used.name for used in info.data.get("files", ())}:
            raise ValueError("not among the files")
        return name

    def text(self) -> dict[str, str]:
        """The PNG's text chunks."""
        return {
            "Software": f"artgen {self.versions.get('artgen', '')}".strip(),
            "XML:com.adobe.xmp": XMP,
            KEYWORD: self.model_dump_json(
                exclude=None if self.variation_of else {"variation_of", "ancestors"}
            ),
        }


def read(path: Path) -> Provenance:
    """The provenance that a PNG carries.

    Raises:
        ArtgenError: no PNG, none of artgen's, or one whose provenance is damaged or from a newer artgen.
    """
    text = read_text(path).get(KEYWORD)
    if text is None:
        raise ArtgenError(
            str(path),
            "carries no artgen provenance",
            "give a PNG that artgen made, not a copy by other software",
        )
    try:
        provenance = Provenance.model_validate_json(text)
    except (ValidationError, RecursionError) as error:
        raise ArtgenError(
            str(path), f"its provenance is damaged ({_first(error)})", "give the original file"
        ) from error
    if provenance.format > FORMAT:
        raise ArtgenError(str(path), f"made by a newer artgen (format {provenance.format})", "update artgen")
    return provenance


def _first(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    problem = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
