"""The package in ``examples/plugin`` through its life: installed, used, uninstalled."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from artgen.imaging.io.png_text import read_text
from tests.plugins.conftest import ROOT, Artgen

RECIPE = ROOT / "examples" / "plugin" / "recipes" / "prints.toml"


def test_installed_it_is_listed_checked_and_completed(artgen: Artgen, example_packages: Path) -> None:
    listed = json.loads(artgen("steps", "--json", packages=example_packages).stdout)
    packages = {table["name"]: table["package"] for table in listed}
    assert packages["woodcut"] == packages["rings"] == "artgen-woodcut 0.1.0"
    assert packages["grain"] == ""
    assert "artgen-woodcut 0.1.0" in artgen("steps", "woodcut", packages=example_packages).stdout
    checked = artgen("check", RECIPE, packages=example_packages)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "rings -> woodcut -> grain" in checked.stdout
    schema = json.loads(artgen("schema", packages=example_packages).stdout)
    assert schema["$defs"]["WoodcutStep"]["properties"]["lines"]["description"]
    assert "woodcut" in schema["properties"]["steps"]["items"]["discriminator"]["mapping"]


def test_a_wrong_field_of_it_is_named_with_its_line(
    artgen: Artgen, example_packages: Path, tmp_path: Path
) -> None:
    text = RECIPE.read_text().replace("lines = {", "lnies = {").replace('requires = ["artgen-woodcut"]\n', "")
    (tmp_path / "wrong.toml").write_text(text)
    checked = artgen("check", "wrong.toml", packages=example_packages)
    assert checked.returncode == 2
    assert "steps.woodcut.lnies: unknown key; did you mean 'lines'?" in checked.stderr
    (tmp_path / "right.toml").write_text(text.replace("lnies", "lines"))
    checked = artgen("check", "right.toml", packages=example_packages)
    assert 'right.toml: add requires = ["artgen-woodcut"]' in checked.stderr
    assert checked.returncode == 0


@pytest.mark.slow
def test_run_reproduced_and_published_and_so_after_it_is_gone(
    artgen: Artgen, example_packages: Path, tmp_path: Path
) -> None:
    shutil.copy(RECIPE, tmp_path)
    ran = artgen("run", "prints.toml", "-n", 2, "--workers", 1, packages=example_packages)
    assert ran.returncode == 0, ran.stderr
    (run_folder,) = (tmp_path / "runs").glob("prints-*")
    picture = run_folder / "candidates" / "0001.png"
    provenance = json.loads(read_text(picture)["artgen"])
    assert {plugin["use"] for plugin in provenance["plugins"]} == {"rings", "woodcut"}
    assert {plugin["version"] for plugin in provenance["plugins"]} == {"0.1.0"}
    reproduced = artgen("reproduce", picture, "--json", packages=example_packages)
    (report,) = json.loads(reproduced.stdout)
    assert (report["identical"], report["differences"]) == (True, [])
    assert artgen("vary", "prints", 1, packages=example_packages).returncode == 0

    for arguments in (["runs"], ["pick", "prints", 1], ["curate", "prints", "--static", "sheet"]):
        assert artgen(*arguments).returncode == 0, arguments
    published = artgen("publish", "prints", "--to", "site")
    assert published.returncode == 0, published.stderr
    assert "woodcut" in "".join(page.read_text() for page in (tmp_path / "site" / "pieces").glob("*.html"))
    for arguments in (["check", "prints.toml"], ["vary", "prints", 1], ["reproduce", picture]):
        refused = artgen(*arguments)
        assert refused.returncode == 2, arguments
        assert "it comes with artgen-woodcut, which is not installed" in refused.stderr
        assert "pip install artgen-woodcut" in refused.stderr
        assert "Traceback" not in refused.stderr


@pytest.mark.slow
def test_changed_code_is_noticed_by_reproduce(artgen: Artgen, example_packages: Path, tmp_path: Path) -> None:
    shutil.copytree(example_packages, tmp_path / "packages")
    shutil.copy(RECIPE, tmp_path)
    packages = tmp_path / "packages"
    assert artgen("run", "prints.toml", "-n", 1, "--workers", 1, packages=packages).returncode == 0
    (picture,) = tmp_path.glob("runs/*/candidates/0001.png")
    code = packages / "artgen_woodcut" / "woodcut.py"
    code.write_text(code.read_text().replace("0.96, 0.93, 0.86", "0.9, 0.9, 0.9"))
    (report,) = json.loads(artgen("reproduce", picture, "--json", packages=packages).stdout)
    assert not report["identical"]
    assert "the code of artgen-woodcut 0.1.0 has changed" in report["differences"]
