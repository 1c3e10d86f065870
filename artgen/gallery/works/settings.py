"""``gallery.toml``, the settings of a site. The file and all its keys are optional."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator
from pydantic_core import PydanticCustomError

from artgen.config.document import Document, KeyPath, parse_toml, read_document, read_toml_text
from artgen.errors import ArtgenError, ValidationErrors
from artgen.gallery.media.renditions import MAX_SOURCE_SIDE_PX, RenditionSettings

SETTINGS_FILE_NAME = "gallery.toml"
WEB_ADDRESS_PATTERN = r"^https?://[^\s\"'<>]+$"
LINK_ADDRESS_PATTERN = r"^(https?://|mailto:)[^\s\"'<>]+$"

ShortText = Annotated[str, Field(max_length=200)]
LongText = Annotated[str, Field(max_length=5000)]
PieceOrder = Literal["picked", "number", "newest"]
EncoderQuality = Annotated[int, Field(ge=1, le=100)]
RenditionWidth = Annotated[int, Field(ge=16, le=MAX_SOURCE_SIDE_PX)]


class _SettingsTable(BaseModel):
    """Base of the tables in ``gallery.toml``: unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True)


class SiteLink(_SettingsTable):
    """A ``[[links]]`` table: a link to another page of or about the artist."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="Text of the link.")
    url: Annotated[str, Field(pattern=LINK_ADDRESS_PATTERN, max_length=2000)] = Field(
        description="Its address.", json_schema_extra={"form": "an address that begins with https://"}
    )


class SeriesSettings(_SettingsTable):
    """A ``[[series]]`` table: texts of a series. Series are shown in the order of their tables."""

    run: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="Name of a run, its beginning, or the name of a recipe or a folder of pictures."
    )
    title: ShortText = Field("", description="Replaces the recipe's title.")
    statement: LongText = Field("", description="Replaces the recipe's description.")
    order: PieceOrder | None = Field(None, description="Order of its pieces; by default that of the site.")


class SiteSettings(_SettingsTable):
    """All of ``gallery.toml``: texts, links and layout of a site, and the files made for it."""

    title: ShortText = Field("", description="Title of the site; by default that of its series.")
    artist: ShortText = Field("", description="Name of the artist; also written into every picture.")
    statement: LongText = Field("", description="A few sentences below the title.")
    about: Annotated[str, Field(max_length=200)] = Field(
        "about.md",
        description="A Markdown file next to gallery.toml, shown as the page about the artist.",
        json_schema_extra={"form": "a file's name, within the folder of gallery.toml"},
    )
    base_url: Annotated[str, Field(max_length=2000)] = Field(
        "",
        description="Address of the published site; feeds, the sitemap and link previews need it.",
        json_schema_extra={"form": 'an address such as "https://art.example/"'},
    )
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$")] = Field(
        "en",
        description="Language of titles and texts.",
        json_schema_extra={"form": 'a language tag such as "en" or "pt-BR"'},
    )
    rights: ShortText = Field(
        "", description='Copyright notice or licence, written into every picture, e.g. "© 2026 A. Artist".'
    )
    edition: ShortText = Field("", description='Shown on each label, e.g. "Edition of 5".')
    links: Annotated[tuple[SiteLink, ...], Field(strict=False, max_length=50)] = Field(
        (), description="Links to other pages of the artist.", json_schema_extra={"form": "[[links]] tables"}
    )
    layout: Literal["rows", "one", "two", "three"] = Field(
        "rows", description="Layout of pieces: rows of equal height, or one, two or three columns."
    )
    theme: Literal["system", "light", "dark"] = Field(
        "system", description="Colours for visitors who have not chosen: as their system, light or dark."
    )
    order: PieceOrder = Field(
        "picked", description="Order of pieces: as they were picked, by number, or newest first."
    )
    originals: bool = Field(True, description="Let visitors download the original pictures.")
    widths: Annotated[tuple[RenditionWidth, ...], Field(strict=False, min_length=1, max_length=12)] = Field(
        RenditionSettings.widths,
        description="Widths of the renditions of each picture, px.",
        json_schema_extra={
            "form": f"rising whole numbers from 16 to {MAX_SOURCE_SIDE_PX}, e.g. [480, 960, 1600]"
        },
    )
    formats: Annotated[
        tuple[Literal["avif", "webp", "jpg"], ...], Field(strict=False, min_length=1, max_length=3)
    ] = Field(
        RenditionSettings.formats,  # type: ignore[arg-type]
        description="File formats of the renditions, the best first.",
        json_schema_extra={"form": '"avif", "webp" and "jpg", of which "jpg" is needed'},
    )
    jpeg_quality: EncoderQuality = Field(RenditionSettings.jpeg_quality, description="Quality of JPEG files.")
    avif_quality: EncoderQuality = Field(
        RenditionSettings.avif_quality, description="Quality of AVIF and WebP files."
    )
    series: Annotated[tuple[SeriesSettings, ...], Field(strict=False, max_length=500)] = Field(
        (), description="Texts and order of each series.", json_schema_extra={"form": "[[series]] tables"}
    )

    _file: Path | None = PrivateAttr(default=None)

    @field_validator("base_url")
    @classmethod
    def _end_with_slash(cls, address: str) -> str:
        import re
        from urllib.parse import urlsplit

        if not address:
            return ""
        parts = urlsplit(address)  # raises ValueError, as does a port that is none
        has_more = parts.query or parts.fragment or "@" in parts.netloc or "?" in address or "#" in address
        if (
            not re.fullmatch(WEB_ADDRESS_PATTERN, address)
            or has_more
            or parts.port == 0
            or not parts.hostname
        ):
            raise ValueError("no address")
        return address if not address or address.endswith("/") else f"{address}/"

    @field_validator("about")
    @classmethod
    def _reject_outside_path(cls, name: str) -> str:
        if name and (Path(name).is_absolute() or ".." in Path(name).parts or "\\" in name or ":" in name):
            raise ValueError("leads out of the folder")
        return name

    @field_validator("widths")
    @classmethod
    def _require_rising_widths(cls, widths: tuple[int, ...]) -> tuple[int, ...]:
        if list(widths) != sorted(set(widths)):
            raise PydanticCustomError("widths", "rising")
        return widths

    @field_validator("formats")
    @classmethod
    def _require_jpeg(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        if "jpg" not in formats or len(set(formats)) < len(formats):
            raise PydanticCustomError("formats", "jpg is among them")
        return formats

    @property
    def folder(self) -> Path | None:
        """The folder of ``gallery.toml``, ``about.md`` and ``templates/``; None if no file was read."""
        return self._file.parent if self._file else None

    def find_about_file(self) -> Path | None:
        """Return the Markdown file about the artist, or None if there is none.

        Raises:
            ArtgenError: a file named in ``gallery.toml`` is missing, or a link leads out of its folder.
        """
        if self.folder is None or not self.about:
            return None
        file = self.folder / self.about
        if not file.is_file():
            if "about" in self.model_fields_set:
                raise ArtgenError(f"{self._file}: about", f"no file {file}", "write it, or remove the line")
            return None
        if not file.resolve().is_relative_to(self.folder.resolve()):
            raise ArtgenError(f"{self._file}: about", f"{file} leads out of its folder", "copy it there")
        return file

    def rendition_settings(self) -> RenditionSettings:
        """Return the site's widths, formats and qualities of renditions."""
        return RenditionSettings(self.widths, self.formats, self.jpeg_quality, self.avif_quality)


