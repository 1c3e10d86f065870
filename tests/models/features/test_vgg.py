import os
import pickle
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from artgen.errors import ArtgenError
from artgen.models.features.vgg import load_vgg

VGG16_LAYERS = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512)
REAL_WEIGHTS = os.environ.get("ARTGEN_VGG")


def torchvision(layers: tuple[int | str, ...]) -> nn.Sequential:
    """Build torchvision's ``features``, with its numbering."""
    modules: list[nn.Module] = []
    in_channels = 3
    for layer in layers:
        if isinstance(layer, str):
            modules.append(nn.MaxPool2d(2, 2))
        else:
            modules += [nn.Conv2d(in_channels, layer, 3, padding=1), nn.ReLU()]
            in_channels = layer
    return nn.Sequential(*modules)


def normalised(layers: tuple[int | str, ...]) -> nn.Sequential:
    """Build Universal Style Transfer's VGG: a colour layer, reflection padding, pools that round up."""
    modules: list[nn.Module] = [nn.Conv2d(3, 3, 1)]
    in_channels = 3
    for layer in layers:
        if isinstance(layer, str):
            modules.append(nn.MaxPool2d(2, 2, ceil_mode=True))
        else:
            modules += [nn.ReflectionPad2d(1), nn.Conv2d(in_channels, layer, 3), nn.ReLU()]
            in_channels = layer
    return nn.Sequential(*modules)


def save_network(path: Path, network: nn.Sequential, prefix: str = "features.") -> Path:
    state = {f"{prefix}{key}": value for key, value in network.state_dict().items()}
    torch.save({**state, "classifier.0.weight": torch.zeros(2, 2), "classifier.0.bias": torch.zeros(2)}, path)
    return path


@pytest.fixture
def picture() -> Tensor:
    return torch.rand(1, 3, 37, 45, generator=torch.Generator().manual_seed(0))


@torch.inference_mode()
def test_features_are_those_of_torchvisions_network(tmp_path: Path, picture: Tensor) -> None:
    network = torchvision(VGG16_LAYERS[:8])
    vgg = load_vgg(save_network(tmp_path / "vgg16.pth", network))
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    network_input = (picture - mean[:, None, None]) / deviation[:, None, None]
    features = vgg(picture, {"relu1_2", "relu2_2", "relu3_2"})
    for name, module_count in (("relu1_2", 4), ("relu2_2", 9), ("relu3_2", 14)):
        assert torch.allclose(features[name], network[:module_count](network_input), atol=1e-5)


@torch.inference_mode()
def test_caffe_preprocessing_is_bgr_up_to_255(tmp_path: Path, picture: Tensor) -> None:
    network = torchvision(VGG16_LAYERS[:2])
    vgg = load_vgg(save_network(tmp_path / "caffe.pth", network), "caffe")
    network_input = picture.flip(1) * 255 - torch.tensor([103.939, 116.779, 123.68])[:, None, None]
    assert torch.allclose(vgg(picture, {"relu1_2"})["relu1_2"], network(network_input), rtol=1e-4, atol=1e-3)


@torch.inference_mode()
def test_a_colour_layer_is_recognised(tmp_path: Path, picture: Tensor) -> None:
    network = normalised(VGG16_LAYERS[:7])
    vgg = load_vgg(save_network(tmp_path / "normalised.pth", network, ""))
    assert vgg.layer_names == ["relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1"]
    assert torch.allclose(vgg(picture, {"relu3_1"})["relu3_1"], network(picture), atol=1e-5)


def test_layers_have_their_published_names(tmp_path: Path) -> None:
    vgg = load_vgg(save_network(tmp_path / "vgg16.pth", torchvision(VGG16_LAYERS)))
    assert vgg.layer_names[-4:] == ["relu4_3", "relu5_1", "relu5_2", "relu5_3"]
    assert vgg.nearest_layer("relu3_3") == "relu3_3"
    truncated = load_vgg(save_network(tmp_path / "short.pth", torchvision(VGG16_LAYERS[:7])))
    assert truncated.nearest_layer("relu3_3") == truncated.nearest_layer("relu4_3") == "relu3_1"


class CommandOnUnpickling:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch harmed",)


def test_a_file_that_would_run_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number, save in enumerate((torch.save, lambda code, path: path.write_bytes(pickle.dumps(code)))):
        path = tmp_path / f"{number}.pth"
        save({"features.0.weight": CommandOnUnpickling()}, path)  # type: ignore[no-untyped-call]
        with pytest.raises(ArtgenError, match=r"more than weights|not a weights file"):
            load_vgg(path)
    assert not (tmp_path / "harmed").exists()


def test_other_weights_are_refused_with_the_reason(tmp_path: Path) -> None:
    batch_normed = nn.Sequential(
        nn.Conv2d(3, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.Conv2d(64, 64, 3)
    )
    torch.save([1, 2], tmp_path / "list.pth")
    (tmp_path / "text.pth").write_text("nothing")
    for path, message in (
        (save_network(tmp_path / "bn.pth", batch_normed), r"layer 2 of shape \(64,\)"),
        (save_network(tmp_path / "other.pth", nn.Sequential(nn.Linear(2, 2)), "head."), "no convolutions"),
        (tmp_path / "list.pth", "no table of weights"),
        (tmp_path / "text.pth", "not a weights file"),
        (tmp_path / "missing.pth", "No such file"),
    ):
        with pytest.raises(ArtgenError, match=message):
            load_vgg(path)


@pytest.mark.skipif(REAL_WEIGHTS is None, reason="ARTGEN_VGG names no file of VGG weights")
@torch.inference_mode()
def test_real_weights_tell_photographs_from_noise() -> None:
    from skimage import data

    assert REAL_WEIGHTS is not None
    vgg = load_vgg(Path(REAL_WEIGHTS))
    name = vgg.nearest_layer("relu3_1")
    coffee, cat = (
        torch.from_numpy(p[:256, :256]).permute(2, 0, 1)[None] / 255 for p in (data.coffee(), data.cat())
    )
    noise = torch.rand(coffee.shape, generator=torch.Generator().manual_seed(0))
    grams = []
    for picture in (coffee, cat, noise):
        flat_features = vgg(picture, {name})[name].flatten(2)
        grams.append(flat_features @ flat_features.transpose(1, 2) / flat_features.shape[2])
    assert (grams[0] - grams[1]).norm() < (grams[0] - grams[2]).norm()
    # The normalised variant's activations are about 1, Caffe's up to hundreds, torchvision's below 1.
    assert 0.05 < float(vgg(coffee, {name})[name].mean()) < 500
