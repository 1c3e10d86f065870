"""``artgen style``: paint one picture or film in the style of paintings, without a recipe or a run."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from artgen.cli.arguments.options import Device, JsonOption
from artgen.cli.terminal import messages
from artgen.errors import ArtgenError, WriteError

if TYPE_CHECKING:
    from artgen.generation.one_step import StyleOption
    from artgen.recipe import Recipe

MAX_STYLE_SEED = 2**53 - 1


def style(
    content: Annotated[Path, typer.Argument(help="A picture or a film.")],
    styles: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STYLE...", help="Paintings: names such as great-wave, files, or folders of images."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="A .png, .jpg, .webp or .tif, or an .mp4; by default CONTENT-STYLE next to CONTENT.",
        ),
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="patch: any painting; net: a trained network; vgg: optimisation.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Of patch: bold, balanced, faithful or dream.")] = None,
    strength: Annotated[float | None, typer.Option(help="0: CONTENT unchanged; 1: the full style.")] = None,
    weights: Annotated[
        str | None, typer.Option(metavar="W,W", help="The share of each STYLE, e.g. 2,1.")
    ] = None,
    mask: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE", help="White where to paint: one for all, or one for each STYLE; repeatable."
        ),
    ] = None,
    preserve: Annotated[
        str | None, typer.Option(help="What to keep of CONTENT: colour or luminance.")
    ] = None,
    scale: Annotated[
        float | None, typer.Option(help="The paintings' size against CONTENT: larger, broader strokes.")
    ] = None,
    faces: Annotated[float | None, typer.Option(help="How much faces are preserved, 0 to 1.")] = None,
    side: Annotated[int | None, typer.Option(help="Resize CONTENT to this long side first.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=MAX_STYLE_SEED, help="Another seed, other strokes.")] = 0,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="FIELD=VALUE", help="Any other field of `artgen steps style`; repeatable."
        ),
    ] = None,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
    preview: Annotated[bool, typer.Option("--preview", help="Half the size and fast.")] = False,
    live: Annotated[
        bool, typer.Option("--live/--no-live", help="Keep a preview next to the output meanwhile.")
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    json: JsonOption = False,
) -> None:
    """Paint a picture or a film in the style of one or more paintings."""
    from artgen.recipe.survey import survey_recipe
    from artgen.references import FILM_SUFFIXES

    if not content.is_file():
        problem = "a folder" if content.is_dir() else "no such file"
        raise ArtgenError(str(content), problem, "a picture, or a film, comes first; then the paintings")
    fields = _style_fields(styles or [], method)
    options: dict[str, Any] = {
        "preset": preset,
        "strength": strength,
        "preserve": preserve,
        "style_scale": scale,
        "faces": faces,
        "side": side,
        "mask": mask or None,
        "weights": _parse_weights(weights),
    }
    fields |= {
        name: _option(f"--{name.removeprefix('style_')}", value)
        for name, value in options.items()
        if value is not None
    }
    is_film = content.suffix.lower() in FILM_SUFFIXES
    if content.suffix.lower() == ".gif":  # either, as the output says
        is_film = output is not None and output.suffix.lower() == ".mp4"
    target = _output_file(content, styles or [], output, ".mp4" if is_film else ".png")
    _check_output(content, target, is_film=is_film, force=force)
    recipe = _build_recipe(content, fields, set_ or [], seed, halved=preview and not is_film)
    for note in [] if is_film else survey_recipe(recipe):
        typer.echo(note, err=True)
    report = _paint(recipe, content, target, is_film=is_film, device=device.value, preview=preview, live=live)
    size = f"{report['width']} x {report['height']} px"
    if is_film:
        resumed = f", {report['kept']} of them from before" if report["kept"] else ""
        sound = "" if report["sound"] else ", no sound"
        size = f"{report['frames']} frames of {size}{resumed}, {report['length']:.1f} s{sound}"
    messages.show_result(report, f"{target}: {size}, in {report['seconds']:.1f} s", json=json)


def _style_fields(styles: list[str], method: str | None) -> dict[str, StyleOption]:
    """Return the fields ``method`` and ``style`` of the step style from the command line."""
    fields = {} if method is None else {"method": _option("--method", method)}
    if styles:
        references = [_style_reference(text, method) for text in styles]
        fields["style"] = _option("STYLE", references, " ".join(styles))
    elif method != "net":
        from artgen.style.library import painting_names

        expected = f"name one, or a file of yours; those that ship: {', '.join(painting_names())}"
        raise ArtgenError("STYLE", "no painting is named", expected)
    return fields


def _option(name: str, value: Any, text: str | None = None) -> StyleOption:
    """Return a field of the step with the name of its option for messages; ``text`` is as typed."""
    from artgen.generation.one_step import StyleOption

    if text is None:
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return StyleOption(value, f"{name} {text}")


def _parse_weights(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ArtgenError(f"--weights {text}", "not numbers", "such as 2,1") from None


def _style_reference(text: str, method: str | None) -> str:
    """Name a style as a recipe does: ``great-wave`` is ``builtin:great-wave`` where no such file is."""
    from artgen.references import BUILTIN_PREFIX
    from artgen.style.library import painting_names

    if text.startswith(BUILTIN_PREFIX) or method == "net" or Path(text).expanduser().exists():
        return text
    is_name = not Path(text).suffix and os.sep not in text and "/" not in text
    return f"{BUILTIN_PREFIX}{text.lower()}" if text.lower() in painting_names() or is_name else text


def _output_file(content: Path, styles: list[str], output: Path | None, suffix: str) -> Path:
    """Return the file that ``artgen style`` writes: ``output``, or named after content and style."""
    if output is not None and not output.is_dir():
        return output
    style_part = f"-{Path(styles[0].removeprefix('builtin:')).stem}" if styles else "-painted"
    name = f"{content.stem}{style_part}{suffix}"
    return content.with_name(name) if output is None else output / name


def _check_output(content: Path, target: Path, *, is_film: bool, force: bool) -> None:
    """Refuse an output file of ``artgen style`` that cannot be written, or must not be overwritten."""
    from artgen.imaging.io.formats import check_suffix

    if not target.parent.is_dir():
        raise ArtgenError(str(target), f"no folder {target.parent}", "create it first")
    if target.exists():
        if target.is_dir() or target.samefile(content):
            problem = "a folder" if target.is_dir() else "CONTENT itself"
            raise ArtgenError(str(target), problem, "name another file with -o")
        if not force:
            raise ArtgenError(str(target), "exists already", "name another with -o, or add --force")
    if not os.access(target.parent, os.W_OK):
        raise WriteError(target, "its folder is not writable")
    if not is_film:
        check_suffix(target)
        return
    from artgen.imaging.film.writer import load_av

    load_av()
    if target.suffix.lower() != ".mp4":
        problem = f"a film that ends in {target.suffix or 'nothing'}"
        raise ArtgenError(str(target), problem, "a name such as painted.mp4")


def _build_recipe(
    content: Path, fields: dict[str, StyleOption], sets: list[str], seed: int, *, halved: bool
) -> Recipe:
    """Return ``artgen style`` as a recipe; ``halved`` draws at half the size unless a side was set."""
    from artgen.generation.one_step import build_one_step_recipe

    recipe = build_one_step_recipe(str(content), fields, sets, seed=seed)
    if not halved or "side" in fields:
        return recipe
    from artgen.imaging.io.files import read_image

    longest = max(read_image(content).shape[-2:])
    return build_one_step_recipe(str(content), fields, sets, seed=seed, max_side_px=max(1, longest // 2))


def _paint(
    recipe: Recipe, content: Path, target: Path, *, is_film: bool, device: str, preview: bool, live: bool
) -> dict[str, Any]:
    """Paint ``content`` into the file ``target``, showing a bar and a live picture, and return the report."""
    from artgen.cli.terminal.progress import show_work_progress
    from artgen.events import WorkProgress
    from artgen.generation import chain, one_step
    from artgen.imaging.io.formats import write_image
    from artgen.imaging.io.live_preview import LivePreview
    from artgen.style.progress import StyleProgress

    start_time = time.monotonic()
    with (
        show_work_progress(target.name) as emit,
        LivePreview(target.with_name(f"{target.stem}.live.jpg") if live else None) as show,
    ):

        def watch(report: StyleProgress) -> None:
            loss = "" if report.loss is None else f"loss {report.loss:.4g}"
            emit(WorkProgress(report.fraction, ", ".join(filter(None, [report.stage, loss]))))
            if report.image is not None:
                show(report.image)

        setting = chain.GenerationSettings(
            device=chain.configure_torch(device, use_all_cores=True), preview=preview
        )
        film: dict[str, Any] = {}
        if is_film:
            painted = one_step.paint_film(recipe, content, target, setting, emit=emit, on_frame=show)
            width, height = painted.width, painted.height
            film = {
                "frames": painted.frame_count,
                "kept": painted.resumed_frames,
                "scenes": painted.scene_count,
                "sound": painted.sound_tracks,
                "length": round(painted.seconds, 3),
            }
        else:
            image, provenance = one_step.paint_picture(recipe, replace(setting, on_report=watch))
            height, width = image.shape[-2:]
            write_image(target, image, provenance.png_text())
    return {
        "content": str(content),
        "output": str(target),
        "width": width,
        "height": height,
        "seed": recipe.seed,
        "device": setting.device,
        "seconds": round(time.monotonic() - start_time, 3),
        **film,
    }
