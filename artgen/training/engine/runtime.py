"""Where a training computes: Accelerate finds the device, the processes and the precision."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from artgen.errors import ArtgenError

if TYPE_CHECKING:
    from accelerate import Accelerator


LONGEST = timedelta(days=7)


def start(device: str, precision: str) -> Accelerator:
    """One process, or one of many when ``torchrun`` or ``accelerate launch`` started it.

    Args:
        device: ``cpu``, ``cuda`` or ``mps``.
        precision: ``fp32``, ``bf16``, or ``auto`` for bf16 on a GPU that knows it.

    Raises:
        ArtgenError: the device or the precision is not to be had.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState
    from accelerate.utils import InitProcessGroupKwargs

    known = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    if precision == "auto":
        precision = "bf16" if known else "fp32"
    if precision == "bf16" and device == "mps":
        raise ArtgenError("precision", "bf16 on mps", 'write precision = "auto" or "fp32"')
    # Accelerate keeps its first device and precision for the life of a process; a second training may want
    # others. Processes that talk to each other stay connected.
    AcceleratorState._reset_state(reset_partial_state=not torch.distributed.is_initialized())
    accelerator = Accelerator(
        cpu=device == "cpu",
        mixed_precision="bf16" if precision == "bf16" else "no",
        # The first process decodes films and paints pairs for hours; the others wait for it.
        kwargs_handlers=[InitProcessGroupKwargs(timeout=LONGEST)],
    )
    if accelerator.device.type != device:
        raise ArtgenError(
            f"--device {device}",
            f"Accelerate chose {accelerator.device}",
            "unset ACCELERATE_USE_CPU and its kin",
        )
    return accelerator


def average_gradients(parameters: Iterable[nn.Parameter], accelerator: Accelerator) -> None:
    """Make every process's gradients the mean over all processes, in one message.

    Not ``DistributedDataParallel``: its hooks expect one forward for one backward, and here a critic sees
    pictures twice a step, frozen in one of them. With losses that are means over rows, and no statistics over
    the batch, processes of batch ``b`` compute what one of batch ``n * b`` would.
    """
    if accelerator.num_processes == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    mean = accelerator.reduce(flat, "mean")
    for gradient, part in zip(gradients, mean.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def any_process(value: bool, accelerator: Accelerator) -> bool:
    """Whether it is true in any process; all must call it at the same step."""
    if accelerator.num_processes == 1:
        return value
    return bool(accelerator.reduce(torch.tensor(float(value), device=accelerator.device), "sum") > 0)


def of_every_process(value: Any, accelerator: Accelerator) -> list[Any]:
    """Each process's ``value``, in their order; all must call it at the same step."""
    if accelerator.num_processes == 1:
        return [value]
    from accelerate.utils import gather_object

    found: list[Any] = gather_object([value])
    return found
