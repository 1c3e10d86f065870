"""Plug-ins that misbehave: one clear message each, and everything else works as without them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from artgen.imaging.io.png_text import read_text
from artgen.plugins import Plugin
from tests.plugins.conftest import Artgen

STEP = """
from typing import Literal
from artgen.steps import Step
{before}
class OddStep(Step):
    \"\"\"Do nothing.\"\"\"
    use: Literal["{name}"] = "{name}"
    def apply(self, image, context):
        {body}
"""
RECIPE = """
[source]
use = "crops"
[[steps]]
use = "{use}"
"""
BROKEN = {
    "raises": ("raise RuntimeError('no\\nluck')", "cannot be imported (RuntimeError: no luck)"),
    "leaves": ("raise SystemExit(3)", "cannot be imported (SystemExit: 3)"),
    "needs-more": ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    "is-no-python": ("def", "cannot be imported (SyntaxError"),
    "lacks-its-class": ("", "has no attribute 'OddStep'"),
    "is-a-number": ("OddStep = 7", ":OddStep is 7; the entry point names a class derived from Step"),
    "is-a-source": (
        "from artgen.steps.crops import CropsSource as OddStep",
        "the entry point names a class derived from Step",
    ),
    "is-abstract": (
        "from artgen.steps import Step\nclass OddStep(Step):\n    use: str = 'is-abstract'",
        "OddStep lacks apply",
    ),
    "has-another-name": (
        STEP.format(before="", name="even", body="return image"),
        "OddStep.use is 'even'; it must equal the entry point's name, 'has-another-name'",
    ),
}


def _lines(text: str, words: str) -> list[str]:
    return [line for line in text.splitlines() if words in line]


def test_broken_plugins_are_one_message_each(
    artgen: Artgen, install: Callable[..., Path], tmp_path: Path
) -> None:
    for name, (code, _) in BROKEN.items():
        module = name.replace("-", "_")
        packages = install(f"{name} = {module}_module:OddStep", code, package=module)
        (tmp_path / f"{name}.toml").write_text(RECIPE.format(use=name))
    checked = artgen("check", *(f"{name}.toml" for name in BROKEN), packages=packages)
    listed = artgen("steps", packages=packages)
    assert (checked.returncode, listed.returncode) == (2, 0)
    for name, (_, message) in BROKEN.items():
        (line,) = _lines(checked.stderr, f"plug-in {name} of ")
        assert line.startswith(f"{name}.toml:5: steps.{name}.use: ")
        assert message in line
        assert len(_lines(listed.stderr, f"warning: plug-in {name} of ")) == 1
    assert 'use = "grain"' in listed.stdout
    (tmp_path / "fine.toml").write_text(RECIPE.format(use="grain"))
    fine = artgen("check", "fine.toml", packages=packages)
    assert (fine.returncode, fine.stderr) == (0, "")


def test_entry_points_that_cannot_be_read_are_one_warning(
    artgen: Artgen, install: Callable[..., Path]
) -> None:
    packages = _install_unreadable(install)
    listed = artgen("steps", packages=packages)
    assert listed.returncode == 0, listed.stderr
    assert 'use = "odd"' in listed.stdout
    (warning,) = listed.stderr.splitlines()
    assert warning.startswith("warning: package broken: its plug-ins cannot be read (")


@pytest.mark.slow
def test_entry_points_that_cannot_be_read_break_no_command(
    artgen: Artgen, install: Callable[..., Path], finished_run: Callable[..., Path], tmp_path: Path
) -> None:
    packages = _install_unreadable(install)
    finished_run(shapes=[(40, 30)], picks=[1])
    (tmp_path / "odd.toml").write_text(RECIPE.format(use="odd"))
    run = "abstracts"
    for arguments in (
        ["runs"],
        ["curate", run, "--static", "sheet"],
        ["publish", run, "--to", "site"],
        ["run", "odd.toml", "-n", 1, "--workers", 1],
    ):
        done = artgen(*arguments, packages=packages)
        assert done.returncode == 0, done.stderr
        assert "broken" not in done.stderr


def _install_unreadable(install: Callable[..., Path]) -> Path:
    """Install two packages with broken metadata, one of them for artgen, and one that works."""
    install("no equals sign", "", package="broken")
    install("no equals sign", "", group="of.others", package="foreign")
    return install("odd = odd_module:OddStep", STEP.format(before="", name="odd", body="return image"))


def test_of_two_copies_of_a_package_the_imported_one_counts(
    artgen: Artgen, install: Callable[..., Path], tmp_path: Path
) -> None:
    install("odd = odd_module:OddStep", STEP.format(before="", name="odd", body="return image"))
    (tmp_path / "packages").rename(tmp_path / "older")
    code = STEP.format(before="", name="even", body="return image")
    packages = install("even = odd_module:OddStep", code)
    listed = artgen("steps", packages=f"{packages}{os.pathsep}{tmp_path / 'older'}")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert 'use = "even"' in listed.stdout
    assert 'use = "odd"' not in listed.stdout


def test_only_the_packages_that_a_recipe_names_are_imported(
    artgen: Artgen, install: Callable[..., Path], tmp_path: Path
) -> None:
    trace = tmp_path / "imported"
    packages = install("odd = odd_module:OddStep", f"open({str(trace)!r}, 'w')")
    (tmp_path / "fine.toml").write_text(RECIPE.format(use="grain"))
    for arguments in (["check", "fine.toml"], ["run", "fine.toml", "-n", 1, "--workers", 1], ["runs"]):
        assert artgen(*arguments, packages=packages).returncode == 0
    assert not trace.exists()


def test_a_taken_name(artgen: Artgen, install: Callable[..., Path], tmp_path: Path) -> None:
    packages = install(
        "grain = odd_module:OddStep", STEP.format(before="", name="grain", body="return image")
    )
    (tmp_path / "fine.toml").write_text(RECIPE.format(use="grain"))
    checked = artgen("check", "fine.toml", packages=packages)
    assert checked.returncode == 0
    assert checked.stderr == (
        "warning: plug-in grain of odd 1.0: the name is taken by artgen; the plug-in is not used\n"
    )


def test_a_taken_or_wrong_name_of_an_architecture(
    artgen: Artgen, install: Callable[..., Path], tmp_path: Path
) -> None:
    entry_points = "upimage = odd_module:Odd\nNo Name = odd_module:Odd"
    packages = install(entry_points, "", group="artgen.architectures")
    (tmp_path / "fine.toml").write_text(RECIPE.format(use="grain"))
    checked = artgen("check", "fine.toml", packages=packages)
    assert checked.returncode == 0
    assert checked.stderr.splitlines() == [
        "warning: plug-in No Name of odd 1.0: a name is up to 40 of a-z, 0-9, - and _; "
        "the plug-in is not used",
        "warning: plug-in upimage of odd 1.0: the name is taken by artgen; the plug-in is not used",
    ]
    shown = artgen("models", "show", "abstract-8x", packages=packages)
    assert "for the step `upscale`" in shown.stdout
    (tmp_path / "odd.toml").write_text(RECIPE.format(use="translate") + 'model = "abstract-8x"\n')
    refused = artgen("check", "odd.toml", packages=packages)
    assert "upimage is for the step `upscale`" in refused.stderr


def test_the_hash_of_its_code_skips_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("plain_code", "odd_code"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("ODD = 1")
    (tmp_path / "odd_code" / "folder.py").mkdir()
    (tmp_path / "odd_code" / "gone.py").symlink_to(tmp_path / "nowhere.py")
    monkeypatch.syspath_prepend(tmp_path)
    hashes = {
        Plugin("odd", "odd", "1.0", f"{package}:Odd").hash_code() for package in ("plain_code", "odd_code")
    }
    assert len(hashes) == 1


def test_one_name_of_two_packages(artgen: Artgen, install: Callable[..., Path], tmp_path: Path) -> None:
    code = STEP.format(before="", name="odd", body="return image")
    install("odd = odd_module:OddStep", code)
    packages = install("odd = even_module:OddStep", code, package="even")
    (tmp_path / "odd.toml").write_text(RECIPE.format(use="odd"))
    checked = artgen("check", "odd.toml", packages=packages)
    assert "plug-in odd: offered by even and odd; uninstall one of them" in checked.stderr
    assert checked.returncode == 2


SOURCE = """
from typing import Literal
from artgen.steps.crops import CropsSource
class OddSource(CropsSource):
    use: Literal["odd"] = "odd"
