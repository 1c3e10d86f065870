"""Checkpoints of junyanz/pytorch-CycleGAN-and-pix2pix against a forward pass that knows only their names."""

from pathlib import Path
from typing import Any

import pytest
import torch
from skimage import data
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import resize
from artgen.models.architectures.resnet import ResNet, ResNetConfig
from artgen.models.architectures.unet import UNet, UNetConfig
from artgen.models.architectures.upimage import UpImager, UpImagerConfig
from artgen.models.files.checkpoint import load_model, save_model
from artgen.models.files.cyclegan_pix2pix import (
    command_options,
    describe_config,
    export_state_dict,
    import_generator,
)
from artgen.models.files.pickle_reader import read_pickled_weights
from artgen.models.inference.translating import translate_image
from tests.models.published import StateDict, resnet, resnet_state, unet, unet_state


def photograph(height: int, width: int) -> Tensor:
    cat = torch.from_numpy(data.chelsea().copy()).permute(2, 0, 1).float() / 255
    return resize(cat[:, :256, 100:356], (height, width))


def published_output(forward: Any, state: StateDict, x: Tensor, **options: Any) -> Tensor:
    """Compute the published network's output in [0, 1] for ``x`` in [0, 1]."""
    with torch.inference_mode():
        return forward(state, x * 2 - 1, **options) * 0.5 + 0.5


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize(("levels", "width", "inputs", "outputs"), [(8, 4, 3, 3), (7, 6, 1, 3), (5, 8, 3, 1)])
def test_a_unet_is_the_published_one(levels: int, width: int, inputs: int, outputs: int, norm: str) -> None:
    torch.manual_seed(levels)
    state = unet_state(levels, width, inputs=inputs, outputs=outputs, norm=norm)
    network = import_generator("G.pth", state, arch=f"unet_{2**levels}", norm=norm).eval()
    x = torch.rand(2, inputs, 2**levels, 2 ** (levels + 1))
    expected = published_output(unet, state, x)
    assert expected.std() > 0.05
    with torch.inference_mode():
        assert (network(x) - expected).abs().max() <= 1e-5


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize(("blocks", "width", "inputs"), [(9, 4, 3), (6, 6, 1)])
def test_a_resnet_is_the_published_one(
    blocks: int, width: int, inputs: int, dropout: bool, norm: str
) -> None:
    torch.manual_seed(blocks)
    state = resnet_state(blocks, width, inputs=inputs, norm=norm, dropout=dropout)
    network = import_generator("G.pth", state, arch=f"resnet_{blocks}blocks", norm=norm).eval()
    assert network.config.dropout == dropout
    x = torch.rand(2, inputs, 64, 96)
    expected = published_output(resnet, state, x, dropout=dropout)
    assert expected.std() > 0.05
    with torch.inference_mode():
        assert (network(x) - expected).abs().max() <= 1e-5


@pytest.mark.parametrize(
    ("kind", "norm"),
    [pytest.param("unet", "batch", marks=pytest.mark.slow), ("resnet", "instance")],
)
def test_import_translate_export_at_the_published_size(tmp_path: Path, kind: str, norm: str) -> None:
    """The imported network gives the published one's image, and its export holds the same weights."""
    torch.manual_seed(3)
    state = unet_state(8, 64) if kind == "unet" else resnet_state(9, 64)
    torch.save(state, tmp_path / "latest_net_G.pth")
    network = import_generator("latest_net_G.pth", read_pickled_weights(tmp_path / "latest_net_G.pth"))
    model = tmp_path / "mine.safetensors"
    save_model(model, network, {}, half_precision=False)

    side = 256 if kind == "unet" else 128
    picture = photograph(side, side)
    expected = published_output(unet if kind == "unet" else resnet, state, picture[None])[0]
    assert (translate_image(picture, model) - expected).abs().max() <= 1e-5

    torch.save(export_state_dict("mine", load_model(model).network), tmp_path / "again.pth")
    exported_state = torch.load(tmp_path / "again.pth", weights_only=True)
    assert list(exported_state) == list(state)
    assert all(torch.equal(exported_state[name], weight) for name, weight in state.items())
    assert all(exported_state[name].dtype == weight.dtype for name, weight in state.items())


def test_a_trained_model_survives_export_and_import() -> None:
    torch.manual_seed(0)
    for network in (
        UNet(UNetConfig(levels=6, width=4, inputs=1, norm="instance")),
        ResNet(ResNetConfig(width=4, blocks=2, norm="batch", dropout=True)),
    ):
        reimported = import_generator("G.pth", export_state_dict("mine", network))
        assert reimported.config == network.config
        for name, weight in network.state_dict().items():
            assert torch.equal(reimported.state_dict()[name], weight)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", ""])
