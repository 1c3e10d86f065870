"""The model card: a Markdown text with a model's description, training data, metrics and weaknesses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from artgen.models.architectures.network import Network
from artgen.training.engine.family import Evaluation
from artgen.training.engine.init_from import StartModel
from artgen.training.material.material import SourceFolder
from artgen.training.recipes import TrainingRecipe

MAX_LISTED_FOLDERS = 12


@dataclass(frozen=True)
class TrainingRecord:
    """The facts of a finished training, for its models' cards and metadata.

    Attributes:
        recipe: the training recipe.
        images: number of training images.
        sources: folders of the training images.
        fingerprint: fingerprint of the training images.
        evaluation: the metrics.
        seconds: training time, summed over all resumed runs.
        adopted: steps at which the training was resumed with a changed recipe or other images.
        device: type of the device, such as ``cpu``.
        start_model: the model that the training started from, if any.
    """

    recipe: TrainingRecipe
    images: int
    sources: Sequence[SourceFolder]
    fingerprint: str
    evaluation: Evaluation
    seconds: float
    adopted: list[int]
    device: str
    start_model: StartModel | None = None


def build_metadata(record: TrainingRecord, name: str, description: str) -> dict[str, str]:
    """Build the metadata of a model's safetensors file, which holds strings only.

    Args:
        record: the training.
        name: title of the model.
        description: one sentence.
    """
    recipe = record.recipe
    data = {"images": record.images, "fingerprint": record.fingerprint, "licence": recipe.data_licence}
    start = asdict(record.start_model) | {"share": recipe.start_share} if record.start_model else None
    metrics = {metric.name: round(metric.value, 4) for metric in record.evaluation.metrics}
    return {
        "title": name,
        "description": description,
        "family": recipe.family,
        "recipe": json.dumps(recipe.published_fields()),
        "data": json.dumps(data),
        "metrics": json.dumps(metrics),
        **({"start": json.dumps(start)} if start else {}),
        **{key: json.dumps(value) for key, value in recipe.published_metadata().items()},
    }


def render_card(record: TrainingRecord, name: str, description: str, network: Network) -> str:
    """Render the card of a model as Markdown.

    Args:
        record: the training.
        name: title of the model, and name of the preview image next to the card.
        description: one sentence.
        network: the model's network.
    """
    recipe, evaluation = record.recipe, record.evaluation
    rows = "\n".join(
        f"| {metric.label} | {metric.value:{metric.format_spec}} |" for metric in evaluation.metrics
    )
    million_weights = sum(weight.numel() for weight in network.parameters()) / 1e6
    changed = "".join(f", recipe or images changed at step {step:,}" for step in record.adopted)
    start, warning = _describe_start_model(record)
    return f"""# {name}

{description}

![What it makes]({name}.webp)

| | |
|---|---|
| architecture | `{network.architecture}`, {million_weights:.2f} M parameters |
| trained | family `{recipe.family}`, {recipe.steps:,} steps, {record.seconds / 3600:.1f} h \
on {record.device}, seed {recipe.seed}{start}{changed} |
| images | {_list_sources(record.sources)} |
| fingerprint | `{record.fingerprint[:32]}` |
| licence of the images | {recipe.data_licence} |

## Measured on {evaluation.measured_on}

{warning}| | |
|---|---|
{rows}

## What it is bad at

{recipe.weakness}

## Training recipe

```json
{json.dumps(recipe.published_fields(), indent=2, ensure_ascii=False)}
```
"""


def _describe_start_model(record: TrainingRecord) -> tuple[str, str]:
    """Return a description of the start model and a warning that it may know the held-out images."""
    start_model = record.start_model
    if start_model is None:
        return "", ""
    has_held_out = any(source.held_out for source in record.sources)
    warning = f"Held out of this training; `{start_model.name}` may have learned from them.\n\n"
    share = record.recipe.start_share
    kept_share = f", {share:.0%} of whose weights it keeps" if share else ""
    description = f", starting from `{start_model.name}` (weights `{start_model.sha256[:16]}`){kept_share}"
    return description, warning if has_held_out else ""


def _list_sources(sources: Sequence[SourceFolder]) -> str:
    """List the folders of training images: ``photos: 40, 2 of them held out; drawings: 12``."""
    descriptions = []
    for source in sources:
        held_out = f", {source.held_out:,} of them held out" if source.held_out else ""
        descriptions.append(f"{source.name}: {source.images:,}{held_out}")
    if len(descriptions) > MAX_LISTED_FOLDERS:
        more = f"{len(descriptions) - MAX_LISTED_FOLDERS:,} more folders"
        descriptions = [*descriptions[:MAX_LISTED_FOLDERS], more]
    return "; ".join(descriptions)
