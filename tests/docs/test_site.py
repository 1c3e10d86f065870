"""The site of docs/: it builds strictly, asks no other server, and its search finds every name."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel

import artgen
from artgen.cli import app
from artgen.gallery.works.settings import SeriesSettings, SiteLink, SiteSettings
from artgen.recipe.reference import list_tables
from artgen.training.recipes import FAMILIES
from artgen.training.recipes.reference import describe_training_tables

pytestmark = pytest.mark.slow  # the build takes seconds in each worker; `make docs` builds it, too
ROOT = Path(__file__).parents[2]
URLS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]
SETTINGS: tuple[type[BaseModel], ...] = (SiteSettings, SeriesSettings, SiteLink)
ON_A_PHONE, ON_A_DESK = (390, 844), (1400, 900)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    build = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert build.returncode == 0, build.stdout + build.stderr
    assert "WARNING" not in build.stdout + build.stderr
    return folder


@pytest.fixture(scope="session")
def index(site: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    return parsed


def split_words(text: str, separator: str) -> set[str]:
    """Split a section of the index as the search does: by its separator, without punctuation at the ends."""
    words = re.split(separator, html.unescape(re.sub(r"<[^>]*>", " ", text)))
    return {re.sub(r"^\W+|\W+$", "", word) for word in words if word}


def list_commands(command: Any, words: tuple[str, ...] = ()) -> list[str]:
    below = getattr(command, "commands", {}).items()
    return [" ".join(words)] * bool(words) + [
        each for name, child in below for each in list_commands(child, (*words, name))
    ]


def test_the_search_finds_every_command(index: dict[str, Any]) -> None:
    commands = list_commands(typer.main.get_command(app))
    titles = {section["title"] for section in index["docs"]}
    assert {"run", "models pull", "data frames"} <= set(commands)
    assert {f"artgen {command}" for command in commands} <= titles


def test_the_search_finds_every_source_step_and_pair_maker(index: dict[str, Any]) -> None:
    tables = [*list_tables(), *describe_training_tables("training/pairs")]
    kinds = {f'{table.header} use = "{table.use}"' for table in tables if table.use}
    titles = {html.unescape(re.sub(r"<[^>]*>", "", section["title"])) for section in index["docs"]}
    assert {'[source] use = "crops"', '[[steps]] use = "upscale"', '[pairs] use = "edges"'} <= kinds
    assert kinds <= titles


def test_the_search_finds_every_field_and_setting(index: dict[str, Any]) -> None:
    families = ("training", "training/pairs", *(f"training/{family}" for family in FAMILIES.names()))
    tables = [*list_tables(), *(table for name in families for table in describe_training_tables(name))]
    names = {field.name for table in tables for field in table.fields}
    names |= {key for model in SETTINGS for key in model.model_fields}
    assert {"content_weight", "jpeg_quality", "perceptual"} <= names
    sections = [f"{section['title']} {section['text']}" for section in index["docs"]]
    words = split_words(" ".join(sections), index["config"]["separator"])
    assert names - words == set()


def test_the_search_finds_every_name_of_the_api(index: dict[str, Any]) -> None:
    titles = {html.unescape(re.sub(r"<[^>]*>", "", section["title"])) for section in index["docs"]}
    assert {name.split(".")[-1] for name in artgen.__all__} <= {title.split(".")[-1] for title in titles}


def test_links_to_the_repository_name_what_is_there(site: Path) -> None:
    pages = "".join(page.read_text("utf-8") for page in site.rglob("*.html"))
    linked = set(re.findall(rf'href="{re.escape(URLS["Repository"])}/(?:blob|tree)/main/([^"#]+)', pages))
    assert "recipes/abstracts.toml" in linked
    assert [path for path in linked if not (ROOT / path).exists()] == []


def test_it_holds_no_scripts_and_asks_no_other_server(site: Path) -> None:
    assert [file.name for file in site.rglob("*") if file.suffix in (".py", ".toml", ".md")] == []
    loads = re.compile(r'<(?:script|img|source|iframe)\b[^>]*\bsrc="([^"]+)|<link\b[^>]*>')
    for page in site.rglob("*.html"):
        for found in loads.finditer(page.read_text("utf-8")):
            address = found[1] or ("" if 'rel="canonical"' in found[0] else found[0])
            assert "//" not in address, page


@pytest.mark.parametrize("size", [ON_A_DESK, ON_A_PHONE], ids=["desk", "phone"])
def test_every_page_fits_its_window_and_shows_its_pictures(
    site: Path, open_page: Callable[..., Any], size: tuple[int, int]
) -> None:
    page = open_page(site / "index.html", *size)
    for file in sorted(set(site.rglob("*.html")) - {site / "404.html"}):  # that one is for servers
        page.goto(file.as_uri())
        page.wait_for_function("[...document.images].every(image => image.complete)")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, file
        assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)"), file


def test_the_search_works_from_the_disk(site: Path, open_page: Callable[..., Any]) -> None:
    page = open_page(site / "style" / "film.html")
    titles = {"content_weight": '[[steps]] use = "style"', "models pull": "artgen models pull"}
    for query, title in titles.items():
        page.click(".md-search__input")
        page.fill(".md-search__input", "")
        page.keyboard.type(query)
        page.locator(".md-search-result__item h2", has_text=title).first.wait_for(state="attached")
