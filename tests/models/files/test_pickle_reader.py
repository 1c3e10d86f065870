"""Untrusted ``.pth`` files: what they may hold, and that no code in them runs."""

import io
import os
import pickle
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from artgen.errors import ArtgenError
from artgen.models.files.pickle_reader import read_pickled_weights


class CommandPickle:
    """An object that runs a command when unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


@pytest.mark.parametrize("method", ["torch", "torch before 1.6", "pickle", "hidden in a table"])
def test_a_pickle_that_would_run_code_is_refused_and_does_not_run(tmp_path: Path, method: str) -> None:
    marker, file = tmp_path / "ran", tmp_path / "latest_net_G.pth"
    attack = CommandPickle(f"touch '{marker}'")
    if method == "pickle":
        file.write_bytes(pickle.dumps(attack))
    elif method == "hidden in a table":
        torch.save({"state_dict": {"model.1.weight": torch.zeros(2)}, "options": [attack]}, file)
    else:
        torch.save(attack, file, _use_new_zipfile_serialization=method == "torch")
    with pytest.raises(ArtgenError) as raised:
        read_pickled_weights(file)
    message = (
        "not a weights file" if method == "pickle" else f"would call {os.name}.system; nothing of it was run"
    )
    assert message in str(raised.value)
    assert not marker.exists()
    torch.load(file, weights_only=False) if method != "pickle" else pickle.loads(file.read_bytes())
    assert marker.exists()  # it would have run


def pickled(value: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read"),
        (b"<html>not found</html>", "not a weights file|cannot be read"),
        (pickled({"a": torch.zeros(100)})[:-400], "cannot be read"),
        (pickled([torch.zeros(2)]), "no table of weights"),
        (pickled({}), "no table of weights"),
        (pickled({"a": 1.0}), "no table of weights"),
        (pickled({1: torch.zeros(2)}), "no table of weights"),
        (pickled({"a": torch.zeros(2, device="meta")}), "no table of weights"),
        (pickled({"a": torch.zeros(1).expand(1 << 20, 1 << 12)}), "larger than 2 GiB"),
    ],
)
def test_a_file_without_weights_is_refused_clearly(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "G.pth").write_bytes(content)
    with pytest.raises(ArtgenError, match=message):
        read_pickled_weights(tmp_path / "G.pth")


def test_damaged_directories_of_archives(tmp_path: Path) -> None:
    """300 files: one to three bytes of the directory at the end are others, or it is cut."""
    chance, whole = random.Random(5), pickled({"a": torch.arange(6.0), "b": torch.ones(2, 3)})
    directory, refused, file = whole.index(b"PK\1\2"), 0, tmp_path / "G.pth"
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            damaged[chance.randrange(directory, len(whole))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
        if chance.random() < 0.1:
            del damaged[chance.randrange(directory, len(whole)) :]
        file.write_bytes(damaged)
        try:
            assert read_pickled_weights(file)["a"].shape == (6,)
        except ArtgenError:
            refused += 1
    assert 30 < refused < 300


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtgenError, match=r"nowhere\.pth: No such file"):
        read_pickled_weights(tmp_path / "nowhere.pth")


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", b"\0" * (2 << 20))
    assert (tmp_path / "bomb.pth").stat().st_size < 10_000
    with pytest.raises(ArtgenError, match="larger than"):
        read_pickled_weights(tmp_path / "bomb.pth", max_bytes=1 << 20)


def test_tensors_that_claim_more_than_the_limit_are_refused(tmp_path: Path) -> None:
    (tmp_path / "G.pth").write_bytes(pickled({"a": torch.zeros(1).expand(1 << 10, 1 << 10)}))
    with pytest.raises(ArtgenError, match=r"larger than 0\.00195 GiB"):
        read_pickled_weights(tmp_path / "G.pth", max_bytes=2 << 20)
