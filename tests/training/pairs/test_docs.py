"""The examples of docs/pairs.md: they are right, and what they describe fits together."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from artgen.imaging.io.files import read_image, write_png
from artgen.models.architectures.unet import UNet, UNetConfig
from artgen.models.files.checkpoint import save_model
from artgen.recipe import load_recipe
from artgen.training.recipes.load import load_training_recipe
from artgen.training.recipes.pairs import BlendTable

PAGE = Path(__file__).resolve().parents[3] / "docs" / "pairs.md"
EXAMPLES = [part.partition("```")[0] for part in PAGE.read_text("utf-8").split("```toml\n")[1:]]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """What the examples name: faces of two people, photographs, a model that learned from blended faces."""
    for number, folder in enumerate(("faces/anna", "faces/ben", "photographs/sea")):
        (tmp_path / folder).mkdir(parents=True)
        image = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(number))
        write_png(tmp_path / folder / "1.png", image, {})
    torch.manual_seed(0)
    network = UNet(UNetConfig(levels=5, width=4, dropout=False))
    (tmp_path / "models").mkdir()
    inputs = {"inputs": BlendTable(factor=8).model_dump_json()}
    save_model(tmp_path / "models" / "mix-faces.safetensors", network, inputs)
    return tmp_path


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_is_right(place: Path, example: str) -> None:
    file = place / "example.toml"
    if "family" in example:
        file.write_text(example, "utf-8")
        load_training_recipe(file)
    else:
        whole = example if "[source]" in example else f'[source]\nuse = "crops"\n\n{example}'
        file.write_text(whole, "utf-8")
        load_recipe(file)


@pytest.mark.slow
def test_two_people_have_children(place: Path) -> None:
    (example,) = (text for text in EXAMPLES if 'use = "faces"' in text)
    (place / "children.toml").write_text(example.replace("side = 128", "side = 64"), "utf-8")
    command = [sys.executable, "-m", "artgen", "run", "children.toml", "-n", "2", "--workers", "1"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = sorted(place.glob("runs/*/candidates/*.png"))
    assert [read_image(file).shape for file in made] == [(3, 64, 64)] * 2
