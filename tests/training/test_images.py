"""Folders of images as people have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from artgen.errors import ArtgenError
from artgen.training.images import load_images, split
from artgen.training.material import load_material


def test_images_that_cannot_be_read_are_named_and_skipped(tmp_path: Path) -> None:
    Image.fromarray(data.coffee()).save(tmp_path / "good.png")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    images = load_images(sorted(tmp_path.glob("*.*")), tmp_path / "cache", side=256)
    assert len(images.names) == 1
    assert "broken.jpg" in images.skipped[0]


def test_only_broken_images_is_a_clear_message(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(ArtgenError, match=r"no image could be read; .*broken\.jpg"):
        load_images([tmp_path / "broken.jpg"], tmp_path / "cache", side=256)


def test_cmyk_grey_and_alpha_become_rgb(tmp_path: Path) -> None:
    red = Image.new("RGB", (40, 30), (200, 30, 40))
    red.convert("CMYK").save(tmp_path / "a.jpg", quality=100)
    red.convert("L").save(tmp_path / "b.png")
    red.convert("RGBA").save(tmp_path / "c.png")
    files = [tmp_path / name for name in ("a.jpg", "b.png", "c.png")]
    cmyk, grey, alpha = load_images(files, tmp_path / "cache", side=256).pixels
    assert all(pixels.shape == (30, 40, 3) for pixels in (cmyk, grey, alpha))
    assert cmyk[15, 20, 0] > 150
    assert cmyk[15, 20, 1] < 90
    assert len(set(grey[15, 20].tolist())) == 1
    assert alpha[15, 20].tolist() == [200, 30, 40]


def test_a_second_look_maps_what_the_first_decoded(tmp_path: Path) -> None:
    Image.fromarray(data.coffee()).save(tmp_path / "good.png")
    first = load_images([tmp_path / "good.png"], tmp_path / "cache", side=256)
    stamp = next((tmp_path / "cache").glob("*.u8")).stat().st_mtime_ns
    second = load_images([tmp_path / "good.png"], tmp_path / "cache", side=256)
    assert next((tmp_path / "cache").glob("*.u8")).stat().st_mtime_ns == stamp
    assert np.array_equal(first.pixels[0], second.pixels[0])


def test_every_twentieth_is_held_out_and_cuts_of_one_photograph_stay_together() -> None:
    files = [Path(f"C_{i:03d}_crop{j}.jpg") for i in range(40) for j in range(3)]
    training, held = split(files)
    assert {f.stem[:5] for f in held} == {"C_000", "C_020"}
    assert not {f.stem[:5] for f in held} & {f.stem[:5] for f in training}


def test_two_folders_hold_out_the_same_names(tmp_path: Path) -> None:
    folders = {}
    for folder, value in (("a", 10), ("b", 200)):
        (tmp_path / folder).mkdir()
        for i in range(21):
            Image.new("RGB", (16, 16), (value, i, 0)).save(tmp_path / folder / f"{i:02d}.png")
        folders[folder] = sorted((tmp_path / folder).glob("*.png"))
    material = load_material(folders["b"], folders["a"], tmp_path / "cache", side=64)
    assert material.held_out
    assert material.validation_inputs is not None
    names = [{Path(name).name for name in m.names} for m in (material.validation, material.validation_inputs)]
    assert names[0] == names[1] == {"00.png", "20.png"}
    assert material.sources == {"a": 21, "b": 21}
