"""``artgen pick`` and ``artgen publish`` as a person calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from artgen.runs.store import DecisionChange, Run

SHAPES = ((64, 64),) * 4


def artgen(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [sys.executable, "-m", "artgen", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_picking_and_publishing(finished_run: Callable[..., Path], tmp_path: Path) -> None:
    run = finished_run(shapes=SHAPES)
    said = artgen(tmp_path, "publish")
    assert said.returncode == 2
    assert "none of its 4 candidates is picked" in said.stderr
    assert "Traceback" not in said.stderr
    assert f"try: artgen pick {run.name} 1" in said.stderr
    assert not (tmp_path / "gallery").exists()

    assert artgen(tmp_path, "pick", run.name, "2", "3").returncode == 0
    said = artgen(tmp_path, "publish", "abstracts", run.name, "--json")
    assert said.returncode == 0
    report = json.loads(said.stdout)
    assert report["index"] == "gallery/index.html"
    assert report["series"] == 1
    assert [Path(page).name for page in report["pieces"]] == [f"{run.name}-000{n}.html" for n in (2, 3)]


def test_picks_of_another_run_are_refused(finished_run: Callable[..., Path], tmp_path: Path) -> None:
    named = finished_run(shapes=SHAPES)
    other = finished_run("mine-5e6f7a8b", shapes=SHAPES, picks=(1,))
    (tmp_path / "picks.json").write_text(json.dumps({"format": 2, "run": named.name, "picks": [2, 3]}))
    said = artgen(tmp_path, "pick", "mine", "--from", "picks.json", "--json")
    assert said.returncode == 2
    assert f"these are picks of {named.name}, not of {other.name}" in said.stderr
    with Run.open(other) as run:
        assert [candidate.index for candidate in run.picks()] == [1]
    for arguments in ([], ["abstracts"]):
        said = artgen(tmp_path, "pick", *arguments, "--from", "picks.json", "--json")
        assert json.loads(said.stdout) == {"run": named.name, "picked": [2, 3]}


def test_publish_all_elsewhere_with_a_title(finished_run: Callable[..., Path], tmp_path: Path) -> None:
    finished_run(shapes=SHAPES)
    said = artgen(tmp_path, "publish", "--all", "--to", "site", "--title", "Spring <show>")
    assert (said.returncode, said.stdout) == (0, "site/index.html\n")
    assert said.stderr == "4 made\n"
    assert "Spring &lt;show&gt;</h1>" in (tmp_path / "site" / "index.html").read_text("utf-8")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    said = artgen(tmp_path, "publish", "--all", "--to", "mine")
    assert said.returncode == 2
    assert "--force" in said.stderr
    assert artgen(tmp_path, "publish", "--all", "--to", "mine", "--force").returncode == 0
    assert (tmp_path / "mine" / "notes.txt").read_text() == "mine"


def test_what_was_decided_on_a_mailed_sheet_comes_back(
    finished_run: Callable[..., Path], tmp_path: Path
) -> None:
    folder = finished_run(shapes=SHAPES, picks=(1, 4))
    with Run.open(folder) as run:
        words = [
            DecisionChange(4, "title", "Old"),
            DecisionChange(4, "alt", "stays"),
            DecisionChange(3, "stars", 2),
        ]
        run.decisions.decide(words, author="ada", view="command")
    decided = {
        "2": {"mark": "kept", "stars": 5, "title": "Tide", "alt": "a wave"},
        "3": {"mark": "rejected", "stars": 0, "title": "", "alt": ""},
        "4": {"mark": "kept", "title": ""},
    }
    content = {"format": 2, "run": folder.name, "picks": [2, 4], "decisions": decided}
    (tmp_path / "picks.json").write_text(json.dumps(content))
    for _ in range(2):
        said = artgen(tmp_path, "pick", "--from", "picks.json")
        assert said.stdout == f"{folder.name}: 3 picks: 1, 2, 4\n"
    with Run.open(folder) as run:
        assert [(c.mark, c.stars, c.title, c.alt) for c in run.candidates()] == [
            ("kept", 0, "", ""),  # not mentioned: as it was
            ("kept", 5, "Tide", "a wave"),
            ("rejected", 0, "", ""),
            ("kept", 0, "", "stays"),
        ]
        assert (
            run.decisions.history.undo_count == 4
        )  # all of it is one action, and what changes nothing is none
    cleared = content | {"picks": [2], "decisions": {"4": {"mark": None}}}
    (tmp_path / "picks.json").write_text(json.dumps(cleared))
    said = artgen(tmp_path, "pick", "--from", "picks.json")
    assert said.stdout == f"{folder.name}: 2 picks: 1, 2\n"
    (tmp_path / "picks.json").write_text(json.dumps(content | {"picks": [2, 99]}))
    said = artgen(tmp_path, "pick", "--from", "picks.json")
    assert said.returncode == 2
    assert "no candidate 99" in said.stderr


def test_the_plan_and_what_cannot_be_published(finished_run: Callable[..., Path], tmp_path: Path) -> None:
    run = finished_run(shapes=SHAPES, picks=(1, 2))
    said = artgen(tmp_path, "publish", "--plan")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.splitlines() == [
        *(f"make    {run.name}-000{number}: new" for number in (1, 2)),
        "pages   works changed",
    ]
    assert not (tmp_path / "gallery").exists()
    (run / "candidates" / "0002.png").write_bytes(b"no picture")
    said = artgen(tmp_path, "publish")
    assert (said.returncode, said.stdout) == (2, "gallery/index.html\n")
    assert "0002.png: not a picture" in said.stderr
    assert "1 item left out, everything else is published" in said.stderr
    report = json.loads(artgen(tmp_path, "publish", "--json").stdout)
    assert (report["made"], report["kept"], len(report["problems"])) == ([], 1, 1)
    plan = json.loads(artgen(tmp_path, "publish", "--plan", "--json").stdout)
    assert plan["make"] == {f"{run.name}-0002": "new"}
    assert plan["keep"] == [f"{run.name}-0001"]


def test_pictures_that_are_not_shown_are_said(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "photos").mkdir()
    Image.new("RGB", (200, 150)).save(tmp_path / "photos" / "a.png")
    for name in ("a.svg", "b.svg", "c.mov"):
        (tmp_path / "photos" / name).touch()
    said = "3 files left out: .svg (2), .mov (1)\n"
    planned = artgen(tmp_path, "publish", "photos", "--plan")
    assert (planned.returncode, planned.stderr) == (0, said)
    assert "left out" not in planned.stdout
    published = artgen(tmp_path, "publish", "photos")
    assert (published.returncode, published.stderr) == (0, f"{said}1 made\n")


@pytest.mark.slow
def test_no_name_takes_no_other_series_off(finished_run: Callable[..., Path], tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "photos").mkdir()
    Image.new("RGB", (30, 20), "teal").save(tmp_path / "photos" / "sea.jpg")
    one = finished_run("First-1a2b3c4d", shapes=SHAPES[:1], picks=(1,))
    finished_run("second-5e6f7a8b", shapes=SHAPES[:1], picks=(1,))
    assert artgen(tmp_path, "publish", one.name, "photos").returncode == 0
    said = artgen(tmp_path, "publish")
    assert said.returncode == 2
    assert "gallery: also shows First-1a2b3c4d, photos, which would be removed; name them too" in said.stderr
    command = "artgen publish First-1a2b3c4d photos second-5e6f7a8b"
    assert f"(try: {command})" in said.stderr
    said = artgen(tmp_path, "publish", "--to", "rsync:there")
    assert f"(try: {command} --to rsync:there)" in said.stderr
    assert len(list((tmp_path / "gallery" / "pieces").iterdir())) == 2
    assert artgen(tmp_path, *command.split()[1:]).returncode == 0
    assert len(list((tmp_path / "gallery" / "pieces").iterdir())) == 3
    assert artgen(tmp_path, "publish", "--force").returncode == 0
    assert artgen(tmp_path, "publish").returncode == 0
    assert len(list((tmp_path / "gallery" / "pieces").iterdir())) == 1


def test_settings_templates_and_a_folder_of_pictures(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "photos").mkdir()
    Image.new("RGB", (300, 200), "teal").save(tmp_path / "photos" / "a sea.jpg")
    (tmp_path / "gallery.toml").write_text('title = "Mine"\ntheem = "dark"\n')
    said = artgen(tmp_path, "publish", "photos")
    assert (said.returncode, "gallery.toml:2: theem: unknown key" in said.stderr) == (2, True)
    (tmp_path / "other.toml").write_text('title = "Other"\n')
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "404.html").write_text("mine: {{ site.title }}")
    said = artgen(tmp_path, "publish", "photos", "--settings", "other.toml", "--no-originals")
    assert said.returncode == 0, said.stderr
    assert (tmp_path / "gallery" / "404.html").read_text() == "mine: Other"
    assert not (tmp_path / "gallery" / "originals").exists()
    (tmp_path / "templates" / "404.html").write_text("{% if site %}")
    said = artgen(tmp_path, "publish", "photos", "--settings", "other.toml")
    assert (said.returncode, "Traceback" in said.stderr) == (2, False)
    assert "404.html" in said.stderr
    assert (tmp_path / "gallery" / "404.html").read_text() == "mine: Other"
    said = artgen(tmp_path, "publish", "photos", "--settings", "other.toml", "--templates", "nowhere")
    assert (said.returncode, "no such folder" in said.stderr) == (2, True)


def test_no_runs_and_no_such_run(finished_run: Callable[..., Path], tmp_path: Path) -> None:
    for command in ("curate", "publish"):
        said = artgen(tmp_path, command)
        assert said.returncode == 2
        assert "no runs here" in said.stderr
    finished_run(shapes=SHAPES)
    said = artgen(tmp_path, "publish", "nothing")
    assert said.returncode == 2
    assert "abstracts-1a2b3c4d" in said.stderr
