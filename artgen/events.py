"""Progress events of long work; the command line displays them, nothing below it prints."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class RunStarted:
    """A run starts to draw candidates: ``done`` of its ``total`` already exist."""

    run: str
    folder: str
    total: int
    done: int


@dataclass(frozen=True)
class CandidatesAdded:
    """``count`` more candidates were requested while a run was drawing."""

    count: int


@dataclass(frozen=True)
class StepStarted:
    """Step ``number`` of ``of`` (counted from 1) of a candidate starts."""

    candidate: int
    step: str
    number: int
    of: int


@dataclass(frozen=True)
class StepProgress:
    """Progress of a candidate's current step of the recipe, 0 to 1."""

    candidate: int
    fraction: float


@dataclass(frozen=True)
class CandidateDone:
    """All files of a candidate are on disk."""

    candidate: int
    file: str
    seconds: float


@dataclass(frozen=True)
class CandidateFailed:
    """A candidate could not be made; ``problem`` is the error message."""

    candidate: int
    problem: str


@dataclass(frozen=True)
class RunFinished:
    """Every requested candidate exists or has failed; ``made`` of them were made by this call."""

    folder: str
    made: int
    seconds: float


@dataclass(frozen=True)
class TrainingStarted:
    """Training starts, or resumes, at ``step`` of ``steps``."""

    name: str
    folder: str
    step: int
    steps: int
    images: int


@dataclass(frozen=True)
class TrainingStep:
    """Losses and speed of the training steps since the previous report.

    Attributes:
        step: number of the last step.
        losses: mean of each loss.
        images_per_second: training images processed per second.
        waiting: share of the time spent waiting for training images, 0 to 1.
    """

    step: int
    losses: dict[str, float]
    images_per_second: float
    waiting: float = 0.0


@dataclass(frozen=True)
class SampleSaved:
    """A grid of a training's sample images was written to ``file``."""

    step: int
    file: str


@dataclass(frozen=True)
class TrainingFinished:
    """The model file and its model card were written."""

    model: str
    card: str
    seconds: float


@dataclass(frozen=True)
class WorkProgress:
    """Progress of any other work, 0 to 1; ``said`` is a short status text."""

    fraction: float
    said: str


@dataclass(frozen=True)
class Note:
    """A message of long work to show to the user, apart from its progress."""

    message: str


Event = (
    RunStarted
    | CandidatesAdded
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


def ignore_event(event: Event) -> None:
    """Discard an event: an ``Emit`` for callers that show no progress."""


def emit_to_both(first: Emit, second: Emit) -> Emit:
    """Return an ``Emit`` that passes each event to two others."""

    def emit(event: Event) -> None:
        first(event)
        second(event)

    return emit