def load_settings(path: Path | None = None, **changes: Any) -> SiteSettings:
    """Read and check ``gallery.toml``.

    Args:
        path: the file; by default the one in the current folder, if there is one.
        changes: fields from the command line, which replace the file's.

    Raises:
        ValidationErrors: all errors of the file, each with its line.
    """
    file = path or (Path(SETTINGS_FILE_NAME) if Path(SETTINGS_FILE_NAME).is_file() else None)
    _check_changes(changes)
    if file is None:
        return SiteSettings(**changes)
    try:
        settings = SiteSettings(**(parse_toml(read_toml_text(file)) | changes))
    except (ArtgenError, ValueError):
        raise _describe_errors(file) from None
    settings._file = file
    return settings


def _check_changes(changes: Mapping[str, Any]) -> None:
    """Raise the errors in fields from the command line, each with its option."""
    try:
        SiteSettings(**changes)
    except ValueError:
        from artgen.config.messages import validate_table

        options: dict[KeyPath, str] = {(name,): f"--{name.replace('_', '-')}" for name in changes}
        _, errors = validate_table(SiteSettings, changes, Document(Path(), "", {}, {}, options), ())
        raise ValidationErrors("artgen publish", errors) from None


def _describe_errors(file: Path) -> ArtgenError:
    """Validate ``gallery.toml`` again, to report all its errors with lines as for recipes.

    The modules for this are only imported here: they are not needed for a file without errors.
    """
    from artgen.config.messages import error_line_number, validate_table

    try:
        document = read_document(file)
    except ArtgenError as error:
        return ValidationErrors(str(file), [error])
    _, errors = validate_table(SiteSettings, document.table, document, ())
    return ValidationErrors(str(file), sorted(errors, key=lambda error: error_line_number(error, file)))
