"""What ``gallery.toml`` may say, for docs/gallery.md: from the model that checks it, see ``reference.py``."""

from pydantic import BaseModel

from artgen.config.fields import describe_fields
from artgen.gallery.works.settings import SeriesSettings, SiteLink, SiteSettings

EMPTY = ("", '""', "[]")
HEAD = ["key", "what it is", "holds", "by default"]


def page() -> str:
    """Return a table for the site, and one for each kind of table in it."""
    return "\n\n".join(
        [
            _table(SiteSettings),
            "Each `[[series]]`:",
            _table(SeriesSettings),
            "Each `[[links]]`:",
            _table(SiteLink),
        ]
    )


def _table(model: type[BaseModel]) -> str:
    rows = [
        [
            f"`{each.name}`",
            each.description,
            each.allowed,
            f"`{each.default}`" if each.default not in EMPTY else "",
        ]
        for each in describe_fields(model).values()
    ]
    return "\n".join(_line(cells) for cells in [HEAD, ["---"] * len(HEAD), *rows])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
