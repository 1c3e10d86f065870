"""Settings of the patch method by name: how much of the content survives in the painting.

Imports no torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from artgen.style.request import check_choice


@dataclass(frozen=True)
class PatchSettings:
    """How firmly the content is held while the style's patches are laid over it.

    Attributes:
        base: pull towards the content everywhere, at the coarsest level.
        edge: further pull where the content has edges.
        decay: factor on both at every finer level; small values leave fine detail to the style.
        contrast: how much the content's local contrast is raised first, 0 to 1.
        carry: see ``Painter``: small values let whole pieces of the style grow over the content.
        fast: a preview: coarser grids, fewer patches, one iteration.
    """

    base: float
    edge: float
    decay: float
    contrast: float
    carry: float = math.inf
    fast: bool = False


PATCH_PRESETS = {
    "bold": PatchSettings(base=0.2, edge=1.0, decay=0.65, contrast=0.5),
    "balanced": PatchSettings(base=0.2, edge=1.2, decay=0.8, contrast=0.5),
    "faithful": PatchSettings(base=0.35, edge=2.0, decay=0.85, contrast=0.5),
    # For an enlarged thumbnail: it rules the coarse levels, the painting the fine ones.
    "dream": PatchSettings(base=0.3, edge=0.3, decay=0.35, contrast=0.0, carry=300),
}


def patch_preset(name: str) -> PatchSettings:
    """Return the settings called ``name``.

    Raises:
        ArtgenError: none are called so.
    """
    check_choice("preset", name, PATCH_PRESETS)
    return PATCH_PRESETS[name]
