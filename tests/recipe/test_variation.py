"""How far variations depart from their parents, and what they share with them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artgen.config.draws import Draw
from artgen.errors import ArtgenError
from artgen.recipe import Lineage, Recipe, draw_candidate, load_recipe
from artgen.recipe.model import MAX_CANDIDATES
from artgen.recipe.variation import COMPOSITION_MOVE_SHARES, PAINTING_MOVE_SHARES, move_value
from artgen.runs.candidate import FIRST_VARIATION_NUMBER

RECIPE = """\
seed = 5
[source]
use = "photos"
images = "builtin:photographs"

[[steps]]
use = "crop"
x = { uniform = [0.0, 1.0] }

[[steps]]
use = "upscale"
model = "abstract-8x"
noise = { uniform = [0.2, 1.2] }

[[steps]]
use = "style"
style = { choice = ["builtin:great-wave", "builtin:the-kiss"] }

[[steps]]
use = "grade"
warmth = { uniform = [-0.3, 0.3] }
"""


def recipe(tmp_path: Path, text: str = RECIPE) -> Recipe:
    (tmp_path / "r.toml").write_text(text)
    return load_recipe(tmp_path / "r.toml")


def child(*ancestors: int, number: int = FIRST_VARIATION_NUMBER) -> Lineage:
    return Lineage(number, ancestors)


@st.composite
def ranges(draw_: Any) -> tuple[Draw, float]:
    """A range and a value that it gave."""
    kind = draw_(st.sampled_from(["uniform", "log_uniform", "integer"]))
    if kind == "integer":
        low = draw_(st.integers(-1000, 1000))
        made = Draw(kind, (low, low + draw_(st.integers(1, 1000))))
    else:
        low = draw_(st.floats(1e-3, 1e3))
        made = Draw(kind, (low, low * draw_(st.floats(1.01, 1e3))))
    return made, made.draw(random.Random(draw_(st.integers(0, 1 << 32))))


@given(
    ranges(),
    st.integers(0, 1 << 32),
    st.sampled_from([COMPOSITION_MOVE_SHARES, PAINTING_MOVE_SHARES, (0.5, 0.5)]),
)
def test_a_moved_value_is_another_one_of_the_range(
    drawn: tuple[Draw, float], seed: int, shares: tuple[float, float]
) -> None:
    made, value = drawn
    low, high = made.values
    after = move_value(made, value, random.Random(seed), shares)
    assert low <= after <= high
    assert type(after) is type(value)
    assert after == move_value(made, value, random.Random(seed), shares)
    if made.kind == "uniform":
        rounding = 1e-3 * high
        assert abs(after - value) <= shares[1] * (high - low) + rounding
        assert abs(after - value) >= shares[0] * (high - low) - rounding
    if made.kind == "integer":
        assert 1 <= abs(after - value) <= max(1, round(shares[1] * (high - low)))


@pytest.mark.parametrize(
    "made", [Draw("choice", ("a", "b")), Draw("uniform", (2.0, 2.0)), Draw("integer", (3, 3))]
)
def test_a_draw_without_room_stays(made: Draw) -> None:
    assert move_value(made, made.values[0], random.Random(1)) == made.values[0]


def test_a_value_at_an_end_moves_away_from_it() -> None:
    made = Draw("uniform", (0.0, 1.0))
    assert all(move_value(made, 0.0, random.Random(seed)) >= PAINTING_MOVE_SHARES[0] for seed in range(50))
    assert all(
        move_value(made, 1.0, random.Random(seed)) <= 1 - PAINTING_MOVE_SHARES[0] for seed in range(50)
    )


def test_siblings_share_the_start_and_differ_in_the_making(tmp_path: Path) -> None:
    checked = recipe(tmp_path)
    parent = draw_candidate(checked, 5, 14)
    siblings = [draw_candidate(checked, 5, child(14, number=FIRST_VARIATION_NUMBER + n)) for n in range(4)]
    assert all(one.source == parent.source for one in siblings)
    assert all(one.draws["style"] == parent.draws["style"] for one in siblings)
    for step, field in (("crop", "x"), ("upscale", "noise"), ("grade", "warmth")):
        assert len({one.draws[step][field] for one in [parent, *siblings]}) == 5
    # What is seen stays nearly where it was; how it is painted goes further.
    apart = [abs(one.draws["crop"]["x"] - parent.draws["crop"]["x"]) for one in siblings]
    assert max(apart) <= COMPOSITION_MOVE_SHARES[1] + 1e-3
    apart = [abs(one.draws["upscale"]["noise"] - parent.draws["upscale"]["noise"]) for one in siblings]
    assert min(apart) >= PAINTING_MOVE_SHARES[0] - 1e-3
    assert [step.model_dump() for step in draw_candidate(checked, 5, child(14)).steps] == [
        step.model_dump() for step in siblings[0].steps
    ]


def test_the_first_dear_step_keeps_its_shapes_and_those_after_it_invent_anew(tmp_path: Path) -> None:
    streams = draw_candidate(recipe(tmp_path), 5, child(14)).stream_candidates
    assert streams == {"source": 14, "crop": 14, "upscale": 14, "style": FIRST_VARIATION_NUMBER, "grade": 14}
    assert set(draw_candidate(recipe(tmp_path), 5, 14).stream_candidates.values()) == {14}


def test_the_only_dear_step_invents_anew(tmp_path: Path) -> None:
    steps = ['use = "style"\nstyle = "builtin:the-kiss"', 'use = "grain"']
    text = '[source]\nuse = "crops"\n[[steps]]\n' + "\n[[steps]]\n".join(steps)
    assert draw_candidate(recipe(tmp_path, text), 0, child(2)).stream_candidates == {
        "source": 2,
        "style": FIRST_VARIATION_NUMBER,
        "grain": 2,
    }


def test_without_dear_steps_and_ranges_the_last_chance_is_taken(tmp_path: Path) -> None:
    text = '[source]\nuse = "crops"\n[[steps]]\nuse = "grain"\n[[steps]]\nuse = "grade"\n'
    assert (
        draw_candidate(recipe(tmp_path, text), 0, child(2)).stream_candidates["grain"]
        == FIRST_VARIATION_NUMBER
    )
    ranged = recipe(tmp_path, text + "warmth = { uniform = [0, 0.2] }")
    assert set(draw_candidate(ranged, 0, child(2)).stream_candidates.values()) == {2}


@pytest.mark.parametrize(
    "steps", ["", '[[steps]]\nuse = "grade"', '[[steps]]\nuse = "upscale"\nmodel = "abstract-8x"\nnoise = 0']
)
def test_what_would_be_the_same_again_is_refused(tmp_path: Path, steps: str) -> None:
    checked = recipe(tmp_path, f'[source]\nuse = "crops"\n{steps}')
    with pytest.raises(ArtgenError, match=r"r\.toml: variations: nothing in its steps is random"):
        draw_candidate(checked, 0, child(2))
    draw_candidate(checked, 0, 2)


def test_a_variation_of_a_variation_starts_from_its_parent(tmp_path: Path) -> None:
    checked = recipe(tmp_path)
    parent = draw_candidate(checked, 5, child(14))
    second = draw_candidate(checked, 5, child(14, FIRST_VARIATION_NUMBER, number=FIRST_VARIATION_NUMBER + 7))
    apart = abs(second.draws["crop"]["x"] - parent.draws["crop"]["x"])
    assert COMPOSITION_MOVE_SHARES[0] - 1e-3 <= apart <= COMPOSITION_MOVE_SHARES[1] + 1e-3
    assert second.source == parent.source
    assert second.stream_candidates["upscale"] == 14
    assert second.stream_candidates["style"] == FIRST_VARIATION_NUMBER + 7


def test_numbers_of_variations_begin_where_recipes_end() -> None:
    assert FIRST_VARIATION_NUMBER == MAX_CANDIDATES + 1
    from artgen.cli.arguments.candidate_numbers import MAX_CANDIDATES as TYPED

    assert TYPED == MAX_CANDIDATES
