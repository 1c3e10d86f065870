"""The artist's own page, from Markdown. Raw HTML in it is text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

SCHEMES = ("http", "https", "mailto", "")


# The attribute of each kind of token that holds an address.
_NAMING = {"image": "src", "link_open": "href"}


def html_of(markdown: str, moved: Mapping[str, str] | None = None) -> str:
    """Markdown (CommonMark, tables) as HTML that holds no script, no frame and no foreign picture.

    Headings begin at the second level, because the page has its own, and none leaves a level out.
    Pictures must come from the site itself; of those from elsewhere the words remain, because no page
    asks anything of another server.

    Args:
        markdown: the text.
        moved: where files that it names are in the site, by the address in the text.
    """
    from markdown_it.token import Token

    parser = _parser()
    tokens = parser.parse(markdown)
    used = sorted({token.tag for token in tokens if token.type == "heading_open"})
    level = 1
    for token in tokens:
        if token.type == "heading_open":
            level = min(used.index(token.tag) + 2, level + 1, 6)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{level}"
        children = token.children or []
        for place, child in enumerate(children):
            if moved and (address := _address(child)) in moved:
                child.attrs[_NAMING[child.type]] = moved[address]
            if child.type == "image" and not _is_own(str(child.attrs.get("src", ""))):
                children[place] = Token("text", "", 0, content=child.content)
    return str(parser.renderer.render(tokens, parser.options, {}))


def addresses(markdown: str) -> Iterator[str]:
    """Each address of the text's pictures and links that is no other server's, as ``html_of`` asks for it."""
    for token in _parser().parse(markdown):
        for child in token.children or []:
            if (address := _address(child)) and _is_own(address):
                yield address


def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "typographer": True}).enable(
        ["table", "replacements", "smartquotes"]
    )
    parser.validateLink = _is_harmless  # type: ignore[method-assign, assignment]
    return parser


def _address(token: Token) -> str:
    return str(token.attrs.get(_NAMING.get(token.type, ""), ""))


def title_of(markdown: str) -> str:
    """Return the title of the text: its first heading if that is of the first level, else ``About``."""
    found = re.match(r"\s*#[ \t]+(.+?)[ \t#]*(?:\n|$)", markdown)
    return found[1] if found else "About"


def without_title(markdown: str) -> str:
    """Return the text after the heading that ``title_of`` finds."""
    return re.sub(r"\A\s*#[ \t]+.+(?:\n|\Z)", "", markdown, count=1)


def _is_harmless(address: str) -> bool:
    try:
        return urlsplit(address.strip()).scheme.lower() in SCHEMES
    except ValueError:
        return False


def _is_own(address: str) -> bool:
    parts = urlsplit(address)
    return not parts.scheme and not parts.netloc
