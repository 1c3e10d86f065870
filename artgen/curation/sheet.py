"""The contact sheet: one HTML file in the run's folder, for picking with the keyboard.

It opens from ``file://``, asks nothing of any network, and shows the run as it was when it was
written. Picks made on it live in the browser until they are exported or typed as a command.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from artgen.imaging.files import atomic_write
from artgen.runs.candidate import Candidate
from artgen.runs.find import ROOT
from artgen.runs.store import Run

if TYPE_CHECKING:
    import jinja2

SHEET = "sheet.html"
_HERE = Path(__file__).parent


def write_sheet(run: Run) -> Path:
    """Write ``sheet.html`` into the run's folder and return its path.

    The file is replaced whole: a page open in a browser never reads half of it.
    """
    path = run.folder / SHEET
    atomic_write(path, render_sheet(run).encode())
    return path


def render_sheet(run: Run) -> str:
    """The sheet as one HTML text; every image is a relative link into the run's folder."""
    candidates = run.candidates()
    command = f"artgen pick {shlex.quote(_reference(run))}"
    shapes = list(dict.fromkeys((candidate.width, candidate.height) for candidate in candidates))
    style = (_HERE / "sheet.css").read_text("utf-8") + _shapes_style(shapes)
    script = (_HERE / "sheet.js").read_text("utf-8")
    data = {
        "name": run.name,
        "command": command,
        "picks": [candidate.index for candidate in candidates if candidate.picked],
        "candidates": [_frame(run, candidate) for candidate in candidates],
    }
    cells = [
        {
            "index": candidate.index,
            "caption": candidate.caption,
            "thumb": _link(run, candidate.thumbnail),
            "width": candidate.width,
            "height": candidate.height,
            "picked": candidate.picked,
            "shape": shapes.index((candidate.width, candidate.height)),
        }
        for candidate in candidates
    ]
    return _template().render(
        title=run.title,
        name=run.name,
        command=command,
        candidates=cells,
        data=json_for_script(data),
        style=style,
        style_hash=_csp_hash(style),
        script=script,
        script_hash=_csp_hash(script),
    )


def json_for_script(value: object) -> str:
    """JSON that no HTML parser can be led out of: ``<``, ``>`` and ``&`` appear only as escapes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _reference(run: Run) -> str:
    """What names the run on a command line: its name where runs usually are, else its folder."""
    folder = run.folder.resolve()
    return run.name if folder.parent == ROOT.resolve() else str(folder)


def _frame(run: Run, candidate: Candidate) -> dict[str, Any]:
    return {
        "index": candidate.index,
        "seed": str(candidate.seed),
        "caption": candidate.caption,
        "file": _link(run, candidate.file),
        "thumb": _link(run, candidate.thumbnail),
        "draws": [
            f"{step}.{field} {_short(value)}"
            for step, fields in candidate.draws.items()
            for field, value in fields.items()
        ],
    }


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list | tuple):
        return " + ".join(_short(inner) for inner in value)
    return str(value).removeprefix("builtin:")


def _link(run: Run, file: Path) -> str:
    return quote(file.relative_to(run.folder).as_posix())


def _shapes_style(shapes: Sequence[tuple[int, int]]) -> str:
    """The cells' proportion, and where in a cell the corner of each shape of picture is."""
    if len(shapes) == 1:
        width, height = shapes[0]
        return f":root {{ --ratio: {width} / {height}; }}\n"
    rules = []
    for number, (width, height) in enumerate(shapes):
        top, right = (50 * (1 - min(1.0, side)) for side in (height / width, width / height))
        rules.append(f".s{number} > .tick {{ top: {top:.2f}%; right: {right:.2f}%; }}\n")
    return "".join(rules)


def _csp_hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"sha256-{digest}"


@cache
def _template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("sheet.html")
