"""In which type of number convolutions are computed."""

from __future__ import annotations

import torch

from artgen.style.optimise.presets import Precision


def find_precision(wanted: Precision, device: str) -> torch.dtype:
    """The type that convolutions are computed in on a device."""
    if wanted == "auto":
        if device.startswith("cuda"):
            fast = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            # Absent from some versions of torch; without it bfloat16 would be emulated, slowly.
            asked = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
            fast = device == "cpu" and bool(asked())
        wanted = "bfloat16" if fast else "float32"
    return torch.bfloat16 if wanted == "bfloat16" else torch.float32
