"""The key `start`: a training starts from a finished model, and its card says so."""

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

from artgen.errors import ArtgenError, ValidationErrors
from artgen.events import Event, Note, TrainingStep, ignore_event
from artgen.models.architectures.upimage import UpImager, UpImagerConfig
from artgen.models.files import catalog, header
from artgen.models.files.checkpoint import load_model, save_model
from artgen.training.engine.family import Evaluation
from artgen.training.engine.init_from import StartModel
from artgen.training.evaluation.model_card import TrainingRecord, render_card
from artgen.training.material.material import SourceFolder
from artgen.training.recipes import FAMILIES
from artgen.training.recipes.load import load_training_recipe
from artgen.training.recipes.upimage import UpImageRecipe
from artgen.training.session import TrainingJob, prepare_training, run_training
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
def workspace(tmp_path: Path) -> Path:
    """Return a folder with pictures, a model, and a recipe that starts from it."""
    torch.set_num_threads(1)
    draw_pictures(tmp_path)
    write_model(tmp_path / "first.safetensors", seed=1)
    write_recipe(tmp_path, "first.safetensors")
    return tmp_path


def draw_pictures(workspace: Path) -> None:
    (workspace / "sea").mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (16, 16, 3), np.uint8)
        Image.fromarray(pixels).resize((96, 96)).save(workspace / "sea" / f"{number}.png")


def small(family: str) -> str:
    return (SMALL / f"{family}.toml").read_text().replace("builtin:textures", "sea")


def write_model(file: Path, seed: int, config: UpImagerConfig = CONFIG) -> None:
    torch.manual_seed(seed)
    save_model(file, UpImager(config), {})


def write_recipe(workspace: Path, start: str, text: str = RECIPE) -> None:
    (workspace / "second.toml").write_text(f"start = {json.dumps(start)}\n{text}")


def job(workspace: Path, folder: str = "out", **options: Any) -> TrainingJob:
    return TrainingJob(
        load_training_recipe(workspace / "second.toml"),
        workspace / folder,
        recipe_folder=workspace,
        **options,
    )


def checkpoint(workspace: Path, step: int, folder: str = "out") -> dict[str, Any]:
    return dict(torch.load(workspace / folder / "checkpoints" / f"{step:08}.pt", weights_only=True))


def weights(file: Path) -> dict[str, Tensor]:
    return dict(load_model(file).network.state_dict())


def test_until_its_critic_has_warmed_up_a_generator_stays_as_it_was(workspace: Path) -> None:
    events: list[Event] = []
    fresh = dict(prepare_training(job(workspace), ignore_event).family.networks["critic"].named_parameters())
    run_training(job(workspace), events.append)
    first, early, late = (
        weights(workspace / "first.safetensors"),
        checkpoint(workspace, 5),
        checkpoint(workspace, 10),
    )
    assert_equal(early["networks"]["generator"], first)
    assert_equal(early["averages"]["generator"], first)
    assert not any(torch.equal(early["networks"]["critic"][name], weight) for name, weight in fresh.items())
    assert not torch.equal(late["networks"]["generator"]["paint.weight"], first["paint.weight"])
    losses = [event.losses.keys() for event in events if isinstance(event, TrainingStep)]
    critic = {"critic", "penalty"}
    assert losses == [critic, critic | {"l1", "consistency", "fool", "features", "spread"}]
    assert "starts from the model first" in [event.message for event in events if isinstance(event, Note)]


def test_what_is_held_out_now_may_have_been_learned_from_before() -> None:
    first, recipe = (
        StartModel("first", "0123456789abcdef" * 4),
        UpImageRecipe(family="upimage", title="x", steps=1),
    )
    warning = "Held out of this training; `first` may have learned from them."
    for held_out, start, warned in [(1, first, True), (0, first, False), (1, None, False)]:
        sources = [SourceFolder("paintings", 40, held_out)]
        record = TrainingRecord(recipe, 40, sources, "", Evaluation("it"), 1.0, [], "cpu", start)
        assert (warning in render_card(record, "x", "", UpImager(CONFIG))) == warned


def test_resumed_it_equals_an_undisturbed_one_bit_for_bit(workspace: Path) -> None:
    run_training(job(workspace, "whole"), ignore_event)
    shutil.copytree(workspace / "whole", workspace / "broken")
    (workspace / "broken" / "checkpoints" / "00000010.pt").unlink()
    events: list[Event] = []
    run_training(job(workspace, "broken"), events.append)
    whole, broken = (checkpoint(workspace, 10, folder) for folder in ("whole", "broken"))
    for part in ("networks", "averages", "optimisers", "extra"):
        assert_equal(whole[part], broken[part])
    assert "starts from the model first" not in [event.message for event in events if isinstance(event, Note)]


def test_what_ships_may_keep_a_share_of_what_it_was(workspace: Path) -> None:
    """When the training is finished, only the model is written again."""
    shipped = {}
    for share in (0.0, 0.5, 1.0):
        write_recipe(workspace, "first.safetensors", f"start_share = {share}\n{RECIPE}")
        (file,) = run_training(job(workspace), ignore_event)
        shipped[share] = weights(file)
        assert ("50% of whose weights it keeps" in file.with_suffix(".md").read_text()) == (share == 0.5)
    assert_equal(shipped[1.0], weights(workspace / "first.safetensors"))
    for name, weight in shipped[0.5].items():
        assert torch.allclose(weight, (shipped[0.0][name] + shipped[1.0][name]) / 2, rtol=2e-3, atol=1e-6)
    assert not torch.equal(shipped[0.0]["paint.weight"], shipped[1.0]["paint.weight"])
    (workspace / "second.toml").write_text(f"start_share = 0.5\n{RECIPE}")
    with pytest.raises(ValidationErrors, match="no `start` to keep a share of"):
        job(workspace)


