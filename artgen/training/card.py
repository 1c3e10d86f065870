"""The model card: what a model is, what it learned from, how good it is and what it is bad at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from artgen.training.evaluation import Figures
from artgen.training.recipe import UpImageRecipe

ROWS = {
    "swd": ("patch-SWD over bicubic's (0 real, 1 bicubic)", ".3f"),
    "swd_floor": ("the same between two halves of the real pictures", ".3f"),
    "coherence": ("structure-tensor coherence over real's", ".3f"),
    "spectrum": ("power above half Nyquist over real's", ".2f"),
    "consistency": ("reduced picture against input, dB", ".1f"),
    "diversity": ("mean difference of two noises", ".3f"),
    "grid": ("gradient on the 8 px grid over elsewhere", ".3f"),
    "drift": ("colour drift over three passes, 1/255", ".2f"),
}


@dataclass(frozen=True)
class Record:
    """What there is to say of a finished training.

    Attributes:
        recipe: what was trained.
        parameters: of the generator.
        images: how many were trained on.
        sources: how many images each folder gave, validation included.
        held_out: whether the figures are of pictures it never saw; fewer than 20 images hold none out.
        fingerprint: of the training images.
        figures: measured on those.
        seconds: over all sittings.
        device: where.
    """

    recipe: UpImageRecipe
    parameters: int
    images: int
    sources: Mapping[str, int]
    fingerprint: str
    held_out: bool
    figures: Figures
    seconds: float
    device: str


def metadata(record: Record) -> dict[str, str]:
    """What the model file says of itself beside its weights; strings only, as safetensors has it."""
    recipe = record.recipe
    data = {"images": record.images, "fingerprint": record.fingerprint, "licence": recipe.data_licence}
    return {
        "title": recipe.title,
        "description": recipe.description,
        "recipe": recipe.model_dump_json(),
        "data": json.dumps(data),
        "metrics": json.dumps(record.figures.rounded()),
    }


def card(record: Record) -> str:
    """The card as Markdown; the picture beside it has the same name."""
    recipe, figures = record.recipe, record.figures
    seen = "held-out pictures" if record.held_out else "pictures it was trained on"
    rows = "\n".join(f"| {label} | {getattr(figures, name):{form}} |" for name, (label, form) in ROWS.items())
    folders = ", ".join(f"{name} ({count})" for name, count in record.sources.items())
    return f"""# {recipe.title}

{recipe.description}

![Thumbnails, what it makes of them, the real pictures]({recipe.title}.png)

*Top: thumbnails of {seen}. Middle: what the model makes of them. Bottom: the real ones.*

| | |
|---|---|
| architecture | `{recipe.family}`, {record.parameters / 1e6:.2f} M parameters, {2 ** len(recipe.widths)}x |
| trained | {recipe.steps:,} steps, {record.seconds / 3600:.1f} h on {record.device}, seed {recipe.seed} |
| images | {record.images:,} of {folders}{", every 20th held out" if record.held_out else ""} |
| fingerprint | `{record.fingerprint[:32]}` |
| licence of the images | {recipe.data_licence} |

## Measured on {figures.pictures} {seen}, 32 px to {32 * 2 ** len(recipe.widths)} px

| | |
|---|---|
{rows}

## What it is bad at

{recipe.weakness}

## Training recipe

```json
{recipe.model_dump_json(indent=2)}
```
"""
