"""A ``.pth`` from anywhere: what it may hold, and that nothing in it runs."""

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from artgen.errors import ArtgenError
from artgen.models.files import pickle_reader
from artgen.models.files.pickle_reader import read_weights


class Attack:
    """Unpickled, it runs a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


@pytest.mark.parametrize("how", ["torch", "torch before 1.6", "pickle", "hidden in a table"])
def test_a_pickle_that_would_run_code_is_refused_and_does_not_run(tmp_path: Path, how: str) -> None:
    mark, file = tmp_path / "ran", tmp_path / "latest_net_G.pth"
    attack = Attack(f"touch '{mark}'")
    if how == "pickle":
        file.write_bytes(pickle.dumps(attack))
    elif how == "hidden in a table":
        torch.save({"state_dict": {"model.1.weight": torch.zeros(2)}, "options": [attack]}, file)
    else:
        torch.save(attack, file, _use_new_zipfile_serialization=how == "torch")
    with pytest.raises(ArtgenError) as refused:
        read_weights(file)
    said = "not a weights file" if how == "pickle" else f"would call {os.name}.system; nothing of it was run"
    assert said in str(refused.value)
    assert not mark.exists()
    torch.load(file, weights_only=False) if how != "pickle" else pickle.loads(file.read_bytes())
    assert mark.exists()  # it would have


def saved(value: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read"),
        (b"<html>not found</html>", "not a weights file|cannot be read"),
        (saved({"a": torch.zeros(100)})[:-400], "cannot be read"),
        (saved([torch.zeros(2)]), "no table of weights"),
        (saved({}), "no table of weights"),
        (saved({"a": 1.0}), "no table of weights"),
        (saved({1: torch.zeros(2)}), "no table of weights"),
        (saved({"a": torch.zeros(2, device="meta")}), "no table of weights"),
        (saved({"a": torch.zeros(1).expand(1 << 20, 1 << 12)}), "larger than 2 GiB"),
    ],
)
def test_what_is_no_weights_file_is_a_clear_message(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "G.pth").write_bytes(content)
    with pytest.raises(ArtgenError, match=message):
        read_weights(tmp_path / "G.pth")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtgenError, match=r"nowhere\.pth: No such file"):
        read_weights(tmp_path / "nowhere.pth")


def test_what_unpacks_to_too_much_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle_reader, "LARGEST", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", b"\0" * (2 << 20))
    assert (tmp_path / "bomb.pth").stat().st_size < 10_000
    with pytest.raises(ArtgenError, match="larger than"):
        read_weights(tmp_path / "bomb.pth")
