"""Conversion of published weights files: which weights and metadata are kept, which files are refused."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from artgen.errors import ArtgenError
from artgen.models.features.convert import install_weights
from artgen.models.features.features import load_features
from artgen.models.features.vgg import load_vgg
from artgen.models.features.weight_files import WEIGHTS_FOLDER_VARIABLE, get_weights_info
from artgen.models.files.pickle_reader import read_weights_file
from tests.models.features.test_vgg import VGG16_LAYERS, normalised, save_network, torchvision

VGG19_LAYERS = (64, 64, "pool", 128, 128, "pool", *(256,) * 4, "pool", *(512,) * 4, "pool", 512)
FIRST_LAYERS = VGG19_LAYERS[:7]


@pytest.fixture(autouse=True)
def _weights_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WEIGHTS_FOLDER_VARIABLE, str(tmp_path / "weights"))


def test_converted_torchvision_weights_give_the_same_features(tmp_path: Path) -> None:
    source = save_network(tmp_path / "vgg19.pth", torchvision(VGG19_LAYERS))
    installed = install_weights(get_weights_info("vgg19"), source)
    assert (installed.published_file, installed.preprocessing) == (None, "torchvision")
    assert installed.layers[-1] == "relu5_1"
    picture = torch.rand(1, 3, 64, 64)
    layers = {"relu1_1", "relu5_1"}
    installed_features, source_features = (
        load_vgg(file)(picture, layers) for file in (installed.file, source)
    )
    for name in layers:
        assert (installed_features[name] - source_features[name]).abs().max() <= 4e-3 * source_features[
            name
        ].abs().max()
    metadata = read_weights_file(installed.file).metadata
    assert json.loads(metadata["origin"]) == {
        "file": "vgg19.pth",
        "sha256": installed.source_sha256,
        "published": False,
    }


def test_caffe_preprocessing_is_stored_in_the_metadata(tmp_path: Path) -> None:
    source = save_network(tmp_path / "caffe.pth", torchvision(FIRST_LAYERS))
    installed = install_weights(get_weights_info("vgg19"), source, preprocessing="caffe")
    picture = torch.rand(1, 3, 32, 32)
    installed_features = load_vgg(installed.file)(picture, {"relu3_1"})["relu3_1"]
    source_features = load_vgg(source, "caffe")(picture, {"relu3_1"})["relu3_1"]
    assert (installed_features - source_features).abs().max() <= 4e-3 * source_features.abs().max()
    # And when they are copied to another machine.
    reinstalled = install_weights(get_weights_info("vgg19"), installed.file)
    assert reinstalled.preprocessing == "caffe"


def test_a_colour_layer_keeps_full_precision(tmp_path: Path) -> None:
    network = normalised(FIRST_LAYERS)
    with torch.no_grad():
        network[0].bias.copy_(torch.tensor([-103.939, -116.779, -123.68]))  # type: ignore[operator, union-attr]
        network[0].weight.copy_(255 * torch.eye(3).flip(0)[:, :, None, None])  # type: ignore[operator, union-attr]
    installed = install_weights(
        get_weights_info("vgg19"), save_network(tmp_path / "normalised.pth", network, "")
    )
    assert installed.preprocessing == "own"
    table = read_weights_file(installed.file).weights
    assert table["0.bias"].tolist() == network[0].bias.tolist()  # type: ignore[operator, union-attr]
    assert {str(weight.dtype) for name, weight in table.items() if not name.startswith("0.")} == {
        "torch.float16"
    }
    picture = torch.rand(1, 3, 40, 40)
    features = load_vgg(installed.file)(picture, {"relu3_1"})["relu3_1"]
    assert torch.allclose(features, network(picture), rtol=1e-2, atol=2e-2)


def test_published_safetensors_are_read(tmp_path: Path) -> None:
    state = {f"features.{name}": value for name, value in torchvision(FIRST_LAYERS).state_dict().items()}
    save_file(state | {"head.fc.weight": torch.zeros(2)}, tmp_path / "model.safetensors")
    assert install_weights(get_weights_info("vgg19"), tmp_path / "model.safetensors").layers[-1] == "relu3_1"


def squeezenet_state() -> dict[str, torch.Tensor]:
    state = {"conv1": (96, 3, 7, 7)}
    in_channels = 96
    for number in range(2, 10):
        squeezed, expanded = 16 * (number // 2), 64 * (number // 2)
        state |= {f"fire{number}.squeeze": (squeezed, in_channels, 1, 1)}
        state |= {f"fire{number}.expand{k}": (expanded, squeezed, k, k) for k in (1, 3)}
        in_channels = 2 * expanded
    state["conv10"] = (1000, 512, 1, 1)
    weights = {f"{name}.weight": torch.randn(shape) / 10 for name, shape in state.items()}
    return weights | {f"{name}.bias": torch.zeros(shape[0]) for name, shape in state.items()}


def test_squeezenet_is_converted(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(squeezenet_state(), tmp_path / "squeezenet.pth")
    installed = install_weights(get_weights_info("squeezenet"), tmp_path / "squeezenet.pth")
    assert installed.layers == ["conv1", *(f"fire{number}" for number in range(2, 10))]
    assert installed.file.stat().st_size < 1.5e6
    picture = torch.rand(1, 3, 48, 48)
    installed_features, source_features = (
        load_features(file)(picture, {"fire4"})["fire4"]
        for file in (installed.file, tmp_path / "squeezenet.pth")
    )
    assert (installed_features - source_features).abs().max() <= 1e-2 * source_features.abs().max()
    with pytest.raises(ArtgenError, match="only Caffe's is read"):
        install_weights(
            get_weights_info("squeezenet"), tmp_path / "squeezenet.pth", preprocessing="torchvision"
        )


def test_wrong_files_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    infinite = torchvision(FIRST_LAYERS)
    with torch.no_grad():
        infinite[2].bias[0] = torch.inf  # type: ignore[index, operator, union-attr]
    (tmp_path / "text.safetensors").write_text("nothing")
    (tmp_path / "text.pth").write_text("nothing")
    torch.save({"a": torch.zeros(2)}, tmp_path / "small.pth")
    for name, file, preprocessing, message in (
        (
            "vgg19",
            save_network(tmp_path / "vgg16.pth", torchvision(VGG16_LAYERS)),
            "auto",
            "3 convolutions in block 3",
        ),
        ("vgg19", save_network(tmp_path / "infinite.pth", infinite), "auto", "not finite"),
        ("vgg19", tmp_path / "text.safetensors", "auto", "not a safetensors file"),
        ("vgg19", tmp_path / "text.pth", "auto", "not a weights file"),
        ("vgg19", tmp_path / "small.pth", "auto", "no convolutions of VGG"),
        ("vgg19", tmp_path / "nowhere.safetensors", "auto", "No such file"),
        ("squeezenet", tmp_path / "small.pth", "auto", "no conv1.weight"),
        ("vgg19", tmp_path / "small.pth", "keras", "one of auto, torchvision, caffe"),
        ("vgg16", tmp_path / "small.pth", "auto", "did you mean 'vgg19'"),
    ):
        with pytest.raises(ArtgenError, match=message):
            install_weights(get_weights_info(name), file, preprocessing=preprocessing)
    assert not (tmp_path / "weights").exists() or not list((tmp_path / "weights").iterdir())
