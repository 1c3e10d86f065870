"""Join the page's files: a mailed sheet cannot load a second file.

The modules are plain ES modules; joined, they need neither ``import`` nor ``export``. How they are
written is restricted, and checked: imports on one line at the top, exports only in front of
declarations, and no name declared at the top of two modules.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "page"
MAIN = "main.js"
_IMPORT = re.compile(r'^import \{[^}\n]*\} from "(\.{1,2}/[a-z_/]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function |class |const )", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_DECLARED = re.compile(r"^(?:export )?(?:async )?(?:function|class|const|let) ([A-Za-z_]+)", re.MULTILINE)


def modules(folder: Path = PAGE) -> list[Path]:
    """List the page's modules, each after those that it imports."""
    ordered: dict[Path, None] = {}

    def visit(file: Path) -> None:
        for name in _IMPORT.findall(file.read_text("utf-8")):
            imported = Path(os.path.normpath(file.parent / name))
            if imported not in ordered:
                visit(imported)
        ordered[file] = None

    visit(folder / MAIN)
    return list(ordered)


def joined_script(folder: Path = PAGE) -> str:
    """Join all modules into one script.

    Raises:
        ValueError: a module is written so that it cannot be joined.
    """
    parts, declared = [], set[str]()
    for file in modules(folder):
        source = file.read_text("utf-8")
        names = _DECLARED.findall(source)
        if twice := declared.intersection(names):
            raise ValueError(f"{file.name}: {min(twice)} is declared in another module, too")
        declared.update(names)
        text = _EXPORT.sub("", _IMPORT.sub("", source))
        if left := _LEFT.search(text):
            raise ValueError(f"{file.name}: `{left[0]}` cannot be joined")
        parts.append(text)
    return "".join(parts)


def joined_style(folder: Path = PAGE) -> str:
    """Join all style sheets."""
    return "".join(file.read_text("utf-8") for file in sorted(folder.rglob("*.css")))


def source_hash(text: str) -> str:
    """How a Content-Security-Policy names an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def script_json(value: object) -> str:
    """JSON that no HTML parser can be led out of: ``<``, ``>`` and ``&`` appear only as escapes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
