"""Every pair maker on real photographs: any size, only by the given chance, never outside of [0, 1]."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import TypeAdapter, ValidationError
from skimage import data

from artgen.errors import ValidationErrors
from artgen.imaging.image import luminance
from artgen.imaging.inputs import prepare_input, reduced_size
from artgen.training.material.material import TrainingDataset, load_dataset
from artgen.training.pairs import PairMaker, build_pair_maker
from artgen.training.pairs.window import CropWindow, draw_crop_window
from artgen.training.recipes.load import load_training_recipe
from artgen.training.recipes.pairs import (
    AnyPairTable,
    BlendTable,
    EdgesTable,
    FoldersTable,
    LearningToSeeTable,
    PairTable,
    PixelateTable,
)

KINDS = [
    PixelateTable(),
    LearningToSeeTable(),
    LearningToSeeTable(grey=False),
    EdgesTable(),
    BlendTable(),
    FoldersTable(),
    FoldersTable(grey=True),
]


def name(table: PairTable) -> str:
    return f"{table.use}-{table.channels}"


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> TrainingDataset:
    """Five photographs, one of them tiny; as inputs their negatives at half the size."""
    place = tmp_path_factory.mktemp("photographs")
    for folder in ("targets", "inputs"):
        (place / folder).mkdir()
    for photograph in ("astronaut", "coffee", "chelsea", "rocket"):
        image = Image.fromarray(getattr(data, photograph)())
        image.save(place / "targets" / f"{photograph}.png")
        half = image.resize((image.width // 2, image.height // 2))
        Image.fromarray(255 - np.asarray(half)).save(place / "inputs" / f"{photograph}.jpg", quality=95)
    Image.fromarray(data.chelsea()[:20, :30]).save(place / "targets" / "tiny.png")
    Image.fromarray(255 - data.chelsea()[:20, :30]).save(place / "inputs" / "tiny.png")
    files, inputs = (sorted((place / folder).iterdir()) for folder in ("targets", "inputs"))
    return load_dataset(files, inputs, place / "cache", max_side=512)


def pair(maker: PairMaker, side: int, *key: int) -> tuple[torch.Tensor, torch.Tensor]:
    return maker.draw_pair(side, np.random.default_rng(key))


@pytest.mark.parametrize("table", KINDS, ids=name)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(side=st.integers(8, 100), factor=st.integers(2, 64), flips=st.sampled_from(["none", "both"]))
def test_a_pair_of_any_size_and_factor(
    material: TrainingDataset, table: PairTable, side: int, factor: int, flips: str
) -> None:
    changes = {"flips": flips} | ({"factor": factor} if "factor" in type(table).model_fields else {})
    maker = build_pair_maker(
        TypeAdapter(AnyPairTable).validate_python(table.model_dump() | changes), material
    )
    small = reduced_size((side, side), factor) if table.use in ("pixelate", "blend") else (side, side)
    for seen, target in (pair(maker, side, factor), maker.fixed_pair(factor % 5, 5, side)):
        assert target.shape == (3, side, side)
        assert seen.shape == (maker.channels, *small)
        assert maker.channels == table.channels
        for image in (seen, target, maker.enlarge(seen[None], side)[0]):
            assert image.dtype == torch.float32
            assert image.shape[-1] in (side, small[0])
            assert image.min() >= 0
            assert image.max() <= 1


@pytest.mark.parametrize("table", KINDS, ids=name)
def test_chance_alone_decides(material: TrainingDataset, table: PairTable) -> None:
    maker = build_pair_maker(table, material)
    torch.manual_seed(1)
    first = pair(maker, 64, 1, 2)
    torch.manual_seed(2)
    np.random.seed(3)
    again = pair(build_pair_maker(table, material), 64, 1, 2)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[1], pair(maker, 64, 1, 3)[1])
    batches = [maker.validation_batch(7, 32, enlarge_inputs=True) for _ in range(2)]
    assert batches[0][0].shape == (7, maker.channels, 32, 32)
    assert all(torch.equal(a, b) for a, b in zip(*batches, strict=True))


@pytest.mark.parametrize(
    "table", [PixelateTable(), LearningToSeeTable(), EdgesTable(), FoldersTable(grey=True)], ids=name
)
def test_a_recipe_prepares_a_picture_as_the_model_learned(
    material: TrainingDataset, table: PairTable
) -> None:
    maker = build_pair_maker(table, material)
    given, target = maker.fixed_pair(1, 3, 96)
    prepared = prepare_input(target, table.model_dump(mode="json"))
    if isinstance(table, FoldersTable):  # the input is another picture: prepared is only what is seen of it
        assert torch.equal(prepared, luminance(target))
    else:
        assert torch.allclose(prepared, maker.enlarge(given[None], 96)[0], atol=1e-6)


def test_learning_to_see_changes_the_light_of_inputs_alone(material: TrainingDataset) -> None:
    table = LearningToSeeTable(scale=[1.0, 1.0], flips="none")
    given, target = zip(*(pair(build_pair_maker(table, material), 96, k) for k in range(60)), strict=True)
    plain = [prepare_input(t, table.model_dump()) for t in target]
    lifted = torch.tensor([float(g.mean() - p.mean()) for g, p in zip(given, plain, strict=True)])
    assert 0.1 < float(lifted.abs().max()) < 0.21
    stretched = [float(g.std() / p.std()) for g, p in zip(given, plain, strict=True) if 0.3 < p.mean() < 0.7]
    assert 0.84 < min(stretched) < 0.95
    assert 1.05 < max(stretched) < 1.16
    dark = LearningToSeeTable(brightness=0.0, contrast=0.0)
    given, target = pair(build_pair_maker(dark, material), 96, 1)
    assert torch.allclose(given, prepare_input(target, dark.model_dump()), atol=1e-6)
    noisy = dark.model_copy(update={"grain": 0.2})
    given, target = pair(build_pair_maker(noisy, material), 96, 1)
    assert abs(float((given - prepare_input(target, noisy.model_dump())).std()) - 0.2) < 0.02


def test_hands_differ(material: TrainingDataset) -> None:
    table = EdgesTable(scale=[1.0, 1.0], flips="none", thickness=[1.0, 1.0])
    made = [pair(build_pair_maker(table, material), 128, k) for k in range(40)]
    ink: dict[float, list[float]] = {}
    for seen, target in made:
        assert set(seen.unique().tolist()) <= {0.0, 1.0}
        ink.setdefault(float(target.mean()), []).append(float((1 - seen).mean()))
    assert max(max(shares) / max(min(shares), 1e-4) for shares in ink.values()) > 1.5


def test_the_face_that_dominates_is_the_target(material: TrainingDataset) -> None:
    def closeness(**fields: Any) -> float:
        maker = build_pair_maker(BlendTable(flips="none", scale=[1.0, 1.0], **fields), material)
        near = [pair(maker, 64, k) for k in range(24)]
        gaps = [(seen - prepared(target)).abs().mean() for seen, target in near]
        return float(torch.stack(gaps).mean())

    def prepared(target: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool2d(target, 8)

    assert closeness(other=[0.0, 0.0], modes=["blend", "regions", "halves"]) < 1e-4
    alike, strangers = (closeness(other=[0.4, 0.4], own=own, light=0.0) for own in (1.0, 0.0))
    assert 0.002 < alike < strangers
    assert strangers < closeness(other=[0.4, 0.4], own=0.0, light=1.0)


def test_colours_of_faces_can_be_left_alone(tmp_path: Path) -> None:
    Image.new("RGB", (80, 80), (200, 120, 90)).save(tmp_path / "skin.png")
    skin = load_dataset([tmp_path / "skin.png"], None, tmp_path / "cache", max_side=80)
    for recolour in (0.0, 1.0):
        maker = build_pair_maker(PixelateTable(recolour=recolour), skin)
        means = torch.stack([pair(maker, 32, k)[1].mean((1, 2)) for k in range(12)])
        own = torch.tensor([200.0, 120.0, 90.0]) / 255
        assert bool(torch.allclose(means, own.expand(12, 3), atol=1e-3)) == (recolour == 0)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    side=st.integers(1, 40),
    scale=st.tuples(st.floats(1, 8), st.floats(1, 8)).map(sorted),
    flips=st.sampled_from(["none", "horizontal", "both"]),
    key=st.integers(0, 1000),
)
def test_a_window_lies_within_any_picture(
    height: int, width: int, side: int, scale: list[float], flips: str, key: int
) -> None:
    pixels = np.full((height, width, 3), 77, np.uint8)
    window = draw_crop_window(scale, flips, np.random.default_rng(key))
    assert 1 / 8 <= window.share <= 1
    assert torch.equal(window.crop(pixels, side), torch.full((3, side, side), 77 / 255))


def test_a_window_turns_and_moves() -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:4, :4] = 255
    assert CropWindow().crop(pixels, 8)[0, :4, :4].min() == 1
    assert CropWindow(flip_horizontal=True).crop(pixels, 8)[0, :4, 4:].min() == 1
    assert CropWindow(flip_vertical=True).crop(pixels, 8)[0, 4:, :4].min() == 1
    assert CropWindow(share=0.5, top=0.0, left=0.0).crop(pixels, 4).min() == 1
    assert CropWindow(share=0.5, top=1.0, left=0.0).crop(pixels, 4).max() == 0
    flipped = [draw_crop_window([1.0, 1.0], "horizontal", np.random.default_rng(k)) for k in range(40)]
    assert {(w.flip_horizontal, w.flip_vertical) for w in flipped} == {(False, False), (True, False)}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"use": "edge"}, "does not match any of the expected tags"),
        ({"use": "edges", "sigma": [3.0, 1.0]}, "the smaller number comes first"),
        ({"use": "edges", "sigma": [1.0]}, "at least 2 items"),
        ({"use": "edges", "sigma": [0.0, 1.0]}, "greater than or equal to 0.5"),
        ({"use": "pixelate", "factor": 65}, "less than or equal to 64"),
        ({"use": "learning-to-see", "grey": "yes"}, "valid boolean"),
        ({"use": "blend", "modes": []}, "at least 1 item"),
        ({"use": "blend", "other": [0.0, 0.6]}, "less than or equal to 0.5"),
        ({"use": "folders", "factor": 8}, "Extra inputs"),
    ],
    ids=str,
)
def test_tables_are_checked(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(AnyPairTable).validate_python(table)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('use = "edge"', "7: pairs.use: \"edge\"; did you mean 'edges'?"),
        ("use = 3", "7: pairs.use: 3; known: pixelate, learning-to-see, edges, blend, folders"),
        ("factor = 8", "6: pairs.use: missing; known: pixelate, learning-to-see"),
        ('use = "edges"\nsgma = [1, 2]', "8: pairs.sgma: unknown key; did you mean 'sigma'?"),
        ('use = "edges"\nsigma = [2, 1]', "8: pairs.sigma: [2, 1]; must be two numbers from 0.5 to 8, the"),
        ('use = "edges"\nsigma = [1]', "8: pairs.sigma: [1]; must be two numbers from 0.5 to 8, the smaller"),
        ('use = "edges"\ndetail = 7', "8: pairs.detail: 7; must be a number from 0 to 1"),
        ('use = "blend"\nmodes = ["half"]', '8: pairs.modes.0: "half"; must be a list of "blend", "regions"'),
    ],
    ids=str,
)
def test_a_recipe_says_what_is_wrong_with_its_pairs(tmp_path: Path, table: str, message: str) -> None:
    recipe = tmp_path / "sea.toml"
    recipe.write_text(f'family = "pix2pix"\ntitle = "sea"\ndata = "sea"\nsteps = 5\n\n[pairs]\n{table}\n')
    with pytest.raises(ValidationErrors) as caught:
        load_training_recipe(recipe)
    (problem,) = caught.value.errors
    assert str(problem).startswith(f"{recipe}:{message}")


@pytest.mark.parametrize("table", KINDS, ids=name)
def test_the_loader_never_starves_a_training(material: TrainingDataset, table: PairTable) -> None:
    """A step at 256 px takes a quarter of a second or more on a CPU: a pair costs a tenth of it at most."""
    maker = build_pair_maker(table, material)
    pair(maker, 256, 0)
    spent = []
    for k in range(7):
        before = time.process_time()
        pair(maker, 256, k)
        spent.append(time.process_time() - before)
    assert sorted(spent)[3] < 0.03
