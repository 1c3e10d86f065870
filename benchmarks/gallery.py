"""What publishing costs beside sigal: CPU seconds of whole process trees, and whether each change was seen.

    python benchmarks/gallery.py [--images 300] [--sigal PATH] [--large 20000]

Draws photographs-like pictures of 2048 x 1536 px (90 % JPEG, 10 % PNG, a quarter portrait), then has both
build the same two sizes of JPEG, 1600 and 400 px wide: from nothing, again with nothing changed, after one
picture was edited, after one was deleted, after a setting was changed. At last the peak memory of publishing
one picture of 20,000 x 20,000 px, tiles included. Ends with exit code 1 if artgen did not do what it should,
took more than ``CLEAN`` of sigal's time from nothing, or more than sigal where nothing had changed. Where
sigal is wrong it has not done the work, and times cannot be compared.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

WIDE, SMALL = 1600, 400
CLEAN, UNCHANGED = 0.6, 1.0
"""The most of sigal's time."""
SIGAL = """\
source = 'pictures'
destination = 'sigal-site'
theme = 'galleria'
img_size = ({wide}, {tall})
thumb_size = ({small}, {low})
thumb_fit = False
make_thumbs = True
keep_orig = False
use_orig = False
jpg_options = {{'quality': {quality}, 'optimize': True, 'progressive': True}}
ncpu = None
"""
OURS = """\
title = "Bench"
originals = false
formats = ["jpg"]
widths = [{small}, {wide}]
jpeg_quality = {quality}
"""


@dataclass
class Program:
    """How one of the two is called, told its settings, and asked what it made."""

    name: str
    command: list[str]
    settle: Callable[[Path, int], None]
    wide: Callable[[Path, str], Path]


def draw(folder: Path, count: int, chance: np.random.Generator) -> None:
    for number in range(count):
        size = (1536, 2048) if number % 4 == 3 else (2048, 1536)
        small = chance.integers(0, 256, (size[1] // 64, size[0] // 64, 3), dtype=np.uint8)
        smooth = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
        grain = chance.normal(0, 6, (size[1], size[0], 1))
        image = Image.fromarray((np.asarray(smooth) + grain).clip(0, 255).astype(np.uint8))
        if number % 10 == 9:
            image.save(folder / f"p{number:03d}.png", compress_level=3)
        else:
            image.save(folder / f"p{number:03d}.jpg", quality=92)


def cpu(command: list[str], place: Path) -> float:
    """User and system seconds of a command and all that it started and waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=place, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def programs(sigal: str) -> list[Program]:
    def settle_ours(place: Path, quality: int) -> None:
        (place / "gallery.toml").write_text(OURS.format(small=SMALL, wide=WIDE, quality=quality))

    def settle_sigal(place: Path, quality: int) -> None:
        sizes = {"wide": WIDE, "tall": WIDE * 3 // 4, "small": SMALL, "low": SMALL * 3 // 4}
        (place / "sigal.conf.py").write_text(SIGAL.format(**sizes, quality=quality))

    ours = [sys.executable, "-m", "artgen", "publish", "pictures"]
    return [
        Program("sigal", [sigal, "build", "-q"], settle_sigal, lambda at, name: at / "sigal-site" / name),
        Program(
            "artgen",
            ours,
            settle_ours,
            lambda at, name: at / "gallery/images" / f"{Path(name).stem}_1600.jpg",
        ),
    ]


def red(file: Path) -> bool:
    with Image.open(file) as image:
        mean = np.asarray(image.convert("RGB").resize((1, 1))).ravel()
    return bool(mean[0] > 200 and mean[1] < 50)


def edit(file: Path, dates_too: bool) -> None:
    """Other pixels; without other dates it is as a synchronising program or an archive leaves a file."""
    state = file.stat()
    Image.new("RGB", (2048, 1536), "red").save(file, quality=92)
    if not dates_too:
        os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


def large(place: Path, side: int) -> None:
    """Memory of the largest process that publishes one picture of ``side`` px."""
    import pyvips

    (place / "large").mkdir()
    noise = pyvips.Image.gaussnoise(side // 16, side // 16, mean=128, sigma=60).cast("uchar")
    noise.bandjoin([noise.rot90(), noise.rot180()]).resize(16).copy(interpretation="srgb").jpegsave(
        str(place / "large" / "large.jpg")
    )
    # A shell of its own, whose children's peak is then theirs alone.
    script = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    ours = [sys.executable, "-m", "artgen", "publish", "large", "--to", "large-site"]
    done = subprocess.run(
        [sys.executable, "-c", script, *ours], cwd=place, capture_output=True, text=True, check=True
    )
    tiles = sum(1 for _ in (place / "large-site").rglob("zoom/**/*.jpg"))
    print(f"{side} x {side} px: {int(done.stdout) / 1024:.0f} MB at most in one process, {tiles} tiles")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=300)
    beside = Path(sys.executable).with_name("sigal")
    parser.add_argument("--sigal", default=str(beside) if beside.exists() else shutil.which("sigal"))
    parser.add_argument("--large", type=int, default=20_000, help="side in px; 0 leaves it out")
    wanted = parser.parse_args()
    if not wanted.sigal:
        sys.exit("sigal is not installed (try: pip install 'artgen[bench]')")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        os.environ["XDG_CACHE_HOME"] = str(place / "cache")
        (place / "pictures").mkdir()
        draw(place / "pictures", wanted.images, np.random.default_rng(7))
        failed = compare(place, programs(wanted.sigal))
        if wanted.large:
            large(place, wanted.large)
    if failed:
        sys.exit(f"wrong, or too slow beside sigal: {', '.join(failed)}")


def compare(place: Path, both: list[Program]) -> list[str]:
    """Print each figure; what artgen did wrong or too slowly."""
    failed: list[str] = []
    figures: dict[str, dict[str, tuple[float, str]]] = {}
    first, second, third = sorted((place / "pictures").glob("*.jpg"))[1:4]
    for program in both:
        program.settle(place, 85)

    def measure(what: str, right: Callable[[Program], bool], most: float = float("inf")) -> None:
        for program in both:
            seconds = cpu(program.command, place)
            figures.setdefault(what, {})[program.name] = seconds, "" if right(program) else "WRONG"
        told = "  ".join(f"{name} {spent:8.2f} {wrong:5}" for name, (spent, wrong) in figures[what].items())
        ratio = figures[what]["artgen"][0] / figures[what]["sigal"][0]
        print(f"{what:<20}{told}  ratio {ratio:.2f}", flush=True)
        if figures[what]["artgen"][1] or ratio > most:
            failed.append(what)

    measure("clean", lambda program: program.wide(place, first.name).is_file(), CLEAN)
    measure("no change", lambda program: True, UNCHANGED)
    measure("no change, again", lambda program: True, UNCHANGED)
    edit(first, dates_too=True)
    measure("one edited", lambda program: red(program.wide(place, first.name)))
    edit(third, dates_too=False)
    measure("edited, date kept", lambda program: red(program.wide(place, third.name)))
    second.unlink()
    measure("one deleted", lambda program: not program.wide(place, second.name).exists())
    before = {program.name: program.wide(place, "p000.jpg").stat().st_size for program in both}
    for program in both:
        program.settle(place, 60)
    measure(
        "quality 85 to 60",
        lambda program: program.wide(place, "p000.jpg").stat().st_size < before[program.name],
    )
    return failed


if __name__ == "__main__":
    main()
