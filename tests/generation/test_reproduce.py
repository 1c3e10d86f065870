"""Reproduction of pictures from the provenance in their files, which may not be trusted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artgen.errors import ArtgenError
from artgen.events import ignore_event
from artgen.generation.coordinator import RunRequest, generate_candidates
from artgen.generation.reproduce import ReproductionResult, reproduce_picture
from artgen.imaging.io.files import read_image, write_png
from artgen.imaging.io.png_text import read_text
from artgen.recipe import load_recipe
from artgen.runs.provenance import read_provenance


def picture(place: Path, index: int = 3) -> Path:
    (found,) = (place / "runs").glob(f"tiny-*/candidates/{index:04d}.png")
    return found


def again(file: Path, folder: Path | None = None) -> ReproductionResult:
    return reproduce_picture(file, ignore_event, recipe_folder=folder)


def rewritten(file: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    content = json.loads(read_text(file)["artgen"])
    change(content)
    write_png(file, read_image(file), {"artgen": json.dumps(content)})
    return file


def test_a_picture_whose_values_were_drawn_alone_is_identical() -> None:
    """The file was made by a version that did not spread draws over the candidates."""
    file = Path(__file__).parent / "drawn-alone.png"
    recorded = read_provenance(file)
    assert recorded.draw_scheme == 1
    result = again(file)
    assert result.identical, result.summary()
    assert not any("draws other values" in line or "reads" in line for line in result.differences)


@pytest.mark.parametrize(
    "draws",
    [
        {},
        {"source": {"pieces": 9, "shapes": 2.0}, "grade": {"contrast": 0.2, "warmth": 0}},
        {"source": {"pieces": 2, "shapes": 2.0}, "grade": {"contrast": 0.2, "warmth": "/etc/passwd"}},
        {"source": {"pieces": 2, "shapes": True}, "grade": {"contrast": 0.2, "warmth": 0}},
    ],
)
def test_recorded_values_that_the_recipe_cannot_draw_are_refused(tmp_path: Path, draws: Any) -> None:
    file = shutil.copy(Path(__file__).parent / "drawn-alone.png", tmp_path / "0003.png")
    with pytest.raises(ArtgenError, match="a value that the recipe draws"):
        again(rewritten(Path(file), lambda content: content.update(draws=draws)))


def test_every_candidate_is_identical(sampled: Path) -> None:
    for index in range(1, 7):
        result = again(picture(sampled, index))
        assert result.identical, result.summary()
        assert (result.candidate, result.largest, result.share, result.differences) == (index, 0, 0.0, ())
        assert result.summary() == "identical, every pixel of 96 x 96"


def test_from_the_file_alone(sampled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    file = picture(sampled).rename(tmp_path / "elsewhere" / "piece.png")
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(ArtgenError, match=r"not in .*: pictures/0\.png, .*--folder"):
        again(Path("piece.png"))
    assert again(file, sampled).identical
    monkeypatch.chdir(sampled)
    assert again(file).identical
    (sampled / "recipes").mkdir()
    for name in ("pictures", "tiny.safetensors"):
        (sampled / name).rename(sampled / "recipes" / name)
    assert again(file).identical


def test_what_was_added_since_changes_nothing(sampled: Path) -> None:
    write_png(sampled / "pictures" / "00.png", read_image(sampled / "pictures" / "1.png"), {})
    assert again(picture(sampled)).identical


def photographed(project: Path, images: str, candidates: int = 3) -> list[Path]:
    text = (project / "tiny.toml").read_text().replace('use = "crops"', 'use = "photos"')
    text = text.replace('"pictures"', images).replace("size = 24", "side = 8")
    (project / "tiny.toml").write_text(text)
    request = RunRequest(candidate_count=candidates, runs_folder=project / "runs", worker_count=1)
    return sorted(
        (
            generate_candidates(load_recipe(project / "tiny.toml"), request, ignore_event).run_folder
            / "candidates"
        ).iterdir()
    )


def test_a_picture_lists_only_its_photograph(project: Path, tmp_path: Path) -> None:
    (project / "more").mkdir()
    shutil.copy(project / "pictures" / "0.png", project / "more" / "[x].png")
    images = f'["more", "pictures/*.png", "builtin:textures", "{project / "pictures"}"]'
    files = photographed(project, images, 5)
    sources = [read_provenance(file).source_file for file in files]
    names = ["more/[x].png", "pictures/0.png", "pictures/1.png", "pictures/2.png"]
    assert sources == [*names, "skimage:data/chelsea.png"]
    for file, source in zip(files, sources, strict=True):
        assert [used.name for used in read_provenance(file).files] == [source, "tiny.safetensors"]
    # That photograph suffices, whatever was added or removed.
    other = tmp_path / "other"
    (other / "pictures").mkdir(parents=True)
    shutil.copy(project / "tiny.safetensors", other)
    shutil.copy(project / "pictures" / "1.png", other / "pictures")
    assert again(files[2], other).summary() == "identical, every pixel of 32 x 32"
    assert again(files[4], other).identical
    with pytest.raises(ArtgenError, match=r"made from files that are not in .*: pictures/0\.png"):
        again(files[1], other)
    shutil.copy(project / "pictures" / "2.png", project / "more" / "0.png")
    assert all(again(file).identical for file in files)


def test_what_was_not_drawn_need_not_be_there(project: Path, tmp_path: Path) -> None:
    shutil.copy(project / "tiny.safetensors", project / "tiny-2.safetensors")
    recipe = project / "tiny.toml"
    choice = '{ choice = ["tiny.safetensors", "tiny-2.safetensors"] }'
    recipe.write_text(recipe.read_text().replace('"tiny.safetensors"', choice))
    run_result = generate_candidates(
        load_recipe(recipe),
        RunRequest(numbers=[1], runs_folder=project / "runs", worker_count=1),
        ignore_event,
    )
    (file,) = (run_result.run_folder / "candidates").iterdir()
    (drawn,) = (used.name for used in read_provenance(file).files if used.name.endswith(".safetensors"))
    for name in {"tiny.safetensors", "tiny-2.safetensors"} - {drawn}:
        (project / name).unlink()
    assert again(file).identical


def test_a_hostile_picture_writes_to_no_file_of_the_person(sampled: Path) -> None:
    before = (sampled / "tiny.toml").read_bytes()
    for name in ("tiny.toml", "pictures/../tiny.toml"):
        used = {"name": name, "sha256": "00" * 32}
        file = rewritten(
            picture(sampled),
            lambda content, used=used: content.update(  # type: ignore[misc]
                recipe=content["recipe"] + "# overwritten", files=[*content["files"], used]
            ),
        )
        for folder in (None, sampled):
            with pytest.raises(ArtgenError, match=r"tiny\.toml: a picture cannot be made from"):
                again(file, folder)
        assert (sampled / "tiny.toml").read_bytes() == before


def test_a_hostile_layout_is_a_clear_message(sampled: Path) -> None:
    (sampled / "odd.toml").mkdir()
    (sampled / "odd.toml" / "a.png").touch()
    used = {"name": "odd.toml/a.png", "sha256": "00" * 32}
    file = rewritten(picture(sampled), lambda content: content.update(recipe_name="odd.toml", files=[used]))
    with pytest.raises(ArtgenError, match="its files cannot be laid out"):
        again(file)


def test_what_changed_is_named(sampled: Path) -> None:
    for number in range(3):
        file = sampled / "pictures" / f"{number}.png"
        write_png(file, 1 - read_image(file), {})
    result = again(picture(sampled))
    assert not result.identical
    assert result.largest > 0
    assert 0 < result.share <= 1
    assert "pictures/1.png has changed" in result.differences
    assert result.summary().startswith("not identical: ")


def test_how_far_off(sampled: Path) -> None:
    file = picture(sampled)
    image, text = read_image(file), read_text(file)
    value = image[1, 5, 5]
    image[1, 5, 5] = value + (10 / 255 if value < 0.5 else -10 / 255)
    write_png(file, image, text)
    result = again(file)
    assert (result.identical, result.largest) == (False, 10)
    assert result.share == pytest.approx(1 / 96**2)
    write_png(file, image[:, :50], text)
    assert "the file has 96 x 50 px, now 96 x 96" in again(file).differences


def test_other_versions_are_named(sampled: Path) -> None:
    file = rewritten(picture(sampled), lambda content: content["versions"].update(torch="1.0"))
    result = again(file)
    assert result.identical
    assert any(difference.startswith("torch was 1.0, now ") for difference in result.differences)


def reads(reference: str) -> Callable[[dict[str, Any]], object]:
    return lambda content: content.update(
        recipe=content["recipe"].replace('images = "pictures"', f'images = "{reference}"')
    )


@pytest.mark.parametrize(
    "change",
    [
        reads("/"),
        reads("~"),
        reads("../../../etc"),
        reads("pictures/../../x"),
        reads("C:/secret"),
        reads("..\\\\secret"),
        lambda content: content["files"].append({"name": "/etc/passwd", "sha256": "00" * 32}),
        lambda content: content["files"].append({"name": "../passwd", "sha256": "00" * 32}),
        lambda content: content["files"].append({"name": "artgen:../../../etc/passwd", "sha256": "00" * 32}),
    ],
)
def test_a_hostile_picture_reads_nothing_elsewhere(
    sampled: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = rewritten(picture(sampled), change).rename(tmp_path / "hostile.png")
    monkeypatch.chdir(sampled)
    with pytest.raises(ArtgenError, match=r"reads files elsewhere|leads out of the package"):
        again(file)


@pytest.mark.parametrize(
    "recipe", ["", "not [ toml", "a = " + "[" * 5000, '[source]\nuse = "nothing"', "steps = 3"]
)
def test_a_recipe_that_cannot_be_run_is_a_clear_message(sampled: Path, recipe: str) -> None:
    file = rewritten(picture(sampled), lambda content: content.update(recipe=recipe))
    with pytest.raises(ArtgenError, match=r"0003\.png: the recipe in it"):
        again(file)
