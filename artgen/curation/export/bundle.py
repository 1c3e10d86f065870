"""The page's files made one: a sheet that is mailed cannot ask for a second file.

The modules are plain ES modules; joined, they need neither ``import`` nor ``export``. How they are
written is narrow on purpose, and checked: imports on one line at the top, exports only in front of
declarations, no name declared twice.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "page"
MAIN = "main.js"
_IMPORT = re.compile(r'^import \{[^}\n]*\} from "\./([a-z]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function |class |const )", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def modules(folder: Path = PAGE) -> list[Path]:
    """The page's modules, each after those that it imports."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        for other in _IMPORT.findall((folder / name).read_text("utf-8")):
            if other not in found:
                visit(other)
        found[name] = None

    visit(MAIN)
    return [folder / name for name in found]


def joined_script(folder: Path = PAGE) -> str:
    """Every module in one text.

    Raises:
        ValueError: a module is written so that it cannot be joined.
    """
    parts = []
    for file in modules(folder):
        text = _EXPORT.sub("", _IMPORT.sub("", file.read_text("utf-8")))
        if left := _LEFT.search(text):
            raise ValueError(f"{file.name}: `{left[0]}` cannot be joined")
        parts.append(text)
    return "".join(parts)


def joined_style(folder: Path = PAGE) -> str:
    """Every style sheet in one text."""
    return "".join(file.read_text("utf-8") for file in sorted(folder.glob("*.css")))


def source_hash(text: str) -> str:
    """How a Content-Security-Policy names an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def script_json(value: object) -> str:
    """JSON that no HTML parser can be led out of: ``<``, ``>`` and ``&`` appear only as escapes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
