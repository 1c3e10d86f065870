"""What a person sees of a training, on a terminal and elsewhere."""

import io

import pytest
from rich.console import Console
from rich.live import Live

from artgen.cli.terminal.training_progress import TrainingTable, show_training_progress
from artgen.events import Event, TrainingStarted, TrainingStep, WorkProgress

EVENTS: list[Event] = [
    WorkProgress(0.25, "decoding: image 500 of 2,000"),
    TrainingStarted("sea", "out", 0, 100, 2000),
    TrainingStep(10, {"l1": 0.5}, 12.0, 0.03),
]


def test_a_terminal_shows_preparing_then_curves() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, record=True)
    with Live(console=console, auto_refresh=False) as live:
        show = TrainingTable(live)
        show(EVENTS[0])
        live.refresh()
        for event in EVENTS[1:]:
            show(event)
    shown = console.export_text()
    assert "decoding: image 500 of 2,000 (25%)" in shown
    assert "step 10 of 100, 12.0 images/s, networks busy 97%" in shown


def test_elsewhere_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    with show_training_progress() as show:
        show(EVENTS[0])
    assert capsys.readouterr().err == ""
    with show_training_progress(preparation_seconds=0.0) as show:
        for event in EVENTS:
            show(event)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "decoding: image 500 of 2,000 (25%)"
    assert lines[1] == "sea: 2,000 images, step 0 of 100, in out"
    assert lines[2].startswith("step 10: l1 0.5000; 12.0 images/s, networks busy 97%")
