"""Sizes of all stages before anything is made; what cannot fit is refused, and workers fit in memory."""

from __future__ import annotations

import math
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from artgen.errors import ArtgenError
from artgen.generation.chain import GenerationSettings, generate_stages
from artgen.memory import available_memory, total_memory
from artgen.recipe import load_recipe
from artgen.recipe.stage_sizes import check_stage_sizes, estimate_worker_memory, stage_sizes

ROOT = Path(__file__).parents[2]
CPU_SECONDS, MEMORY_BYTES = 20, 6 << 30
PHOTOS = 'use = "photos"\nimages = "photo.jpg"\nside = {side}'
TINY = 'use = "upscale"\nmodel = "tiny.safetensors"'
CHAINS = {
    "a thumbnail": ('use = "crops"\nimages = "pictures"\nsize = 24', [TINY, 'use = "grain"']),
    "a turned photograph": (PHOTOS.format(side=40), ['use = "crop"\naspect = "3:2"\nfraction = 0.7']),
    "one that is smaller": (PHOTOS.format(side=4000), [f"{TINY}\nscale = 2.5", 'use = "mix"']),
    "a painting": (PHOTOS.format(side=32), ['use = "style"\nside = 50', 'use = "grade"']),
    "a translation": (PHOTOS.format(side=32), ['use = "translate"\nmodel = "styles"\nside = 90']),
    "one of training size": (PHOTOS.format(side=32), ['use = "translate"\nmodel = "styles"']),
    "faces": ('use = "faces"\npeople = "builtin:portraits"\nsize = 20', [f'{TINY}\nid = "a"', TINY]),
}


def write_recipe(folder: Path, source: str, steps: list[str]) -> Path:
    tables = [f"[source]\n{source}", *(f"[[steps]]\n{step}" for step in steps)]
    (folder / "sizes.toml").write_text("\n".join(tables), "utf-8")
    return folder / "sizes.toml"


@pytest.mark.parametrize("preview", [False, True])
@pytest.mark.parametrize(("source", "steps"), CHAINS.values(), ids=CHAINS)
def test_sizes_are_those_that_are_made(project: Path, source: str, steps: list[str], preview: bool) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 44), (90, 120, 40)).save(project / "photo.jpg", exif=exif)
    recipe = load_recipe(write_recipe(project, source, steps))
    made = generate_stages(recipe, 1, GenerationSettings(preview=preview))
    assert [size for _, size in stage_sizes(recipe, preview=preview)] == [
        stage.pixels.shape[:0:-1] for stage in made
    ]


def test_draws_count_with_their_largest_value(project: Path) -> None:
    source = 'use = "crops"\nimages = "pictures"\nsize = { integer = [8, 20] }'
    steps = [f"{TINY}\nscale = {{ uniform = [1, 3] }}", 'use = "style"\nside = { choice = [30, 100, 70] }']
    recipe = load_recipe(write_recipe(project, source, steps))
    assert [size for _, size in stage_sizes(recipe)] == [(20, 20), (60, 60), (100, 100)]
    with pytest.raises(ArtgenError, match="source: makes") as refused:
        check_stage_sizes(recipe, memory_bytes=1_000_000)
    assert "20 x 20 px" in refused.value.problem


def _limited(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))

    return subprocess.run(
        [sys.executable, "-m", "artgen", *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_three_upscales_to_two_million_pixels(tmp_path: Path) -> None:
    Image.new("RGB", (4096, 4096)).save(tmp_path / "photo.jpg")
    upscales = [f'use = "upscale"\nid = "grow-{number}"' for number in (1, 2, 3)]
    recipe = write_recipe(tmp_path, PHOTOS.format(side=65_536), upscales)
    for arguments in (["check", recipe], ["run", recipe], ["run", recipe, "--preview", "--workers=1"]):
        refused = _limited(tmp_path, *arguments)
        assert refused.returncode == 2, refused.stderr
        assert f"{recipe}: steps.grow-" in refused.stderr
        assert "px, which takes" in refused.stderr
        assert "use a smaller scale, side or size" in refused.stderr
        assert "Traceback" not in refused.stderr
    with pytest.raises(ArtgenError, match=r"steps\.grow-3: makes up to 2,097,152 x 2,097,152 px"):
        check_stage_sizes(load_recipe(recipe), memory_bytes=100 << 40)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photo.jpg", "sizes.toml"]


def test_fewer_workers_where_memory_is_short(tmp_path: Path) -> None:
    """The photograph is damaged behind its header, so that nothing is really computed."""
    available = available_memory()
    if available is None:
        pytest.skip("this system does not tell how much memory is available")
    side = math.isqrt(int(available * 0.9 / 130 / 64))
    Image.new("RGB", (side, side)).save(tmp_path / "photo.jpg", quality=20)
    whole = (tmp_path / "photo.jpg").read_bytes()
    (tmp_path / "photo.jpg").write_bytes(whole[: len(whole) // 2])
    recipe = write_recipe(tmp_path, PHOTOS.format(side=65_536), ['use = "upscale"'])
    assert available * 0.8 < estimate_worker_memory(load_recipe(recipe)) < available * 1.2
    limited = _limited(tmp_path, "run", recipe, "-n", 2, "--workers", 2, "--device=cpu")
    assert "1 worker at most: each takes up to" in limited.stderr
    assert "damaged or truncated" in limited.stderr
    assert limited.returncode == 2


def test_memory_of_this_computer() -> None:
    total, available = total_memory(), available_memory()
    if total is None or available is None:
        pytest.skip("this system does not tell its memory")
    assert 1 << 28 < available <= total < 1 << 50
