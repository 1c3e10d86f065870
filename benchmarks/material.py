"""Real pictures to measure curation with: thousands of small candidates, made once and kept in ``runs/``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drafts import DRAFTS

ROOT = Path(__file__).parents[1] / "runs" / "bench-curation"
VERSION = 1
PROCESSES = 2
SEED = 2017

SIBLINGS = ("itself", "noise", "grade", "mirror")
"""A candidate; imagined with other noise; a little brighter and warmer; a mirrored crop of 92 %."""
FAMILIES = 50
"""Of each draft, of another seed."""


@dataclass(frozen=True)
class Material:
    """Pictures, each with where it comes from.

    Args:
        files: WebP, as a run's thumbnails are.
        drafts: name of the recipe of each.
        draws: what chance chose for each, by step and field.
        families: of siblings, which are of one candidate; else each its own.
        kinds: of siblings, one of ``SIBLINGS``.
    """

    files: list[Path] = field(default_factory=list)
    drafts: list[str] = field(default_factory=list)
    draws: list[dict[str, dict[str, Any]]] = field(default_factory=list)
    families: list[int] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)


def candidates(say: Any = print) -> Material:
    """5,000 candidates, in the order of a run: the drafts are shuffled together."""
    return _material("candidates", say)


def siblings(say: Any = print) -> Material:
    """1,200 pictures: of 300 other candidates, each in four forms."""
    return _material("siblings", say)


def _material(kind: str, say: Any) -> Material:
    folder = ROOT / f"{kind}-{VERSION}"
    jobs = _jobs(kind)
    if not all((folder / f"{number:05d}.json").is_file() for number in range(len(jobs))):
        folder.mkdir(parents=True, exist_ok=True)
        say(f"making {len(jobs)} {kind} in {folder}, once: some minutes")
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        command = [sys.executable, __file__, kind]
        workers = [
            subprocess.Popen([*command, str(number), str(PROCESSES)], env=environment)
            for number in range(PROCESSES)
        ]
        if sum(abs(worker.wait()) for worker in workers):  # of all: none is left behind
            raise SystemExit("a worker failed")
    material = Material()
    for number in range(len(jobs)):
        row = json.loads((folder / f"{number:05d}.json").read_text("utf-8"))
        material.files.append(folder / f"{number:05d}.webp")
        material.drafts.append(row["draft"])
        material.draws.append(row["draws"])
        material.families.append(row["family"])
        material.kinds.append(row["kind"])
    return material


def _jobs(kind: str) -> list[tuple[str, int, int]]:
    """Draft, candidate and family of every picture."""
    import random

    if kind == "siblings":
        jobs = [(name, 1 + number) for name in DRAFTS for number in range(FAMILIES)]
        return [(*job, family) for family, job in enumerate(jobs) for _ in SIBLINGS]
    listed = [(name, 1 + number) for name, (_, count) in DRAFTS.items() for number in range(count)]
    random.Random(SEED).shuffle(listed)
    return [(*job, family) for family, job in enumerate(listed)]


def _make(kind: str, first: int, every: int) -> None:
    import torch

    from artgen.generation.chain import GenerationSettings, configure_torch, generate_stages
    from artgen.imaging import color
    from artgen.imaging.image import limit_longer_side, resize
    from artgen.imaging.io.files import encode_image
    from artgen.recipe import draw_candidate, load_recipe
    from artgen.runs.stages import dequantise_image

    configure_torch("cpu")
    folder = ROOT / f"{kind}-{VERSION}"
    recipes = {}
    for name, (text, _) in DRAFTS.items():
        file = folder / f"{name}-{first}.toml"
        file.write_text(text, "utf-8")
        recipes[name] = load_recipe(file)
    for number, (draft, candidate, family) in list(enumerate(_jobs(kind)))[first::every]:
        if (folder / f"{number:05d}.json").is_file():
            continue
        form = SIBLINGS[number % len(SIBLINGS)] if kind == "siblings" else "itself"
        recipe = recipes[draft].model_copy(update={"seed": SEED + (kind == "siblings")})
        if form == "noise":
            # The last network's stream alone is another one: the same thumbnail, imagined again.
            steps = list(recipe.steps)
            place = max(i for i, step in enumerate(steps) if step.use in ("upscale", "translate"))
            drawn = draw_candidate(recipe, recipe.seed, candidate)
            changed = drawn.steps[place].model_copy(update={"id": f"{steps[place].name}-again"})
            recipe = recipe.model_copy(
                update={"steps": [*drawn.steps[:place], changed, *drawn.steps[place + 1 :]]}
            )
        *_, last = generate_stages(recipe, candidate, GenerationSettings(preview=True))
        image = dequantise_image(last.pixels)
        if form == "grade":
            light = color.adjust_warmth(color.adjust_exposure(color.to_linear(image), 0.15), 0.1)
            image = color.to_srgb(color.adjust_contrast(light, 0.06))
        elif form == "mirror":
            _, height, width = image.shape
            top, left = round(height * 0.05), round(width * 0.03)
            part = image[:, top : top + round(height * 0.92), left : left + round(width * 0.92)].flip(-1)
            image = resize(part, (height, width))
        encoded = encode_image(torch.as_tensor(limit_longer_side(image, 192)), "WEBP", quality=88, method=0)
        (folder / f"{number:05d}.webp").write_bytes(encoded)
        row = {
            "draft": draft,
            "draws": draw_candidate(recipes[draft], recipe.seed, candidate).draws,
            "family": family,
            "kind": form,
        }
        (folder / f"{number:05d}.json").write_text(json.dumps(row), "utf-8")


if __name__ == "__main__" and len(sys.argv) == 4:
    _make(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
