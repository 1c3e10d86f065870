"""The key `start`: a training goes on from a finished model, and says so."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from artgen.errors import ArtgenError, Problems
from artgen.events import Event, Note, TrainingStep, ignore
from artgen.models.architectures.upimage import UpImager, UpImagerConfig
from artgen.models.files import catalog, header
from artgen.models.files.checkpoint import load_model, save_model
from artgen.training.engine.family import Measured
from artgen.training.engine.init_from import Start
from artgen.training.evaluation.model_card import Record, card
from artgen.training.material.material import Source
from artgen.training.recipes import FAMILIES
from artgen.training.recipes.load import load_training_recipe
from artgen.training.recipes.upimage import UpImageRecipe
from artgen.training.session import Job, prepare, run_training
from tests.training.checks import assert_equal

SMALL = Path(__file__).parent / "small"
CONFIG = UpImagerConfig(width=8, blocks=1, widths=(8,))
RECIPE = """\
family = "upimage"
title = "second"
data = "sea"
steps = 10
side = 128
width = 8
blocks = 1
widths = [8]
critic = "penalised"
critic_width = 8
penalty_every = 2
warm_up = 0.6
checkpoint_every = 5
sample_every = 1000
[[sizes]]
crop = 8
batch = 3
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with pictures, a model, and a recipe that goes on from it."""
    torch.set_num_threads(1)
    draw_pictures(tmp_path)
    write_model(tmp_path / "first.safetensors", seed=1)
    write_recipe(tmp_path, "first.safetensors")
    return tmp_path


def draw_pictures(place: Path) -> None:
    (place / "sea").mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (16, 16, 3), np.uint8)
        Image.fromarray(pixels).resize((96, 96)).save(place / "sea" / f"{number}.png")


def small(family: str) -> str:
    return (SMALL / f"{family}.toml").read_text().replace("builtin:textures", "sea")


def write_model(file: Path, seed: int, config: UpImagerConfig = CONFIG) -> None:
    torch.manual_seed(seed)
    save_model(file, UpImager(config), {})


def write_recipe(place: Path, start: str, text: str = RECIPE) -> None:
    (place / "second.toml").write_text(f"start = {json.dumps(start)}\n{text}")


def job(place: Path, folder: str = "out", **how: Any) -> Job:
    return Job(load_training_recipe(place / "second.toml"), place / folder, beside=place, **how)


def checkpoint(place: Path, step: int, folder: str = "out") -> dict[str, Any]:
    return dict(torch.load(place / folder / "checkpoints" / f"{step:08}.pt", weights_only=True))


def weights(file: Path) -> dict[str, Tensor]:
    return dict(load_model(file).network.state_dict())


def test_until_its_critic_has_warmed_up_a_generator_stays_as_it_was(place: Path) -> None:
    events: list[Event] = []
    fresh = dict(prepare(job(place), ignore).family.networks["critic"].named_parameters())
    run_training(job(place), events.append)
    first, early, late = weights(place / "first.safetensors"), checkpoint(place, 5), checkpoint(place, 10)
    assert_equal(early["networks"]["generator"], first)
    assert_equal(early["averages"]["generator"], first)
    assert not any(torch.equal(early["networks"]["critic"][name], weight) for name, weight in fresh.items())
    assert not torch.equal(late["networks"]["generator"]["paint.weight"], first["paint.weight"])
    losses = [event.losses.keys() for event in events if isinstance(event, TrainingStep)]
    critic = {"critic", "penalty"}
    assert losses == [critic, critic | {"l1", "consistency", "fool", "features", "spread"}]
    assert "goes on from first" in [event.message for event in events if isinstance(event, Note)]


def test_what_is_held_out_now_may_have_been_learned_from_before() -> None:
    first, recipe = (
        Start("first", "0123456789abcdef" * 4),
        UpImageRecipe(family="upimage", title="x", steps=1),
    )
    warning = "Held out of this training; `first` may have learned from them."
    for held_out, start, warned in [(1, first, True), (0, first, False), (1, None, False)]:
        sources = [Source("paintings", 40, held_out)]
        record = Record(recipe, 40, sources, "", Measured("it"), 1.0, [], "cpu", start)
        assert (warning in card(record, "x", "", UpImager(CONFIG))) == warned


def test_resumed_it_equals_an_undisturbed_one_bit_for_bit(place: Path) -> None:
    run_training(job(place, "whole"), ignore)
    shutil.copytree(place / "whole", place / "broken")
    (place / "broken" / "checkpoints" / "00000010.pt").unlink()
    events: list[Event] = []
    run_training(job(place, "broken"), events.append)
    whole, broken = (checkpoint(place, 10, folder) for folder in ("whole", "broken"))
    for part in ("networks", "averages", "optimisers", "extra"):
        assert_equal(whole[part], broken[part])
    assert "goes on from first" not in [event.message for event in events if isinstance(event, Note)]


def test_what_ships_may_keep_a_share_of_what_it_was(place: Path) -> None:
    """Tried when all is trained: the model is only written again."""
    shipped = {}
    for share in (0.0, 0.5, 1.0):
        write_recipe(place, "first.safetensors", f"start_share = {share}\n{RECIPE}")
        (file,) = run_training(job(place), ignore)
        shipped[share] = weights(file)
        assert ("50% of whose weights it keeps" in file.with_suffix(".md").read_text()) == (share == 0.5)
    assert_equal(shipped[1.0], weights(place / "first.safetensors"))
    for name, weight in shipped[0.5].items():
        assert torch.allclose(weight, (shipped[0.0][name] + shipped[1.0][name]) / 2, rtol=2e-3, atol=1e-6)
    assert not torch.equal(shipped[0.0]["paint.weight"], shipped[1.0]["paint.weight"])
    (place / "second.toml").write_text(f"start_share = 0.5\n{RECIPE}")
    with pytest.raises(Problems, match="no `start` to keep a share of"):
        job(place)


@pytest.mark.slow
def test_from_another_model_it_is_another_training(place: Path) -> None:
    run_training(job(place), ignore)
    first = place / "first.safetensors"
    first.write_bytes(header.relabelled(first, {"metrics_shipped": "{}"}))  # the same weights
    run_training(job(place), ignore)
    write_model(first, seed=2)
    with pytest.raises(ArtgenError, match=r"another training \(other files that the recipe names\)"):
        run_training(job(place), ignore)
    (place / "first.safetensors").unlink()
    with pytest.raises(ArtgenError, match=r"no model 'first\.safetensors'"):
        run_training(job(place), ignore)
    (place / "second.toml").write_text(RECIPE.replace("steps = 10", "steps = 12"))
    (file,) = run_training(job(place, adopt=True), ignore)
    assert "changed at step 10" in file.with_suffix(".md").read_text()


@pytest.mark.slow
def test_the_recipe_to_run_first_is_named_and_nothing_decoded_before(tmp_path: Path) -> None:
    """By the command; the second model's file says what it went on from, not where that lay."""
    first = "training-runs/first/first.safetensors"
    draw_pictures(tmp_path)
    (tmp_path / "first.toml").touch()
    write_recipe(tmp_path, first)
    refused = artgen_train("second.toml", tmp_path)
    assert refused.returncode == 2
    assert f"start = '{first}': no such file ({tmp_path.resolve() / first}); train it first" in refused.stderr
    assert "(try: artgen train first.toml)" in refused.stderr
    assert not list(tmp_path.rglob("*.u8"))
    (tmp_path / first).parent.mkdir(parents=True)
    write_model(tmp_path / first, seed=1)
    done = artgen_train("second.toml", tmp_path)
    assert done.returncode == 0, done.stderr
    file = tmp_path / "training-runs/second/second.safetensors"
    said = header.metadata(file)
    start = json.loads(said["start"])
    assert start["name"] == "first"
    card = file.with_suffix(".md").read_text()
    assert f"going on from `first` (weights `{start['sha256'][:16]}`)" in card
    assert "training-runs" not in card + json.dumps(said)


