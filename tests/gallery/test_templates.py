"""Where the templates are found, and that they escape."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import jinja2
import pytest

from artgen.gallery import templates

CHECKOUT = Path(__file__).parents[2]


def test_in_a_checkout() -> None:
    assert templates.templates_folder() == CHECKOUT / "site_templates"
    assert "assets/site.css" in dict(templates.assets())


def test_in_an_installed_wheel(tmp_path: Path) -> None:
    package = tmp_path / "artgen"
    (package / "gallery").mkdir(parents=True)
    for name in ("__init__.py", "errors.py", "gallery/__init__.py", "gallery/templates.py"):
        shutil.copy(CHECKOUT / "artgen" / name, package / name)
    script = "from artgen.gallery.templates import templates_folder; print(templates_folder())"

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {script}"]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    assert "not found in this installation" in run().stderr
    shutil.copytree(CHECKOUT / "site_templates", package / "site_templates")
    assert run().stdout.strip() == str(package / "site_templates")


def test_values_are_escaped_and_unknown_names_are_errors() -> None:
    environment = templates.environment()
    assert environment.from_string("<b>{{ title }}</b>").render(title="<i>") == "<b>&lt;i&gt;</b>"
    with pytest.raises(jinja2.UndefinedError):
        environment.from_string("{{ titel }}").render(title="")
