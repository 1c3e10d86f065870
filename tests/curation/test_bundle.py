"""The page's modules joined into one script, as a mailed sheet carries them."""

from __future__ import annotations

from pathlib import Path

import pytest

from artgen.curation.export.bundle import PAGE, joined_script, modules


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        file = folder / f"{name.replace('__', '/')}.js"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")


def test_each_module_of_the_page_is_joined_once_after_what_it_imports() -> None:
    files = modules()
    assert sorted(files) == sorted(PAGE.rglob("*.js"))
    assert files[-1] == PAGE / "main.js"


def test_modules_of_other_folders(tmp_path: Path) -> None:
    write(
        tmp_path,
        main='import { double } from "./grid/cell.js";\ndouble();\n',
        grid__cell='import { one } from "../one.js";\nexport function double() { return 2 * one; }\n',
        one="export const one = 1;\n",
    )
    script = "const one = 1;\nfunction double() { return 2 * one; }\ndouble();\n"
    assert joined_script(tmp_path) == script


@pytest.mark.parametrize(
    ("one", "message"),
    [
        ("export const SIZE = 1;\n", r"main\.js: SIZE is declared in another module, too"),
        ("const other = 1;\nexport { other };\n", r"one\.js: `export \{ other \};` cannot be joined"),
    ],
)
def test_what_cannot_be_joined_is_an_error(tmp_path: Path, one: str, message: str) -> None:
    write(tmp_path, main='import { other } from "./one.js";\nconst SIZE = 2;\n', one=one)
    with pytest.raises(ValueError, match=message):
        joined_script(tmp_path)
