"""docs/models.md shows how to use each shipped model; no model file tells where it was trained."""

from pathlib import Path

import pytest

from artgen.models.files import catalog, header
from artgen.recipe.loading import load_recipe

ROOT = Path(__file__).parents[3]


def examples() -> list[str]:
    """Return every TOML example in the section on shipped models of docs/models.md."""
    page = (ROOT / "docs" / "models.md").read_text("utf-8")
    section = page.partition("<!-- shipped models -->")[2].partition("<!-- end -->")[0]
    return [part.partition("```")[0] for part in section.split("```toml\n")[1:]]


@pytest.mark.parametrize("example", examples())
def test_the_page_shows_how_a_recipe_uses_each(tmp_path: Path, example: str) -> None:
    text = example if "[source]" in example else f'[source]\nuse = "crops"\n\n{example}'
    (tmp_path / "example.toml").write_text(text, "utf-8")
    load_recipe(tmp_path / "example.toml")


def test_the_page_shows_every_model() -> None:
    assert len(examples()) == len(catalog.shipped_model_names())


def test_no_model_tells_where_it_was_trained() -> None:
    for name in catalog.shipped_model_names():
        recipe = header.parse_field(catalog.get_shipped_model(name).metadata, "recipe")
        assert recipe.keys().isdisjoint({"data", "inputs", "start"})
