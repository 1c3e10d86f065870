import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from artgen.recipe import load_recipe, recipe_schema
from artgen.recipe.schema import format_schema, recipe_schema_text
from artgen.recipe.starter import starter_text
from artgen.training.recipes.schema import SCHEMA_COMMENT, build_training_schema

ROOT = Path(__file__).resolve().parents[3]
RIGHT = '[source]\nuse = "crops"\n\n[[steps]]\nuse = "grain"\namount = 0.5\n'
HEAVY = ("torch", "numpy", "PIL", "skimage", "jinja2", "rich")


def artgen(*arguments: str, folder: Path | None = None, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "artgen", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder or ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80"} | extra,
    )


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "dust.toml"
    path.write_text(RIGHT, "utf-8")
    return path


def test_check_a_right_recipe(recipe: Path) -> None:
    done = artgen("check", str(recipe))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{recipe}: right; 12 candidates of crops -> grain\n"


def test_check_says_everything(recipe: Path) -> None:
    recipe.write_text(RIGHT.replace("0.5", "5").replace("crops", "crop"), "utf-8")
    done = artgen("check", str(recipe), "nowhere.toml")
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f'{recipe}:2: source.use: "crop"')
    assert lines[1].startswith(f"{recipe}:6: steps.grain.amount: 5; must be a number from 0 to 1")
    assert lines[2].startswith("nowhere.toml: no such file")
    assert lines[3] == "3 problems"


def test_check_as_json(recipe: Path) -> None:
    done = artgen("check", "--json", str(recipe), "nowhere.toml")
    assert done.returncode == 2
    right, wrong = json.loads(done.stdout)
    assert right == {"file": str(recipe), "problems": [], "chain": ["crops", "grain"],
                     "makes": "12 candidates of crops -> grain", "notes": []}  # fmt: skip
    assert wrong["problems"][0]["found"] == "no such file"


def test_check_with_changes(recipe: Path) -> None:
    assert (
        artgen("check", str(recipe), "--set", "steps.grain.size=3", "--set", "candidates=3").returncode == 0
    )
    done = artgen("check", str(recipe), "--set", "steps.grain.size=300")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "--set steps.grain.size=300: steps.grain.size: 300; must be a number from 0.5"
    )


def test_every_shipped_recipe_is_right() -> None:
    recipes = sorted(map(str, (ROOT / "recipes").rglob("*.toml")))
    done = artgen("check", *recipes)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == len(recipes)


def test_steps_says_what_a_recipe_may_hold() -> None:
    everything = artgen("steps").stdout
    for word in ('use = "crops"', 'use = "upscale"', "a number from -1 to 1", "default", "log_uniform", "px"):
        assert word in everything
    assert max(map(len, everything.splitlines())) <= 80
    assert 'use = "grade"' not in artgen("steps", "grain").stdout
    assert json.loads(artgen("steps", "grade", "--json").stdout)[0]["fields"][1]["name"] == "exposure"
    wrong = artgen("steps", "gradde")
    assert wrong.returncode == 2
    assert "did you mean 'grade'?" in wrong.stderr


def test_the_reference_pages_are_current() -> None:
    check = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "reference.py"), "--check"], capture_output=True, text=True
    )
    assert check.returncode == 0, f"{check.stdout}{check.stderr}: run `make docs`"


def test_every_example_of_the_page_is_right(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "recipes.md").read_text("utf-8")
    examples = [part.partition("```")[0] for part in page.split("```toml\n")[1:]]
    assert examples
    for example in examples:
        text = example if "[source]" in example else f'[source]\nuse = "crops"\n\n{example}'
        (tmp_path / "example.toml").write_text(text.replace('"photos/', '"builtin:textures" # "'), "utf-8")
        load_recipe(tmp_path / "example.toml")


def test_the_committed_schema_is_current() -> None:
    assert (ROOT / "recipes" / "recipe.schema.json").read_text("utf-8") == recipe_schema_text()
    for path in (ROOT / "recipes").glob("*.toml"):
        assert path.read_text("utf-8").startswith("#:schema ./recipe.schema.json\n")


def test_the_committed_schema_of_training_is_current() -> None:
    committed = (ROOT / "recipes" / "train" / "training.schema.json").read_text("utf-8")
    assert committed == format_schema(build_training_schema())
    for path in (ROOT / "recipes" / "train").glob("*.toml"):
        assert path.read_text("utf-8").startswith(SCHEMA_COMMENT + "\n")


