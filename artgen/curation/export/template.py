"""The HTML template of the contact sheet, for the server and for the mailed file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from artgen.curation.export.bundle import SHEET_PAGE_FOLDER

if TYPE_CHECKING:
    import jinja2


def render_page(title: str, static_parts: Mapping[str, str] | None = None) -> str:
    """Render the contact sheet as HTML.

    Args:
        title: the run's title, plain text.
        static_parts: what a page contains that needs no server: the CSS ``style``, the JavaScript ``script``,
            the JSON ``data``, safe within a script element, and the Content-Security-Policy ``policy``, which
            a server sends as a header; None: the page links to the server's files.
    """
    return _load_template().render(title=title, static=static_parts is not None, **(static_parts or {}))


@cache
def _load_template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(SHEET_PAGE_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("index.html")
