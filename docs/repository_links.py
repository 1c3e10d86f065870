"""Make links from docs/ into the rest of the repository work on the site: a hook that mkdocs.yml names.

A page links a file outside docs/ by its path on disk, so that the link works in an editor and in a checkout.
On the site such a link leads to the repository, whose address is in ``[project.urls]`` of pyproject.toml;
a picture is copied into the site.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from posixpath import relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
FONTS = ROOT / "site_templates" / "assets" / "fonts"
OUTWARD = re.compile(r'(?P<before>\]\(|src=")(?P<path>(?:\.\./)+[^)"#\s]+)')
# Those of reference.py: left in, Markdown would join them to the next line.
MARKER = re.compile(r"^<!--.*?-->\n", re.MULTILINE)
PICTURES = {".jpg", ".png", ".webp"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Take the addresses of the site and of the repository from pyproject.toml."""
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]
    config.site_url = urls["Documentation"]
    config.extra["repository"] = urls["Repository"]
    config.extra["social"] = [
        {"icon": "octicons/mark-github-16", "link": urls["Repository"], "name": "The repository"}
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the fonts of the gallery, and the pictures outside docs/ that a page shows."""
    for font in sorted(FONTS.iterdir()):
        files.append(File.generated(config, f"assets/fonts/{font.name}", abs_src_path=str(font)))
    for picture in {p for page in files.documentation_pages() for p in _pictures(page)}:
        files.append(File.generated(config, _site_path(picture), abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point the links that leave docs/ to the repository, and its pictures to their copies."""

    def point(found: re.Match[str]) -> str:
        target = _outside(page.file, found["path"])
        if target is None:
            return found[0]
        if target.suffix in PICTURES:
            return found["before"] + relpath(_site_path(target), Path(page.file.src_uri).parent.as_posix())
        kind = "tree" if target.is_dir() else "blob"
        path = target.relative_to(ROOT).as_posix()
        return f"{found['before']}{config.extra['repository']}/{kind}/main/{path}"

    return OUTWARD.sub(point, MARKER.sub("", markdown))


def _outside(page: File, link: str) -> Path | None:
    """Return the file or folder of the repository that a page links, if it exists outside docs/."""
    target = (Path(page.abs_src_path or "").parent / link).resolve()
    inside = target.is_relative_to(ROOT / "docs") or not target.is_relative_to(ROOT)
    return None if inside or not target.exists() else target


def _pictures(page: File) -> Iterator[Path]:
    for found in OUTWARD.finditer(page.content_string):
        target = _outside(page, found["path"])
        if target is not None and target.suffix in PICTURES:
            yield target


def _site_path(picture: Path) -> str:
    return f"pictures/{picture.relative_to(ROOT).as_posix().replace('/', '-')}"
