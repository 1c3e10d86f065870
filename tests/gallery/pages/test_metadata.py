"""What pages and files tell machines: heads, JSON-LD, feeds, sitemap, the policy."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from artgen.gallery.media.renditions import RenditionSet
from artgen.gallery.pages import csp, feeds
from artgen.gallery.pages.head_metadata import describe_piece_head, describe_site_head
from artgen.gallery.pages.pages import build_pages
from artgen.gallery.pages.pieces import Piece, PieceStage
from artgen.gallery.pages.site import Series, Site, hang_rows
from artgen.gallery.works.settings import SiteSettings

HOSTILE = "</script><!-- \"'& #2 \u2028 é עברית \x08"
ATOM = "{http://www.w3.org/2005/Atom}"


def piece(slug: str = "one", title: str = "One", **more: Any) -> Piece:
    files = {"avif": ((f"images/{slug}-480.avif", 480),), "jpg": ((f"images/{slug}-480.jpg", 480),)}
    image = RenditionSet(f"images/{slug}-480.jpg", 480, 320, "#123456", files)
    known = {
        "number": "",
        "caption": "",
        "alt": 'A "view"',
        "at": "2026-03-04T05:06:07.890+00:00",
        "file_time": "2001-09-09T01:46:40+00:00",
        "process": "",
        "edition": "",
    }
    return Piece(
        **{"slug": slug, "series": 0, "title": title, "image": image, "film": None, "original": None}
        | {"pyramid": None, "card": f"cards/{slug}.jpg"}
        | known
        | more
    )


def site(*pieces: Piece, about: str = "", **settings: Any) -> Site:
    series = Series("all", "All", "", 0, pieces, hang_rows(pieces), hang_rows(pieces[:1]))
    return Site(settings.get("title", "Works"), "", (series,), SiteSettings(**settings), about)


def test_without_a_base_url_nothing_needs_one() -> None:
    whole = site(piece())
    head = describe_piece_head(whole, whole.pieces[0])
    assert (head.canonical, head.image) == ("", "")
    assert "url" not in json.loads(head.data)
    written = dict(build_pages(whole))
    assert sorted(written) == [
        *("404.html", "_headers", "index.html", "pieces/one.html", "series/all.html", "series/all.js"),
    ]
    assert "canonical" not in written["index.html"]
    assert re.findall('https?://[^"]*', written["pieces/one.html"]) == ["https://schema.org"]


def test_not_found_in_any_folder_without_a_base_url(chromium: Any, tmp_path: Path) -> None:
    text = dict(build_pages(site(piece())))["404.html"]
    assert re.findall('(?:href|src)="([^"]*)"', text) == ["data:,", "/"]
    (tmp_path / "404.html").write_text(text, "utf-8")
    page = chromium.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("requestfailed", lambda request: said.append(request.url))
    page.goto((tmp_path / "404.html").as_uri())
    assert page.inner_text("h1") == "Nothing hangs here"
    page.close()
    assert said == []
    there = dict(build_pages(site(piece(), base_url="https://art.example/ada/")))["404.html"]
    assert 'href="/ada/assets/site.css"' in there
    assert 'href="/ada/index.html"' in there


def test_our_own_words_are_english_in_any_language() -> None:
    german, hebrew = (dict(build_pages(site(piece(), language=one)))["index.html"] for one in ("de", "he-IL"))
    assert '<html lang="de" data-root' in german
    assert '<html lang="he-IL" dir="rtl" data-root' in hebrew
    for text in (german, hebrew):
        assert '<span lang="en" dir="ltr">Made with artgen</span>' in text
        assert '<div class="rooms" lang="en" dir="ltr">' in text
    assert 'lang="en" dir' not in dict(build_pages(site(piece(), language="en-GB")))["index.html"]


def test_with_one_every_address_is_absolute() -> None:
    whole = site(
        piece(edition="Of 5"), base_url="https://art.example/ada", artist="Ada", rights="© Ada", about="# Me"
    )
    page = dict(build_pages(whole))["pieces/one.html"]
    assert '<link rel="canonical" href="https://art.example/ada/pieces/one.html">' in page
    assert '<meta property="og:image" content="https://art.example/ada/cards/one.jpg">' in page
    assert '<meta name="twitter:card" content="summary_large_image">' in page
    data = json.loads(describe_piece_head(whole, whole.pieces[0]).data)
    assert data["@type"] == "VisualArtwork"
    assert data["creator"] == {"@type": "Person", "name": "Ada"}
    assert data["image"] == "https://art.example/ada/images/one-480.jpg"
    assert (data["dateCreated"], data["artEdition"], data["width"]["value"]) == ("2026", "Of 5", 480)
    assert describe_site_head(whole, "index.html", "Works").canonical == "https://art.example/ada/"


def test_titles_cannot_leave_json_or_xml() -> None:
    whole = site(piece(title=HOSTILE, alt=HOSTILE), base_url="https://art.example/", title=HOSTILE)
    written = dict(build_pages(whole))
    embedded = re.search(r'ld\+json">(.*?)</script>', written["pieces/one.html"])
    assert embedded
    assert json.loads(embedded[1])["name"] == HOSTILE
    slides = written["series/all.js"].removeprefix("globalThis.artgenSlides = ").removesuffix(";\n")
    assert json.loads(slides)[0]["title"] == HOSTILE
    assert json.loads(written["feed.json"])["items"][0]["title"] == HOSTILE
    entry = ElementTree.fromstring(written["feed.xml"]).find(f"{ATOM}entry")
    assert entry is not None
    assert entry.findtext(f"{ATOM}title") == HOSTILE.replace("\x08", "")
    html = entry.findtext(f"{ATOM}content") or ""
    assert "<script" not in html
    assert "</script" in unescape(html)


def test_feeds_and_the_sitemap() -> None:
    whole = site(
        piece(),
        piece("two", "Two", at="2019-05-04T10:11:12"),
        piece("three", at="2018"),
        piece("four", at=""),
        base_url="https://art.example/",
        about="# Me",
    )
    written = dict(feeds.build_feed_files(whole))
    atom = ElementTree.fromstring(written["feed.xml"])
    assert atom.findtext(f"{ATOM}id") == "https://art.example/"
    assert atom.findtext(f"{ATOM}updated") == "2026-03-04T05:06:07Z"
    dates = [entry.findtext(f"{ATOM}updated") for entry in atom.findall(f"{ATOM}entry")]
    assert dates == [
        *("2026-03-04T05:06:07Z", "2019-05-04T10:11:12Z", "2018-01-01T00:00:00Z", "2001-09-09T01:46:40Z")
    ]
    assert [item["date_published"] for item in json.loads(written["feed.json"])["items"]] == dates
    ids = [entry.findtext(f"{ATOM}id") for entry in atom.findall(f"{ATOM}entry")]
    assert ids == [f"https://art.example/pieces/{slug}.html" for slug in ("one", "two", "three", "four")]
    items = json.loads(written["feed.json"])
    assert items["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["id"] for item in items["items"]] == ids
    addresses = re.findall(r"<loc>(.*?)</loc>", written["sitemap.xml"])
    root = "https://art.example/"
    assert addresses == [root, f"{root}series/all.html", f"{root}about.html", *ids]
    assert written["robots.txt"].endswith("Sitemap: https://art.example/sitemap.xml\n")


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    assert csp.META_CONTENT_SECURITY_POLICY.startswith("default-src 'none'; ")
    assert "http" not in csp.META_CONTENT_SECURITY_POLICY
    assert "unsafe" not in csp.META_CONTENT_SECURITY_POLICY.replace("style-src-attr 'unsafe-inline'", "")
    assert "file:" not in csp.build_headers_file()
    assert "frame-ancestors 'self'" in csp.build_headers_file()


@pytest.mark.parametrize("layout", ["rows", "one", "two", "three"])
def test_pieces_hang_once_and_in_order(layout: str) -> None:
    hung = [piece(f"p{number}") for number in range(7)]
    split = hang_rows(hung, layout)
    assert [each for row in split for each in row.pieces] == hung
    if layout != "rows":
        columns = {"one": 1, "two": 2, "three": 3}[layout]
        assert {len(row.pieces) for row in split[:-1]} == {columns}
        assert {row.columns for row in split} == {columns}


def test_the_museum_says_who_made_it(museum: Path, visit: Callable[..., Any]) -> None:
    page = visit("pieces/abstracts-1a2b3c4d-0002.html")
    said = json.loads(page.inner_text("script[type='application/ld+json']"))
    assert said["creator"]["name"] == "Ada Quill"
    assert said["digitalSourceType"].endswith("trainedAlgorithmicMedia")
    assert page.get_attribute("meta[property='og:image']", "content").endswith(".jpg")
    card = page.get_attribute("meta[property='og:image']", "content").removeprefix("https://art.example/ada/")
    assert (museum / card).is_file()


@pytest.mark.parametrize(
    ("sizes", "chosen"),
    [
        (((32, 32), (256, 256), (1024, 1024)), 0),
        (((843, 667), (277, 277), (1472, 1472)), 1),  # cropped on the way
        (((16, 11), (256, 171)), 0),  # whole pixels
        (((32, 32), (100, 50)), 0),
    ],
)
def test_before_lies_under_after(sizes: tuple[tuple[int, int], ...], chosen: int) -> None:
    picture = piece().image
    stages = tuple(PieceStage("", "", "", width, height, picture) for width, height in sizes)
    assert piece(stages=stages).before is stages[chosen]