def test_schema_to_a_file_and_to_the_terminal(tmp_path: Path) -> None:
    assert json.loads(artgen("schema").stdout) == recipe_schema()
    assert artgen("schema", "-o", "s.json", folder=tmp_path).returncode == 0
    assert json.loads((tmp_path / "s.json").read_text("utf-8")) == recipe_schema()
    wrong = artgen("schema", "-o", "no/such/s.json", folder=tmp_path)
    assert wrong.returncode == 2
    assert "Traceback" not in wrong.stderr


def test_new(tmp_path: Path) -> None:
    done = artgen("new", "my-dreams", folder=tmp_path)
    assert done.returncode == 0
    text = (tmp_path / "my-dreams.toml").read_text("utf-8")
    assert text.startswith("#:schema ./recipe.schema.json")
    assert 'title = "My dreams"' in text
    assert json.loads((tmp_path / "recipe.schema.json").read_text("utf-8")) == recipe_schema()
    assert artgen("check", "my-dreams.toml", folder=tmp_path).returncode == 0
    (tmp_path / "my-dreams.toml").write_text("mine", "utf-8")
    again = artgen("new", "my-dreams.toml", folder=tmp_path)
    assert again.returncode == 2
    assert "exists already" in again.stderr
    assert (tmp_path / "my-dreams.toml").read_text("utf-8") == "mine"


@pytest.mark.slow
def test_new_leaves_a_strangers_schema_alone_and_quotes_names(tmp_path: Path) -> None:
    (tmp_path / "recipe.schema.json").write_text("{}", "utf-8")
    assert artgen("new", 'a "b" \\ é', folder=tmp_path).returncode == 0
    assert (tmp_path / "recipe.schema.json").read_text("utf-8") == "{}"
    assert load_recipe(tmp_path / 'a "b" \\ é.toml').title == 'A "b" \\ é'
    assert artgen("new", "in/a/folder", folder=tmp_path).returncode == 0
    for name in ("", "in/", "in", "my-dreams.toml/x"):
        assert artgen("new", name, folder=tmp_path).returncode in (0, 2)
        assert "Traceback" not in artgen("new", name, folder=tmp_path).stderr


def test_the_starter_names_every_key_it_shows() -> None:
    assert '"TITLE"' not in starter_text("x")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chek"], "artgen: no such command 'chek'. Did you mean 'check'"),
        (["check"], "artgen check: missing argument 'FILE...'"),
        (["check", "--jsn", "x"], "artgen check: no such option: --jsn"),
        (["steps", "a", "b"], "artgen steps: got unexpected extra argument"),
    ],
)
def test_usage_errors_are_one_line(arguments: list[str], message: str) -> None:
    done = artgen(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1


def test_help_and_version() -> None:
    for arguments in ([], ["--help"]):
        done = artgen(*arguments)
        assert done.returncode == 0
        assert "check" in done.stdout
    assert artgen("--version").stdout.startswith("artgen ")
    for command in ("new", "check", "steps", "schema"):
        assert artgen(command, "--help").returncode == 0


def test_a_narrow_encoding_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "é.toml").write_text(RIGHT, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "artgen", "check", "é.toml", "--json"],
        capture_output=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["file"] == "é.toml"


def test_a_bug_keeps_its_traceback() -> None:
    code = "from artgen.cli.terminal.messages import run_command\nrun_command(lambda: 1 / 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for a child")
def test_interrupted() -> None:
    code = "import time\nfrom artgen.cli.terminal.messages import run_command\nprint('go', flush=True)\n"
    code += "run_command(lambda: time.sleep(60))"
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"go\n"
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=20)
    assert (child.returncode, said) == (130, b"interrupted\n")


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["check", "recipes/thumbnails.toml"], ["steps"], ["check", "--help"]],
    ids=" ".join,
)
def test_nothing_heavy_is_imported(arguments: list[str]) -> None:
    code = f"""
import sys
from artgen.cli import app
try:
    app({arguments!r}, prog_name="artgen", standalone_mode=False)
finally:
    print([name for name in {HEAVY!r} if name in sys.modules], "pydantic" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    heavy, models = done.stdout.splitlines()[-1].rsplit(" ", 1)
    assert heavy == "[]"
    if arguments == ["--help"]:
        assert models == "False"
