"""Where the page templates are, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError

if TYPE_CHECKING:
    import jinja2

_PACKAGE = Path(__file__).resolve().parent.parent
ASSETS = ("site.css", "site.js")


def templates_folder() -> Path:
    """``site_templates/``: inside the package once installed, beside it in a checkout.

    Raises:
        ArtgenError: neither is there, so the installation is damaged.
    """
    for folder in (_PACKAGE / "site_templates", _PACKAGE.parent / "site_templates"):
        if (folder / "base.html").is_file():
            return folder
    raise ArtgenError("site_templates", "not found in this installation", "install artgen again")


def environment() -> jinja2.Environment:
    """Templates with every value escaped, and an error for a name that does not exist."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_folder()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
