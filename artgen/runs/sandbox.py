"""A temporary folder with a picture's recipe and its files, in which the picture is reproduced.

A picture names the files that it was made from. Only those are linked into the folder, so photographs that
were added later change nothing. Provenance is not trusted: unless the user names the folder of the recipe, no
file elsewhere is read.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from artgen.config.document import parse_toml
from artgen.errors import ArtgenError, artgen_command
from artgen.hashing import file_hash
from artgen.runs.provenance import Provenance, is_package_file, locate_file


@dataclass(frozen=True)
class RecipeSandbox:
    """The recipe and files in a sandbox, in which a picture is reproduced.

    Args:
        recipe_file: the recipe in the sandbox.
        changed_files: names of files whose content has changed since the picture was made.
        source_file: the file that the candidate started from, if its source took one of many files.
    """

    recipe_file: Path
    changed_files: tuple[str, ...]
    source_file: Path | None


@contextmanager
def open_sandbox(
    png_path: Path, provenance: Provenance, recipe_folder: Path | None
) -> Iterator[RecipeSandbox]:
    """Write a picture's recipe into a temporary folder and link its files into it.

    Args:
        png_path: the picture, for messages.
        provenance: the picture's provenance.
        recipe_folder: where the recipe's files are, as the user or the run says; None looks in the current
            folder and in ``recipes/``, and refuses names that lead out of them.

    Yields:
        The files in the sandbox; it is removed afterwards.

    Raises:
        ArtgenError: files are missing, lead out of the folder, or cannot be linked.
    """
    local_files = [used_file for used_file in provenance.files if not is_package_file(used_file.name)]
    if recipe_folder is None:
        _check_names_stay_inside(png_path, provenance.recipe, [used_file.name for used_file in local_files])
    usual_folders = [Path(), Path("recipes")] if recipe_folder is None else [recipe_folder]
    source_folder = next(
        (folder for folder in usual_folders if all((folder / file.name).is_file() for file in local_files)),
        usual_folders[0],
    )
    original_paths = {used_file: locate_file(used_file.name, source_folder) for used_file in provenance.files}
    missing_names = [used_file.name for used_file, path in original_paths.items() if not path.is_file()]
    if missing_names:
        problem = f"made from files that are not in {source_folder.resolve()}: {_join_first(missing_names)}"
        command = artgen_command("reproduce", png_path, "--folder", "DIR")
        raise ArtgenError(str(png_path), problem, "say where the recipe's folder is", command)
    changed_names = tuple(
        used_file.name for used_file, path in original_paths.items() if file_hash(path) != used_file.sha256
    )
    with tempfile.TemporaryDirectory(prefix="artgen-") as temporary:
        root = Path(temporary).resolve()
        depth = max((PurePosixPath(used_file.name).parts.count("..") for used_file in local_files), default=0)
        sandbox_folder = root.joinpath("recipe", *["in"] * depth)
        recipe_file = sandbox_folder / provenance.recipe_name
        sandbox_paths = dict(original_paths)
        try:
            sandbox_folder.mkdir(parents=True)
            # Before the links, and never over a file: through a link it would overwrite a file of the user.
            with recipe_file.open("x", encoding="utf-8") as stream:
                stream.write(provenance.recipe)
            for used_file in local_files:
                link = Path(os.path.normpath(sandbox_folder / used_file.name))
                sandbox_paths[used_file] = _link_file(original_paths[used_file], link, root, recipe_file)
        except OSError as error:
            problem = f"its files cannot be laid out in {root} ({error.strerror or error})"
            raise ArtgenError(str(png_path), problem) from error
        paths_by_name = {used_file.name: path for used_file, path in sandbox_paths.items()}
        yield RecipeSandbox(recipe_file, changed_names, paths_by_name.get(provenance.source_file or ""))


def _link_file(original_path: Path, sandbox_path: Path, root: Path, recipe_file: Path) -> Path:
    """Link a file of a recipe into the sandbox and return its path there.

    Args:
        original_path: the file.
        sandbox_path: where the recipe expects it; outside the sandbox if the recipe has an absolute path.
        root: the sandbox.
        recipe_file: the recipe in the sandbox, which is never replaced.

    Raises:
        ArtgenError: the file would replace the recipe.
        OSError: it cannot be linked or copied.
    """
    if not sandbox_path.is_relative_to(root):
        return original_path.absolute()
    if sandbox_path == recipe_file:
        problem = "a picture cannot be made from a file that has its recipe's name"
        raise ArtgenError(sandbox_path.name, problem)
    if sandbox_path.exists():
        return sandbox_path
    sandbox_path.parent.mkdir(parents=True, exist_ok=True)
    try:
        sandbox_path.symlink_to(original_path.resolve())
    except OSError:  # Windows allows links only with special rights
        shutil.copyfile(original_path, sandbox_path)
    return sandbox_path


def _check_names_stay_inside(png_path: Path, recipe_text: str, file_names: list[str]) -> None:
    """Raise an error if the recipe or the provenance names a file outside the recipe's folder."""
    try:
        table = parse_toml(recipe_text)
    except ValueError as error:
        problem = f"the recipe in it is not TOML ({error})"
        raise ArtgenError(str(png_path), problem, "give the original file") from None
    names = [*file_names, *_collect_strings([table.get("source"), table.get("steps")])]
    if outside_names := [name for name in names if _leads_outside(name)]:
        problem = f"its recipe reads files elsewhere: {_join_first(outside_names)}"
        expected = "if you trust this picture, name the folder of its recipe"
        command = artgen_command("reproduce", png_path, "--folder", "DIR")
        raise ArtgenError(str(png_path), problem, expected, command)


def _collect_strings(value: Any) -> list[str]:
    """List every string in a recipe's nested tables and lists."""
    pending, texts = [value], []
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            texts.append(item)
        elif isinstance(item, dict):
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return texts


def _leads_outside(name: str) -> bool:
    """Return whether a recipe's file name is absolute or has ``..``, on any system."""
    windows_path = PureWindowsPath(name)  # splits at both kinds of slash
    is_absolute = bool(windows_path.anchor) or PurePosixPath(name).is_absolute() or name.startswith("~")
    return (is_absolute or ".." in windows_path.parts) and not name.startswith("builtin:")


def _join_first(names: list[str]) -> str:
    """Join the first five file names for a message, and say how many more there are."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
