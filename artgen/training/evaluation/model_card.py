"""The model card: what a model is, what it learned from, how good it is and what it is bad at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from artgen.models.architectures.network import Network
from artgen.training.engine.family import Measured
from artgen.training.engine.init_from import Start
from artgen.training.material.material import Source
from artgen.training.recipes import TrainingRecipe

LISTED = 12


@dataclass(frozen=True)
class Record:
    """What there is to say of a finished training.

    Attributes:
        recipe: what was trained.
        images: how many were trained on.
        sources: the folders.
        fingerprint: of the images.
        measured: the figures.
        seconds: over all sittings.
        adopted: steps at which it went on with a changed recipe or other images.
        device: where.
        start: the model it went on from, if any.
    """

    recipe: TrainingRecipe
    images: int
    sources: Sequence[Source]
    fingerprint: str
    measured: Measured
    seconds: float
    adopted: list[int]
    device: str
    start: Start | None = None


def metadata(record: Record, name: str, description: str) -> dict[str, str]:
    """What the file of the model ``name`` says of itself; strings only, as safetensors has it."""
    recipe = record.recipe
    data = {"images": record.images, "fingerprint": record.fingerprint, "licence": recipe.data_licence}
    start = asdict(record.start) | {"share": recipe.start_share} if record.start else None
    metrics = {figure.name: round(figure.value, 4) for figure in record.measured.figures}
    return {
        "title": name,
        "description": description,
        "family": recipe.family,
        "recipe": json.dumps(recipe.published()),
        "data": json.dumps(data),
        "metrics": json.dumps(metrics),
        **({"start": json.dumps(start)} if start else {}),
        **{key: json.dumps(value) for key, value in recipe.learns_from().items()},
    }


def card(record: Record, name: str, description: str, network: Network) -> str:
    """The card of the model ``name`` as Markdown; the picture beside it has the same name."""
    recipe, measured = record.recipe, record.measured
    rows = "\n".join(f"| {f.label} | {f.value:{f.form}} |" for f in measured.figures)
    parameters = sum(weight.numel() for weight in network.parameters()) / 1e6
    changed = "".join(f", recipe or images changed at step {step:,}" for step in record.adopted)
    begun, before = _begun(record)
    return f"""# {name}

{description}

![What it makes]({name}.webp)

| | |
|---|---|
| architecture | `{network.architecture}`, {parameters:.2f} M parameters |
| trained | family `{recipe.family}`, {recipe.steps:,} steps, {record.seconds / 3600:.1f} h \
on {record.device}, seed {recipe.seed}{begun}{changed} |
| images | {_told(record.sources)} |
| fingerprint | `{record.fingerprint[:32]}` |
| licence of the images | {recipe.data_licence} |

## Measured on {measured.on}

{before}| | |
|---|---|
{rows}

## What it is bad at

{recipe.weakness}

## Training recipe

```json
{json.dumps(recipe.published(), indent=2, ensure_ascii=False)}
```
"""


def _begun(record: Record) -> tuple[str, str]:
    """What it went on from, for the table and for the figures: that one held out pictures of its own."""
    start = record.start
    if start is None:
        return "", ""
    held_out = any(source.held_out for source in record.sources)
    before = f"Held out of this training; `{start.name}` may have learned from them.\n\n" if held_out else ""
    share = record.recipe.start_share
    kept = f", {share:.0%} of whose weights it keeps" if share else ""
    return f", going on from `{start.name}` (weights `{start.sha256[:16]}`){kept}", before


def _told(sources: Sequence[Source]) -> str:
    """``photos: 40, 2 of them held out; drawings: 12``."""
    held = [f", {source.held_out:,} of them held out" if source.held_out else "" for source in sources]
    told = [f"{source.name}: {source.images:,}{h}" for source, h in zip(sources, held, strict=True)]
    more = [f"{len(told) - LISTED:,} more folders"] if len(told) > LISTED else []
    return "; ".join([*told[:LISTED], *more])
