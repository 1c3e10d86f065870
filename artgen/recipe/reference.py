"""What a recipe may hold, for people: the same models that check it, as text, Markdown and JSON."""

from __future__ import annotations

import dataclasses
import inspect
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from artgen.config.fields import Described, described
from artgen.config.messages import did_you_mean
from artgen.errors import ArtgenError
from artgen.recipe.model import Gallery, Recipe
from artgen.steps import SOURCES, STEPS

DRAWS = (
    ("{ choice = [a, b, c] }", "one of these"),
    ("{ uniform = [a, b] }", "any number between the two"),
    ("{ log_uniform = [a, b] }", "the same, where doubling matters more than adding"),
    ("{ integer = [a, b] }", "a whole number, both ends included"),
)
DRAWN = "A field marked * may be drawn anew for each candidate: instead of the value write"


@dataclass(frozen=True)
class Table:
    """One table of a recipe.

    Args:
        name: what messages call it.
        header: how the recipe writes it; "" for the keys at the top of the file.
        use: the value of its ``use`` key, or "".
        summary: what it is.
        fields: what it may hold.
    """

    name: str
    header: str
    use: str
    summary: str
    fields: tuple[Described, ...]


def tables(name: str | None = None) -> list[Table]:
    """Every table a recipe may hold, or the one called ``name``.

    Raises:
        ArtgenError: no such source or step.
    """
    top = [field for key, field in described(Recipe).items() if key not in ("source", "steps", "gallery")]
    every = [
        Table("recipe", "", "", "The keys at the top of the file.", tuple(top)),
        *(described_table(model, "[source]", use) for use, model in SOURCES.items()),
        *(described_table(model, "[[steps]]", use) for use, model in STEPS.items()),
        described_table(Gallery, "[gallery]", ""),
    ]
    if name is None:
        return every
    found = [table for table in every if table.name == name]
    if not found:
        known = did_you_mean(name, [table.name for table in every])
        raise ArtgenError(f"artgen steps {name}", "no source or step of this name", known)
    return found


def described_table(model: type[BaseModel], header: str, use: str) -> Table:
    """The table that ``model`` checks, as ``header`` writes it."""
    summary = " ".join((inspect.getdoc(model) or "").split("\n\n")[0].split())
    return Table(use or header.strip("[]"), header, use, summary, tuple(described(model).values()))


def as_json(table: Table) -> dict[str, Any]:
    """A table as plain data."""
    return dataclasses.asdict(table)


def as_text(shown: Sequence[Table], width: int) -> str:
    """For a terminal of ``width`` columns."""
    parts = [_text(table, width) for table in shown]
    if any(field.draws for table in shown for field in table.fields):
        longest = max(len(form) for form, _ in DRAWS)
        kinds = "\n".join(f"  {form:<{longest}}  {meaning}" for form, meaning in DRAWS)
        parts.append(f"{textwrap.fill(DRAWN + ':', width)}\n{kinds}\n")
    return "\n".join(parts)


def _text(table: Table, width: int) -> str:
    first = " ".join(filter(None, [table.header, f'use = "{table.use}"' if table.use else ""]))
    head = [first] if first else []
    lines = [*head, textwrap.fill(table.summary, width, initial_indent="  ", subsequent_indent="  ")]
    for field in table.fields:
        star = "*" if field.draws else ""
        default = f"; default {field.default}" if field.default not in ("", '""') else ""
        indent = " " * 6
        told = f"    {field.name}{star}: {field.allowed}{default}"
        lines.append(textwrap.fill(told, width, subsequent_indent=" " * 8, break_on_hyphens=False))
        lines.append(textwrap.fill(field.description, width, initial_indent=indent, subsequent_indent=indent))
    return "\n".join(lines) + "\n"


def as_markdown(shown: Sequence[Table]) -> str:
    """For the pages in ``docs/``."""
    parts = []
    if any(field.draws for table in shown for field in table.fields):
        kinds = "".join(f"\n| `{form}` | {meaning} |" for form, meaning in DRAWS)
        parts += [DRAWN + " one of these:", "| Draw | Gives |\n|---|---|" + kinds]
    for table in shown:
        use = f' `use = "{table.use}"`' if table.use else ""
        parts.append(f"### `{table.header}`{use}" if table.header else "### Top of the file")
        parts.append(table.summary)
        rows = [_row(field) for field in table.fields]
        parts.append("\n".join(["| Key | May be | Default | What it does |", "|---|---|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def _row(field: Described) -> str:
    star = " \\*" if field.draws else ""
    default = f"`{field.default}`" if field.default not in ("", '""') else ""
    cells = (f"`{field.name}`{star}", field.allowed, default, field.description)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
