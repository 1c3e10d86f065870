"""The device, precision and processes of a training, by Hugging Face Accelerate."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from artgen.errors import ArtgenError

if TYPE_CHECKING:
    from accelerate import Accelerator


PROCESS_GROUP_TIMEOUT = timedelta(days=7)


def create_accelerator(device: str, precision: str) -> Accelerator:
    """Create this process's Accelerate object, by which one or several processes train together.

    Several processes are started by ``torchrun`` or ``accelerate launch``.

    Args:
        device: ``cpu``, ``cuda`` or ``mps``.
        precision: ``fp32``, ``bf16``, or ``auto`` for bf16 on a GPU that supports it.

    Raises:
        ArtgenError: the device or the precision is not available.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState
    from accelerate.utils import InitProcessGroupKwargs

    has_bf16 = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    if precision == "auto":
        precision = "bf16" if has_bf16 else "fp32"
    if precision == "bf16" and device == "mps":
        raise ArtgenError("precision", "bf16 on mps", 'write precision = "auto" or "fp32"')
    # Accelerate keeps its first device and precision as long as the process lives, but a second training may
    # need others. The connection between processes is kept.
    AcceleratorState._reset_state(reset_partial_state=not torch.distributed.is_initialized())
    accelerator = Accelerator(
        cpu=device == "cpu",
        mixed_precision="bf16" if precision == "bf16" else "no",
        # The first process may decode images and paint pairs for hours while the others wait for it.
        kwargs_handlers=[InitProcessGroupKwargs(timeout=PROCESS_GROUP_TIMEOUT)],
    )
    if accelerator.device.type != device:
        raise ArtgenError(
            f"--device {device}",
            f"Accelerate chose {accelerator.device}",
            "unset ACCELERATE_USE_CPU and similar variables",
        )
    return accelerator


def average_gradients(parameters: Iterable[nn.Parameter], accelerator: Accelerator) -> None:
    """Replace the gradients by their mean over all training processes, in one message.

    ``DistributedDataParallel`` does not fit: its hooks expect one backward pass for each forward pass, but
    here a critic runs twice a step, once of them frozen. With losses that are means over rows, and no
    statistics over the batch, ``n`` processes of batch size ``b`` compute what one of batch size ``n * b``
    would.
    """
    if accelerator.num_processes == 1:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    flat_mean = accelerator.reduce(flat, "mean")
    means = flat_mean.split([gradient.numel() for gradient in gradients])
    for gradient, mean in zip(gradients, means, strict=True):
        gradient.copy_(mean.view_as(gradient))


def is_true_in_any_process(value: bool, accelerator: Accelerator) -> bool:
    """Return whether ``value`` is true in any training process; all call this at the same step."""
    if accelerator.num_processes == 1:
        return value
    return bool(accelerator.reduce(torch.tensor(float(value), device=accelerator.device), "sum") > 0)


def gather_from_processes(value: Any, accelerator: Accelerator) -> list[Any]:
    """Return each training process's ``value``; all must call this at the same step."""
    if accelerator.num_processes == 1:
        return [value]
    from accelerate.utils import gather_object

    values: list[Any] = gather_object([value])
    return values
