"""Metadata in the header of a model file: read without torch, and ignored where it is invalid."""

import json
import os
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.models.architectures.registry import ARCHITECTURES
from artgen.models.files import catalog, header


def write_header(file: Path, tensors: dict[str, object], **metadata: object) -> Path:
    text = json.dumps({**tensors, "__metadata__": metadata}).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text)
    return file


def test_every_architecture_has_a_use() -> None:
    assert catalog.USES_BY_ARCHITECTURE.keys() == ARCHITECTURES.builtin_classes.keys()


def test_only_an_up_imager_has_a_scale(tmp_path: Path) -> None:
    file = tmp_path / "m.safetensors"
    sizes = json.dumps({"widths": [64, 32]})
    assert header.read_scale(write_header(file, {}, architecture="upimage", config=sizes)) == 4
    assert header.read_scale(write_header(file, {}, architecture="r3gan", config=sizes)) is None
    for invalid in (
        "",
        "[]",
        "{",
        '{"widths": 3}',
        '{"widths": []',
        "[" * 50_000,
        json.dumps({"widths": [1] * 99}),
    ):
        assert header.read_scale(write_header(file, {}, architecture="upimage", config=invalid)) is None


def test_numbers_are_counted_from_shapes(tmp_path: Path) -> None:
    file = tmp_path / "m.safetensors"
    weights = {"a": {"dtype": "F16", "shape": [3, 4]}, "b": {"dtype": "I64", "shape": []}}
    assert header.count_stored_values(write_header(file, weights)) == 13
    for invalid in ({"a": 3}, {"a": {}}, {"a": {"shape": "x"}}, {"a": {"shape": [[1]]}}):
        with pytest.raises(ArtgenError, match="not a safetensors file"):
            header.count_stored_values(write_header(file, invalid))


@pytest.mark.parametrize(
    "invalid", ["", "null", "3", '"x"', "[]", "[1, {}]", "{", '{"crop": "x"}', '{"crop": 1e999}']
)
def test_invalid_metadata_is_ignored(invalid: str) -> None:
    metadata = {"recipe": invalid, "inputs": invalid, "styles": invalid}
    assert header.training_side(metadata) is None
    assert isinstance(header.training_inputs(metadata), dict)
    assert all(isinstance(name, str) for name in header.style_names(metadata))
    assert header.training_side({}) is None
    assert header.training_inputs({}) == {}
    assert header.style_names({}) == []


def test_valid_metadata_is_read() -> None:
    metadata = {
        "recipe": json.dumps({"crop": 256}),
        "inputs": json.dumps({"use": "edges"}),
        "styles": json.dumps([{"name": "wave"}, {"name": "kiss"}]),
    }
    assert header.training_side(metadata) == 256
    assert header.training_inputs(metadata) == {"use": "edges"}
    assert header.style_names(metadata) == ["wave", "kiss"]


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.safetensors")
    with pytest.raises(ArtgenError, match="not a regular file"):
        header.read_metadata(tmp_path / "m.safetensors")
    with pytest.raises(ArtgenError, match="not a regular file"):
        header.count_stored_values(tmp_path)
