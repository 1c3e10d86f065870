"""What happens during long work, as data: the command line renders it, nothing below prints."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class RunStarted:
    """A run begins: ``done`` of its ``total`` candidates already exist."""

    run: str
    folder: str
    total: int
    done: int


@dataclass(frozen=True)
class MoreAsked:
    """While a run goes on, ``count`` more candidates are asked for."""

    count: int


@dataclass(frozen=True)
class StepStarted:
    """A candidate enters step ``number`` of ``of`` (1-based)."""

    candidate: int
    step: str
    number: int
    of: int


@dataclass(frozen=True)
class StepProgress:
    """How far the current step of a candidate has come, 0 to 1."""

    candidate: int
    fraction: float


@dataclass(frozen=True)
class CandidateDone:
    """A candidate is complete on disk."""

    candidate: int
    file: str
    seconds: float


@dataclass(frozen=True)
class CandidateFailed:
    """A candidate could not be made; ``problem`` says why."""

    candidate: int
    problem: str


@dataclass(frozen=True)
class RunFinished:
    """Every candidate asked for exists or has failed; ``made`` of them were made now."""

    folder: str
    made: int
    seconds: float


@dataclass(frozen=True)
class TrainingStarted:
    """Training begins (or resumes) at ``step`` of ``steps``."""

    name: str
    folder: str
    step: int
    steps: int
    images: int


@dataclass(frozen=True)
class TrainingStep:
    """Mean losses since the last report, images seen a second, share of the time spent waiting for them."""

    step: int
    losses: dict[str, float]
    images_per_second: float
    waiting: float = 0.0


@dataclass(frozen=True)
class SampleSaved:
    """A grid of samples was written."""

    step: int
    file: str


@dataclass(frozen=True)
class TrainingFinished:
    """The model file is written."""

    model: str
    card: str
    seconds: float


@dataclass(frozen=True)
class WorkProgress:
    """How far preparing data has come, 0 to 1, and what it has found so far."""

    fraction: float
    said: str


@dataclass(frozen=True)
class Note:
    """One sentence worth showing."""

    message: str


Event = (
    RunStarted
    | MoreAsked
    | StepStarted
    | StepProgress
    | CandidateDone
    | CandidateFailed
    | RunFinished
    | TrainingStarted
    | TrainingStep
    | SampleSaved
    | TrainingFinished
    | WorkProgress
    | Note
)
Emit = Callable[[Event], None]


def ignore(event: Event) -> None:
    """An ``Emit`` that drops every event."""


def both(first: Emit, second: Emit) -> Emit:
    """An ``Emit`` that tells two."""

    def emit(event: Event) -> None:
        first(event)
        second(event)

    return emit
