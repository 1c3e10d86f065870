"""docs/gallery.md: its example is right, and its tables say what the code says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from artgen.gallery.works.settings import load_settings

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "gallery.md"


def test_the_example_is_right(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "gallery.toml").write_text(example, "utf-8")
    settings = load_settings(tmp_path / "gallery.toml")
    assert (settings.artist, settings.series[0].run, settings.links[0].name) == (
        "A. Artist",
        "abstracts",
        "Letters",
    )


def test_the_tables_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    sys.modules.pop("settings", None)
    import settings

    (table,) = re.findall(
        r"<!-- gallery settings -->\n(.*?)\n<!-- end -->", PAGE.read_text("utf-8"), re.DOTALL
    )
    assert table == settings.page(), "make docs"
