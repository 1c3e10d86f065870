"""The about page's Markdown: what it may say, and what stays text."""

from __future__ import annotations

import pytest

from artgen.gallery.pages.about import read_title, remove_title, render_markdown


@pytest.mark.parametrize(
    ("markdown", "there", "absent"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;", "<script"),
        ("a <b onclick=x>b</b>", "&lt;b onclick", "<b"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))", "<a"),
        ("[x](JaVaScRiPt&#58;alert(1))", "[x]", "<a"),
        ("[x](data:text/html,x)", "[x]", "<a"),
        ("[x](file:///etc/passwd)", "[x]", "<a"),
        ("[x](https://example.org/)", '<a href="https://example.org/">x</a>', "[x]"),
        ("[x](mailto:a@example.org)", '<a href="mailto:a@example.org">x</a>', "[x]"),
        ("![me](https://example.org/me.jpg)", "<p>me</p>", "<img"),
        ("![me](//example.org/me.jpg)", "<p>me</p>", "<img"),
        ("![me](assets/me.jpg)", '<img src="assets/me.jpg" alt="me"', "example"),
        ("| a | b |\n|--|--|\n| 1 | 2 |", "<td>2</td>", "|"),
        ('"so" -- he said', "“so” – he said", '"'),
    ],
)
def test_markdown(markdown: str, there: str, absent: str) -> None:
    html = render_markdown(markdown)
    assert there in html
    assert absent not in html


def test_headings_begin_below_the_title_and_leave_no_level_out() -> None:
    text = "# Me\n\n## Work\n\n#### Small\n\n## Words\n"
    assert read_title(text) == "Me"
    html = render_markdown(remove_title(text))
    assert html.split() == ["<h2>Work</h2>", "<h3>Small</h3>", "<h2>Words</h2>"]
    assert render_markdown("### First\n\n## Second") == "<h2>First</h2>\n<h2>Second</h2>\n"


@pytest.mark.parametrize("text", ["", "Words first.\n\n# Later", "## Second level", "#No space"])
def test_a_text_without_a_title(text: str) -> None:
    assert read_title(text) == "About"
    assert remove_title(text) == text
