"""Plug-ins: the sources, steps, architectures and families that other installed packages offer.

A package offers one by an entry point, whose name is what recipes write: ``emboss = "my_package:EmbossStep"``
in the group ``artgen.steps``. Listing names imports nothing; a package is imported only when something of it
is used. A package that is broken is one error where it is used, and a warning where everything is listed.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import importlib.util
import inspect
import io
import re
import time
import warnings
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, cast, get_args

from artgen.errors import ArtgenError, PluginWarning

NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
PACKAGE_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
SOURCE_GROUP, STEP_GROUP = "artgen.sources", "artgen.steps"
ARCHITECTURE_GROUP, FAMILY_GROUP = "artgen.architectures", "artgen.families"
SLOW_IMPORT_SECONDS = 3.0
ClassT = TypeVar("ClassT")


@dataclass(frozen=True)
class Plugin:
    """An entry point of an installed package.

    Args:
        name: what recipes or model files call it.
        package: the package's name on the package index.
        version: the package's version.
        target: where its class is, as ``module:Class``.
    """

    name: str
    package: str
    version: str
    target: str

    def __str__(self) -> str:
        return f"plug-in {self.name} of {self.package} {self.version}"

    @property
    def top_level_module(self) -> str:
        """The name of the package as Python imports it."""
        return self.target.partition(":")[0].partition(".")[0]

    def hash_code(self) -> str:
        """Return the SHA-256 of the package's Python files, by name and content."""
        return _hash_python_files(self.top_level_module)


class PluginRegistry(Generic[ClassT]):
    """The classes of one kind by name: those of artgen, and those of plug-ins, loaded when asked for.

    Args:
        group: the entry-point group, such as ``artgen.steps``.
        base_class: what every class of the kind derives from.
        builtin_classes: artgen's own classes by name.
        name_attribute: attribute or field of a class that must equal its name.
    """

    def __init__(
        self,
        group: str,
        base_class: type[Any],
        builtin_classes: Mapping[str, type[ClassT]],
        name_attribute: str,
    ) -> None:
        self.group = group
        self.builtin_classes = dict(builtin_classes)
        self._base_class, self._name_attribute = base_class, name_attribute
        self._loaded: dict[str, type[ClassT] | ArtgenError] = {}

    def names(self) -> list[str]:
        """List every name, artgen's own first; imports nothing."""
        return [*self.builtin_classes, *self._plugins()]

    def __contains__(self, name: object) -> bool:
        return name in self.builtin_classes or name in self._plugins()

    def plugin(self, name: str) -> Plugin | None:
        """Return the plug-in that offers a name; None for one of artgen's own and for unknown names."""
        return None if name in self.builtin_classes else self._plugins().get(name, [None])[0]

    def find(self, name: object) -> type[ClassT] | None:
        """Return the class of a name, or None if nothing is called so.

        Raises:
            ArtgenError: the plug-in that offers it cannot be used, or two packages offer it.
        """
        if not isinstance(name, str):
            return None
        if name in self.builtin_classes:
            return self.builtin_classes[name]
        if name not in self._loaded:
            plugins = self._plugins().get(name)
            if plugins is None:
                return None
            self._loaded[name] = self._load(plugins)
        loaded = self._loaded[name]
        if isinstance(loaded, ArtgenError):
            raise loaded
        return loaded

    def load_all(self) -> dict[str, type[ClassT]]:
        """Load every class; what cannot be used is left out with a ``PluginWarning``."""
        self.warn_of_unused_plugins()
        classes: dict[str, type[ClassT]] = {}
        for name in self.names():
            try:
                if loaded := self.find(name):
                    classes[name] = loaded
            except ArtgenError as error:
                warnings.warn(str(error), PluginWarning, stacklevel=2)
        return classes

    def warn_of_unused_plugins(self) -> None:
        """Give a ``PluginWarning`` for what is not used: taken and wrong names, and what cannot be read."""
        warn_of_unused_plugins(self.group, self.builtin_classes)

    def _plugins(self) -> dict[str, list[Plugin]]:
        return list_usable_plugins(self.group, self.builtin_classes)

    def _load(self, plugins: list[Plugin]) -> type[ClassT] | ArtgenError:
        """Import a plug-in's class and check it; return the error instead of raising it, to be kept."""
        plugin = plugins[0]
        if len(plugins) > 1:
            packages = " and ".join(plugin.package for plugin in plugins)
            return ArtgenError(f"plug-in {plugin.name}", f"offered by {packages}", "uninstall one of them")
        try:
            loaded = _import_target(plugin, self.group)
        except ArtgenError as error:
            return error
        expected = f"the entry point names a class derived from {self._base_class.__name__}"
        if not (inspect.isclass(loaded) and issubclass(loaded, self._base_class)):
            return ArtgenError(str(plugin), f"{plugin.target} is {loaded!r:.80}", expected)
        if missing := sorted(getattr(loaded, "__abstractmethods__", ())):
            return ArtgenError(str(plugin), f"{loaded.__name__} lacks {', '.join(missing)}", "implement it")
        if (class_name := _class_name(loaded, self._name_attribute)) != plugin.name:
            problem = f"{loaded.__name__}.{self._name_attribute} is {class_name!r}"
            return ArtgenError(str(plugin), problem, f"it must equal the entry point's name, {plugin.name!r}")
        return cast(type[ClassT], loaded)