@pytest.mark.slow
def test_from_another_model_it_is_another_training(workspace: Path) -> None:
    run_training(job(workspace), ignore_event)
    first = workspace / "first.safetensors"
    first.write_bytes(header.with_added_metadata(first, {"metrics_shipped": "{}"}))  # the same weights
    run_training(job(workspace), ignore_event)
    write_model(first, seed=2)
    with pytest.raises(ArtgenError, match=r"another training \(other files that the recipe names\)"):
        run_training(job(workspace), ignore_event)
    (workspace / "first.safetensors").unlink()
    with pytest.raises(ArtgenError, match=r"no model 'first\.safetensors'"):
        run_training(job(workspace), ignore_event)
    (workspace / "second.toml").write_text(RECIPE.replace("steps = 10", "steps = 12"))
    (file,) = run_training(job(workspace, adopt=True), ignore_event)
    assert "changed at step 10" in file.with_suffix(".md").read_text()


@pytest.mark.slow
def test_the_recipe_to_run_first_is_named_and_nothing_decoded_before(tmp_path: Path) -> None:
    """By the command; the second model's file names its start model, but not that model's folder."""
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
    process = artgen_train("second.toml", tmp_path)
    assert process.returncode == 0, process.stderr
    file = tmp_path / "training-runs/second/second.safetensors"
    metadata = header.read_metadata(file)
    start = json.loads(metadata["start"])
    assert start["name"] == "first"
    card = file.with_suffix(".md").read_text()
    assert f"starting from `first` (weights `{start['sha256'][:16]}`)" in card
    assert "training-runs" not in card + json.dumps(metadata)


def artgen_train(recipe: str, workspace: Path, *run: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *run, "-m", "artgen", "train", recipe, "--device", "cpu", "--threads", "1"]
    return subprocess.run(command, cwd=workspace, capture_output=True, text=True)


def test_a_model_that_does_not_fit_is_told(workspace: Path) -> None:
    write_model(workspace / "first.safetensors", 1, UpImagerConfig(width=16, blocks=1, widths=(8, 8)))
    with pytest.raises(ArtgenError, match=r"'first' has width = 16, widths = \[8, 8\]") as caught:
        prepare_training(job(workspace), ignore_event)
    assert "the recipe asks for width = 8, widths = [8]" in str(caught.value)
    write_recipe(workspace, "first.safetensors", small("pix2pix"))
    with pytest.raises(ArtgenError, match="'first' is of the architecture 'upimage'"):
        prepare_training(job(workspace), ignore_event)
    (workspace / "first.safetensors").write_bytes(b"cut")
    with pytest.raises(ArtgenError, match="not a safetensors file"):
        prepare_training(job(workspace), ignore_event)
    write_recipe(workspace, "abstract-9x")
    with pytest.raises(ArtgenError, match=r"start = 'abstract-9x'.*did you mean 'abstract-8x'"):
        prepare_training(job(workspace), ignore_event)


def test_two_generators_are_refused_with_the_line(workspace: Path) -> None:
    write_recipe(workspace, "first.safetensors", small("cyclegan"))
    with pytest.raises(ValidationErrors) as caught:
        job(workspace)
    assert "second.toml:1: start" in str(caught.value)
    assert "leave `start` out: two generators" in str(caught.value)


@pytest.mark.parametrize("name", ["pix2pix", "mix", "dcgan", "dcgan-r3"])
def test_families_of_one_generator_go_on_from_their_models(workspace: Path, name: str) -> None:
    text = small(name)
    (workspace / "second.toml").write_text(text)
    network = prepare_training(job(workspace), ignore_event).family.networks["generator"]
    save_model(workspace / "first.safetensors", network, {})  # type: ignore[arg-type]
    write_recipe(workspace, "first.safetensors", f"seed = 7\n{text}")
    prepared = prepare_training(job(workspace), ignore_event)
    assert_equal(
        dict(prepared.family.networks["generator"].state_dict()), weights(workspace / "first.safetensors")
    )


def test_a_shipped_model_is_gone_on_from_by_its_name(workspace: Path) -> None:
    text = RECIPE.replace("width = 8\nblocks = 1\nwidths = [8]\n", "")  # the recipe's defaults are its sizes
    write_recipe(workspace, "abstract-8x", text)
    prepared = prepare_training(job(workspace), ignore_event)
    assert_equal(
        dict(prepared.family.networks["generator"].state_dict()),
        weights(catalog.get_shipped_model("abstract-8x").file),
    )
    assert prepared.start_model is not None
    assert prepared.start_model.name == "abstract-8x"


def test_no_family_tells_where_its_start_lay() -> None:
    assert all("start" in recipe.path_keys for recipe in FAMILIES.builtin_classes.values())


@pytest.mark.slow
def test_two_processes_go_on_from_one_model(workspace: Path) -> None:
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    process = artgen_train("second.toml", workspace, *torchrun)
    assert process.returncode == 0, process.stderr
    early = checkpoint(workspace, 5, "training-runs/second")
    assert_equal(early["networks"]["generator"], weights(workspace / "first.safetensors"))
