"""Hashes that stages, runs, checkpoints and published sites are known by."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.hashing import file_hash, json_hash


def test_a_file_is_known_by_all_its_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    (tmp_path / "a.bin").write_bytes(content)
    assert file_hash(tmp_path / "a.bin") == hashlib.sha256(content).hexdigest()


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.png"):
        with pytest.raises(ArtgenError, match=f"{path}: no such file; put it back"):
            file_hash(path)


def test_a_value_is_known_by_its_json_whatever_its_order() -> None:
    value = {"b": [1, 2.5, None], "a": {"y": "é", "x": True}}
    assert json_hash(value) == json_hash(dict(reversed(value.items())))
    assert json_hash(value) == hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
    assert json_hash([Path("a")]) == json_hash(["a"]) != json_hash("a")
