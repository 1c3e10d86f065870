"""The device that networks run on."""

from __future__ import annotations

import torch

from artgen.errors import ArtgenError


def choose_device(requested: str) -> str:
    """Return ``cuda``, ``mps`` or ``cpu``: the requested device, or for ``auto`` the first available one.

    Raises:
        ArtgenError: the requested device is not available.
    """
    availability = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if requested == "auto":
        return next(name for name, available in availability.items() if available)
    if not availability.get(requested):
        available_names = ", ".join(name for name, available in availability.items() if available)
        raise ArtgenError(
            f"--device {requested}",
            "torch does not find this device",
            f"use auto, or one of {available_names}",
        )
    return requested
