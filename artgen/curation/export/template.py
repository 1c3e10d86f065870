"""The page's one template: served, or whole in a file."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from artgen.curation.export.bundle import PAGE

if TYPE_CHECKING:
    import jinja2


def render(
    *, title: str, static: bool = False, style: str = "", script: str = "", data: str = "", policy: str = ""
) -> str:
    """The page as HTML.

    Args:
        title: the run's; plain text.
        static: everything inside, instead of links to the server's files.
        style: CSS to have inside.
        script: JavaScript to have inside.
        data: JSON, safe within a script element.
        policy: the Content-Security-Policy of a page that no server sends one for.
    """
    return _template().render(
        title=title, static=static, style=style, script=script, data=data, policy=policy
    )


@cache
def _template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("index.html")
