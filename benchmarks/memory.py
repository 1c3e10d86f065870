"""Peak memory of the tile engine for an image twice as high: it depends on the width, not the area.

python benchmarks/memory.py [WIDTH]      output px, default 8192; compares WIDTH x WIDTH and WIDTH x 2 WIDTH

Each size runs in a process of its own, from a raw file to a raw file, with the shipped network.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def child(folder: Path, height: int, width: int) -> None:
    import torch

    from artgen.imaging.tiles.bands import RawFileReader, RawFileWriter
    from artgen.models.files import catalog
    from artgen.models.files.checkpoint import load_model
    from artgen.models.inference.upscaling import upscale_bands

    torch.set_flush_denormal(True)
    network = load_model(catalog.find_model_file("abstract-8x", Path())).network
    scale = network.config.scale
    source = folder / "in.raw"
    with source.open("wb") as file:
        for row in range(height // scale):
            random = torch.Generator().manual_seed(row)
            pixels = torch.randint(0, 256, (width // scale, 3), dtype=torch.uint8, generator=random)
            file.write(pixels.numpy().tobytes())
    begun = time.perf_counter()
    reader = RawFileReader(source, height // scale, width // scale)
    upscale_bands(network, reader, RawFileWriter(folder / "out.raw", height, width), noise=1.0, seed=1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(f"{peak} {time.perf_counter() - begun:.1f}")


def main() -> None:
    width = int(sys.argv[1]) if len(sys.argv) > 1 else 8192
    peaks = []
    for height in (width, 2 * width):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, __file__, "--child", folder, str(height), str(width)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        peaks.append(int(said[0]))
        print(f"{width} x {height} px: peak {peaks[-1] / 1e6:.0f} MB, {float(said[1]):.0f} s")
    print(f"ratio {peaks[1] / peaks[0]:.3f} (limit 1.1)")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
