import os
from pathlib import Path

import pytest
import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.models.features.features import load_features
from artgen.models.features.squeezenet import FIRE_MODULE_NUMBERS, SqueezeNet, weight_shapes
from artgen.models.features.vgg import VGG

REAL_WEIGHTS = os.environ.get("ARTGEN_SQUEEZENET")


def random_state() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in weight_shapes().items():
        state[f"{name}.weight"] = (
            torch.randn(shape, generator=generator) * (2 / (shape[1] * shape[2] ** 2)) ** 0.5
        )
        state[f"{name}.bias"] = torch.randn(shape[:1], generator=generator) * 0.1
    return state


def save_state(path: Path, state: dict[str, Tensor]) -> Path:
    torch.save({**state, "conv10.weight": torch.zeros(4, 512, 1, 1), "conv10.bias": torch.zeros(4)}, path)
    return path


def test_features_are_those_of_the_published_network(tmp_path: Path) -> None:
    state = random_state()
    network = load_features(save_state(tmp_path / "squeezenet.pth", state))
    assert isinstance(network, SqueezeNet)
    assert network.layer_names == ["conv1", *(f"fire{number}" for number in FIRE_MODULE_NUMBERS)]
    assert list(network.parameters()) == []
    picture = torch.rand(1, 3, 61, 75, generator=torch.Generator().manual_seed(1))
    x = torch.stack(
        [255 * picture[:, 2] - 104.006, 255 * picture[:, 1] - 116.669, 255 * picture[:, 0] - 122.679], 1
    )

    def convolve(x: Tensor, name: str, **options: int) -> Tensor:
        return torch.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], **options).relu()

    pool = torch.nn.MaxPool2d(3, 2, ceil_mode=True)
    x = pool(convolve(x, "conv1", stride=2))
    for number in range(2, 6):
        x = pool(x) if number == 5 else x
        x = convolve(x, f"fire{number}.squeeze")
        x = torch.cat(
            [convolve(x, f"fire{number}.expand1"), convolve(x, f"fire{number}.expand3", padding=1)], 1
        )
    features = network(picture, {"fire5"})
    assert list(features) == ["fire5"]
    assert torch.allclose(features["fire5"], x, rtol=1e-3, atol=1e-2)
    assert torch.allclose(network.with_options()(picture, {"fire5"})["fire5"], x, rtol=1e-3, atol=1e-2)


def test_vgg_layers_map_to_squeezenet_layers(tmp_path: Path) -> None:
    network = load_features(save_state(tmp_path / "squeezenet.pth", random_state()))
    assert [network.nearest_layer(f"relu{block}_1") for block in range(1, 6)] == [
        *("conv1", "fire2", "fire4", "fire6", "fire9")
    ]
    assert network.nearest_layer("fire7") == "fire7"
    assert (network.channel_count("conv1"), network.channel_count("fire9")) == (96, 512)


def test_other_weights_are_refused_with_the_reason(tmp_path: Path) -> None:
    state = random_state()
    truncated = {name: weight for name, weight in state.items() if not name.startswith("fire9.expand1")}
    with pytest.raises(ArtgenError, match=r"no fire9\.expand1\.weight"):
        load_features(save_state(tmp_path / "short.pth", truncated))
    state["fire3.squeeze.weight"] = torch.zeros(8, 128, 1, 1)
    with pytest.raises(ArtgenError, match=r"fire3\.squeeze\.weight of shape"):
        load_features(save_state(tmp_path / "other.pth", state))


def test_vgg_is_recognised_by_its_names(tmp_path: Path) -> None:
    path = tmp_path / "vgg.pth"
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3), "features.0.bias": torch.zeros(64)}, path)
    assert isinstance(load_features(path), VGG)


@pytest.mark.skipif(REAL_WEIGHTS is None, reason="ARTGEN_SQUEEZENET names no file of SqueezeNet weights")
def test_real_weights() -> None:
    network = load_features(Path(str(REAL_WEIGHTS)))
    features = network(torch.rand(1, 3, 64, 64), {"fire9"})["fire9"]
    assert 0 < float((features > 0).float().mean()) < 0.9
