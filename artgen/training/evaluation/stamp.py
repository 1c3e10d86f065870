"""Writing metrics into a finished model's file and into its card."""

from __future__ import annotations

import json
import re
from pathlib import Path

from artgen.imaging.io.files import atomic_write
from artgen.models.files import header
from artgen.training.engine.family import Evaluation

SHIPPED_METRICS_KEY = "metrics_shipped"
SHIPPED_METRICS_HEADING = "## Measured on what ships with artgen"


def write_metrics(file: Path, evaluation: Evaluation) -> None:
    """Write a model's metrics into the metadata of its file, and into its card if there is one.

    Args:
        file: the model's file; its weights stay untouched.
        evaluation: the metrics.

    Raises:
        ArtgenError: not a model file, or it cannot be written.
    """
    atomic_write(
        file, header.with_added_metadata(file, {SHIPPED_METRICS_KEY: json.dumps(rounded_metrics(evaluation))})
    )
    card = file.with_suffix(".md")
    if card.is_file():
        atomic_write(card, insert_section(card.read_text("utf-8"), evaluation).encode())


def rounded_metrics(evaluation: Evaluation) -> dict[str, float]:
    """Return a model's metrics by name, rounded as its file stores them."""
    return {metric.name: round(metric.value, 4) for metric in evaluation.metrics}


def insert_section(card: str, evaluation: Evaluation) -> str:
    """Insert a section with these metrics into a model card, replacing an earlier one.

    It comes after the metrics of the training and before the section on the model's weaknesses.

    Args:
        card: the card as Markdown.
        evaluation: the metrics.

    Returns:
        The new card.
    """
    rows = "\n".join(
        f"| {metric.label} | {metric.value:{metric.format_spec}} |" for metric in evaluation.metrics
    )
    introduction = f"On {evaluation.measured_on}. `artgen models measure` computes them again."
    section = f"{SHIPPED_METRICS_HEADING}\n\n{introduction}\n\n| | |\n|---|---|\n{rows}\n\n"
    without_section = re.sub(
        rf"{re.escape(SHIPPED_METRICS_HEADING)}\n.*?(?=^## |\Z)", "", card, flags=re.DOTALL | re.MULTILINE
    )
    next_heading = re.search(r"^## (?!Measured)", without_section, re.MULTILINE)
    position = next_heading.start() if next_heading else len(without_section)
    return without_section[:position] + section + without_section[position:]
