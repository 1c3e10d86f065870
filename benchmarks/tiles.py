"""The tile engine against the bare network and two other ways to tile, on the same network and image.

python benchmarks/tiles.py [HEIGHT WIDTH]     input px, default 192 256 (1536 x 2048 out)

- bare: the network alone on the engine's own tiles, halo counted, nothing cut out and nothing kept. What the
  engine adds to it is its cost; its limit is 1.
- paste: tiles with padding, run one at a time and pasted into a whole-image buffer (as Real-ESRGAN tiles).
- monai: MONAI's SlidingWindowInferer, Gaussian blending, overlap 0.25 (only with the bench extra).

All run in turn, three rounds, one thread each; CPU seconds, median of the ratios round by round.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from artgen.imaging.tiles.bands import TensorReader, TensorWriter
from artgen.imaging.tiles.exact import DEFAULT_TILE_SIDE_PX, TileWindow, paint_exact
from artgen.models.files import catalog
from artgen.models.files.checkpoint import count_parameters, load_model
from artgen.models.inference.upscaling import tile_noise, upscale_bands

ROUNDS = 3
LAYOUT = {"memory_format": torch.channels_last}


def main() -> None:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    height, width = (int(v) for v in sys.argv[1:3]) if len(sys.argv) > 2 else (192, 256)
    network = load_model(catalog.find_model_file("abstract-8x", Path())).network
    image = torch.rand(3, height, width)
    scale, halo = network.config.scale, network.tile_geometry.halo
    tiles: list[tuple[Tensor, list[Tensor]]] = []

    def collect(batch: Tensor, windows: Sequence[TileWindow]) -> Tensor:
        tiles.append((batch.to(**LAYOUT), tile_noise(network, windows, noise=1.0, seed=1)))
        return torch.zeros(len(batch), 3, batch.shape[-2] * scale, batch.shape[-1] * scale)

    writer = TensorWriter(height * scale, width * scale)
    paint_exact(collect, network.tile_geometry, TensorReader(image), writer)

    def bare() -> None:
        for batch, noise in tiles:
            network(batch, noise)

    def engine() -> None:
        out = TensorWriter(height * scale, width * scale)
        upscale_bands(network, TensorReader(image), out, noise=1.0, seed=1)

    def run(batch: Tensor) -> Tensor:
        """One tile for the others, with noise as cheap as can be: they know no position."""
        noise = [
            torch.randn(len(batch), c, batch.shape[-2] * k, batch.shape[-1] * k)
            for c, k in network.noise_layers()
        ]
        made: Tensor = network(batch.to(**LAYOUT), noise)
        return made

    def paste() -> None:
        out = image.new_zeros(3, height * scale, width * scale)
        for top in range(0, height, DEFAULT_TILE_SIDE_PX):
            for left in range(0, width, DEFAULT_TILE_SIDE_PX):
                bottom, right = (
                    min(top + DEFAULT_TILE_SIDE_PX, height),
                    min(left + DEFAULT_TILE_SIDE_PX, width),
                )
                up, back = max(top - halo, 0), max(left - halo, 0)
                piece = image[:, up : min(bottom + halo, height), back : min(right + halo, width)]
                made = run(piece[None])[0]
                rows, columns = (top - up) * scale, (left - back) * scale
                out[:, top * scale : bottom * scale, left * scale : right * scale] = made[
                    :, rows : rows + (bottom - top) * scale, columns : columns + (right - left) * scale
                ]

    contenders: dict[str, Callable[[], None]] = {"bare": bare, "engine": engine, "paste": paste}
    try:
        from monai.inferers import SlidingWindowInferer
    except ImportError:
        print("monai is not installed: pip install -e '.[bench]'")
    else:
        inferer = SlidingWindowInferer(
            roi_size=(DEFAULT_TILE_SIDE_PX, DEFAULT_TILE_SIDE_PX), overlap=0.25, mode="gaussian"
        )
        contenders["monai"] = lambda: inferer(image[None], run)

    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    with torch.inference_mode():
        bare()
        for _ in range(ROUNDS):
            for name, work in contenders.items():
                begun = time.process_time()
                work()
                seconds[name].append(time.process_time() - begun)
    pixels = height * width * scale**2 / 1e6
    count = f"{len(tiles)} tiles of {DEFAULT_TILE_SIDE_PX}+2x{halo} px"
    print(f"{count_parameters(network) / 1e6:.2f} M parameters, {pixels:.1f} Mpx out, {count}")
    for name, values in seconds.items():
        ratio = statistics.median(v / b for v, b in zip(values, seconds["bare"], strict=True))
        per = statistics.median(values) / pixels
        print(
            f"{name:8} {statistics.median(values):7.2f} CPU-s  {per * 1e3:7.0f} ms/Mpx  {ratio:5.3f} x bare"
        )


if __name__ == "__main__":
    main()
