import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from artgen.errors import ArtgenError
from artgen.models.architectures.upimage import UpImager, UpImagerConfig
from artgen.models.files.checkpoint import load_model, save_model

SMALL_CONFIG = UpImagerConfig(width=8, blocks=2, widths=(8, 8))


def test_a_saved_model_is_loaded_again(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = UpImager(SMALL_CONFIG)
    file = tmp_path / "small.safetensors"
    save_model(file, network, {"title": "small", "description": "a test"})
    model = load_model(file)
    assert model.network.config == SMALL_CONFIG
    assert model.metadata["title"] == "small"
    for name, value in model.network.state_dict().items():
        assert torch.equal(value, network.state_dict()[name].half().float())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a safetensors file"),
        (b"hello", "not a safetensors file"),
        (pickle.dumps({"a": 1}), "not a safetensors file"),
        ((1 << 62).to_bytes(8, "little") + b"{}", "not a safetensors file"),
    ],
)
def test_a_file_that_is_no_model_is_refused_clearly(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(content)
    with pytest.raises(ArtgenError, match=message):
        load_model(file)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "none named"),
        ({"architecture": "gpt"}, "architecture 'gpt'"),
        ({"architecture": "upimage"}, "configuration that cannot be read"),
        ({"architecture": "upimage", "config": json.dumps({"width": 10**9})}, "less than or equal to 512"),
        ({"architecture": "upimage", "config": json.dumps({"depth": 3})}, "cannot be read"),
        ({"architecture": "upimage", "config": SMALL_CONFIG.model_dump_json()}, "do not fit"),
    ],
)
def test_metadata_is_validated(tmp_path: Path, metadata: dict[str, str], message: str) -> None:
    file = tmp_path / "model.safetensors"
    save_file({"stem.weight": torch.zeros(1)}, file, metadata)
    with pytest.raises(ArtgenError, match=message):
        load_model(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtgenError, match="nowhere"):
        load_model(tmp_path / "nowhere.safetensors")
