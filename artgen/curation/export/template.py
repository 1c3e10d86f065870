"""The HTML template of the contact sheet, for the server and for the mailed file."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from artgen.curation.export.bundle import PAGE_FOLDER

if TYPE_CHECKING:
    import jinja2


def render_page(
    *,
    title: str,
    static: bool = False,
    style: str = "",
    script: str = "",
    data: str = "",
    content_security_policy: str = "",
) -> str:
    """Render the contact sheet as HTML.

    Args:
        title: the run's title, plain text.
        static: whether the page contains everything, instead of links to the server's files.
        style: the CSS that a static page contains.
        script: the JavaScript that a static page contains.
        data: the JSON that a static page contains, safe within a script element.
        content_security_policy: the policy of a static page; a server sends it as a header instead.
    """
    return _load_template().render(
        title=title,
        static=static,
        style=style,
        script=script,
        data=data,
        policy=content_security_policy,
    )


@cache
def _load_template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("index.html")
