"""The reference of a recipe's tables and fields, as text, Markdown and JSON, made from their models."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from artgen.config.fields import FieldDescription, describe_fields
from artgen.config.messages import did_you_mean
from artgen.errors import ArtgenError
from artgen.plugins import Plugin
from artgen.recipe.model import Gallery, Recipe
from artgen.steps import SOURCES, STEPS

DRAW_FORMS = (
    ("{ choice = [a, b, c] }", "one of these"),
    ("{ uniform = [a, b] }", "any number from a to b"),
    ("{ log_uniform = [a, b] }", "the same on a logarithmic scale"),
    ("{ integer = [a, b] }", "a whole number from a to b, both included"),
)
DRAWN_FIELDS_HINT = (
    "A field marked * may be drawn at random for each candidate: instead of a value, write one of these:"
)


@dataclass(frozen=True)
class TableDescription:
    """A table of a recipe, described for people.

    Args:
        name: its name in messages.
        header: its header in the file, e.g. ``[source]``; "" for the keys at the top of the file.
        use: the value of its ``use`` key, or "".
        summary: what it is for, in one sentence or two.
        fields: its fields.
        package: name and version of the package whose plug-in it is; "" for artgen's own.
    """

    name: str
    header: str
    use: str
    summary: str
    fields: tuple[FieldDescription, ...]
    package: str = ""


def list_tables(name: str | None = None) -> list[TableDescription]:
    """List every table that a recipe may hold, or only the one called ``name``.

    Raises:
        ArtgenError: there is no such source or step.
    """
    top_level_fields = [
        field for key, field in describe_fields(Recipe).items() if key not in ("source", "steps", "gallery")
    ]
    sources, steps = SOURCES.load_all(), STEPS.load_all()
    all_tables = [
        TableDescription("recipe", "", "", "The keys at the top of the file.", tuple(top_level_fields)),
        *(describe_table(model, "[source]", use, SOURCES.plugin(use)) for use, model in sources.items()),
        *(describe_table(model, "[[steps]]", use, STEPS.plugin(use)) for use, model in steps.items()),
        describe_table(Gallery, "[gallery]", ""),
    ]
    if name is None:
        return all_tables
    matches = [table for table in all_tables if table.name == name]
    if not matches:
        expected = did_you_mean(name, [table.name for table in all_tables])
        raise ArtgenError(f"artgen steps {name}", "no source or step of this name", expected)
    return matches


def describe_table(
    model: type[BaseModel], header: str, use: str, plugin: Plugin | None = None
) -> TableDescription:
    """Describe the table of a recipe that a model validates.

    Args:
        model: its Pydantic model.
        header: its header in the file, e.g. ``[source]``.
        use: the value of its ``use`` key, or "".
        plugin: the plug-in that it comes from, if any.
    """
    summary = " ".join((inspect.getdoc(model) or "").split("\n\n")[0].split())
    fields = tuple(describe_fields(model).values())
    package = f"{plugin.package} {plugin.version}" if plugin else ""
    return TableDescription(use or header.strip("[]"), header, use, summary, fields, package)


def format_tables_as_text(tables: Sequence[TableDescription], width: int) -> str:
    """Format the reference of a recipe's tables for a terminal of ``width`` columns."""
    sections = [_format_table(table, width) for table in tables]
    if any(field.draws for table in tables for field in table.fields):
        form_width = max(len(form) for form, _ in DRAW_FORMS)
        draw_forms = "\n".join(f"  {form:<{form_width}}  {meaning}" for form, meaning in DRAW_FORMS)
        sections.append(f"{textwrap.fill(DRAWN_FIELDS_HINT, width)}\n{draw_forms}\n")
    return "\n".join(sections)


def _format_table(table: TableDescription, width: int) -> str:
    header_line = " ".join(filter(None, [table.header, f'use = "{table.use}"' if table.use else ""]))
    summary = f"{table.summary} (From {table.package}.)" if table.package else table.summary
    summary = textwrap.fill(summary, width, initial_indent="  ", subsequent_indent="  ")
    lines = [header_line, summary] if header_line else [summary]
    for field in table.fields:
        star = "*" if field.draws else ""
        default = f"; default {field.default}" if field.default not in ("", '""') else ""
        indent = " " * 6
        field_line = f"    {field.name}{star}: {field.allowed}{default}"
        lines.append(textwrap.fill(field_line, width, subsequent_indent=" " * 8, break_on_hyphens=False))
        lines.append(textwrap.fill(field.description, width, initial_indent=indent, subsequent_indent=indent))
    return "\n".join(lines) + "\n"


def format_tables_as_markdown(tables: Sequence[TableDescription]) -> str:
    """Format the reference of a recipe's tables as Markdown for the pages in ``docs/``."""
    sections = []
    if any(field.draws for table in tables for field in table.fields):
        draw_rows = "".join(f"\n| `{form}` | {meaning} |" for form, meaning in DRAW_FORMS)
        sections += [DRAWN_FIELDS_HINT, "| Draw | Gives |\n|---|---|" + draw_rows]
    for table in tables:
        use = f' `use = "{table.use}"`' if table.use else ""
        sections.append(f"### `{table.header}`{use}" if table.header else "### Top of the file")
        sections.append(table.summary)
        rows = [_format_markdown_row(field) for field in table.fields]
        sections.append("\n".join(["| Key | May be | Default | What it does |", "|---|---|---|---|", *rows]))
    return "\n\n".join(sections) + "\n"


def _format_markdown_row(field: FieldDescription) -> str:
    star = " \\*" if field.draws else ""
    default = f"`{field.default}`" if field.default not in ("", '""') else ""
    cells = (f"`{field.name}`{star}", field.allowed, default, field.description)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
