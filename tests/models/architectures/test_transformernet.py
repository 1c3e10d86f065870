"""Checkpoints of pytorch/examples against a forward pass that knows only their names."""

import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.tiles.bands import TensorReader, TensorWriter
from artgen.imaging.tiles.exact import paint_exact
from artgen.models.architectures.norms import fixed_norm_statistics
from artgen.models.architectures.transformernet import TransformerNet, import_transformer_net
from artgen.models.files.checkpoint import load_model, save_model
from artgen.models.inference.translating import TilingLimits, translate_image

StateDict = dict[str, Tensor]


def published_state(width: int, blocks: int, seed: int = 0) -> StateDict:
    """Return a state dict with the published names and random numbers; its images fill the range."""
    generator = torch.Generator().manual_seed(seed)
    convolutions = {
        "conv1": (3, width, 9),
        "conv2": (width, 2 * width, 3),
        "conv3": (2 * width, 4 * width, 3),
        **{f"res{n}.conv{k}": (4 * width, 4 * width, 3) for n in range(1, blocks + 1) for k in (1, 2)},
        "deconv1": (4 * width, 2 * width, 3),
        "deconv2": (2 * width, width, 3),
        "deconv3": (width, 3, 9),
    }
    state: StateDict = {}
    for name, (in_channels, out_channels, size) in convolutions.items():
        scale = 40.0 if name == "deconv3" else 1.0
        shape = (out_channels, in_channels, size, size)
        state[f"{name}.conv2d.weight"] = (
            torch.randn(shape, generator=generator) * scale / (in_channels * size**2) ** 0.5
        )
        state[f"{name}.conv2d.bias"] = torch.full((out_channels,), 127.5 if name == "deconv3" else 0.1)
        norm = name.replace("deconv", "conv").replace("conv", "in")
        if name.startswith("deconv"):
            norm = f"in{int(name[-1]) + 3}"
        if name != "deconv3":
            state[f"{norm}.weight"] = torch.rand(out_channels, generator=generator) + 0.5
            state[f"{norm}.bias"] = torch.randn(out_channels, generator=generator) * 0.3
    return state


