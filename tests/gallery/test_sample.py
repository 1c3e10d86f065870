"""gallery/ of the repository, the sample that README shows: whole, small, and of no one machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from artgen.gallery.publish.manifest import MANIFEST_FILE
from tests.gallery.pages.test_look import Links

SAMPLE = Path(__file__).parents[2] / "gallery"
LARGEST = 8_000_000  # bytes; everybody who clones the repository fetches it


def test_every_link_resolves() -> None:
    pages = sorted(SAMPLE.rglob("*.html"))
    assert len(pages) > 10
    for page in pages:
        for link in Links(page.read_text("utf-8")).found:
            parts = urlsplit(urljoin(page.relative_to(SAMPLE).as_posix(), link))
            if not parts.scheme and not parts.netloc and parts.path != "/":
                assert (SAMPLE / unquote(parts.path)).is_file(), (page.name, link)


def test_every_file_is_there_and_all_are_small() -> None:
    noted = json.loads((SAMPLE / MANIFEST_FILE).read_text("utf-8"))["files"]
    found = {path.relative_to(SAMPLE).as_posix(): path for path in SAMPLE.rglob("*") if path.is_file()}
    sizes = {name: path.stat().st_size for name, path in found.items()}
    assert noted == {name: size for name, size in sizes.items() if name != MANIFEST_FILE}
    assert sum(sizes.values()) < LARGEST


def test_readmes_picture_is_of_it() -> None:
    file = SAMPLE.parent / "docs" / "picture.py"
    done = subprocess.run([sys.executable, file, "--check"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "current\n", "")


def test_no_path_of_a_machine_is_in_it() -> None:
    for path in SAMPLE.rglob("*"):
        if path.suffix in (".html", ".json", ".js", ".xml"):
            assert not re.search(r"(?<![\w.])/(?:work|home|root|tmp|Users)/", path.read_text("utf-8")), path
