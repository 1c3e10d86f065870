"""The page's modules joined into one script, as a mailed sheet contains them."""

from __future__ import annotations

from pathlib import Path

import pytest

from artgen.curation.export.bundle import SHEET_PAGE_FOLDER, join_scripts, list_modules


def write_modules(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        file = folder / f"{name.replace('__', '/')}.js"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")


def test_each_module_is_listed_once_after_those_it_imports() -> None:
    modules = list_modules()
    assert sorted(modules) == sorted(SHEET_PAGE_FOLDER.rglob("*.js"))
    assert modules[-1] == SHEET_PAGE_FOLDER / "main.js"


def test_modules_of_other_folders_are_joined(tmp_path: Path) -> None:
    write_modules(
        tmp_path,
        main='import { double } from "./grid/cell.js";\ndouble();\n',
        grid__cell='import { one } from "../one.js";\nexport function double() { return 2 * one; }\n',
        one="export const one = 1;\n",
    )
    script = "const one = 1;\nfunction double() { return 2 * one; }\ndouble();\n"
    assert join_scripts(tmp_path) == script


@pytest.mark.parametrize(
    ("second_module", "message"),
    [
        ("export const SIZE = 1;\n", r"main\.js: SIZE is declared in another module, too"),
        ("const other = 1;\nexport { other };\n", r"one\.js: `export \{ other \};` cannot be joined"),
    ],
)
def test_what_cannot_be_joined_is_an_error(tmp_path: Path, second_module: str, message: str) -> None:
    write_modules(tmp_path, main='import { other } from "./one.js";\nconst SIZE = 2;\n', one=second_module)
    with pytest.raises(ValueError, match=message):
        join_scripts(tmp_path)
