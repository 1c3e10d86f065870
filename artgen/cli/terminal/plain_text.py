"""What files say of themselves, as text for a terminal."""

from __future__ import annotations

import json
import textwrap
from typing import Any


def wrap_text(text: str, indent: int) -> str:
    """At 80 columns; what follows the first line begins after ``indent`` of them."""
    beneath = " " * min(indent, 40)
    return textwrap.fill(text, 80, subsequent_indent=beneath, break_long_words=False, break_on_hyphens=False)


def format_value(value: Any) -> str:
    """Write a metadata value as plain text."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {format_value(item)}" for key, item in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def clean_line(text: str, longest: int = 2000) -> str:
    """One line without what could steer a terminal: a file from anywhere may say anything."""
    return "".join(c if c.isprintable() else " " for c in text[:longest])
