"""The package in ``examples/plugin`` through its life: installed, used, uninstalled."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
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


MODEL_CODE = """
import torch, artgen
from collections.abc import Callable
from pathlib import Path
from artgen_woodcut.softener import Softener, SoftenerConfig
from artgen.models.files.checkpoint import save_model
network = Softener(SoftenerConfig(width=4))
torch.nn.init.normal_(network.last.weight, std=0.1)
save_model(Path("soft.safetensors"), network, {}, half_precision=False)
image = torch.rand(3, 600, 700)
painted = artgen.apply("translate", image, model="soft.safetensors", device="cpu")
network = artgen.load_model("soft.safetensors", "cpu").network
print(type(network).__name__, (painted - network(image[None])[0]).abs().max().item() < 1e-5)
"""


@pytest.mark.slow
def test_a_model_of_its_architecture_is_used_tile_by_tile(
    artgen: Artgen, example_packages: Path, tmp_path: Path
) -> None:
    environment = os.environ | {"PYTHONPATH": f"{example_packages}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", MODEL_CODE], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.stdout == "Softener True\n", done.stderr
    shown = artgen("models", "show", "soft.safetensors", packages=example_packages)
    assert "for the step `translate`" in shown.stdout
    (tmp_path / "soft.toml").write_text(
        '[source]\nuse = "crops"\n[[steps]]\nuse = "translate"\nmodel = "soft.safetensors"\n'
    )
    assert artgen("check", "soft.toml", packages=example_packages).returncode == 0
    without = subprocess.run(
        [sys.executable, "-c", "import artgen; artgen.load_model('soft.safetensors')"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert "it comes with artgen-woodcut, which is not installed" in without.stderr


def test_a_family_of_another_package(artgen: Artgen, install: Callable[..., Path], tmp_path: Path) -> None:
    code = (
        "from typing import Literal\n"
        "from pydantic import Field\n"
        "from artgen.training.recipes.upimage import UpImageRecipe\n"
        "class PaintRecipe(UpImageRecipe):\n"
        "    family: Literal['paint'] = Field(description='What kind of model.')\n"
    )
    packages = install("paint = odd_module:PaintRecipe", code, group="artgen.families")
    (tmp_path / "paint.toml").write_text('family = "paint"\ntitle = "Paint"\nsteps = 2\n')
    checked = artgen("check", "paint.toml", packages=packages)
    assert checked.stdout == "paint.toml: right; a model, in 2 steps of training\n"
    described = artgen("steps", "training/paint", packages=packages)
    assert "second_pass" in described.stdout
    unknown = artgen("check", "paint.toml")
    assert unknown.returncode == 2
    assert "no family 'paint'" in unknown.stderr
