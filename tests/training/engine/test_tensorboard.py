"""What TensorBoard reads of a training, also of one that was stopped and resumed."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from artgen.errors import ArtgenError, WriteError
from artgen.events import Note, SampleSaved, TrainingFinished, TrainingStarted, TrainingStep
from artgen.training.engine.tensorboard import TensorBoardLogger


def read(folder: Path) -> EventAccumulator:
    events = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0})
    events.Reload()
    return events


def started(step: int) -> TrainingStarted:
    return TrainingStarted("waves", "training-runs/waves", step, 100, 12)


def test_losses_speed_and_samples_are_on_disk_at_once(tmp_path: Path) -> None:
    sample = np.random.default_rng(1).integers(0, 255, (20, 30, 3), np.uint8)
    Image.fromarray(sample).save(tmp_path / "000020.png")
    board = TensorBoardLogger(tmp_path / "board")
    board(started(0))
    board(Note("12 images"))
    assert not (tmp_path / "board").exists()
    board(TrainingStep(20, {"critic": 0.7, "l1": 12.5}, 8.0, 0.25))
    board(SampleSaved(20, str(tmp_path / "000020.png")))
    events = read(tmp_path / "board")  # not closed: as after kill -9
    tags = ["losses/critic", "losses/l1", "speed/images a second", "speed/networks busy"]
    assert sorted(events.Tags()["scalars"]) == tags
    values = [events.Scalars(tag)[0].value for tag in tags]
    assert values == pytest.approx([0.7, 12.5, 8.0, 0.75])
    (image,) = events.Images("samples")
    assert image.step == 20
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(image.encoded_image_string))), sample)
    board(TrainingFinished("waves.safetensors", "waves.md", 3.0))
    board(Note("no progress.mp4"))
    assert len(list((tmp_path / "board").iterdir())) == 1


def test_a_resumed_training_has_one_curve(tmp_path: Path) -> None:
    board = TensorBoardLogger(tmp_path)
    board(started(0))
    for step in (20, 40, 60):
        board(TrainingStep(step, {"l1": float(step)}, 8.0))
    board = TensorBoardLogger(tmp_path)  # killed: the last checkpoint was of step 40
    board(started(40))
    for step in (60, 80):
        board(TrainingStep(step, {"l1": step + 0.5}, 8.0))
    curve = [(point.step, point.value) for point in read(tmp_path).Scalars("losses/l1")]
    assert curve == [(20, 20.0), (40, 40.0), (60, 60.5), (80, 80.5)]
    board.close()


def test_begun_anew_in_the_same_folder(tmp_path: Path) -> None:
    for value in (1.0, 2.0):
        board = TensorBoardLogger(tmp_path)
        board(started(0))
        board(TrainingStep(20, {"l1": value}, 8.0))
        board.close()
    assert [point.value for point in read(tmp_path).Scalars("losses/l1")] == [2.0]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "board").write_text("a file")
    with pytest.raises(WriteError, match="board: could not be written"):
        TensorBoardLogger(tmp_path / "board")(TrainingStep(20, {"l1": 1.0}, 8.0))


def test_without_tensorboard_nothing_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("torch.utils.tensorboard")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ArtgenError, match=r"not installed \(try: pip install 'artgen\[train\]'\)"):
        TensorBoardLogger(Path("nowhere"))


@pytest.mark.slow
def test_a_training_writes_it(photographs: Path, tmp_path: Path) -> None:
    recipe = Path(__file__).parent / "small" / "pix2pix.toml"
    text = recipe.read_text().replace("steps = 60", "steps = 3")
    assert "steps = 3" in text
    (tmp_path / "small.toml").write_text(text)
    command = [sys.executable, "-m", "artgen", "train", "small.toml", "--data", str(photographs)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    subprocess.run(
        [*command, "--folder", "out", "--device", "cpu", "--tensorboard"],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
    )
    events = read(tmp_path / "out" / "tensorboard")
    assert [point.step for point in events.Scalars("speed/networks busy")] == [3]
    assert events.Images("samples")[-1].step == 3
