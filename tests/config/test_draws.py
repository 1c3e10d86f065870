from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from artgen.config.draws import Draw, Drawn, possible_values
from artgen.seeds import python_rng


class Knobs(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    amount: Drawn[Annotated[float, Field(ge=0, le=2)]] = 1.0
    count: Drawn[Annotated[int, Field(ge=1, le=9)]] = 1
    word: Drawn[Literal["x", "y"]] = "x"
    scale: Drawn[Annotated[float, Field(gt=1)]] | None = None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", {"uniform": [0, 2]}),
        ("amount", {"log_uniform": [0.1, 2]}),
        ("amount", {"integer": [0, 2]}),
        ("amount", {"choice": [0.5]}),
        ("count", {"integer": [1, 9]}),
        ("word", {"choice": ["x", "y", "x"]}),
        ("scale", {"uniform": [1.5, 3]}),
    ],
)
def test_a_draw_stands_for_a_value(field: str, value: dict[str, list[Any]]) -> None:
    knobs = Knobs.model_validate({field: value})
    assert getattr(knobs, field) == Draw(next(iter(value)), tuple(next(iter(value.values()))))
    assert knobs.model_dump(mode="json")[field] == value


@pytest.mark.parametrize(
    ("field", "value", "place"),
    [
        ("amount", 3, ("amount", "value")),
        ("amount", True, ("amount", "value")),
        ("amount", "1", ("amount", "value")),
        ("amount", float("nan"), ("amount", "value")),
        ("amount", float("inf"), ("amount", "value")),
        ("amount", {"uniform": [0, 3]}, ("amount", "uniform", "uniform", 1)),
        ("amount", {"uniform": [2, 0]}, ("amount", "uniform")),
        ("amount", {"uniform": [0]}, ("amount", "uniform", "uniform")),
        ("amount", {"uniform": [0, 1, 2]}, ("amount", "uniform", "uniform")),
        ("amount", {"log_uniform": [0, 1]}, ("amount", "log_uniform")),
        ("amount", {"integer": [0.5, 1]}, ("amount", "integer")),
        ("amount", {"choice": []}, ("amount", "choice", "choice")),
        ("amount", {"choice": [1, 5]}, ("amount", "choice", "choice", 1)),
        ("amount", {"choice": [1], "uniform": [0, 1]}, ("amount",)),
        ("amount", {}, ("amount",)),
        ("count", {"uniform": [1, 2]}, ("count",)),
        ("count", 1.5, ("count", "value")),
        ("word", {"uniform": [0, 1]}, ("word",)),
        ("word", {"choice": ["x", "z"]}, ("word", "choice", "choice", 1)),
        ("scale", 1, ("scale", "value")),
    ],
)
def test_limits_hold_for_every_value_a_draw_can_give(field: str, value: Any, place: tuple) -> None:
    with pytest.raises(ValidationError) as caught:
        Knobs.model_validate({field: value})
    # One error, not one for each way a field can be written.
    assert [error["loc"] for error in caught.value.errors()] == [place]


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(0, 2**62))
def test_uniform_draws_stay_inside(one: float, other: float, seed: int) -> None:
    low, high = sorted((one, other))
    value = Draw("uniform", (low, high)).draw(python_rng(seed))
    assert low <= value <= high


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.integers(0, 2**62))
def test_log_uniform_draws_stay_inside(one: float, other: float, seed: int) -> None:
    low, high = sorted((one, other))
    assert low <= Draw("log_uniform", (low, high)).draw(python_rng(seed)) <= high


def test_distributions() -> None:
    drawn = [Draw("log_uniform", (1.0, 100.0)).draw(python_rng(seed)) for seed in range(2000)]
    assert 0.45 < sum(value < 10 for value in drawn) / 2000 < 0.55
    drawn = [Draw("integer", (1, 3)).draw(python_rng(seed)) for seed in range(600)]
    assert {1, 2, 3} == set(drawn)
    assert all(isinstance(value, int) for value in drawn)
    drawn = [Draw("choice", ("a", "b")).draw(python_rng(seed)) for seed in range(600)]
    assert 240 < drawn.count("a") < 360


def test_a_drawn_real_can_be_typed_again() -> None:
    value = Draw("uniform", (0.0, 1.0)).draw(python_rng(3))
    assert len(str(value)) <= 6


def test_possible_values_of_names() -> None:
    assert possible_values(Draw("choice", ("a", "b"))) == ("a", "b")
    assert possible_values("a") == ("a",)
