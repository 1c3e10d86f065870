import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from skimage import data
from torch import Tensor

from artgen.errors import ArtgenError, ValidationErrors
from artgen.events import ignore_event
from artgen.generation.reproduce import reproduce_picture
from artgen.imaging.faces.detect import crop_face, find_faces
from artgen.imaging.inputs import resize_by_area
from artgen.imaging.io.files import read_image, write_png
from artgen.recipe import draw_candidate, load_recipe
from artgen.runs.provenance import read_provenance
from artgen.steps import StepContext
from artgen.steps.faces import FacesSource


def context(folder: Path, candidate: int = 1) -> StepContext:
    return StepContext(2017, candidate, "source", folder, "cpu", False, lambda fraction: None)


@pytest.fixture
def couple(tmp_path: Path) -> Path:
    """Anna's pictures are reddish, Ben's bluish, so that one sees who is where."""
    for person, channel in (("anna", 0), ("ben", 2)):
        (tmp_path / person).mkdir()
        for number in range(5):
            face = 0.2 * torch.rand(
                3, 50 + number, 50 + number, generator=torch.Generator().manual_seed(number)
            )
            face[channel] += 0.6
            write_png(tmp_path / person / f"{person}-{number}.png", face, {})
    return tmp_path


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"faces": 1, "size": 8},
        {"faces": 4, "mode": "features", "size": 61},
        {"faces": 3, "mode": "halves", "softness": 0.0, "colours": 1.0},
        {"mode": "blend", "concentration": 0.1, "flips": False},
    ],
    ids=str,
)
def test_a_thumbnail_that_its_candidate_decides(couple: Path, fields: dict[str, Any]) -> None:
    source = FacesSource(people=["anna", "ben"], **fields)
    image = source.create(context(couple))
    assert image.shape == (3, source.size, source.size)
    assert image.dtype == torch.float32
    assert image.min() >= 0
    assert image.max() <= 1
    assert torch.equal(image, source.create(context(couple)))
    assert not torch.equal(image, source.create(context(couple, 2)))
    assert not torch.equal(image, source.create(replace(context(couple), seed=1)))


def test_each_person_gives_a_face_first(couple: Path) -> None:
    two = FacesSource(people=["anna", "ben"], mode="halves", concentration=100.0, softness=0.0, colours=0.0)
    for candidate in range(1, 9):
        image = two.create(context(couple, candidate))
        red = float((image[0] > image[2]).float().mean())
        assert 0.3 < red < 0.7
        assert two.describe(context(couple, candidate)) in ("faces of anna and ben", "faces of ben and anna")
    alone = FacesSource(people=["anna", "ben"], faces=1)
    assert {alone.describe(context(couple, c)) for c in range(1, 20)} == {"a face of anna", "a face of ben"}


def test_one_folder_of_all_gives_different_faces(couple: Path) -> None:
    source = FacesSource(people=["anna"], faces=4)
    for candidate in range(1, 9):
        names = source.describe(context(couple, candidate)).removeprefix("faces of ")
        assert len(set(names.replace(" and ", ", ").split(", "))) == 4
    one = FacesSource(people=["anna/anna-1.png"], faces=2)
    assert one.describe(context(couple)) == "faces of anna-1"


@pytest.mark.parametrize(
    ("people", "names"),
    [
        (["anna/*.png", "./ben/"], {"anna", "ben"}),
        (["anna/anna-1.png", "ben"], {"anna-1", "ben"}),
        (["anna/*-[12].png", "anna/*-[34].png"], {"anna-1", "anna-2", "anna-3", "anna-4"}),
    ],
)
def test_what_people_are_called(couple: Path, people: list[str], names: set[str]) -> None:
    source = FacesSource(people=people)
    for candidate in range(1, 9):
        called = source.describe(context(couple, candidate)).removeprefix("faces of ").split(" and ")
        assert set(called) <= names
        assert len(called) == 2


def test_common_colours(couple: Path) -> None:
    def distance(colours: float) -> float:
        halves = FacesSource(people=["anna", "ben"], mode="halves", softness=0.0, colours=colours)
        image = halves.create(context(couple, 3))
        return float((image[0] - image[2]).std())

    assert distance(1.0) < 0.25 * distance(0.0)


