import random
import time
from collections import Counter

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from artgen.seeds import MAX_DECK_SIZE, SpreadStream, derive_key, python_rng, torch_generator

parts = st.tuples(st.integers(0, 2**53), st.integers(0, 10**6), st.text(max_size=20), st.text(max_size=20))


def test_keys_never_change() -> None:
    """Pictures made today must come out again from every later version."""
    assert derive_key(2017, 7, "grow", "noise") == 8914990277512962739


@given(parts, parts)
def test_other_parts_give_other_streams(one: tuple, other: tuple) -> None:
    if one == other:
        assert derive_key(*one) == derive_key(*other)
    elif "\x1f" not in "".join((*one[2:], *other[2:])):
        assert derive_key(*one) != derive_key(*other)


@given(parts)
def test_keys_are_63_bits(one: tuple) -> None:
    assert 0 <= derive_key(*one) < 2**63


def test_streams_repeat_and_leave_the_global_ones_alone() -> None:
    import torch

    state, torch_state = random.getstate(), torch.get_rng_state()
    assert python_rng(5).random() == python_rng(5).random()
    first = torch.rand(4, generator=torch_generator(5))
    assert torch.equal(first, torch.rand(4, generator=torch_generator(5)))
    assert random.getstate() == state
    assert torch.equal(torch.get_rng_state(), torch_state)


keys = st.integers(0, 2**63 - 1)


@settings(deadline=None)
@given(keys, st.integers(1, 100), st.integers(0, 10**6))
@example(0, MAX_DECK_SIZE, 0)
def test_each_deck_gives_each_value_once(key: int, count: int, deck_number: int) -> None:
    first = deck_number * count + 1
    dealt = [SpreadStream(key, first + place).randrange(count) for place in range(count)]
    assert sorted(dealt) == list(range(count))


@settings(deadline=None)
@given(keys, st.integers(1, 20), st.integers(1, 200))
def test_from_the_first_candidate_on_no_value_comes_twice_as_often(key: int, count: int, drawn: int) -> None:
    frequencies = Counter(SpreadStream(key, candidate).randrange(count) for candidate in range(1, drawn + 1))
    assert max(frequencies.values()) - min(frequencies.get(value, 0) for value in range(count)) <= 1


@settings(deadline=None)
@given(keys, st.integers(0, 6), st.integers(0, 10**6))
@example(0, 9, 0)
def test_each_stratum_is_filled_once(key: int, power: int, block: int) -> None:
    count = 1 << power
    values = [SpreadStream(key, block * count + place + 1).random() for place in range(count)]
    assert sorted(int(value * count) for value in values) == list(range(count))
    assert all(0 <= value < 1 for value in values)


@given(keys, st.integers(1, 10**9))
def test_large_decks_are_stratified(key: int, candidate: int) -> None:
    stop = MAX_DECK_SIZE + 1
    assert 0 <= SpreadStream(key, candidate).randrange(stop) < stop


def test_fields_are_spread_independently() -> None:
    streams = [derive_key(7, 0, "style", name) for name in ("strength", "scale")]
    values = np.array([[SpreadStream(key, number).random() for key in streams] for number in range(1, 2049)])
    assert abs(np.corrcoef(values.T)[0, 1]) < 0.06
    pairs = Counter(
        tuple(SpreadStream(key, number).randrange(3) for key in streams) for number in range(1, 2701)
    )
    assert len(pairs) == 9
    assert 240 < min(pairs.values()) <= max(pairs.values()) < 360


def test_a_late_candidate_is_drawn_as_fast_as_the_first() -> None:
    def seconds(candidate: int) -> float:
        start_time = time.process_time()
        for key in range(300):
            SpreadStream(key, candidate).random()
            SpreadStream(key, candidate).randrange(50)
        return time.process_time() - start_time

    assert min(seconds(4_000_000) for _ in range(3)) < 3 * min(seconds(1) for _ in range(3))