def published_output(state: StateDict, picture: Tensor) -> Tensor:
    """Compute the published network's output, ``(B, 3, H, W)`` up to 255, with torch's own layers."""

    def layer(x: Tensor, name: str, norm: str | None, stride: int = 1, upsample: bool = False) -> Tensor:
        if upsample:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        weight = state[f"{name}.conv2d.weight"]
        x = F.pad(x, (weight.shape[-1] // 2,) * 4, mode="reflect")
        x = F.conv2d(x, weight, state[f"{name}.conv2d.bias"], stride)
        if norm is None:
            return x
        return F.instance_norm(x, weight=state[f"{norm}.weight"], bias=state[f"{norm}.bias"])

    x = F.relu(layer(picture, "conv1", "in1"))
    x = F.relu(layer(x, "conv2", "in2", stride=2))
    x = F.relu(layer(x, "conv3", "in3", stride=2))
    number = 1
    while f"res{number}.conv1.conv2d.weight" in state:
        y = F.relu(layer(x, f"res{number}.conv1", f"res{number}.in1"))
        x = x + layer(y, f"res{number}.conv2", f"res{number}.in2")
        number += 1
    x = F.relu(layer(x, "deconv1", "in4", upsample=True))
    x = F.relu(layer(x, "deconv2", "in5", upsample=True))
    return layer(x, "deconv3", None)


def picture(height: int, width: int) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(height * width))


@torch.inference_mode()
@pytest.mark.parametrize(("width", "blocks", "size"), [(32, 5, (44, 60)), (4, 2, (64, 36))])
def test_it_paints_what_the_published_network_paints(width: int, blocks: int, size: tuple[int, int]) -> None:
    state = published_state(width, blocks)
    network = import_transformer_net("candy.pth", state).eval()
    x = picture(*size)
    expected = published_output(state, x * 255) / 255
    assert 0.05 < float(expected.std()) < 0.5  # not all white, nor all black
    assert torch.allclose(network(x), expected.clamp(0, 1), atol=1e-4)


def test_statistics_of_old_files_are_left_out() -> None:
    state = published_state(4, 1)
    legacy_state = state | {f"in1.{name}": torch.ones(4) for name in ("running_mean", "running_var")}
    legacy_state["res1.in1.num_batches_tracked"] = torch.tensor(3)
    x = picture(32, 32)
    assert torch.equal(
        import_transformer_net("old.pth", legacy_state)(x), import_transformer_net("new.pth", state)(x)
    )


@pytest.mark.parametrize("tile", [20, 32, 100])
@torch.inference_mode()
def test_the_tile_size_never_changes_a_pixel(tile: int) -> None:
    network = import_transformer_net("candy.pth", published_state(4, 2)).eval()
    x = picture(148, 100)
    writer = TensorWriter(148, 100)
    with fixed_norm_statistics(network, x):
        untiled = network(x)[0]
        paint_exact(
            lambda tiles, _: network(tiles), network.tile_geometry, TensorReader(x[0]), writer, tile_side=tile
        )
    assert float((writer.image - untiled).abs().max()) <= 1e-4


@pytest.mark.parametrize("blocks", [1, 3])
def test_the_declared_reach_is_enough_and_no_more_than_needed(blocks: int) -> None:
    network = import_transformer_net("candy.pth", published_state(4, blocks)).eval().requires_grad_(False)
    halo, side = network.tile_geometry.halo, 4 * (network.tile_geometry.halo // 2) + 40
    x = picture(side, side).requires_grad_(True)
    middle = side // 2
    with fixed_norm_statistics(network, x.detach()):
        network(x)[0, :, middle : middle + 4, middle : middle + 4].sum().backward()
    assert x.grad is not None
    rows = x.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    furthest = max(middle - int(rows.min()), int(rows.max()) - (middle + 3))
    assert furthest <= halo <= furthest + 8


def test_one_file_is_a_whole_model_at_any_size(tmp_path: Path) -> None:
    network = import_transformer_net("candy.pth", published_state(4, 1))
    file = tmp_path / "candy.safetensors"
    save_model(file, network, {"styles": json.dumps([{"name": "candy"}])}, half_precision=False)
    loaded = load_model(file, network_class=TransformerNet).network
    image = picture(75, 90)[0]
    untiled = translate_image(image, file)
    assert untiled.shape == (3, 75, 90)
    assert torch.allclose(untiled[:, :72, :88], translate_image(image, file, style_shares=[1.0])[:, :72, :88])
    assert torch.allclose(loaded(picture(64, 64)), network(picture(64, 64)), atol=1e-5)
    for pixels in (48 * 48, 40 * 40):
        tiled = translate_image(image, file, limits=TilingLimits(pixels))
        small_tiles = translate_image(image, file, limits=TilingLimits(pixels, tile_side=24))
        assert (small_tiles - tiled).abs().max() <= 1e-4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conv1.conv2d.weight": torch.zeros(4, 1, 9, 9)}, "4 x 1 x 9 x 9 and should be 4 x 3 x 9 x 9"),
        ({"conv1.conv2d.weight": torch.zeros(())}, "no network that is known"),
        ({"in2.weight": None}, "in2.weight is missing and should be 8"),
        ({"extra.weight": torch.zeros(2)}, "extra.weight is 2 and should be missing"),
        ({"res1.conv1.conv2d.weight": None}, "no network that is known"),
    ],
)
def test_other_files_are_refused(change: dict[str, Tensor | None], message: str) -> None:
    state = {name: value for name, value in (published_state(4, 1) | change).items() if value is not None}
    with pytest.raises(ArtgenError, match=message):
        import_transformer_net("G.pth", state)
