"""The page about the artist, from Markdown; raw HTML in it is shown as text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

ALLOWED_LINK_SCHEMES = ("http", "https", "mailto", "")


# The attribute of each kind of token that holds an address.
_ADDRESS_ATTRIBUTES = {"image": "src", "link_open": "href"}


def render_markdown(markdown: str, new_addresses: Mapping[str, str] | None = None) -> str:
    """Render the about page's Markdown (CommonMark, tables) as HTML without scripts or foreign pictures.

    Headings begin at the second level, because the page has its own, and none leaves a level out.
    Pictures must come from the site itself; of those from elsewhere the words remain, because no page
    asks anything of another server.

    Args:
        markdown: the text.
        new_addresses: where files that it names are in the site, by the address in the text.
    """
    from markdown_it.token import Token

    parser = _create_parser()
    tokens = parser.parse(markdown)
    levels = sorted({token.tag for token in tokens if token.type == "heading_open"})
    level = 1
    for token in tokens:
        if token.type == "heading_open":
            level = min(levels.index(token.tag) + 2, level + 1, 6)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{level}"
        children = token.children or []
        for position, child in enumerate(children):
            if new_addresses and (address := _read_address(child)) in new_addresses:
                child.attrs[_ADDRESS_ATTRIBUTES[child.type]] = new_addresses[address]
            if child.type == "image" and not _is_own_address(str(child.attrs.get("src", ""))):
                children[position] = Token("text", "", 0, content=child.content)
    return str(parser.renderer.render(tokens, parser.options, {}))


def read_about_text(file: Path) -> str:
    """Read the text of the about page: UTF-8, or as older programs of Windows save it."""
    content = file.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def list_own_addresses(markdown: str) -> Iterator[str]:
    """Yield the addresses of the about text's pictures and links, except those on other servers."""
    for token in _create_parser().parse(markdown):
        for child in token.children or []:
            if (address := _read_address(child)) and _is_own_address(address):
                yield address


def _create_parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "typographer": True}).enable(
        ["table", "replacements", "smartquotes"]
    )
    parser.validateLink = _is_allowed_address  # type: ignore[method-assign, assignment]
    return parser


def _read_address(token: Token) -> str:
    return str(token.attrs.get(_ADDRESS_ATTRIBUTES.get(token.type, ""), ""))


def read_title(markdown: str) -> str:
    """Return the title of the about text: its first heading if of the first level, else ``About``."""
    match = re.match(r"\s*#[ \t]+(.+?)[ \t#]*(?:\n|$)", markdown)
    return match[1] if match else "About"


def remove_title(markdown: str) -> str:
    """Return the about text after the heading that ``read_title`` finds."""
    return re.sub(r"\A\s*#[ \t]+.+(?:\n|\Z)", "", markdown, count=1)


def _is_allowed_address(address: str) -> bool:
    try:
        return urlsplit(address.strip()).scheme.lower() in ALLOWED_LINK_SCHEMES
    except ValueError:
        return False


def _is_own_address(address: str) -> bool:
    parts = urlsplit(address)
    return not parts.scheme and not parts.netloc
