import pytest
import torch
import torch.nn.functional as F

from artgen.imaging.tiles.exact import TileWindow
from artgen.models.architectures.upimage import UpImager, UpImagerConfig, nearest_upsample_conv
from artgen.models.inference.upscaling import tile_noise


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (16, 3)])
def test_folded_kernels_equal_nearest_then_convolution(size: tuple[int, int]) -> None:
    x = torch.randn(2, 5, *size, dtype=torch.float64)
    weight, bias = torch.randn(6, 5, 3, 3, dtype=torch.float64), torch.randn(6, dtype=torch.float64)
    expected = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), weight, bias, padding=1)
    assert torch.allclose(nearest_upsample_conv(x, weight, bias), expected, atol=1e-12)


def test_folded_kernels_have_the_same_gradients() -> None:
    x = torch.randn(1, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(nearest_upsample_conv, (x, weight, bias))


def test_back_projection_keeps_the_input() -> None:
    """The reduced output is close to the input, even of an untrained network."""
    torch.manual_seed(0)
    network = UpImager(UpImagerConfig(width=8, blocks=2, widths=(8, 8, 8))).eval()
    image = F.interpolate(torch.rand(1, 3, 6, 6), size=(24, 24), mode="bicubic").clamp(0, 1)
    with torch.inference_mode():
        expected = F.interpolate(image, scale_factor=8, mode="bicubic")
        output = network(image, tile_noise(network, [TileWindow(0, 0, 24, 24)], noise=1.0, seed=1))
    assert (output - expected).abs().mean() > 0.01
    assert (F.avg_pool2d(output, 8) - image).abs().mean() < 0.01
