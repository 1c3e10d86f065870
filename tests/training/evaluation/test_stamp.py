"""Writing metrics into a finished model's file and card."""

from pathlib import Path

import torch
from safetensors.torch import load

from artgen.models.architectures.resnet import ResNet, ResNetConfig
from artgen.models.files import header
from artgen.models.files.checkpoint import save_model
from artgen.training.engine.family import Evaluation, Metric
from artgen.training.evaluation.stamp import SHIPPED_METRICS_HEADING, write_metrics

CARD = """\
# sea

## Measured on 8 held-out pairs, 64 px

| | |
|---|---|
| mean distance to the target | 0.100 |

## What it is bad at

Land.

## Training recipe
"""


def test_figures_are_written_and_replaced_and_nothing_else_changes(tmp_path: Path) -> None:
    file, card = tmp_path / "sea.safetensors", tmp_path / "sea.md"
    metadata = {"title": "sea", "metrics": '{"l1": 0.1}', "description": "«Die See» × 2"}
    save_model(file, ResNet(ResNetConfig(width=4, blocks=1)), metadata)
    card.write_text(CARD, "utf-8")
    data = file.read_bytes()
    before, metadata_before = load(data), header.read_metadata(file)
    weights = data[8 + int.from_bytes(data[:8], "little") :]
    for value in (0.5, 0.25):
        write_metrics(file, Evaluation("4 squares", [Metric("l1", "mean distance", value)]))
        assert header.read_metadata(file) == {**metadata_before, "metrics_shipped": f'{{"l1": {value}}}'}
        assert file.read_bytes().endswith(weights)
        after = load(file.read_bytes())
        assert after.keys() == before.keys()
        assert all(torch.equal(after[key], before[key]) for key in before)
        text = card.read_text("utf-8")
        assert text.count(SHIPPED_METRICS_HEADING) == 1
        assert "On 4 squares. `artgen models measure` computes them again.\n\n| | |\n|---|---|\n" in text
        assert f"| mean distance | {value:.3f} |\n\n## What it is bad at" in text
    section = text[text.index(SHIPPED_METRICS_HEADING) : text.index("## What it is bad at")]
    assert text.replace(section, "") == CARD


def test_a_model_without_a_card_gets_none(tmp_path: Path) -> None:
    file = tmp_path / "sea.safetensors"
    save_model(file, ResNet(ResNetConfig(width=4, blocks=1)), {})
    write_metrics(file, Evaluation("4 squares", [Metric("l1", "mean distance", 0.5)]))
    assert [path.name for path in tmp_path.iterdir()] == ["sea.safetensors"]