def artgen_train(recipe: str, place: Path, *run: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *run, "-m", "artgen", "train", recipe, "--device", "cpu", "--threads", "1"]
    return subprocess.run(command, cwd=place, capture_output=True, text=True)


def test_a_model_that_does_not_fit_is_told(place: Path) -> None:
    write_model(place / "first.safetensors", 1, UpImagerConfig(width=16, blocks=1, widths=(8, 8)))
    with pytest.raises(ArtgenError, match=r"'first' has width = 16, widths = \[8, 8\]") as found:
        prepare(job(place), ignore)
    assert "the recipe asks for width = 8, widths = [8]" in str(found.value)
    write_recipe(place, "first.safetensors", small("pix2pix"))
    with pytest.raises(ArtgenError, match="'first' is of the architecture 'upimage'"):
        prepare(job(place), ignore)
    (place / "first.safetensors").write_bytes(b"cut")
    with pytest.raises(ArtgenError, match="not a safetensors file"):
        prepare(job(place), ignore)
    write_recipe(place, "abstract-9x")
    with pytest.raises(ArtgenError, match=r"start = 'abstract-9x'.*did you mean 'abstract-8x'"):
        prepare(job(place), ignore)


def test_two_generators_are_refused_with_the_line(place: Path) -> None:
    write_recipe(place, "first.safetensors", small("cyclegan"))
    with pytest.raises(Problems) as found:
        job(place)
    assert "second.toml:1: start" in str(found.value)
    assert "leave `start` out: two generators" in str(found.value)


@pytest.mark.parametrize("name", ["pix2pix", "mix", "dcgan", "dcgan-r3"])
def test_families_of_one_generator_go_on_from_their_models(place: Path, name: str) -> None:
    text = small(name)
    (place / "second.toml").write_text(text)
    network = prepare(job(place), ignore).family.networks["generator"]
    save_model(place / "first.safetensors", network, {})  # type: ignore[arg-type]
    write_recipe(place, "first.safetensors", f"seed = 7\n{text}")
    begun = prepare(job(place), ignore)
    assert_equal(dict(begun.family.networks["generator"].state_dict()), weights(place / "first.safetensors"))


def test_a_shipped_model_is_gone_on_from_by_its_name(place: Path) -> None:
    text = RECIPE.replace("width = 8\nblocks = 1\nwidths = [8]\n", "")  # the recipe's defaults are its sizes
    write_recipe(place, "abstract-8x", text)
    begun = prepare(job(place), ignore)
    assert_equal(
        dict(begun.family.networks["generator"].state_dict()), weights(catalog.entry("abstract-8x").file)
    )
    assert begun.start is not None
    assert begun.start.name == "abstract-8x"


def test_no_family_tells_where_its_start_lay() -> None:
    assert all("start" in recipe.places for recipe in FAMILIES.values())


@pytest.mark.slow
def test_two_processes_go_on_from_one_model(place: Path) -> None:
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = artgen_train("second.toml", place, *torchrun)
    assert done.returncode == 0, done.stderr
    early = checkpoint(place, 5, "training-runs/second")
    assert_equal(early["networks"]["generator"], weights(place / "first.safetensors"))
