"""What several commands are told alike."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Report as one JSON document.")]
Model = Annotated[
    str,
    typer.Argument(metavar="NAME|FILE", help="A name of `artgen models`, or a .safetensors file."),
]
