"""What a model file says of itself: read without torch, believed in nothing that is not as it should be."""

import json
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.models.architectures.registry import ARCHITECTURES
from artgen.models.files import catalog, header


def write(file: Path, tensors: dict[str, object], **said: object) -> Path:
    text = json.dumps({**tensors, "__metadata__": said}).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text)
    return file


def test_every_architecture_has_a_use() -> None:
    assert catalog.USES.keys() == ARCHITECTURES.keys()


def test_only_an_up_imager_has_a_scale(tmp_path: Path) -> None:
    file = tmp_path / "m.safetensors"
    sizes = json.dumps({"widths": [64, 32]})
    assert header.scale(write(file, {}, architecture="upimage", config=sizes)) == 4
    assert header.scale(write(file, {}, architecture="r3gan", config=sizes)) is None
    for odd in (
        "",
        "[]",
        "{",
        '{"widths": 3}',
        '{"widths": []',
        "[" * 50_000,
        json.dumps({"widths": [1] * 99}),
    ):
        assert header.scale(write(file, {}, architecture="upimage", config=odd)) is None


def test_numbers_are_counted_from_shapes(tmp_path: Path) -> None:
    file = tmp_path / "m.safetensors"
    weights = {"a": {"dtype": "F16", "shape": [3, 4]}, "b": {"dtype": "I64", "shape": []}}
    assert header.numbers(write(file, weights)) == 13
    for odd in ({"a": 3}, {"a": {}}, {"a": {"shape": "x"}}, {"a": {"shape": [[1]]}}):
        with pytest.raises(ArtgenError, match="not a safetensors file"):
            header.numbers(write(file, odd))


@pytest.mark.parametrize(
    "odd", ["", "null", "3", '"x"', "[]", "[1, {}]", "{", '{"crop": "x"}', '{"crop": 1e999}']
)
def test_nonsense_says_nothing(odd: str) -> None:
    said = {"recipe": odd, "inputs": odd, "styles": odd}
    assert header.side(said) is None
    assert isinstance(header.inputs(said), dict)
    assert all(isinstance(name, str) for name in header.style_names(said))
    assert header.side({}) is None
    assert header.inputs({}) == {}
    assert header.style_names({}) == []


def test_what_is_said_is_found() -> None:
    said = {
        "recipe": json.dumps({"crop": 256}),
        "inputs": json.dumps({"use": "edges"}),
        "styles": json.dumps([{"name": "wave"}, {"name": "kiss"}]),
    }
    assert header.side(said) == 256
    assert header.inputs(said) == {"use": "edges"}
    assert header.style_names(said) == ["wave", "kiss"]
