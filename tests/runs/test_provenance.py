"""Provenance of pictures, which is not trusted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from PIL import Image

from artgen.errors import ArtgenError
from artgen.imaging.io.files import write_png
from artgen.imaging.io.png_text import read_text
from artgen.runs.provenance import DIGITAL_SOURCE_TYPE, Provenance, read_provenance, safe_recipe_name

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"


@pytest.fixture
def picture(finished_run: Callable[..., Path]) -> Path:
    return finished_run() / "candidates" / "0003.png"


def test_a_picture_carries_how_it_was_made(picture: Path) -> None:
    provenance = read_provenance(picture)
    assert provenance.candidate == 3
    assert provenance.draws["style"]["strength"] == pytest.approx(0.33)
    assert [(stage.step, stage.width) for stage in provenance.stages][-1] == ("grain", 96)
    assert 'title = "Abstracts"' in provenance.recipe


def test_other_software_sees_that_it_is_synthetic(picture: Path) -> None:
    with Image.open(picture) as opened:
        xmp = opened.info["XML:com.adobe.xmp"]
    (description,) = ElementTree.fromstring(xmp).iter(f"{RDF}Description")
    assert description.get(f"{IPTC}DigitalSourceType") == DIGITAL_SOURCE_TYPE
    assert read_text(picture)["Software"].startswith("artgen ")


def rewritten(picture: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    content = json.loads(read_text(picture)["artgen"])
    change(content)
    write_png(picture, torch.zeros(3, 4, 4), {"artgen": json.dumps(content)})
    return picture


HOSTILE: dict[str, dict[str, Any]] = {
    "candidate is no number": {"candidate": "../../etc/passwd"},
    "candidate is negative": {"candidate": -1},
    "candidate is a float": {"candidate": 1.5},
    "candidate is huge": {"candidate": 10**30},
    "seed is huge": {"seed": 2**70},
    "stage leads away": {"stages": [{"step": "../../x", "use": "crops", "width": 1, "height": 1}]},
    "stage is enormous": {"stages": [{"step": "source", "use": "crops", "width": 10**12, "height": 1}]},
    "recipe name leads away": {"recipe_name": "../../.bashrc"},
    "recipe name leads away on Windows": {"recipe_name": "..\\x.toml"},
    "recipe name is hidden": {"recipe_name": ".bashrc.toml"},
    "recipe name is another kind of file": {"recipe_name": "a.png"},
    "recipe name is on another drive": {"recipe_name": "C:x.toml"},
    "recipe name is too long": {"recipe_name": "é" * 98 + ".toml"},
    "recipe name has a line break": {"recipe_name": "x.toml\n"},
    "source file is not listed": {"source_file": "/etc/passwd"},
    "recipe is no text": {"recipe": ["a"]},
    "recipe is too long": {"recipe": "#" * (1 << 21)},
    "hash is no hash": {"files": [{"name": "a.png", "sha256": "x"}]},
    "draws are a list": {"draws": [1, 2]},
    "no format": {"format": None},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_provenance_is_refused(picture: Path, name: str) -> None:
    rewritten(picture, lambda content: content.update(HOSTILE[name]))
    with pytest.raises(ArtgenError, match=r"0003\.png: its provenance is damaged"):
        read_provenance(picture)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "[" * 100_000, '{"a":' * 50_000, '"\\ud800"', "1e999"]
)
def test_what_is_no_provenance_is_refused(tmp_path: Path, text: str) -> None:
    write_png(tmp_path / "a.png", torch.zeros(3, 4, 4), {"artgen": text})
    with pytest.raises(ArtgenError, match="its provenance is damaged"):
        read_provenance(tmp_path / "a.png")


def test_pictures_of_others_and_of_the_future(picture: Path) -> None:
    rewritten(picture, lambda content: content.update(format=2))
    with pytest.raises(ArtgenError, match="newer artgen"):
        read_provenance(picture)
    write_png(picture, torch.zeros(3, 4, 4), {"Title": "x"})
    with pytest.raises(ArtgenError, match="carries no artgen provenance"):
        read_provenance(picture)


@pytest.mark.parametrize(
    ("name", "carried"),
    [
        ("abstracts.toml", "abstracts.toml"),
        ("My Größe, 2.toml", "My Größe, 2.toml"),
        ("abstracts.txt", "recipe.toml"),
        (".toml", "recipe.toml"),
        ("é" * 98 + ".toml", "recipe.toml"),
    ],
)
def test_any_recipe_has_a_name_that_can_be_carried(name: str, carried: str) -> None:
    assert safe_recipe_name(Path("recipes") / name) == carried


def test_what_a_later_artgen_adds_is_passed_over(picture: Path) -> None:
    rewritten(picture, lambda content: content.update(mood="blue"))
    assert isinstance(read_provenance(picture), Provenance)
