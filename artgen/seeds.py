"""Independent random streams derived from one seed.

Every random choice is keyed by (seed, candidate, step, name). Candidate 7 drawn alone therefore equals
candidate 7 of 4,000, and a new step changes no other step's draws. The values that a recipe draws are spread
over the candidates: see ``SpreadStream``.
"""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch

DRAW_SCHEME = 2
"""How recipes draw values: 1 drew each candidate's alone, 2 spreads them over the candidates."""
MAX_DECK_SIZE = 1000
SPREAD_DIGITS, TAIL_BITS = 32, 20  # together at most the 53 bits of a float


class RandomStream(Protocol):
    """What draws need of a source of random numbers; ``random.Random`` is one."""

    def random(self) -> float:
        """Return a number from 0 up to but not including 1."""

    def randrange(self, stop: int, /) -> int:
        """Return a whole number from 0 up to but not including ``stop``."""


class SpreadStream:
    """The random value of one field for one candidate, spread evenly over the candidates of a run.

    It depends on nothing but the key and the candidate's number, so any candidate can be drawn alone.

    Args:
        key: of the field, the same for all candidates: ``derive_key`` with candidate 0.
        candidate: the candidate's number, from 1.
    """

    def __init__(self, key: int, candidate: int) -> None:
        self._key, self._position = key, candidate - 1

    def random(self) -> float:
        """Return a number from 0 up to but not including 1, stratified.

        Of the candidates ``m * 2**j + 1`` to ``(m + 1) * 2**j``, for whole numbers m and j up to
        ``SPREAD_DIGITS``, each gets another of ``2**j`` equal parts of the range. These are the binary digits
        of the candidate's number, reversed (van der Corput 1935) and scrambled one by one (Owen 1995); here
        anew for each block, so that fields do not go along with each other.
        """
        digits = 0
        for place in range(SPREAD_DIGITS):
            # In each half of a block one candidate has these digits; they get different next ones.
            block = self._position >> (place + 1)
            flip = self._hash(f"digit {place} {digits} {block}") & 1
            digits = digits << 1 | (self._position >> place & 1) ^ flip
        tail = self._hash(f"tail {self._position}") >> (64 - TAIL_BITS)
        return float((digits << TAIL_BITS | tail) / (1 << (SPREAD_DIGITS + TAIL_BITS)))

    def randrange(self, stop: int) -> int:
        """Return a whole number from 0 up to but not including ``stop``, dealt from a shuffled deck.

        Candidates 1 to ``stop`` get each number once, so do the next ``stop``. Decks of more than
        ``MAX_DECK_SIZE`` are stratified instead.
        """
        if stop > MAX_DECK_SIZE:
            return min(int(self.random() * stop), stop - 1)
        deck_number, place = divmod(self._position, stop)
        deck = list(range(stop))
        random.Random(self._hash(f"deck {stop} {deck_number}")).shuffle(deck)
        return deck[place]

    def _hash(self, text: str) -> int:
        digest = hashlib.blake2b(text.encode(), digest_size=8, key=self._key.to_bytes(8, "big"))
        return int.from_bytes(digest.digest(), "big")


def derive_key(seed: int, candidate: int, step: str, name: str) -> int:
    """Return the key of one random stream: 63 bits of the SHA-256 of the four arguments.

    Args:
        seed: the run's seed.
        candidate: the candidate's number.
        step: the id of the source or step that draws.
        name: distinguishes several streams of one step.
    """
    text = "\x1f".join((str(seed), str(candidate), step, name))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def python_rng(key: int) -> random.Random:
    """Return Python's random number generator, seeded with ``key``: for numbers and choices."""
    return random.Random(key)


def torch_generator(key: int) -> torch.Generator:
    """Return torch's random number generator, seeded with ``key``: for tensors.

    It is always on the CPU, so that every device gets the same numbers.
    """
    import torch

    return torch.Generator().manual_seed(key)
