"""The page of the models that ship shows how to use each; none says where it was trained."""

from pathlib import Path

import pytest

from artgen.models.files import catalog, header
from artgen.recipe.loading import load

ROOT = Path(__file__).parents[3]


def examples() -> list[str]:
    """Every TOML example among the models that ship, on docs/models.md."""
    page = (ROOT / "docs" / "models.md").read_text("utf-8")
    shown = page.partition("<!-- shipped models -->")[2].partition("<!-- end -->")[0]
    return [part.partition("```")[0] for part in shown.split("```toml\n")[1:]]


@pytest.mark.parametrize("example", examples())
def test_the_page_shows_how_a_recipe_uses_each(tmp_path: Path, example: str) -> None:
    text = example if "[source]" in example else f'[source]\nuse = "crops"\n\n{example}'
    (tmp_path / "example.toml").write_text(text, "utf-8")
    load(tmp_path / "example.toml")


def test_the_page_shows_every_model() -> None:
    assert len(examples()) == len(catalog.names())


def test_none_says_where_it_was_trained() -> None:
    for name in catalog.names():
        recipe = header.parsed(catalog.entry(name).metadata, "recipe")
        assert recipe.keys().isdisjoint({"data", "inputs", "start"})
