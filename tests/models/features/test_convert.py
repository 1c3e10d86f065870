"""Weights files of others: what is kept of each kind, what is said of it, what is refused."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from artgen.errors import ArtgenError
from artgen.models.features.convert import adopt
from artgen.models.features.features import load_features
from artgen.models.features.vgg import load_vgg
from artgen.models.features.weight_files import PLACE
from artgen.models.files.pickle_reader import read_table
from tests.models.features.test_vgg import VGG16, normalised, saved, torchvision

VGG19 = (64, 64, "pool", 128, 128, "pool", *(256,) * 4, "pool", *(512,) * 4, "pool", 512)
PART = VGG19[:7]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLACE, str(tmp_path / "weights"))


def test_what_torchvision_has_sees_the_same(tmp_path: Path) -> None:
    source = saved(tmp_path / "vgg19.pth", torchvision(VGG19))
    adopted = adopt("vgg19", source)
    assert (adopted.published, adopted.preprocessing) == (None, "torchvision")
    assert adopted.layers[-1] == "relu5_1"
    picture = torch.rand(1, 3, 64, 64)
    wanted = {"relu1_1", "relu5_1"}
    ours, theirs = (load_vgg(file)(picture, wanted) for file in (adopted.file, source))
    for name in wanted:
        assert (ours[name] - theirs[name]).abs().max() <= 4e-3 * theirs[name].abs().max()
    said = read_table(adopted.file).said
    assert json.loads(said["origin"]) == {
        "file": "vgg19.pth",
        "sha256": adopted.sha256,
        "published": False,
    }


def test_caffes_weights_say_so_from_then_on(tmp_path: Path) -> None:
    source = saved(tmp_path / "caffe.pth", torchvision(PART))
    adopted = adopt("vgg19", source, preprocessing="caffe")
    picture = torch.rand(1, 3, 32, 32)
    ours = load_vgg(adopted.file)(picture, {"relu3_1"})["relu3_1"]
    theirs = load_vgg(source, "caffe")(picture, {"relu3_1"})["relu3_1"]
    assert (ours - theirs).abs().max() <= 4e-3 * theirs.abs().max()
    again = adopt("vgg19", adopted.file)  # and when they are copied to another machine
    assert again.preprocessing == "caffe"


def test_a_colour_layer_is_kept_as_it_is(tmp_path: Path) -> None:
    network = normalised(PART)
    with torch.no_grad():
        network[0].bias.copy_(torch.tensor([-103.939, -116.779, -123.68]))  # type: ignore[operator, union-attr]
        network[0].weight.copy_(255 * torch.eye(3).flip(0)[:, :, None, None])  # type: ignore[operator, union-attr]
    adopted = adopt("vgg19", saved(tmp_path / "normalised.pth", network, ""))
    assert adopted.preprocessing == "own"
    table = read_table(adopted.file).weights
    assert table["0.bias"].tolist() == network[0].bias.tolist()  # type: ignore[operator, union-attr]
    assert {str(weight.dtype) for name, weight in table.items() if not name.startswith("0.")} == {
        "torch.float16"
    }
    picture = torch.rand(1, 3, 40, 40)
    seen = load_vgg(adopted.file)(picture, {"relu3_1"})["relu3_1"]
    assert torch.allclose(seen, network(picture), rtol=1e-2, atol=2e-2)


def test_safetensors_of_others_are_read(tmp_path: Path) -> None:
    state = {f"features.{name}": value for name, value in torchvision(PART).state_dict().items()}
    save_file(state | {"head.fc.weight": torch.zeros(2)}, tmp_path / "model.safetensors")
    assert adopt("vgg19", tmp_path / "model.safetensors").layers[-1] == "relu3_1"


def squeezenet() -> dict[str, torch.Tensor]:
    state = {"conv1": (96, 3, 7, 7)}
    before = 96
    for number in range(2, 10):
        narrow, wide = 16 * (number // 2), 64 * (number // 2)
        state |= {f"fire{number}.squeeze": (narrow, before, 1, 1)}
        state |= {f"fire{number}.expand{k}": (wide, narrow, k, k) for k in (1, 3)}
        before = 2 * wide
    state["conv10"] = (1000, 512, 1, 1)
    weights = {f"{name}.weight": torch.randn(shape) / 10 for name, shape in state.items()}
    return weights | {f"{name}.bias": torch.zeros(shape[0]) for name, shape in state.items()}


def test_squeezenet_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(squeezenet(), tmp_path / "squeezenet.pth")
    adopted = adopt("squeezenet", tmp_path / "squeezenet.pth")
    assert adopted.layers == ["conv1", *(f"fire{number}" for number in range(2, 10))]
    assert adopted.file.stat().st_size < 1.5e6
    picture = torch.rand(1, 3, 48, 48)
    ours, theirs = (
        load_features(file)(picture, {"fire4"})["fire4"]
        for file in (adopted.file, tmp_path / "squeezenet.pth")
    )
    assert (ours - theirs).abs().max() <= 1e-2 * theirs.abs().max()
    with pytest.raises(ArtgenError, match="only Caffe's is read"):
        adopt("squeezenet", tmp_path / "squeezenet.pth", preprocessing="torchvision")


def test_other_files_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    infinite = torchvision(PART)
    with torch.no_grad():
        infinite[2].bias[0] = torch.inf  # type: ignore[index, operator, union-attr]
    (tmp_path / "text.safetensors").write_text("nothing")
    (tmp_path / "text.pth").write_text("nothing")
    torch.save({"a": torch.zeros(2)}, tmp_path / "small.pth")
    for name, file, preprocessing, says in (
        ("vgg19", saved(tmp_path / "vgg16.pth", torchvision(VGG16)), "auto", "3 convolutions in block 3"),
        ("vgg19", saved(tmp_path / "infinite.pth", infinite), "auto", "not finite"),
        ("vgg19", tmp_path / "text.safetensors", "auto", "not a safetensors file"),
        ("vgg19", tmp_path / "text.pth", "auto", "not a weights file"),
        ("vgg19", tmp_path / "small.pth", "auto", "no convolutions of VGG"),
        ("vgg19", tmp_path / "nowhere.safetensors", "auto", "No such file"),
        ("squeezenet", tmp_path / "small.pth", "auto", "no conv1.weight"),
        ("vgg19", tmp_path / "small.pth", "keras", "one of auto, torchvision, caffe"),
        ("vgg16", tmp_path / "small.pth", "auto", "did you mean 'vgg19'"),
    ):
        with pytest.raises(ArtgenError, match=says):
            adopt(name, file, preprocessing=preprocessing)
    assert not (tmp_path / "weights").exists() or not list((tmp_path / "weights").iterdir())
