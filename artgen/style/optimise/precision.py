"""Choice of the floating point type of convolutions."""

from __future__ import annotations

import torch

from artgen.style.optimise.presets import PrecisionName


def find_dtype(precision: PrecisionName, device: str) -> torch.dtype:
    """Return the floating point type in which style optimisation computes convolutions on a device."""
    if precision == "auto":
        if device.startswith("cuda"):
            has_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            # Some versions of torch lack this function; without AVX-512 BF16 the type is slowly emulated.
            has_avx512_bf16 = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
            has_bfloat16 = device == "cpu" and bool(has_avx512_bf16())
        precision = "bfloat16" if has_bfloat16 else "float32"
    return torch.bfloat16 if precision == "bfloat16" else torch.float32
