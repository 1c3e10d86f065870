"""A site's manifest with odd values is not trusted: the works are made again, without a traceback."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from artgen.api.publishing import publish
from artgen.gallery.publish.manifest import MANIFEST_FILE, Manifest, read_manifest

IMAGE = ("works", "a", "rendered", "image")
ODD_VALUES: dict[str, tuple[tuple[str | int, ...], Any]] = {
    "a width in words": ((*IMAGE, "width"), "wide"),
    "a width below nothing": ((*IMAGE, "width"), -1),
    "a width without end": ((*IMAGE, "width"), float("inf")),
    "a height of nothing": ((*IMAGE, "height"), 0),
    "no height": ((*IMAGE, "height"), None),
    "a year of a number": (("works", "a", "rendered", "taken"), 2024),
    "a year of a list": (("works", "a", "rendered", "taken"), []),
    "renditions of a number": ((*IMAGE, "files", "jpg"), 3),
    "a rendition of a text": ((*IMAGE, "files", "jpg", 0), "x"),
    "an image of nothing": (IMAGE, None),
    "files twice": (("works", "a", "files"), ["images/a_32.jpg"] * 2),
    "a file of a name too long": (("works", "a", "files"), ["x" * 300 + ".jpg"]),
    "a file with half a character": (("works", "a", "files"), ["\ud800.jpg"]),
    "pages of numbers": (("pages",), {"index.html": 7}),
    "works of a list": (("works",), [1]),
}


@pytest.mark.parametrize(("keys", "value"), ODD_VALUES.values(), ids=ODD_VALUES)
def test_odd_values(tmp_path: Path, keys: tuple[str | int, ...], value: Any) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (160, 120), (200, 30, 40)).save(tmp_path / "photos" / "a.png")
    (tmp_path / "gallery.toml").write_text("widths = [64]\n")
    site = tmp_path / "site"

    def publish_again(title: str) -> None:
        publish([tmp_path / "photos"], to=site, settings=tmp_path / "gallery.toml", title=title, workers=1)

    publish_again("First")
    content = json.loads((site / MANIFEST_FILE).read_text("utf-8"))
    table = changed = copy.deepcopy(content)
    for key in keys[:-1]:
        table = table[key]
    table[keys[-1]] = value
    (site / MANIFEST_FILE).write_text(json.dumps(changed))
    assert read_manifest(site) == Manifest()
    publish_again("Second")
    made = json.loads((site / MANIFEST_FILE).read_text("utf-8"))
    assert made["works"]["a"]["rendered"] == content["works"]["a"]["rendered"]
    assert "Second" in (site / "index.html").read_text("utf-8")
