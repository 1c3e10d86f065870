"""artgen: recipes that chain trained models into pictures, a contact sheet, and a gallery.

Everything here is imported when it is first used: ``import artgen`` itself loads neither torch nor Pillow.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from artgen.api.generating import apply, run, stylize
    from artgen.api.models import load_model, train
    from artgen.api.publishing import publish
    from artgen.errors import ArtgenError
    from artgen.recipe.loading import load_recipe
    from artgen.runs.store import Run
    from artgen.version import __version__ as __version__

__all__ = [
    "ArtgenError",
    "Run",
    "apply",
    "load_model",
    "load_recipe",
    "publish",
    "run",
    "stylize",
    "train",
]

_MODULES = {
    "ArtgenError": "artgen.errors",
    "__version__": "artgen.version",
    "Run": "artgen.runs.store",
    "apply": "artgen.api.generating",
    "load_model": "artgen.api.models",
    "load_recipe": "artgen.recipe.loading",
    "publish": "artgen.api.publishing",
    "run": "artgen.api.generating",
    "stylize": "artgen.api.generating",
    "train": "artgen.api.models",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'artgen' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
