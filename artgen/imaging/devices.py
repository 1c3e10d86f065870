"""Where tensors live and networks compute."""

from __future__ import annotations

import torch

from artgen.errors import ArtgenError


def find_device(wanted: str) -> str:
    """``cuda``, ``mps`` or ``cpu``: the one asked for, or for ``auto`` the first of these that is there.

    Raises:
        ArtgenError: the device asked for is not there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return next(name for name, present in there.items() if present)
    if not there.get(wanted):
        found = ", ".join(name for name, present in there.items() if present)
        raise ArtgenError(
            f"--device {wanted}", "torch does not find this device", f"use auto, or one of {found}"
        )
    return wanted
