"""Presets of the patch method, which differ in how much of the content survives.

Imports no torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from artgen.style.request import check_choice


@dataclass(frozen=True)
class PatchSettings:
    """Settings of style transfer by patches, of which a preset is a set.

    Attributes:
        base_pull: pull towards the content everywhere, at the coarsest level.
        edge_pull: additional pull at the edges of the content.
        pull_decay: factor on both at every finer level; small values leave fine detail to the style.
        local_contrast: how much the local contrast of the content is equalised first, 0 to 1.
        carry_from_side: see ``PatchPainter``: small values let large parts of the style cover the content.
        max_atlas_pixels: pixels of one atlas of a style's images; with its derived data each takes 40 bytes.
        fast: preview quality: coarser grids, fewer patches, one iteration.
    """

    base_pull: float
    edge_pull: float
    pull_decay: float
    local_contrast: float
    carry_from_side: float = math.inf
    max_atlas_pixels: int = 12_000_000
    fast: bool = False


PATCH_PRESETS = {
    "bold": PatchSettings(base_pull=0.2, edge_pull=1.0, pull_decay=0.65, local_contrast=0.5),
    "balanced": PatchSettings(base_pull=0.2, edge_pull=1.2, pull_decay=0.8, local_contrast=0.5),
    "faithful": PatchSettings(base_pull=0.35, edge_pull=2.0, pull_decay=0.85, local_contrast=0.5),
    # For an enlarged thumbnail, which determines the coarse levels; the painting determines the fine ones.
    "dream": PatchSettings(
        base_pull=0.3, edge_pull=0.3, pull_decay=0.35, local_contrast=0.0, carry_from_side=300
    ),
}


def patch_preset(name: str) -> PatchSettings:
    """Return the patch method's settings of the preset ``name``.

    Raises:
        ArtgenError: there is no such preset.
    """
    check_choice("preset", name, PATCH_PRESETS)
    return PATCH_PRESETS[name]