"""


@pytest.mark.slow
def test_a_source_and_a_step_of_one_name_are_both_recorded(
    artgen: Artgen, install: Callable[..., Path], tmp_path: Path
) -> None:
    install("odd = even_module:OddSource", SOURCE, group="artgen.sources", package="even")
    packages = install("odd = odd_module:OddStep", STEP.format(before="", name="odd", body="return image"))
    (tmp_path / "odd.toml").write_text(RECIPE.format(use="odd").replace("crops", "odd"))
    ran = artgen("run", "odd.toml", "-n", 1, "--workers", 1, packages=packages)
    assert ran.returncode == 0, ran.stderr
    (picture,) = tmp_path.glob("runs/*/candidates/0001.png")
    provenance = json.loads(read_text(picture)["artgen"])
    assert [plugin["package"] for plugin in provenance["plugins"]] == ["even", "odd"]
    (report,) = json.loads(artgen("reproduce", picture, "--json", packages=packages).stdout)
    assert (report["identical"], report["differences"]) == (True, [])


@pytest.mark.slow
def test_one_that_is_slow_and_prints(artgen: Artgen, install: Callable[..., Path], tmp_path: Path) -> None:
    before = "import time; time.sleep(3.1); print('hello')"
    packages = install(
        "odd = odd_module:OddStep", STEP.format(before=before, name="odd", body="return image")
    )
    (tmp_path / "odd.toml").write_text(RECIPE.format(use="odd"))
    checked = artgen("check", "odd.toml", "--json", packages=packages)
    assert checked.returncode == 0
    assert "hello" not in checked.stdout
    assert len(_lines(checked.stderr, "plug-in odd of odd 1.0: importing it took 3.")) == 1
    assert len(_lines(checked.stderr, "printed 'hello' when it was imported")) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return image / 0 + None", "plug-in odd of odd 1.0 failed (TypeError: "),
        pytest.param("raise SystemExit(3)", "odd 1.0 failed (SystemExit: 3)", marks=pytest.mark.slow),
        pytest.param("raise RuntimeError('out of memory')", "use a smaller scale", marks=pytest.mark.slow),
        pytest.param("return image[0]", "torch.float32 of shape (32, 32)", marks=pytest.mark.slow),
        pytest.param("return image * float('nan')", "values that are not numbers", marks=pytest.mark.slow),
    ],
)
def test_one_that_fails_at_work(
    artgen: Artgen, install: Callable[..., Path], tmp_path: Path, body: str, message: str
) -> None:
    packages = install("odd = odd_module:OddStep", STEP.format(before="", name="odd", body=body))
    (tmp_path / "odd.toml").write_text(RECIPE.format(use="odd"))
    ran = artgen("run", "odd.toml", "-n", 2, "--workers", 1, packages=packages)
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    (line,) = _lines(ran.stderr, "candidate 1-2: step odd")
    assert message in line
