"""``artgen new``, ``check``, ``steps`` and ``schema``: recipes before they run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from artgen.cli.arguments.options import JsonOption, SetOption
from artgen.cli.terminal import messages, plain_text
from artgen.errors import ArtgenError, ValidationErrors, artgen_command


def new(
    name: Annotated[str, typer.Argument(help="The recipe's name, or the path of its file.")],
    json: JsonOption = False,
) -> None:
    """Write a commented recipe to start from, and its schema for editors."""
    from artgen.recipe.starter import create_starter_recipe

    recipe, schema = create_starter_recipe(name)
    run_command = artgen_command("run", recipe)
    text = f"{recipe}\nNext: edit it (`artgen steps` lists what it may hold), then: {run_command}"
    messages.show_result({"recipe": str(recipe), "schema": str(schema)}, text, json=json)


def check(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Recipes, of pictures or of training.")
    ],
    set_: SetOption = None,
    json: JsonOption = False,
) -> None:
    """List everything that is wrong with recipes, line by line."""
    reports: list[dict[str, Any]] = []
    for file in files:
        report: dict[str, Any] = {"file": str(file), "problems": []}
        try:
            report |= _describe_recipe(file, set_ or ())
        except ValidationErrors as problems:
            report["problems"] = [_error_to_json(problem) for problem in problems.errors]
            if not json:
                typer.echo(problems, err=True)
        else:
            if not json:
                typer.echo(f"{file}: right; {report['makes']}")
                for note in report["notes"]:
                    typer.echo(f"{file}: {note}", err=True)
        reports.append(report)
    if json:
        messages.show_json(reports)
    count = sum(len(report["problems"]) for report in reports)
    if count:
        typer.echo(plain_text.count_noun(count, "problem"), err=True)
        raise typer.Exit(messages.EXIT_FIXABLE)


def _describe_recipe(file: Path, overrides: Sequence[str]) -> dict[str, Any]:
    """Describe for ``artgen check`` what a recipe makes, after checking it.

    Raises:
        ValidationErrors: the recipe is invalid.
    """
    from artgen.config.document import read_document
    from artgen.imaging.io.survey import survey_references
    from artgen.recipe import load_recipe
    from artgen.recipe.stage_sizes import check_stage_sizes
    from artgen.recipe.survey import survey_recipe

    try:
        document = read_document(file)
    except ArtgenError as error:
        raise ValidationErrors(str(file), [error]) from None
    if "family" in document.table:
        from artgen.training.recipes import FAMILIES
        from artgen.training.recipes.load import load_training_recipe

        FAMILIES.warn_of_unused_plugins()
        training = load_training_recipe(file)
        references = [*(training.data or ()), *(training.inputs or ())]
        notes = survey_references(references, file.parent)
        return {"makes": f"a model, in {training.steps:,} steps of training", "notes": notes}
    from artgen.models.files import catalog
    from artgen.steps import SOURCES, STEPS

    for registry in (SOURCES, STEPS):
        registry.warn_of_unused_plugins()
    catalog.warn_of_unused_architectures()
    recipe = load_recipe(file, overrides)
    try:
        check_stage_sizes(recipe)
    except ArtgenError as error:
        raise ValidationErrors(str(file), [error]) from None
    if unlisted := recipe.list_unlisted_packages():
        names = ", ".join(f'"{name}"' for name in unlisted)
        typer.echo(f"{file}: add requires = [{names}], so that others know what to install", err=True)
    chain = [recipe.source.use, *recipe.step_ids()]
    makes = f"{recipe.candidates} candidates of {' -> '.join(chain)}"
    return {"makes": makes, "chain": chain, "notes": survey_recipe(recipe)}


def _error_to_json(error: ArtgenError) -> dict[str, str]:
    return {
        "where": error.where,
        "found": error.problem,
        "right": error.expected,
        "command": error.command,
    }


def steps(
    name: Annotated[
        str | None, typer.Argument(help="Only this source or step, or `training/FAMILY`.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As the reference in docs/.")] = False,
    json: JsonOption = False,
) -> None:
    """List what a recipe may hold: fields, ranges, units, defaults."""
    from dataclasses import asdict

    from artgen.recipe import reference

    if name is not None and name.split("/")[0] == "training":
        from artgen.training.recipes.reference import describe_training_tables

        tables = describe_training_tables(name)
    else:
        tables = reference.list_tables(name)
    if json:
        messages.show_json([asdict(table) for table in tables])
    elif markdown:
        typer.echo(reference.format_tables_as_markdown(tables), nl=False)
    else:
        import shutil

        columns = min(shutil.get_terminal_size().columns, 100)
        typer.echo(reference.format_tables_as_text(tables, columns), nl=False)


def schema(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it to this file.")] = None,
    training: Annotated[bool, typer.Option("--training", help="Of training recipes.")] = False,
) -> None:
    """Print the JSON Schema of recipes, for editors that complete."""
    from artgen.recipe.schema import format_schema, recipe_schema_text

    if training:
        from artgen.training.recipes.schema import build_training_schema

        text = format_schema(build_training_schema())
    else:
        text = recipe_schema_text()
    if output is None:
        typer.echo(text, nl=False)
        return
    from artgen.imaging.io.files import atomic_write, is_device

    atomic_write(output, text.encode())
    if not is_device(output):
        typer.echo(str(output))
