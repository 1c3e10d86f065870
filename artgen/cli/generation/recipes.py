"""``artgen new``, ``check``, ``steps`` and ``schema``: recipes before they run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from artgen.cli.terminal import messages
from artgen.errors import ArtgenError, Problems

if TYPE_CHECKING:
    pass

Json = Annotated[bool, typer.Option("--json", help="Report as one JSON document.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a field, e.g. steps.grow.scale=2; repeatable."),
]


def new(
    name: Annotated[str, typer.Argument(help="The recipe's name, or the path of its file.")],
    json: Json = False,
) -> None:
    """Write a commented recipe to start from, and its schema for editors."""
    from artgen.recipe.starter import begin

    recipe, schema = begin(name)
    if json:
        messages.show_json({"recipe": str(recipe), "schema": str(schema)})
    else:
        typer.echo(
            f"{recipe}\nNext: edit it (`artgen steps` lists what it may hold), then: artgen run {recipe}"
        )


def check(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Recipes, of pictures or of training.", show_default=False),
    ],
    set_: Set = None,
    json: Json = False,
) -> None:
    """Say everything that is wrong with recipes, line by line."""
    reports: list[dict[str, Any]] = []
    for file in files:
        report: dict[str, Any] = {"file": str(file), "problems": []}
        try:
            report |= _checked(file, set_ or ())
        except Problems as problems:
            report["problems"] = [_as_json(problem) for problem in problems.problems]
            if not json:
                typer.echo(problems, err=True)
        else:
            if not json:
                typer.echo(f"{file}: right; {report['makes']}")
        reports.append(report)
    if json:
        messages.show_json(reports)
    count = sum(len(report["problems"]) for report in reports)
    if count:
        typer.echo(f"{count} problem{'s' if count > 1 else ''}", err=True)
        raise typer.Exit(messages.FIXABLE)


def _checked(file: Path, overrides: Sequence[str]) -> dict[str, Any]:
    """What a right recipe makes; Problems for a wrong one."""
    from artgen.config.document import read
    from artgen.recipe import load

    try:
        document = read(file)
    except ArtgenError as error:
        raise Problems(str(file), [error]) from None
    if "family" in document.table:
        from artgen.training.recipes.load import load_training_recipe

        training = load_training_recipe(file)
        return {"makes": f"a model, in {training.steps:,} steps of training"}
    recipe = load(file, overrides)
    chain = [recipe.source.use, *recipe.step_ids()]
    return {"makes": f"{recipe.candidates} candidates of {' -> '.join(chain)}", "chain": chain}


def _as_json(problem: ArtgenError) -> dict[str, str]:
    return {
        "where": problem.where,
        "found": problem.found,
        "right": problem.right,
        "command": problem.command,
    }


def steps(
    name: Annotated[
        str | None, typer.Argument(help="Only this source or step, or `training/FAMILY`.", show_default=False)
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As the reference in docs/.")] = False,
    json: Json = False,
) -> None:
    """Say what a recipe may hold: fields, ranges, units, defaults."""
    from artgen.recipe import reference

    if name is not None and name.split("/")[0] == "training":
        from artgen.training.recipes.reference import training_tables

        tables = training_tables(name)
    else:
        tables = reference.tables(name)
    if json:
        messages.show_json([reference.as_json(table) for table in tables])
    elif markdown:
        typer.echo(reference.as_markdown(tables), nl=False)
    else:
        import shutil

        typer.echo(reference.as_text(tables, min(shutil.get_terminal_size().columns, 100)), nl=False)


def schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it to this file.", show_default=False)
    ] = None,
    training: Annotated[bool, typer.Option("--training", help="Of training recipes.")] = False,
) -> None:
    """Print the JSON Schema of recipes, for editors that complete."""
    from artgen.recipe.schema import as_text, schema_text

    if training:
        from artgen.training.recipes.schema import training_schema

        text = as_text(training_schema())
    else:
        text = schema_text()
    if output is None:
        typer.echo(text, nl=False)
        return
    from artgen.imaging.io.files import atomic_write, is_device

    atomic_write(output, text.encode())
    if not is_device(output):
        typer.echo(str(output))
