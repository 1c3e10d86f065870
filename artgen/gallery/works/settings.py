"""``gallery.toml``: what the artist says about the whole site. Every site is whole without one."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from artgen.errors import ArtgenError, Problems
from artgen.gallery.media.renditions import LARGEST_SIDE, Sizes

FILE = "gallery.toml"
WEB = r"^https?://[^\s\"'<>]+$"
LINK = r"^(https?://|mailto:)[^\s\"'<>]+$"

Short = Annotated[str, Field(max_length=200)]
Long = Annotated[str, Field(max_length=5000)]
Order = Literal["picked", "number", "newest"]
Quality = Annotated[int, Field(ge=1, le=100)]
Width = Annotated[int, Field(ge=16, le=LARGEST_SIDE)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True)


class Link(_Table):
    """Where else the artist is found."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="What the link says.")
    url: Annotated[str, Field(pattern=LINK, max_length=2000)] = Field(
        description="Where it leads.", json_schema_extra={"form": "an address that begins with https://"}
    )


class SeriesSettings(_Table):
    """What a series is called, where its recipe's own words do not serve; series stand in this order."""

    run: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="The run's name, its beginning or its recipe's; for a folder of pictures its name."
    )
    title: Short = Field("", description="Instead of the recipe's.")
    statement: Long = Field("", description="Instead of the recipe's description.")
    order: Order | None = Field(None, description="Of its pieces; by default as for the whole site.")


class Settings(_Table):
    """The site as its artist wants it."""

    title: Short = Field("", description="Of the site; by default the series'.")
    artist: Short = Field("", description="Who made the pieces; also written into every picture.")
    statement: Long = Field("", description="A few sentences below the title.")
    about: Annotated[str, Field(max_length=200)] = Field(
        "about.md",
        description="A text in Markdown beside gallery.toml, for a page about the artist.",
        json_schema_extra={"form": "a file's name, within the folder of gallery.toml"},
    )
    base_url: Annotated[str, Field(max_length=2000)] = Field(
        "",
        description="Where the site will be; feeds, the sitemap and link previews need it.",
        json_schema_extra={"form": 'an address such as "https://art.example/"'},
    )
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$")] = Field(
        "en",
        description="Of titles and texts.",
        json_schema_extra={"form": 'a language tag such as "en" or "pt-BR"'},
    )
    rights: Short = Field("", description='Written into every picture, e.g. "© 2026 A. Artist".')
    edition: Short = Field("", description='On each label, e.g. "Edition of 5".')
    links: Annotated[tuple[Link, ...], Field(strict=False, max_length=50)] = Field(
        (), description="Where else the artist is found.", json_schema_extra={"form": "[[links]] tables"}
    )
    layout: Literal["rows", "one", "two", "three"] = Field(
        "rows", description="How pieces hang: in rows of one height, or in so many columns."
    )
    theme: Literal["system", "light", "dark"] = Field(
        "system", description="What a visitor who has not chosen sees."
    )
    order: Order = Field("picked", description="Of the pieces: as they were picked, by number, newest first.")
    originals: bool = Field(True, description="Whether visitors can download pictures as they were made.")
    widths: Annotated[tuple[Width, ...], Field(strict=False, min_length=1, max_length=12)] = Field(
        Sizes.widths,
        description="Of the sizes that are made of each picture, px.",
        json_schema_extra={"form": f"rising whole numbers from 16 to {LARGEST_SIDE}, e.g. [480, 960, 1600]"},
    )
    formats: Annotated[
        tuple[Literal["avif", "webp", "jpg"], ...], Field(strict=False, min_length=1, max_length=3)
    ] = Field(
        Sizes.formats,  # type: ignore[arg-type]
        description="Of those sizes, the best first.",
        json_schema_extra={"form": '"avif", "webp" and "jpg", of which "jpg" is needed'},
    )
    jpeg_quality: Quality = Field(Sizes.jpeg_quality, description="Of JPEG files.")
    avif_quality: Quality = Field(Sizes.avif_quality, description="Of AVIF and WebP files.")
    series: Annotated[tuple[SeriesSettings, ...], Field(strict=False, max_length=500)] = Field(
        (), description="Words for each series.", json_schema_extra={"form": "[[series]] tables"}
    )

    _file: Path | None = PrivateAttr(default=None)

    @field_validator("base_url")
    @classmethod
    def _address(cls, address: str) -> str:
        import re

        if address and not re.fullmatch(WEB, address):
            raise ValueError("no address")
        return address if not address or address.endswith("/") else f"{address}/"

    @field_validator("about")
    @classmethod
    def _inside(cls, name: str) -> str:
        if name and (Path(name).is_absolute() or ".." in Path(name).parts or "\\" in name or ":" in name):
            raise ValueError("leads out of the folder")
        return name

    @field_validator("widths")
    @classmethod
    def _rising(cls, widths: tuple[int, ...]) -> tuple[int, ...]:
        if list(widths) != sorted(set(widths)):
            raise PydanticCustomError("widths", "rising")
        return widths

    @field_validator("formats")
    @classmethod
    def _readable(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        if "jpg" not in formats or len(set(formats)) < len(formats):
            raise PydanticCustomError("formats", "jpg is among them")
        return formats

    @property
    def folder(self) -> Path | None:
        """Where ``gallery.toml`` lies, and with it ``about.md`` and ``templates/``; None without one."""
        return self._file.parent if self._file else None

    def about_file(self) -> Path | None:
        """The text about the artist, if there is one.

        Raises:
            ArtgenError: the one that was asked for is missing, or lies elsewhere by a symbolic link.
        """
        if self.folder is None or not self.about:
            return None
        file = self.folder / self.about
        if not file.is_file():
            if "about" in self.model_fields_set:
                raise ArtgenError(f"{self._file}: about", f"no file {file}", "write it, or take the line out")
            return None
        if not file.resolve().is_relative_to(self.folder.resolve()):
            raise ArtgenError(f"{self._file}: about", f"{file} leads out of its folder", "copy it there")
        return file

    def sizes(self) -> Sizes:
        """What is written of each picture."""
        return Sizes(self.widths, self.formats, self.jpeg_quality, self.avif_quality)


def load_settings(path: Path | None = None, **changes: Any) -> Settings:
    """Read and check ``gallery.toml``.

    Args:
        path: the file; by default the one in the current folder, if there is one.
        changes: fields that the command line gives, in the place of the file's.

    Raises:
        Problems: everything that is wrong, each with its place.
    """
    file = path or (Path(FILE) if Path(FILE).is_file() else None)
    if file is None:
        return Settings(**changes)
    try:
        settings = Settings(**(tomllib.loads(file.read_text("utf-8-sig")) | changes))
    except (OSError, ValueError, RecursionError, ValidationError):
        raise _explained(file) from None
    settings._file = file
    return settings


def _explained(file: Path) -> ArtgenError:
    """What is wrong, said as recipes say it; their whole room is only loaded for that."""
    from artgen.config.document import read
    from artgen.config.messages import checked

    try:
        document = read(file)
    except ArtgenError as error:
        return Problems(str(file), [error])
    _, problems = checked(Settings, document.table, document, ())
    return Problems(str(file), sorted(problems, key=lambda problem: _line(problem, file)))


def _line(problem: ArtgenError, file: Path) -> int:
    line = problem.where.removeprefix(f"{file}:").partition(":")[0]
    return int(line) if line.isascii() and line.isdigit() else 0
