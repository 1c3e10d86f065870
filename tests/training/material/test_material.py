"""What of people's folders is learned from, what is held out, and what the card says of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from artgen.errors import ArtgenError
from artgen.events import Event, Note
from artgen.models.architectures.upimage import UpImager, UpImagerConfig
from artgen.training.engine.family import Measured
from artgen.training.evaluation.model_card import Record, card, metadata
from artgen.training.material.material import Material, Source, load_material
from artgen.training.recipes.cyclegan import CycleGANRecipe
from artgen.training.recipes.dcgan import DCGANR3Recipe
from artgen.training.recipes.fast_style import FastStyleRecipe
from artgen.training.session import Job, prepare


def fill(folder: Path, count: int, *, colour: bool = True, ending: str = "png") -> list[Path]:
    """``count`` pictures named ``00`` and on, no two alike."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{number:02}.{ending}" for number in range(count)]
    for number, file in enumerate(files):
        pixels = np.random.default_rng(number).integers(0, 255, (4, 4, 3 if colour else 1), np.uint8)
        Image.fromarray(pixels.repeat(1 if colour else 3, 2)).resize((40, 40)).save(file)
    return files


def material(place: Path, targets: list[Path], inputs: list[Path] | None = None, **how: Any) -> Material:
    return load_material(targets, inputs, place / "cache", side=64, **how)


def record(recipe: Any, of: Material) -> Record:
    return Record(recipe, len(of.images.files), of.sources, of.fingerprint, Measured("it"), 60.0, [], "cpu")


def test_a_corrupt_image_is_not_the_held_out_set(tmp_path: Path) -> None:
    files = fill(tmp_path / "sea", 25)
    files[0].write_bytes(b"no picture")
    learned = material(tmp_path, files)
    assert learned.held_out
    assert [file.name for file in learned.validation.files] == ["01.png", "21.png"]
    assert len(learned.images.files) == 22
    (problem,) = learned.skipped
    assert "00.png" in problem


def test_too_few_that_can_be_read_hold_nothing_out(tmp_path: Path) -> None:
    files = fill(tmp_path / "sea", 21)
    for file in files[:2]:
        file.write_bytes(b"")
    learned = material(tmp_path, files)
    assert not learned.held_out
    assert len(learned.validation.files) == len(learned.images.files) == 19
    assert learned.sources == [Source("sea", 19, 0)]


def test_a_family_may_hold_nothing_out(tmp_path: Path) -> None:
    learned = material(tmp_path, fill(tmp_path / "sea", 40), hold_out=DCGANR3Recipe.holds_out)
    assert not learned.held_out
    assert len(learned.images.files) == 40


def test_one_picture_more_does_not_part_the_pairs(tmp_path: Path) -> None:
    targets, inputs = fill(tmp_path / "a", 45), fill(tmp_path / "b", 45)
    extra = tmp_path / "b" / "00-first.png"
    extra.write_bytes(inputs[0].read_bytes())
    with pytest.raises(ArtgenError) as caught:
        material(tmp_path, targets, sorted([*inputs, extra]))
    assert str(caught.value).startswith("pairs: 1 image without a target: 00-first; the same names")


def test_a_corrupt_input_takes_its_target_with_it(tmp_path: Path) -> None:
    targets, inputs = fill(tmp_path / "a", 45), fill(tmp_path / "b", 45)
    inputs[20].write_bytes(b"no picture")
    learned = material(tmp_path, targets, inputs)
    assert learned.inputs is not None
    assert learned.validation_inputs is not None
    for one, other in (
        (learned.images, learned.inputs),
        (learned.validation, learned.validation_inputs),
    ):
        assert [file.name for file in one.files] == [file.name for file in other.files]
        assert all(np.array_equal(a, b) for a, b in zip(one.pixels, other.pixels, strict=True))
    assert len(learned.images.files) + len(learned.validation.files) == 44
    assert len(learned.skipped) == 1


def test_what_is_held_out_is_said_of_each_folder(tmp_path: Path) -> None:
    targets, inputs = fill(tmp_path / "sea", 30), fill(tmp_path / "drawn" / "sea", 5)
    learned = material(tmp_path, targets, inputs, paired=False)
    assert not learned.held_out
    recipe = CycleGANRecipe(family="cyclegan", title="sea", steps=5)
    written = card(
        record(recipe, learned), "sea", "The sea.", UpImager(UpImagerConfig(width=8, blocks=1, widths=(8,)))
    )
    assert f"| images | {tmp_path.name}/sea: 30, 2 of them held out; drawn/sea: 5 |" in written


def test_a_published_model_tells_no_places(tmp_path: Path) -> None:
    recipe = FastStyleRecipe.model_validate(
        {
            "family": "fast-style",
            "title": "wave",
            "steps": 5,
            "data": ["/home/ann/photos"],
            "styles": ["/home/ann/paintings/wave.jpg"],
            "weights": "/home/ann/vgg.pth",
        }
    )
    told = record(recipe, material(tmp_path, fill(tmp_path / "photos", 3)))
    network = UpImager(UpImagerConfig(width=8, blocks=1, widths=(8,)))
    said = metadata(told, "wave", "A wave.")
    assert "ann" not in json.dumps(said) + card(told, "wave", "A wave.", network)
    assert json.loads(said["styles"]) == [{"name": "wave"}]


def begin(beside: Path, recipe: str, **job: Any) -> list[str]:
    """The notes of a training that begins."""
    from artgen.training.recipes.load import load_training_recipe

    (beside / "r.toml").write_text(recipe)
    events: list[Event] = []
    where = Job(load_training_recipe(beside / "r.toml"), **{"folder": beside / "out", "beside": beside} | job)
    prepare(where, events.append)
    return [event.message for event in events if isinstance(event, Note)]


LATENT = """
family = "dcgan-r3"
title = "sea"
data = "."
steps = 5
size = 32
width = 8
critic_width = 8
"""
PAIRS = """
family = "pix2pix"
title = "sea"
data = "sea"
inputs = "drawn"
steps = 5
crop = 32
generator = "resnet"
width = 4
critic_width = 4
critic_layers = 1

[pairs]
use = "folders"
"""


def test_a_training_does_not_find_its_own_samples(tmp_path: Path) -> None:
    fill(tmp_path, 22)
    for made in ("out/samples", "training-runs/other/samples", "runs/one/candidates", "sub/.hidden"):
        fill(tmp_path / made, 3)
    (tmp_path / "._00.png").write_bytes(b"a Mac's notes")
    assert begin(tmp_path, LATENT)[0] == "reading 22 images, at most 512 px"
    with pytest.raises(ArtgenError, match="the folder of the images to learn from; a folder of its own"):
        begin(tmp_path, LATENT, folder=tmp_path)


def test_only_some_of_what_is_skipped_is_named(tmp_path: Path) -> None:
    for file in fill(tmp_path, 40)[5:30]:
        file.write_bytes(b"no picture")
    skipped = [note for note in begin(tmp_path, LATENT) if note.startswith("skipped")]
    assert len(skipped) == 11
    assert skipped[-1] == "skipped 15 more"


def test_inputs_may_be_grey_and_alike(tmp_path: Path) -> None:
    fill(tmp_path / "sea", 3)
    for file in fill(tmp_path / "drawn", 3, colour=False):
        Image.new("L", (20, 20), 128).save(file)
    notes = begin(tmp_path, PAIRS)[1:]
    assert notes == [
        "only 3 images: it will learn them by heart",
        "inputs: only 3 images: it will learn them by heart",
        "inputs: all 3 images are smaller than 32 px and enlarged for it, so blurred",
    ]
