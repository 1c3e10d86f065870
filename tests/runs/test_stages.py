"""The stage cache: exact, limited in size, and checked when read."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from artgen.imaging.io.files import TEMPORARY_FILE_PREFIX
from artgen.runs.stages import StageCache, dequantise_image, hash_pixels, hash_stage_inputs, quantise_image

PIXELS = quantise_image(torch.rand(3, 20, 30, generator=torch.Generator().manual_seed(1)))
KEY = "ab" * 32


def test_rounding_is_stable() -> None:
    every = np.arange(65536, dtype=np.uint16).reshape(1, 256, 256).repeat(3, axis=0)
    assert np.array_equal(quantise_image(dequantise_image(every)), every)
    assert np.array_equal(quantise_image(torch.tensor([-1.0, 0.0, 2.0]).view(3, 1, 1)).ravel(), [0, 0, 65535])


def test_what_is_read_is_what_was_put(tmp_path: Path) -> None:
    cache = StageCache(tmp_path / "stages")
    assert cache.get(KEY) is None
    cache.put(KEY, PIXELS)
    kept = cache.get(KEY)
    assert kept is not None
    assert torch.equal(dequantise_image(kept), dequantise_image(PIXELS))


@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_any_damaged_byte_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, place: float, flip: int
) -> None:
    cache = StageCache(tmp_path_factory.mktemp("stages"))
    cache.put(KEY, PIXELS)
    (file,) = cache.folder.iterdir()
    content = bytearray(file.read_bytes())
    content[int(place * len(content))] ^= flip
    file.write_bytes(content)
    assert cache.get(KEY) is None
    assert not file.exists()


@pytest.mark.parametrize("length", [0, 10, 60, 1000, 3650])
def test_a_cut_off_file_is_noticed(tmp_path: Path, length: int) -> None:
    cache = StageCache(tmp_path)
    cache.put(KEY, PIXELS)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:length])
    assert cache.get(KEY) is None


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    cache = StageCache(tmp_path, max_bytes=4 * (PIXELS.nbytes + 60))
    for age, name in enumerate("abcdefg"):
        cache.put(name * 64, PIXELS)
        os.utime(tmp_path / f"{name * 64}.stage", (age, age))
    assert cache.get("a" * 64) is not None
    written, left = (
        tmp_path / f"{TEMPORARY_FILE_PREFIX}{os.getpid()}-2",
        tmp_path / f"{TEMPORARY_FILE_PREFIX}99999999999-2",
    )
    written.touch()
    left.touch()
    cache.trim()
    assert not left.exists()
    assert sorted(file.name[0] for file in tmp_path.iterdir()) == [".", "a", "e", "f", "g"]


def test_what_cannot_be_kept_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    StageCache(tmp_path / "file").put(KEY, PIXELS)
    small = StageCache(tmp_path / "small", max_bytes=100)
    small.put(KEY, PIXELS)
    assert small.get(KEY) is None


def test_everything_that_decides_pixels_is_in_the_key() -> None:
    same = {
        "step_fields": {"use": "style", "strength": 0.5},
        "version": 1,
        "file_hashes": ["aa"],
        "stream_key": 7,
        "device": "cpu",
        "input_hash": hash_pixels(PIXELS),
    }
    other = {
        "step_fields": {"use": "style", "strength": 0.6},
        "version": 2,
        "file_hashes": ["ab"],
        "stream_key": 8,
        "device": "cuda",
        "input_hash": hash_pixels(PIXELS.reshape(3, 30, 20)),
    }
    keys = {hash_stage_inputs(**same)} | {
        hash_stage_inputs(**same | {name: value}) for name, value in other.items()
    }
    assert len(keys) == 1 + len(other)
    assert hash_stage_inputs(**same) == hash_stage_inputs(**same)
