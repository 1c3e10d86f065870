"""What a picture says about itself: enough to make it again, from the PNG alone.

The ``artgen`` text chunk is JSON; beside it stands IPTC's DigitalSourceType as XMP, so that other
software knows the picture is synthetic. Nothing here depends on the time: the same candidate gives
the same bytes. A file that is read is not trusted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from artgen.errors import ArtgenError
from artgen.imaging.chunks import read_text

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
    """How one candidate was made."""

    format: Annotated[int, Field(ge=1)]
    recipe_name: Annotated[str, Field(pattern=r"^[^/\\\x00]{1,200}$")]
    recipe: Annotated[str, Field(max_length=1 << 20)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    seed: Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]
    candidate: Annotated[int, Field(ge=1, lt=1 << 31)]
    preview: bool
    device: Short
    caption: Annotated[str, Field(max_length=10_000)]
    draws: dict[Name, dict[Name, Any]]
    files: list[UsedFile]
    stages: list[StageSize]
    versions: dict[Short, Short]

    def text(self) -> dict[str, str]:
        """The PNG's text chunks."""
        return {
            "Software": f"artgen {self.versions.get('artgen', '')}".strip(),
            "XML:com.adobe.xmp": XMP,
            KEYWORD: self.model_dump_json(),
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
