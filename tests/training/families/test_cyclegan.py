"""CycleGAN: the published gradients, the critics' memory, two models that a recipe of pictures uses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from artgen.errors import ArtgenError
from artgen.events import ignore_event
from artgen.models.architectures.resnet import ResNet
from artgen.models.files.checkpoint import load_model
from artgen.training.critics.image_pool import ImagePool
from artgen.training.engine.loop import run_step, seeded_dropout
from artgen.training.engine.runtime import create_accelerator
from artgen.training.families.cyclegan import CycleGANTraining
from artgen.training.recipes.load import load_training_recipe
from artgen.training.session import TrainingJob, prepare_training
from tests.training.shipped import painted, shrunk, trained

TINY = """
family = "cyclegan"
title = "tiny"
inputs = "warm"
data = "cold"
steps = 9
side = 128
crop = 32
blocks = 1
width = 8
critic_width = 8
critic_layers = 2
sample_every = 1000
rate = 1e-3
average = 0.98
pool = 4
"""
RUN = """
title = "There and back"
seed = 1
candidates = 1
[source]
use = "photos"
images = "warm/coffee.png"
side = 90
[[steps]]
use = "translate"
id = "there"
model = "out/photo-to-painting.safetensors"
[[steps]]
use = "translate"
id = "back"
model = "out/photo-to-painting-back.safetensors"
"""


@pytest.fixture
def place(tmp_path: Path, photographs: Path) -> Path:
    """Photographs as they are, and in blue."""
    (tmp_path / "warm").symlink_to(photographs)
    (tmp_path / "cold").mkdir()
    for file in photographs.iterdir():
        red, green, blue = Image.open(file).convert("RGB").resize((160, 120)).split()
        Image.merge("RGB", (blue, green, red)).save(tmp_path / "cold" / file.name)
    (tmp_path / "tiny.toml").write_text(TINY)
    return tmp_path


def job(place: Path) -> TrainingJob:
    torch.set_num_threads(1)
    return TrainingJob(load_training_recipe(place / "tiny.toml"), place / "out", recipe_folder=place)


def family(place: Path) -> CycleGANTraining:
    training = prepare_training(job(place), ignore_event).family
    assert isinstance(training, CycleGANTraining)
    return training


def test_both_turns_have_the_published_gradients(place: Path) -> None:
    training = family(place)
    (there, back), critics = training.generators, training.critics
    batch = training.draw_batch(0)
    a, b = batch.first, batch.second
    generators = [*there.parameters(), *back.parameters()]
    judges = [*critics[0].parameters(), *critics[1].parameters()]
    optimiser_steps = training.optimiser_steps(batch, 0.0)
    gradients = torch.autograd.grad(next(optimiser_steps).loss, generators)
    gradients += torch.autograd.grad(next(optimiser_steps).loss, judges)

    mse, l1 = nn.MSELoss(), nn.L1Loss()

    def judged(critic: nn.Module, picture: Tensor, truth: float) -> Tensor:
        verdicts = critic(picture)
        loss: Tensor = mse(verdicts, torch.full_like(verdicts, truth))
        return loss

    def signed(x: Tensor) -> Tensor:
        return x * 2 - 1

    fake_b, fake_a = there(a), back(b)
    loss = judged(critics[0], fake_b, 1.0) + judged(critics[1], fake_a, 1.0)
    loss = loss + 10 * l1(signed(back(fake_b)), signed(a)) + 10 * l1(signed(there(fake_a)), signed(b))
    loss = loss + 10 * 0.5 * l1(signed(there(b)), signed(b)) + 10 * 0.5 * l1(signed(back(a)), signed(a))
    expected = torch.autograd.grad(loss, generators)
    loss_b = (judged(critics[0], b, 1.0) + judged(critics[0], fake_b.detach(), 0.0)) * 0.5
    loss_a = (judged(critics[1], a, 1.0) + judged(critics[1], fake_a.detach(), 0.0)) * 0.5
    expected += torch.autograd.grad(loss_a + loss_b, judges)
    for ours, theirs in zip(gradients, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_a_recipe_goes_there_and_back_with_what_the_shipped_recipe_trains(place: Path) -> None:
    sizes = {"side": 128, "crop": 32, "blocks": 1, "width": 8, "critic_width": 8, "critic_layers": 2}
    images = {"data": [str(place / "cold")], "inputs": [str(place / "warm")]}
    shipped = shrunk("cyclegan-photo-to-painting", **sizes, steps=120)
    files, losses = trained(shipped, place / "out", **images)
    assert [file.stem for file in files] == ["photo-to-painting", "photo-to-painting-back"]
    first, last = losses[0], losses[-1]
    for name in ("cycle", "same"):
        assert last[name] < 0.85 * first[name]
    for name in ("critic_there", "critic_back"):  # 0.25 is guessing
        assert 0.02 < last[name] < 0.25 < first[name]
    model = load_model(files[1], network_class=ResNet)
    assert model.metadata["description"].startswith("The way back")
    assert json.loads(model.metadata["metrics"]).keys() >= {"cycle", "swd", "swd_back"}
    assert "4 pictures it was trained on, of each kind" in files[1].with_suffix(".md").read_text()
    (picture,) = painted(place, RUN)
    assert max(Image.open(picture).copy().size) == 90


def test_what_the_critics_remember_is_kept_exactly(place: Path) -> None:
    first, second = family(place), family(place)
    accelerator = create_accelerator("cpu", "fp32")
    for number in range(6):
        with seeded_dropout(0, number, first):
            run_step(first, first.draw_batch(number), 0.0, accelerator)
    second.load_extra_state(first.extra_state())
    for pool, other in zip(first.pools, second.pools, strict=True):
        assert len(pool.images) == 4
        assert all(torch.equal(a, b) for a, b in zip(pool.images, other.images, strict=True))


def test_a_pool_keeps_all_until_it_is_full_then_gives_half_of_them_back() -> None:
    pool = ImagePool(50)
    pictures = [torch.full((1, 3, 2, 2), number / 255) for number in range(255)]
    seen = [pool.exchange(picture, np.random.default_rng(n)) for n, picture in enumerate(pictures)]
    assert all(torch.equal(a, b) for a, b in zip(seen[:50], pictures[:50], strict=True))
    old = [not torch.equal(a, b) for a, b in zip(seen, pictures, strict=True)]
    assert 0.4 < sum(old[50:]) / 205 < 0.6
    assert len(pool.images) == 50
    values = [float(picture[0, 0, 0, 0]) for picture in seen]
    assert all(value <= n / 255 + 1e-6 for n, value in enumerate(values))  # never one not yet made
    again = ImagePool(50)
    repeated = [again.exchange(picture, np.random.default_rng(n)) for n, picture in enumerate(pictures)]
    assert all(torch.equal(a, b) for a, b in zip(seen, repeated, strict=True))


def test_no_pool_gives_back_what_was_made() -> None:
    made = torch.rand(2, 3, 4, 4)
    assert ImagePool(0).exchange(made, np.random.default_rng(0)) is made


def test_without_a_second_folder_it_says_how_to_name_one(place: Path) -> None:
    (place / "tiny.toml").write_text(TINY.replace('inputs = "warm"\n', ""))
    with pytest.raises(ArtgenError, match="--inputs FOLDER"):
        prepare_training(job(place), ignore_event)


def test_samples_have_as_many_pictures_as_there_are_of_the_rarer_kind(place: Path) -> None:
    for file in sorted((place / "cold").iterdir())[:-1]:
        file.unlink()
    training = family(place)
    with torch.inference_mode():
        sample = training.sample_grid(dict(zip(("there", "back"), training.generators, strict=True)))
    assert sample.shape == (3, 4 * 32, 32)
