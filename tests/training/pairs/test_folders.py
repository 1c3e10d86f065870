"""Pairs of two folders: what matches, what does not, and that nothing is left out in silence."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from artgen.errors import ArtgenError
from artgen.training.material.material import load_dataset
from artgen.training.pairs import PairMaker, build_pair_maker
from artgen.training.recipes.pairs import FoldersTable


def save(file: Path, height: int = 32, width: int = 48, seed: int = 0) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)).save(file)


def maker(place: Path, **fields: object) -> PairMaker:
    files, inputs = (sorted(p for p in (place / k).rglob("*") if p.is_file()) for k in ("targets", "inputs"))
    return build_pair_maker(FoldersTable(**fields), load_dataset(files, inputs, place / "cache", max_side=64))


def test_both_are_cut_and_flipped_alike(tmp_path: Path) -> None:
    for number, photograph in enumerate(("astronaut", "coffee", "rocket")):
        image = Image.fromarray(getattr(data, photograph)()[:400, :400])
        for folder, side, ending in (("targets", 400, "png"), ("inputs", 200, "jpg")):
            (tmp_path / folder).mkdir(exist_ok=True)
            small = image.resize((side, side), Image.Resampling.LANCZOS)
            small.save(tmp_path / folder / f"{number}.{ending}", quality=95)
    files, inputs = (sorted((tmp_path / folder).iterdir()) for folder in ("targets", "inputs"))
    material = load_dataset(files, inputs, tmp_path / "cache", max_side=400)
    pairs = build_pair_maker(FoldersTable(flips="both", scale=[1.0, 2.0]), material)
    seen = set()
    for key in range(40):
        given, target = pairs.draw_pair(64, np.random.default_rng(key))
        assert float((given - target).abs().mean()) < 0.03
        seen.add(round(float(target.mean()), 4))
    assert len(seen) > 30
    given, target = pairs.fixed_pair(2, 3, 64)
    assert float((given - target).abs().mean()) < 0.03


def test_held_out_pairs_stay_pairs(tmp_path: Path) -> None:
    for number in range(45):
        for folder in ("targets", "inputs"):
            Path(tmp_path / folder).mkdir(exist_ok=True)
            plain = np.full((16, 16, 3), 5 * number, np.uint8)
            Image.fromarray(plain).save(tmp_path / folder / f"{number:02}.png")
    pairs = maker(tmp_path)
    assert (len(pairs.dataset.images.names), len(pairs.dataset.validation_images.names)) == (42, 3)
    for given, target in (
        *(pairs.draw_pair(8, np.random.default_rng(key)) for key in range(50)),
        *(pairs.fixed_pair(index, 3, 8) for index in range(3)),
    ):
        assert torch.equal(given, target)


def test_names_without_endings_and_in_folders(tmp_path: Path) -> None:
    for folder in ("targets", "inputs"):
        for sub in ("day", "night"):
            save(tmp_path / folder / sub / f"one.{'png' if folder == 'inputs' else 'jpg'}")
    assert maker(tmp_path).draw_pair(16, np.random.default_rng(1))[0].shape == (3, 16, 16)


def test_one_channel_of_coloured_inputs(tmp_path: Path) -> None:
    for folder in ("targets", "inputs"):
        save(tmp_path / folder / "a.png")
    assert maker(tmp_path, grey=True).draw_pair(16, np.random.default_rng(1))[0].shape == (1, 16, 16)


@pytest.mark.parametrize(
    ("targets", "inputs", "message"),
    [
        (["a", "b"], ["a"], "pairs: 1 image without an input: b; the same names in both folders"),
        (["a"], ["a", "c", "b"], "pairs: 2 images without a target: b, c;"),
        (["a", "b"], ["b", "c"], "1 image without an input: a; 1 image without a target: c;"),
        (list("abcdefgh"), ["a"], "7 images without an input: b, c, d, e, f and 2 more;"),
    ],
    ids=str,
)
def test_what_has_no_partner_is_listed(
    tmp_path: Path, targets: list[str], inputs: list[str], message: str
) -> None:
    for folder, names in (("targets", targets), ("inputs", inputs)):
        for name in names:
            save(tmp_path / folder / f"{name}.png")
    with pytest.raises(ArtgenError) as caught:
        maker(tmp_path)
    assert message in str(caught.value)
    assert "(try: artgen data pairs" in str(caught.value)


def test_one_name_twice_and_other_proportions(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg"):
        save(tmp_path / "targets" / name)
    save(tmp_path / "inputs" / "a.png")
    with pytest.raises(ArtgenError, match=r"1 image of which there are two: targets/a; one image of each"):
        maker(tmp_path)
    (tmp_path / "targets" / "a.jpg").unlink()
    save(tmp_path / "inputs" / "a.png", 48, 32)
    with pytest.raises(
        ArtgenError, match=r"1 image of other proportions than its target: a; input and target"
    ):
        maker(tmp_path)
    save(tmp_path / "inputs" / "a.png", 16, 24)
    assert maker(tmp_path).fixed_pair(0, 1, 8)[1].shape == (3, 8, 8)
