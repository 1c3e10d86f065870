import random

from hypothesis import given
from hypothesis import strategies as st

from artgen.seeds import derive_key, python_rng, torch_generator

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
