"""Join the page's scripts and style sheets, because a mailed sheet cannot load further files.

The modules are plain ES modules; joined, they need neither ``import`` nor ``export``. How they are written
is therefore restricted, and checked: imports are on one line each at the top, exports only precede
declarations, and no two modules declare the same name at the top level.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from pathlib import Path

SHEET_PAGE_FOLDER = Path(__file__).parents[1] / "page"
MAIN_SCRIPT_MODULE = "main.js"
_IMPORT_LINE_PATTERN = re.compile(r'^import \{[^}\n]*\} from "(\.{1,2}/[a-z_/]+\.js)";\n', re.MULTILINE)
_EXPORT_KEYWORD_PATTERN = re.compile(r"^export (?=(?:async )?function |class |const )", re.MULTILINE)
_UNSUPPORTED_LINE_PATTERN = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_TOP_LEVEL_NAME_PATTERN = re.compile(
    r"^(?:export )?(?:async )?(?:function|class|const|let) ([A-Za-z_]+)", re.MULTILINE
)


def list_modules(folder: Path = SHEET_PAGE_FOLDER) -> list[Path]:
    """List the contact sheet's JavaScript modules, each after those that it imports."""
    ordered: dict[Path, None] = {}

    def visit(path: Path) -> None:
        for name in _IMPORT_LINE_PATTERN.findall(path.read_text("utf-8")):
            imported = Path(os.path.normpath(path.parent / name))
            if imported not in ordered:
                visit(imported)
        ordered[path] = None

    visit(folder / MAIN_SCRIPT_MODULE)
    return list(ordered)


def join_scripts(folder: Path = SHEET_PAGE_FOLDER) -> str:
    """Join all modules of the contact sheet into one script.

    Raises:
        ValueError: a module is written so that it cannot be joined.
    """
    scripts, declared_names = [], set[str]()
    for path in list_modules(folder):
        source = path.read_text("utf-8")
        names = _TOP_LEVEL_NAME_PATTERN.findall(source)
        if duplicates := declared_names.intersection(names):
            raise ValueError(f"{path.name}: {min(duplicates)} is declared in another module, too")
        declared_names.update(names)
        script = _EXPORT_KEYWORD_PATTERN.sub("", _IMPORT_LINE_PATTERN.sub("", source))
        if unsupported := _UNSUPPORTED_LINE_PATTERN.search(script):
            raise ValueError(f"{path.name}: `{unsupported[0]}` cannot be joined")
        scripts.append(script)
    return "".join(scripts)


def join_styles(folder: Path = SHEET_PAGE_FOLDER) -> str:
    """Join all style sheets of the contact sheet into one."""
    return "".join(path.read_text("utf-8") for path in sorted(folder.rglob("*.css")))


def csp_hash(inline_text: str) -> str:
    """Return the hash with which a Content-Security-Policy permits an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(inline_text.encode()).digest()).decode()}'"


def dump_json_for_html(value: object) -> str:
    r"""Serialise to JSON that is safe inside HTML: ``<``, ``>`` and ``&`` appear only as ``\u`` escapes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