def installed_plugins(group: str) -> tuple[Plugin, ...]:
    """List the plug-ins of an entry-point group, by name; imports none of them."""
    return _read_plugins()[0].get(group, ())


def list_usable_plugins(group: str, taken_names: Container[str]) -> dict[str, list[Plugin]]:
    """List the plug-ins of a group by name, without those whose name is taken by artgen, or is no name."""
    plugins: dict[str, list[Plugin]] = {}
    for plugin in installed_plugins(group):
        if plugin.name not in taken_names and NAME_PATTERN.fullmatch(plugin.name):
            plugins.setdefault(plugin.name, []).append(plugin)
    return plugins


def warn_of_unused_plugins(group: str, taken_names: Container[str]) -> None:
    """Give a ``PluginWarning`` for each plug-in of a group that is not used, and for unreadable packages."""
    problems = list(_read_plugins()[1])
    for plugin in installed_plugins(group):
        if plugin.name in taken_names:
            problems.append(f"{plugin}: the name is taken by artgen; the plug-in is not used")
        elif not NAME_PATTERN.fullmatch(plugin.name):
            problems.append(f"{plugin}: a name is up to 40 of a-z, 0-9, - and _; the plug-in is not used")
    for problem in problems:
        warnings.warn(problem, PluginWarning, stacklevel=1)  # from this line each is shown once


@functools.cache
def _read_plugins() -> tuple[dict[str, tuple[Plugin, ...]], tuple[str, ...]]:
    """Return the plug-ins of each group, and what is wrong with packages whose plug-ins cannot be read.

    ``importlib.metadata.entry_points`` would fail for all packages where one is broken.
    """
    plugins: dict[str, list[Plugin]] = {}
    problems: list[str] = []
    for package in _list_plugin_packages():
        try:
            distribution = importlib.metadata.distribution(package)  # of two copies, the one that is imported
            for entry_point in distribution.entry_points:
                plugin = Plugin(entry_point.name, package, distribution.version, entry_point.value)
                plugins.setdefault(entry_point.group, []).append(plugin)
        except Exception as error:
            problem = f"its plug-ins cannot be read ({type(error).__name__}: {error})"
            problems.append(f"package {package}: {problem}; update or uninstall it")
    sorted_plugins = {
        group: tuple(sorted(members, key=lambda plugin: (plugin.name, plugin.target)))
        for group, members in plugins.items()
    }
    return sorted_plugins, tuple(problems)


def _list_plugin_packages() -> list[str]:
    """List the installed packages that offer plug-ins, each once; only of those is the metadata parsed."""
    names: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        with contextlib.suppress(Exception):  # no text or no name: no package that pip has installed
            if "[artgen." in (distribution.read_text("entry_points.txt") or ""):
                names.setdefault(re.sub(r"[-_.]+", "-", distribution.name).lower(), distribution.name)
    return list(names.values())


def is_installed(package: str) -> bool:
    """Return whether a package of this name, as the package index calls it, is installed."""
    try:
        importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _import_target(plugin: Plugin, group: str) -> object:
    """Import what an entry point names; its output is dropped, and slowness reported."""
    output, start_time = io.StringIO(), time.monotonic()
    try:
        with contextlib.redirect_stdout(output):
            target: object = importlib.metadata.EntryPoint(plugin.name, plugin.target, group).load()
    except (Exception, SystemExit) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        command = f"pip install --upgrade {plugin.package}"
        raise ArtgenError(
            str(plugin), f"cannot be imported ({reason[:300]})", "update or uninstall it", command
        ) from error
    seconds = time.monotonic() - start_time
    if seconds > SLOW_IMPORT_SECONDS:
        text = f"{plugin}: importing it took {seconds:.1f} s; heavy imports belong into its methods"
        warnings.warn(text, PluginWarning, stacklevel=2)
    if output.getvalue().strip():
        first_line = output.getvalue().strip().splitlines()[0][:80]
        text = f"{plugin}: printed {first_line!r} when it was imported; a plug-in must not print"
        warnings.warn(text, PluginWarning, stacklevel=2)
    return target


def _class_name(loaded: type, attribute: str) -> object:
    """Return the name that a class gives itself: a class attribute, or the default of a Pydantic field."""
    field = getattr(loaded, "model_fields", {}).get(attribute)
    if field is None:
        return getattr(loaded, attribute, None)
    words = get_args(field.annotation)  # of a Literal; a required field has no default
    return words[0] if words else field.default


@functools.cache
def _hash_python_files(module: str) -> str:
    spec = importlib.util.find_spec(module)
    digest = hashlib.sha256()
    if spec is not None:
        folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
        files = [
            (folder, file) for folder in folders for file in sorted(folder.rglob("*.py")) if file.is_file()
        ]
        files = files or [(Path(spec.origin).parent, Path(spec.origin))] if spec.origin else files
        for folder, file in files:
            digest.update(f"{file.relative_to(folder).as_posix()}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
