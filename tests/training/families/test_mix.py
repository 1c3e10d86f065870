"""Mix: pix2pix on blended faces; what the shipped recipe trains makes faces of mixed ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from artgen.models.architectures.unet import UNet
from artgen.models.files.checkpoint import load_model
from tests.training.shipped import painted, shrunk, trained

SIDE = 64
RUN = """
title = "Nobody"
seed = 1
candidates = 2
[source]
use = "faces"
people = "faces"
size = 8
[[steps]]
use = "translate"
model = "out/mix-faces.safetensors"
side = 64
"""


def face(chance: np.random.Generator) -> Image.Image:
    """A drawn one, aligned: eyes, mouth and outline where all others have them."""

    def colour(low: int, high: int) -> tuple[int, int, int]:
        red, green, blue = (int(value) for value in chance.integers(low, high, 3))
        return red, green, blue

    picture = Image.new("RGB", (SIDE, SIDE), colour(40, 220))
    draw = ImageDraw.Draw(picture)
    light, wide, mouth = chance.uniform(0.4, 1), chance.uniform(18, 24), chance.uniform(6, 11)
    skin = int(255 * light), int(205 * light), int(170 * light)
    draw.ellipse((28 - wide, 4, 36 + wide, 50), fill=colour(10, 120))
    draw.ellipse((32 - wide, 12, 32 + wide, 60), fill=skin)
    for eye in (22, 42):
        draw.ellipse((eye - 4, 29, eye + 4, 35), fill=(245, 245, 245))
        draw.ellipse((eye - 2, 30, eye + 2, 34), fill=colour(0, 150))
    draw.ellipse((32 - mouth, 47, 32 + mouth, 49 + chance.uniform(0, 5)), fill=(170, 50, 60))
    return picture


@pytest.mark.slow
def test_a_recipe_of_pictures_mixes_faces_with_what_the_shipped_recipe_trains(tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    for number in range(24):
        face(np.random.default_rng(number)).save(tmp_path / "faces" / f"{number:02}.png")
    sizes = {"side": SIDE, "crop": SIDE, "levels": 6, "width": 8, "critic_width": 8, "steps": 200}
    (file,), losses = trained(shrunk("mix-faces", **sizes), tmp_path / "out", data=[str(tmp_path / "faces")])
    first, last = losses[0], losses[-1]
    assert losses[-2]["l1"] + last["l1"] < 1.7 * first["l1"]
    assert 0.02 < (last["made"] + last["real"]) / 2 < 0.6 < (first["made"] + first["real"]) / 2
    model = load_model(file, network_class=UNet)
    assert json.loads(model.metadata["inputs"])["use"] == "blend"
    assert "2 held-out pairs, 64 px" in file.with_suffix(".md").read_text()
    made = painted(tmp_path, RUN)
    assert [Image.open(picture).copy().size for picture in made] == [(SIDE, SIDE)] * 2
