"""Text for a terminal: wrapped lines, metadata of model files, counts."""

from __future__ import annotations

import json
import textwrap
from typing import Any


def wrap_text(text: str, indent: int) -> str:
    """Wrap text for a terminal at 80 columns; all lines but the first are indented by ``indent`` columns."""
    indentation = " " * min(indent, 40)
    return textwrap.fill(
        text, 80, subsequent_indent=indentation, break_long_words=False, break_on_hyphens=False
    )


def format_value(value: Any) -> str:
    """Write a metadata value as plain text for a terminal."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {format_value(item)}" for key, item in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def count_noun(number: int, noun: str) -> str:
    """Write a count with its noun for a terminal, such as ``1 image`` or ``2,000 images``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def clean_line(text: str, max_length: int = 2000) -> str:
    """Return text of an untrusted file for a terminal, as one line without control characters."""
    return "".join(c if c.isprintable() else " " for c in text[:max_length])
