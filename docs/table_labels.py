"""Give the cells of wide tables the name of their column: a hook that mkdocs.yml names.

On a phone assets/site.css shows each row of such a table as a list, in which these names are the labels.
"""

import html
import re
from collections.abc import Iterator

WIDE_COLUMNS = 4
TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)
HEADING = re.compile(r"<th[^>]*>(.*?)</th>", re.DOTALL)
ROW = re.compile(r"<tr>\n<td.*?</tr>", re.DOTALL)
TAG = re.compile(r"<[^>]*>")


def on_page_content(content: str, **_: object) -> str:
    """Label the cells of every table of four columns or more."""
    return TABLE.sub(lambda found: _label_table(found[0]), content)


def _label_table(table: str) -> str:
    names = [html.escape(TAG.sub("", name), quote=True) for name in HEADING.findall(table)]
    if len(names) < WIDE_COLUMNS:
        return table

    def label_row(row: re.Match[str]) -> str:
        labels: Iterator[str] = iter(names)
        return re.sub(r"<td", lambda _: f'<td data-label="{next(labels)}"', row[0])

    return ROW.sub(label_row, table).replace("<table>", '<table data-wide="">', 1)