def test_wrapped_checkpoints_are_read(tmp_path: Path, prefix: str, legacy: bool) -> None:
    torch.manual_seed(0)
    state = resnet_state(6, 4)
    content = {"epoch": 200, "state_dict": {prefix + name: weight for name, weight in state.items()}}
    file = tmp_path / "G.pth"
    torch.save(content if prefix else state, file, _use_new_zipfile_serialization=not legacy)
    weights = read_pickled_weights(file)
    assert all(torch.equal(weights[name], weight) for name, weight in state.items())


def test_statistics_that_old_torch_saved_for_instance_norm_are_dropped() -> None:
    torch.manual_seed(0)
    state = resnet_state(6, 4)
    legacy_state = dict(state)
    for name in state:
        if name.endswith("conv_block.1.weight") or name == "model.1.weight":
            at, number = name.removesuffix(".weight").rsplit(".", 1)
            norm = f"{at}.{int(number) + 1}"
            legacy_state |= {f"{norm}.running_mean": torch.zeros(4), f"{norm}.running_var": torch.ones(4)}
    network = import_generator("G.pth", legacy_state)
    assert network.config.norm == "instance"
    assert export_state_dict("mine", network).keys() == state.keys()


def test_batch_norm_that_does_not_count_batches_is_read() -> None:
    """As saved before torch 0.4.1."""
    torch.manual_seed(0)
    state = unet_state(5, 4)
    legacy_state = {
        name: weight for name, weight in state.items() if not name.endswith("num_batches_tracked")
    }
    x = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        output = import_generator("G.pth", legacy_state).eval()(x)
    assert (output - published_output(unet, state, x)).abs().max() <= 1e-5


def test_a_wrong_arch_is_reported_with_the_architecture_found() -> None:
    state = resnet_state(9, 64)
    with pytest.raises(ArtgenError) as raised:
        import_generator("G.pth", state, arch="unet_256")
    message = "--arch unet_256: these weights look like resnet_9blocks with 64 channels, instance norm"
    assert str(raised.value).startswith(message)
    with pytest.raises(
        ArtgenError, match="look like unet_32 with 4 channels, 1 to 3 in pictures, batch norm"
    ):
        import_generator("G.pth", unet_state(5, 4, inputs=1), norm="instance")
    assert describe_config(import_generator("G.pth", state).config) in message


def without(state: StateDict, name: str) -> StateDict:
    return {key: weight for key, weight in state.items() if key != name}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"model.0.weight": torch.zeros(8, 6, 4, 4)}, "look like a discriminator"),
        ({"features.0.weight": torch.zeros(8, 3, 3, 3)}, "begins with 'features.0.weight'"),
        ({"model.model.0.weight": torch.zeros(8)}, "no generator that is known"),
        (without(resnet_state(6, 4), "model.23.bias"), "model.23.bias is missing and should be 3"),
        (without(unet_state(5, 4), "model.model.1.model.2.weight"), "is missing and should be 8"),
        (unet_state(5, 4) | {"extra": torch.zeros(2, 2)}, "extra is 2 x 2 and should be missing"),
        (
            unet_state(5, 4) | {"model.model.1.model.1.weight": torch.zeros(8, 4, 3, 3)},
            "is 8 x 4 x 3 x 3 and should be 8 x 4 x 4 x 4",
        ),
        (unet_state(4, 4) | {"model.model.0.weight": torch.zeros(999, 3, 4, 4)}, "no generator"),
    ],
)
def test_weights_that_do_not_fit_are_reported(state: StateDict, message: str) -> None:
    with pytest.raises(ArtgenError, match=message):
        import_generator("G.pth", state)


def test_command_options_for_an_exported_file() -> None:
    expected_options = "--netG resnet_9blocks --ngf 64 --norm instance --eval --input_nc 3 --output_nc 3"
    assert command_options(ResNetConfig()) == f"{expected_options} --no_dropout"
    assert command_options(ResNetConfig(dropout=True)) == expected_options


def test_networks_that_the_published_code_lacks_are_not_exported() -> None:
    with pytest.raises(ArtgenError, match="rise = 'resize'"):
        export_state_dict("mine", UNet(UNetConfig(levels=5, width=4, rise="resize")))
    with pytest.raises(ArtgenError, match="skips"):
        export_state_dict("mine", ResNet(ResNetConfig(width=4, blocks=1, skips=True)))
    with pytest.raises(ArtgenError, match="a U-Net of 4 levels; theirs have 5 or more"):
        export_state_dict("mine", UNet(UNetConfig(levels=4, width=4)))
    with pytest.raises(ArtgenError, match="architecture 'upimage'"):
        export_state_dict("mine", UpImager(UpImagerConfig(width=8, blocks=1, widths=(8,))))
