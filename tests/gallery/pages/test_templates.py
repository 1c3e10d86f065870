"""Where the templates are found, that they escape, and that an artist's own stand in the place of ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import jinja2
import pytest

from artgen.errors import ArtgenError
from artgen.gallery.pages import templates
from artgen.gallery.pages.pages import build_pages, render_pages
from tests.gallery.pages.test_metadata import piece, site

CHECKOUT = Path(__file__).parents[3]


def test_in_a_checkout() -> None:
    assert templates.templates_folder() == CHECKOUT / "site_templates"
    names = {name for name, _ in templates.list_assets(zoom=True)}
    assert {"assets/site.css", "assets/openseadragon/LICENSE", "assets/fonts/OFL-inter.txt"} <= names
    assert not any("openseadragon" in name for name, _ in templates.list_assets())


def test_in_an_installed_wheel(tmp_path: Path) -> None:
    package = tmp_path / "artgen"
    (package / "gallery" / "pages").mkdir(parents=True)
    rooms = ("__init__.py", "gallery/__init__.py", "gallery/pages/__init__.py")
    for name in (*rooms, "errors.py", "version.py", "gallery/pages/templates.py"):
        shutil.copy(CHECKOUT / "artgen" / name, package / name)
    script = "from artgen.gallery.pages.templates import templates_folder; print(templates_folder())"

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {script}"]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    assert "not found in this installation" in run().stderr
    shutil.copytree(CHECKOUT / "site_templates", package / "site_templates")
    assert run().stdout.strip() == str(package / "site_templates")


def test_values_are_escaped_and_unknown_names_are_errors() -> None:
    environment = templates.create_environment()
    assert environment.from_string("<b>{{ title }}</b>").render(title="<i>") == "<b>&lt;i&gt;</b>"
    with pytest.raises(jinja2.UndefinedError):
        environment.from_string("{{ titel }}").render(title="")


def test_each_file_can_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "assets" / "fonts").mkdir(parents=True)
    (tmp_path / "assets" / "site.css").write_text("body { color: red }")
    (tmp_path / "assets" / "fonts" / "mine.woff2").write_bytes(b"mine")
    (tmp_path / "404.html").write_text("<p>{{ site.title }} is elsewhere</p>")
    (tmp_path / "about.html").write_text(
        '{% extends "artgen/about.html" %}{% block colophon %}<p>Mine</p>{% endblock %}'
    )
    found = dict(templates.list_assets(tmp_path))
    assert found["assets/site.css"] == tmp_path / "assets" / "site.css"
    assert found["assets/fonts/mine.woff2"].read_bytes() == b"mine"
    assert found["assets/site.js"] == CHECKOUT / "site_templates" / "assets" / "site.js"
    written = dict(build_pages(site(piece(), title="A & B", about="# Me"), tmp_path))
    assert written["404.html"] == "<p>A &amp; B is elsewhere</p>"
    assert "<p>Mine</p>" in written["about.html"]
    assert "<h1>Me</h1>" in written["about.html"]
    assert tmp_path / "404.html" in templates.list_page_sources(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{% if %}", r"404\.html:1: Expected an expression"),
        ("a\n{{ titel }}", r"404\.html:2: 'titel' is undefined"),
        ("a\n\n{{ 1 / 0 }}", r"404\.html:3: division by zero"),
        ("{{ site.title.no() }}", r"404\.html:1: 'str object' has no attribute 'no'"),
        ("\udcff", r"404\.html: 'utf-8' codec can't decode"),
        ('{% include "gone.html" %}', r"gone\.html"),
    ],
)
def test_a_template_that_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "404.html").write_text(text, "utf-8", "surrogateescape")
    with pytest.raises(ArtgenError, match=said):
        list(render_pages(site(piece()), tmp_path))
