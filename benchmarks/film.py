"""Ten seconds painted by `patch`: how much the paint changes from frame to frame, what it costs, its memory.

python benchmarks/film.py [SECONDS] [STYLE] [OUT]     default 10 s, great-wave; frames go to OUT as PNGs

The clip is synthetic: a camera pans and zooms over one of scikit-image's photographs, a second picture
passes in front of it, and a tone is heard; 256 x 192 px at 12 frames a second. Change from frame to frame is
the mean of |frame - warped(frame before)| over what can be trusted of the clip's own optical flow:

- alone: every frame is painted by itself, with a seed of its own.
- alike: every frame is painted by itself, all with one seed.
- film: as `artgen style` paints films. At most a third of `alone` is wanted.

One thread; `alone` and `alike` on every sixth pair of frames.
"""

from __future__ import annotations

import itertools
import math
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
import torch
import torch.nn.functional as F
from skimage import data
from torch import Tensor

from artgen.imaging.film.frames import read_frames
from artgen.imaging.image import resize
from artgen.imaging.io.files import read_image, write_png
from artgen.style import library
from artgen.style.film.film import paint_film
from artgen.style.film.flow import FrameMotion, estimate_motion, warp_along
from artgen.style.patch.patch import stylize_by_patches
from artgen.style.patch.presets import patch_preset
from artgen.style.request import StyleRequest

HEIGHT, WIDTH, FPS, RATE = 192, 256, 12, 44_100
EVERY = 6


def main() -> None:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    style = read_image(library.resolve_style_path(f"builtin:{(sys.argv[2:] or ['great-wave'])[0]}", Path()))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(temporary)
        folder.mkdir(exist_ok=True)
        clip = write_clip(folder / "clip.mp4", round(seconds * FPS))
        measure(clip, folder, style)


def measure(clip: Path, folder: Path, style: Tensor) -> None:
    changes: list[float] = []
    peaks: list[float] = []
    before: tuple[Tensor, Tensor] | None = None
    number = 0
    originals = (frame.to_tensor() for frame in read_frames(clip))
    spent = 0.0

    def shown(painted: Tensor) -> None:
        nonlocal before, number, spent
        began = time.process_time()
        frame = next(originals)
        if before is not None:
            changes.append(change(painted, before[1], estimate_motion(frame, before[0])))
        before = frame, painted
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        if number % (2 * FPS) == 0:
            write_png(folder / f"film-{number:04d}.png", torch.cat([frame, painted], 2), {})
        number += 1
        spent += time.process_time() - began

    began = time.process_time()
    made = paint_film(clip, folder / "painted.mp4", partial(paint, style), "benchmark", on_frame=shown)
    cost = (time.process_time() - began - spent) / made.frame_count
    third = max(1, len(peaks) // 3)
    print(f"{made.frame_count} frames of {made.width} x {made.height} px, {made.seconds:.1f} s", end="")
    print(f", {made.sound_tracks} track of sound; begun afresh {made.scene_count} x")
    print(f"  film: {cost:.2f} CPU-s a frame; peak memory {peaks[third]:.0f} MB after a third, ", end="")
    print(f"{peaks[-1]:.0f} MB in the end")
    alone, alike, each = singly(clip, style)
    film = sum(changes) / len(changes)
    print(f"  alone: {each:.2f} CPU-s a frame")
    print(f"change from frame to frame: film {film:.4f}, alone {alone:.4f}, alike {alike:.4f}")
    print(f"  film / alone {film / alone:.3f} (at most 0.333 is wanted), film / alike {film / alike:.3f}")


def paint(style: Tensor, frame: Tensor, start: Tensor | None, seed: int = 1) -> Tensor:
    request = StyleRequest(seed=seed, start_image=start)
    return stylize_by_patches(frame, [[style]], request, patch_preset("balanced"))


def singly(clip: Path, style: Tensor) -> tuple[float, float, float]:
    """Change where every frame is painted by itself: seeds of their own, one seed; CPU seconds a frame."""
    alone, alike, spent = [], [], []
    for number, (before, now) in enumerate(
        itertools.pairwise(frame.to_tensor() for frame in read_frames(clip))
    ):
        if number % EVERY:
            continue
        motion = estimate_motion(now, before)
        began = time.process_time()
        first, same, other = (
            paint(style, frame, None, seed) for frame, seed in ((before, 1), (now, 1), (now, 2 + number))
        )
        spent.append((time.process_time() - began) / 3)
        alike.append(change(same, first, motion))
        alone.append(change(other, first, motion))
    return sum(alone) / len(alone), sum(alike) / len(alike), sum(spent) / len(spent)


def change(now: Tensor, before: Tensor, motion: FrameMotion) -> float:
    apart = (now - warp_along(before, motion.flow)).abs() * motion.confidence
    return float(apart.sum() / (3 * motion.confidence.sum()))


def write_clip(path: Path, frames: int) -> Path:
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.options = {"crf": "14"}
        audio = container.add_stream("aac", rate=RATE)
        audio.layout = "mono"
        for image in clip(frames):
            pixels = (image * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(video.encode(None))
        for start in range(0, RATE * frames // FPS, 1024):
            wave = np.sin(np.arange(start, start + 1024) * 2 * math.pi * 440 / RATE) * 8000
            tone = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], "s16", "mono")
            tone.sample_rate, tone.pts, tone.time_base = RATE, start, Fraction(1, RATE)
            container.mux(audio.encode(tone))
        container.mux(audio.encode(None))
    return path


def clip(frames: int) -> Iterator[Tensor]:
    ground = torch.from_numpy(data.astronaut()).permute(2, 0, 1).float() / 255
    thing = resize(torch.from_numpy(data.coffee()).permute(2, 0, 1).float() / 255, (100, 150))
    y, x = torch.meshgrid(torch.arange(HEIGHT) + 0.5, torch.arange(WIDTH) + 0.5, indexing="ij")
    for number in range(frames):
        at = number / frames
        zoom, middle = 1.5 - 0.5 * at, (200 + 110 * at, 190 + 30 * math.sin(6 * at))
        places = [
            (middle[0] + (x - WIDTH / 2) * zoom) / 256 - 1,
            (middle[1] + (y - HEIGHT / 2) * zoom) / 256 - 1,
        ]
        image = sampled(ground, places)
        across = -60 + (WIDTH + 120) * (1.5 * at % 1)
        disc = [3.6 * (x - across) / WIDTH, 3.6 * (y - HEIGHT * 0.6 - 10 * math.sin(number / 5)) / HEIGHT]
        inside = disc[0] ** 2 + disc[1] ** 2 < 0.8
        yield torch.where(inside, sampled(thing, disc), image)


def sampled(picture: Tensor, places: list[Tensor]) -> Tensor:
    grid = torch.stack(places, -1)[None]
    return F.grid_sample(picture[None], grid, "bicubic", "reflection", align_corners=False)[0].clamp(0, 1)


if __name__ == "__main__":
    main()
