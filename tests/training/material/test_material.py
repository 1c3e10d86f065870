"""Datasets from folders as people have them: training and held-out images, and the card about them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from artgen.errors import ArtgenError
from artgen.events import Event, Note
from artgen.models.architectures.upimage import UpImager, UpImagerConfig
from artgen.training.engine.family import Evaluation
from artgen.training.evaluation.model_card import TrainingRecord, build_metadata, render_card
from artgen.training.material.material import SourceFolder, TrainingDataset, load_dataset
from artgen.training.recipes.cyclegan import CycleGANRecipe
from artgen.training.recipes.dcgan import DCGANR3Recipe
from artgen.training.recipes.fast_style import FastStyleRecipe
from artgen.training.session import TrainingJob, prepare_training


def fill(folder: Path, count: int, *, colour: bool = True, ending: str = "png") -> list[Path]:
    """Write ``count`` pictures named ``00`` and on, all different."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{number:02}.{ending}" for number in range(count)]
    for number, file in enumerate(files):
        pixels = np.random.default_rng(number).integers(0, 255, (4, 4, 3 if colour else 1), np.uint8)
        Image.fromarray(pixels.repeat(1 if colour else 3, 2)).resize((40, 40)).save(file)
    return files


def dataset(
    folder: Path, targets: list[Path], inputs: list[Path] | None = None, **options: Any
) -> TrainingDataset:
    return load_dataset(targets, inputs, folder / "cache", max_side=64, **options)


def record(recipe: Any, dataset: TrainingDataset) -> TrainingRecord:
    return TrainingRecord(
        recipe,
        len(dataset.images.files),
        dataset.sources,
        dataset.fingerprint,
        Evaluation("it"),
        60.0,
        [],
        "cpu",
    )


def test_a_corrupt_image_is_not_the_held_out_set(tmp_path: Path) -> None:
    files = fill(tmp_path / "sea", 25)
    files[0].write_bytes(b"no picture")
    loaded = dataset(tmp_path, files)
    assert loaded.held_out
    assert [file.name for file in loaded.validation_images.files] == ["01.png", "21.png"]
    assert len(loaded.images.files) == 22
    (problem,) = loaded.skipped
    assert "00.png" in problem


def test_too_few_that_can_be_read_hold_nothing_out(tmp_path: Path) -> None:
    files = fill(tmp_path / "sea", 21)
    for file in files[:2]:
        file.write_bytes(b"")
    loaded = dataset(tmp_path, files)
    assert not loaded.held_out
    assert len(loaded.validation_images.files) == len(loaded.images.files) == 19
    assert loaded.sources == [SourceFolder("sea", 19, 0)]


def test_a_family_may_hold_nothing_out(tmp_path: Path) -> None:
    loaded = dataset(tmp_path, fill(tmp_path / "sea", 40), hold_out=DCGANR3Recipe.holds_out)
    assert not loaded.held_out
    assert len(loaded.images.files) == 40


def test_one_picture_more_does_not_part_the_pairs(tmp_path: Path) -> None:
    targets, inputs = fill(tmp_path / "a", 45), fill(tmp_path / "b", 45)
    extra = tmp_path / "b" / "00-first.png"
    extra.write_bytes(inputs[0].read_bytes())
    with pytest.raises(ArtgenError) as caught:
        dataset(tmp_path, targets, sorted([*inputs, extra]))
    assert str(caught.value).startswith("pairs: 1 image without a target: 00-first; the same names")


def test_a_corrupt_input_takes_its_target_with_it(tmp_path: Path) -> None:
    targets, inputs = fill(tmp_path / "a", 45), fill(tmp_path / "b", 45)
    inputs[20].write_bytes(b"no picture")
    loaded = dataset(tmp_path, targets, inputs)
    assert loaded.inputs is not None
    assert loaded.validation_inputs is not None
    for one, other in (
        (loaded.images, loaded.inputs),
        (loaded.validation_images, loaded.validation_inputs),
    ):
        assert [file.name for file in one.files] == [file.name for file in other.files]
        assert all(np.array_equal(a, b) for a, b in zip(one.pixels, other.pixels, strict=True))
    assert len(loaded.images.files) + len(loaded.validation_images.files) == 44
    assert len(loaded.skipped) == 1


def test_what_is_held_out_is_said_of_each_folder(tmp_path: Path) -> None:
    targets, inputs = fill(tmp_path / "sea", 30), fill(tmp_path / "drawn" / "sea", 5)
    loaded = dataset(tmp_path, targets, inputs, paired=False)
    assert not loaded.held_out
    recipe = CycleGANRecipe(family="cyclegan", title="sea", steps=5)
    written = render_card(
        record(recipe, loaded), "sea", "The sea.", UpImager(UpImagerConfig(width=8, blocks=1, widths=(8,)))
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
    training_record = record(recipe, dataset(tmp_path, fill(tmp_path / "photos", 3)))
    network = UpImager(UpImagerConfig(width=8, blocks=1, widths=(8,)))
    metadata = build_metadata(training_record, "wave", "A wave.")
    assert "ann" not in json.dumps(metadata) + render_card(training_record, "wave", "A wave.", network)
    assert json.loads(metadata["styles"]) == [{"name": "wave"}]


def begin(recipe_folder: Path, recipe: str, **options: Any) -> list[str]:
    """Prepare a training; return the messages that it reports."""
    from artgen.training.recipes.load import load_training_recipe

    (recipe_folder / "r.toml").write_text(recipe)
    events: list[Event] = []
    training_job = TrainingJob(
        load_training_recipe(recipe_folder / "r.toml"),
        **{"folder": recipe_folder / "out", "recipe_folder": recipe_folder} | options,
    )
    prepare_training(training_job, events.append)
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
    assert "reading 22 images, at most 512 px" in begin(tmp_path, LATENT)
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
