"""The models that ship, as docs/models.md shows them: all from their own files, see ``reference.py``."""

from pathlib import Path
from typing import Any

from artgen.models.files import catalog, header
from artgen.models.files.catalog import ShippedModel

ROOT = Path(__file__).parents[1]
FACES = """\
[source]
use = "faces"
people = ["builtin:portraits/raven", "builtin:portraits/amber"]
size = {size}

"""
COUNTS = {"pictures"}  # among the figures, and none


def page() -> str:
    """Write the shipped models with their figures, then a section for each."""
    entries = [catalog.get_shipped_model(name) for name in catalog.shipped_model_names()]
    return "\n\n".join([_overview(entries), *_figures(entries), *map(_section, entries)])


def _overview(entries: list[ShippedModel]) -> str:
    rows = [
        [f"[`{e.name}`](#{e.name})", e.metadata["description"], f"{_size(e):.1f}", _for(e)] for e in entries
    ]
    total = sum(map(_size, entries))
    return f"{_table(['model', 'what it does', 'MB', 'for'], rows)}\n\nTogether {total:.1f} MB."


def _figures(entries: list[ShippedModel]) -> list[str]:
    """Return a table for all models that were measured alike."""
    alike: dict[tuple[str, ...], list[list[str]]] = {}
    for entry in entries:
        metrics: dict[str, Any] = header.parse_field(entry.metadata, "metrics") or {}
        shown = {key: value for key, value in metrics.items() if key not in COUNTS}
        alike.setdefault(tuple(shown), []).append([f"`{entry.name}`", *(f"{v:.4g}" for v in shown.values())])
    return [_table(["", *(f"`{key}`" for key in keys)], rows) for keys, rows in alike.items() if keys]


def _section(entry: ShippedModel) -> str:
    card, picture = entry.file.with_suffix(".md"), entry.file.with_suffix(".webp")
    recipe = header.parse_field(entry.metadata, "recipe") or {}
    data = header.parse_field(entry.metadata, "data") or {}
    image = f'<img src="{_from_here(picture)}" width="640" alt="What {entry.name} makes">\n\n'
    used = [f"[{file.name}](../recipes/{file.name})" for file in _recipes() if _names(file, entry.name)]
    return f"""\
### {entry.name}
{image if picture.exists() else ""}{entry.metadata["description"]} [Its card]({_from_here(card)}).

```toml
{_example(entry)}
```

- **Bad at:** {recipe.get("weakness", "Not described.")}
- **Learned from:** {data.get("licence", "not stated")}.
- **Recipes that use it:** {", ".join(used) or "none yet"}."""


def _example(entry: ShippedModel) -> str:
    """Return the tables of a recipe that use it, with the key that is turned first."""
    table = catalog.recipe_toml(entry.file)
    inputs, side = header.training_inputs(entry.metadata), header.training_side(entry.metadata)
    if entry.metadata.get("family") == "mix" and side:
        return FACES.format(size=side // inputs["factor"]) + f"{table}\nside = {side}"
    knobs = {"upscale": "noise", "translate": "amount", "style": "strength", "generator": "truncation"}
    model_use = catalog.USES_BY_ARCHITECTURE[entry.metadata["architecture"]].use
    return f"{table}\n{knobs[model_use]} = {{ uniform = [0.6, 1.0] }}"


def _for(entry: ShippedModel) -> str:
    return str(catalog.USES_BY_ARCHITECTURE[entry.metadata["architecture"]])


def _size(entry: ShippedModel) -> float:
    return entry.file.stat().st_size / 1e6


def _recipes() -> list[Path]:
    return sorted((ROOT / "recipes").glob("*.toml"))


def _names(recipe: Path, model: str) -> bool:
    return f'"{model}"' in recipe.read_text("utf-8")


def _from_here(file: Path) -> str:
    return f"../{file.relative_to(ROOT).as_posix()}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
