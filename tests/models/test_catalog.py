import json
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.models import catalog


def test_every_shipped_model_has_a_card_a_picture_and_its_figures() -> None:
    assert "abstract-8x" in catalog.names()
    for name in catalog.names():
        entry = catalog.entry(name)
        assert entry.file.stat().st_size <= 8_000_000
        assert entry.file.with_suffix(".png").is_file()
        card = entry.file.with_suffix(".md").read_text(encoding="utf-8")
        for wanted in ("licence", "fingerprint", "patch-SWD", "Training recipe", "bad at"):
            assert wanted in card
        assert json.loads(entry.metadata["metrics"])["swd"] < 1


def test_an_unknown_model_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ArtgenError, match="did you mean 'abstract-8x'"):
        catalog.resolve("abstrct-8x", tmp_path)


def test_a_path_beside_the_recipe_is_a_model(tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    file.write_bytes(b"")
    assert catalog.resolve("mine.safetensors", tmp_path) == file
