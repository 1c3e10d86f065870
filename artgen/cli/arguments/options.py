"""Declarations of the command-line options and arguments that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Device(StrEnum):
    """Values of the option ``--device``: on what networks compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


JsonOption = Annotated[bool, typer.Option("--json", help="Report as one JSON document.")]
RunArgument = Annotated[
    str | None, typer.Argument(help="A run's name, its beginning, or its folder; by default the last.")
]
ModelArgument = Annotated[
    str,
    typer.Argument(metavar="NAME|FILE", help="A name of `artgen models`, or a .safetensors file."),
]
RunsOption = Annotated[Path, typer.Option("--runs", help="The folder that holds the runs.")]
WorkersOption = Annotated[
    int | None, typer.Option(min=1, max=1024, help="Processes; by default one per core, or one on a GPU.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a field, e.g. steps.grow.scale=2; repeatable."),
]