@pytest.mark.slow
def test_a_recipe_of_faces(couple: Path) -> None:
    recipe = couple / "faces.toml"
    recipe.write_text(
        '[source]\nuse = "faces"\npeople = ["anna", "builtin:portraits/amber"]\n'
        "faces = { integer = [2, 3] }\n"
        'mode = { choice = ["regions", "halves", "features"] }\nconcentration = { log_uniform = [1, 10] }\n\n'
        '[[steps]]\nuse = "mix"\nimages = "anna"\namount = { uniform = [0, 0.3] }\n\n'
        '[gallery]\ncaption = "{source}, candidate {index}"\n'
    )
    loaded = load_recipe(recipe)
    modes = {draw_candidate(loaded, 1, candidate).source.mode for candidate in range(1, 20)}  # type: ignore[union-attr]
    assert modes == {"regions", "halves", "features"}
    done = subprocess.run(
        [sys.executable, "-m", "artgen", "run", str(recipe), "-n", "2", "--workers", "1"],
        cwd=couple,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    first, _ = sorted(couple.glob("runs/*/candidates/*.png"))
    assert reproduce_picture(first, ignore_event).identical


def test_people_who_are_not_there(couple: Path) -> None:
    with pytest.raises(ArtgenError, match="no such file or folder"):
        FacesSource(people=["cleo"]).list_files(couple)
    (couple / "crowd").mkdir()
    for number in range(2001):
        (couple / "crowd" / f"{number}.png").touch()
    (problem,) = FacesSource(people=["crowd"]).validate_files(couple)
    assert str(problem[1]).startswith("people: 2,001 images; faces are drawn from at most 2,000: name fewer")
    recipe = couple / "nobody.toml"
    recipe.write_text('[source]\nuse = "faces"\n')
    with pytest.raises(
        ValidationErrors, match=r"source\.people: missing; must be a text in quotes, or a list"
    ):
        load_recipe(recipe)


def test_a_picture_that_was_changed_is_read_again(couple: Path) -> None:
    alone = FacesSource(people=["anna/anna-0.png"], faces=1, colours=0.0)
    before = alone.create(context(couple))
    assert torch.equal(alone.create(context(couple)), before)
    write_png(couple / "anna" / "anna-0.png", torch.zeros(3, 40, 40), {})
    assert alone.create(context(couple)).max() == 0


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs as a telephone leaves them; Eileen Collins is on two, and lies on one of them."""
    folder = tmp_path_factory.mktemp("photographs") / "eileen"
    folder.mkdir()
    portrait = Image.fromarray(data.astronaut()[:330, 20:480])
    exif = Image.Exif()
    exif[0x0112] = 6
    portrait.transpose(Image.Transpose.ROTATE_90).save(folder / "lying.jpg", exif=exif, quality=97)
    portrait.resize((920, 660)).save(folder / "large.png")
    Image.fromarray(data.coffee()).save(folder / "coffee.jpg")
    Image.fromarray(data.rocket()).save(folder / "rocket.jpg")
    return folder.parent


@pytest.fixture
def eileen(album: Path) -> Callable[..., FacesSource]:
    def build(*people: str, **fields: Any) -> FacesSource:
        return FacesSource(people=list(people), **{"faces": 1, "flips": False} | fields)

    return build


def likeness(a: Tensor, b: Tensor) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (a.norm() * b.norm()))


@pytest.mark.parametrize("name", ["lying.jpg", "large.png"])
def test_the_face_of_a_photograph_is_set_upright(
    album: Path, eileen: Callable[..., FacesSource], name: str
) -> None:
    image = torch.from_numpy(data.astronaut()[:330, 20:480]).permute(2, 0, 1).float() / 255
    wanted = resize_by_area(crop_face(image, find_faces(image)[0], 256), (32, 32))
    made = eileen(f"eileen/{name}").create(context(album))
    # The finder's square varies by a sixth with the grain of a JPEG; what is upright does not.
    assert likeness(made, wanted) > 0.5
    assert all(likeness(made.rot90(turn, (1, 2)), wanted) < likeness(made, wanted) for turn in (1, 2, 3))
    assert not torch.equal(made, eileen(f"eileen/{name}", align=False).create(context(album)))


@pytest.mark.slow
def test_pictures_without_a_face_are_passed_over(
    album: Path, eileen: Callable[..., FacesSource], tmp_path: Path
) -> None:
    source = eileen("eileen")
    made = [source.create(context(album, candidate)) for candidate in range(1, 9)]
    called = [source.describe(context(album, candidate)) for candidate in range(1, 9)]
    assert set(called) == {"a face of lying", "a face of large"}
    both = eileen("eileen", faces=2).describe(context(album))
    assert both in ("faces of lying and large", "faces of large and lying")
    # Elsewhere, in another order, as another worker does: the same.
    shutil.copytree(album, tmp_path, dirs_exist_ok=True)
    again = [source.create(context(tmp_path, candidate)) for candidate in range(8, 0, -1)]
    assert all(torch.equal(a, b) for a, b in zip(made, reversed(again), strict=True))


def test_what_is_aligned_stays_as_it_is(eileen: Callable[..., FacesSource], tmp_path: Path) -> None:
    portraits = FacesSource(people=["builtin:portraits/raven"], faces=1)
    shutil.copytree(portraits.list_files(tmp_path)[0].parent, tmp_path / "raven")
    for name in ("raven-01", "raven-08"):
        as_given, found = (eileen(f"raven/{name}.jpg", align=align) for align in (False, True))
        assert torch.equal(as_given.create(context(tmp_path)), found.create(context(tmp_path)))


def test_nobody_looks_at_the_camera(album: Path, eileen: Callable[..., FacesSource]) -> None:
    with pytest.raises(ArtgenError) as caught:
        eileen("eileen/lying.jpg", "eileen/[cr]o*.jpg", faces=2).create(context(album))
    assert str(caught.value).startswith(
        "source.people: no face is found in any of the 2 pictures of 'eileen/[cr]o*.jpg'; photographs in "
    )
    assert eileen("eileen/rocket.jpg", align=False).create(context(album)).shape == (3, 32, 32)


def test_a_large_thumbnail_is_cut_out_in_its_size(album: Path, eileen: Callable[..., FacesSource]) -> None:
    image = read_image(album / "eileen" / "large.png")
    made = eileen("eileen/large.png", size=300).create(context(album))
    assert torch.equal(made, crop_face(image, find_faces(image)[0], 300))


@pytest.mark.slow
def test_wedding_with_photographs_of_ones_own(album: Path, tmp_path: Path) -> None:
    wedding = Path(__file__).parents[2] / "recipes" / "wedding.toml"
    people = f'source.people=["{(album / "eileen").as_posix()}", "builtin:portraits/amber"]'
    small = ("--set", people, "--set", "steps.print.scale=1", "--preview")
    done = subprocess.run(
        [sys.executable, "-m", "artgen", "run", str(wedding), "-n", "2", "--workers", "1", *small],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    made = sorted(tmp_path.glob("runs/*/candidates/*.png"))
    assert [read_image(file).shape for file in made] == [(3, 256, 256)] * 2
    assert {read_provenance(file).caption.split(", ")[0] for file in made} <= {
        "After faces of eileen and amber",
        "After faces of amber and eileen",
    }
