"""Decoding of image folders as people have them, and the cache of decoded images."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from artgen.errors import ArtgenError
from artgen.events import Event, WorkProgress
from artgen.training.material.images import load_images, split_validation
from artgen.training.material.material import SourceFolder, load_dataset


def test_images_that_cannot_be_read_are_named_and_skipped(tmp_path: Path) -> None:
    Image.fromarray(data.coffee()).save(tmp_path / "good.png")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    images = load_images(sorted(tmp_path.glob("*.*")), tmp_path / "cache", max_side=256)
    assert len(images.names) == 1
    assert list(images.skipped) == [tmp_path / "broken.jpg"]
    assert "broken.jpg" in images.skipped[tmp_path / "broken.jpg"]


def test_only_broken_images_is_a_clear_message(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(ArtgenError, match=r"no image could be read; .*broken\.jpg"):
        load_images([tmp_path / "broken.jpg"], tmp_path / "cache", max_side=256)


def test_cmyk_grey_and_alpha_become_rgb(tmp_path: Path) -> None:
    red = Image.new("RGB", (40, 30), (200, 30, 40))
    red.convert("CMYK").save(tmp_path / "a.jpg", quality=100)
    red.convert("L").save(tmp_path / "b.png")
    red.convert("RGBA").save(tmp_path / "c.png")
    files = [tmp_path / name for name in ("a.jpg", "b.png", "c.png")]
    cmyk, grey, alpha = load_images(files, tmp_path / "cache", max_side=256).pixels
    assert all(pixels.shape == (30, 40, 3) for pixels in (cmyk, grey, alpha))
    assert cmyk[15, 20, 0] > 150
    assert cmyk[15, 20, 1] < 90
    assert len(set(grey[15, 20].tolist())) == 1
    assert alpha[15, 20].tolist() == [200, 30, 40]


def test_a_second_look_maps_what_the_first_decoded(tmp_path: Path) -> None:
    Image.fromarray(data.coffee()).save(tmp_path / "good.png")
    first = load_images([tmp_path / "good.png"], tmp_path / "cache", max_side=256)
    stamp = next((tmp_path / "cache").glob("*.u8")).stat().st_mtime_ns
    second = load_images([tmp_path / "good.png"], tmp_path / "cache", max_side=256)
    assert next((tmp_path / "cache").glob("*.u8")).stat().st_mtime_ns == stamp
    assert np.array_equal(first.pixels[0], second.pixels[0])


@pytest.mark.parametrize("damage", ["cut", "zeros", "gone", "index"])
def test_a_cache_that_a_power_cut_left_is_made_again(tmp_path: Path, damage: str) -> None:
    Image.fromarray(data.coffee()).save(tmp_path / "good.png")
    first = np.array(load_images([tmp_path / "good.png"], tmp_path / "cache", max_side=256).pixels[0])
    cache = next((tmp_path / "cache").glob("*.u8"))
    whole = cache.read_bytes()
    if damage == "cut":
        cache.write_bytes(whole[: len(whole) // 2])
    elif damage == "zeros":
        cache.write_bytes(bytes(len(whole)))
    elif damage == "gone":
        cache.unlink()
    else:
        cache.with_suffix(".json").write_text('{"images": [[0, 0,')
    again = load_images([tmp_path / "good.png"], tmp_path / "cache", max_side=256)
    assert np.array_equal(again.pixels[0], first)
    assert cache.read_bytes() == whole


def test_a_full_disk_leaves_nothing_partial(tmp_path: Path) -> None:
    Image.fromarray(data.coffee()).save(tmp_path / "good.png")
    code = """
import resource, signal, sys
import subprocess
import sys
from pathlib import Path
from artgen.errors import WriteError
from artgen.training.material.images import load_images
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    load_images([Path("good.png")], Path("cache"), max_side=512)
except WriteError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert "could not be written" in run.stdout, run.stderr
    assert list((tmp_path / "cache").iterdir()) == []


def test_caches_of_other_images_for_the_same_are_removed(tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.png" for name in "abc"]
    for value, file in enumerate(files):
        Image.new("RGB", (20, 20), (50 * value, 0, 0)).save(file)
    cache = tmp_path / "cache"
    for targets, inputs in ((files, files[:1]), (files, files[:1]), (files[:2], files[:1])):
        load_dataset(targets, inputs, cache, max_side=64, paired=False)
        (cache / "data-of-mine.json").touch()
        load_images(files, cache, max_side=32)
    kinds = sorted(file.name.partition("-")[0] + file.suffix for file in cache.iterdir())
    assert kinds == [
        "data.json",
        "data.json",
        "data.u8",
        "images.json",
        "images.u8",
        "inputs.json",
        "inputs.u8",
    ]


def test_decoding_tells_how_far_it_is(tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.png" for name in "abcd"]
    for file in files:
        Image.new("RGB", (20, 20)).save(file)
    events: list[Event] = []
    load_images(files, tmp_path / "cache", max_side=64, emit=events.append)
    decoding = [e.fraction for e in events if isinstance(e, WorkProgress) and e.said.startswith("decoding")]
    assert decoding == [0, 0.25, 0.5, 0.75]


def test_every_twentieth_is_held_out_and_cuts_of_one_photograph_stay_together() -> None:
    files = [Path(f"C_{i:03d}_crop{j}.jpg") for i in range(40) for j in range(3)]
    training, held_out = ([files[index] for index in indices] for indices in split_validation(files))
    assert {f.stem[:5] for f in held_out} == {"C_000", "C_020"}
    assert not {f.stem[:5] for f in held_out} & {f.stem[:5] for f in training}


def test_two_folders_hold_out_the_same_names(tmp_path: Path) -> None:
    folders = {}
    for folder, value in (("a", 10), ("b", 200)):
        (tmp_path / folder).mkdir()
        for i in range(21):
            Image.new("RGB", (16, 16), (value, i, 0)).save(tmp_path / folder / f"{i:02d}.png")
        folders[folder] = sorted((tmp_path / folder).glob("*.png"))
    dataset = load_dataset(folders["b"], folders["a"], tmp_path / "cache", max_side=64)
    assert dataset.held_out
    assert dataset.validation_inputs is not None
    names = [
        {Path(name).name for name in m.names} for m in (dataset.validation_images, dataset.validation_inputs)
    ]
    assert names[0] == names[1] == {"00.png", "20.png"}
    assert dataset.sources == [SourceFolder("b", 21, 2), SourceFolder("a", 21, 2)]
