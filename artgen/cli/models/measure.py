"""``artgen models measure``: compute a model's metrics again, next to those in its file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from artgen.cli.arguments.options import JsonOption
from artgen.cli.terminal import messages
from artgen.errors import ArtgenError
from artgen.models.files import header


def measure(
    model: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A shipped model's name, or a .safetensors file.")
    ],
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="Pictures as they should look, as a recipe names them; repeatable. By "
            "default those that ship and fit the model."
        ),
    ] = None,
    most: Annotated[int | None, typer.Option(min=2, max=1000, help="Squares of them, at most.")] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Put the figures into the model's file and its card.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "cpu",
    json: JsonOption = False,
) -> None:
    """Measure a model by pictures that ship with artgen, or by yours."""
    from artgen.models.files import catalog

    file = catalog.find_model_file(model, Path())
    if write and (data or most):
        problem = "--write with --data or --most"
        raise ArtgenError("artgen models measure", problem, "the file says what anybody can compute again")
    stored_value = header.parse_field(header.read_metadata(file), "metrics" if data else "metrics_shipped")
    stored_metrics = stored_value if isinstance(stored_value, dict) else {}
    import torch

    from artgen.imaging.devices import choose_device
    from artgen.training.evaluation.measure import MAX_MEASURED_SQUARES, measure_model
    from artgen.training.evaluation.stamp import rounded_metrics, write_metrics

    torch.set_num_threads(1)  # sums of several threads differ in their last digits
    torch.set_flush_denormal(True)
    measured = measure_model(
        file, data or (), max_squares=most or MAX_MEASURED_SQUARES, device=choose_device(device)
    )
    if write:
        write_metrics(file, measured)
    if json:
        report = {
            "model": str(file),
            "on": measured.measured_on,
            "figures": rounded_metrics(measured),
            "card": stored_metrics,
        }
        messages.show_json(report)
        return
    typer.echo(f"{model}, measured on {measured.measured_on}")
    width = max(len(figure.label) for figure in measured.metrics)
    typer.echo(f"{'':{width}}  measured      card  difference")
    for figure in measured.metrics:
        line = f"{figure.label:{width}}  {figure.value:8{figure.format_spec}}"
        card = stored_metrics.get(figure.name)
        if isinstance(card, int | float):
            line += f"  {card:8{figure.format_spec}}  {figure.value - card:+10{figure.format_spec}}"
        typer.echo(line)
    if write:
        typer.echo(f"written: {file}, and its card")
