"""The published pix2pix step, for ``training.py``: written in the shortest way, and in its authors' own."""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor, nn


class Level(nn.Module):
    """One level of the published U-Net: down, what lies below, up, joined with what came in."""

    def __init__(self, outer: int, inner: int, below: nn.Module | None, dropout: bool) -> None:
        super().__init__()
        down: list[nn.Module] = [nn.LeakyReLU(0.2, True), nn.Conv2d(outer, inner, 4, 2, 1, bias=False)]
        up: list[nn.Module] = [
            nn.ReLU(True),
            nn.ConvTranspose2d(inner * (2 if below else 1), outer, 4, 2, 1, bias=False),
            nn.BatchNorm2d(outer),
        ]
        middle = [nn.BatchNorm2d(inner), below] if below else []
        self.body = nn.Sequential(*down, *middle, *up, *([nn.Dropout(0.5)] if dropout else []))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.body(x)], 1)


def unet(width: int) -> nn.Module:
    level: nn.Module | None = None
    for outer, inner, dropout in (
        (8, 8, False), (8, 8, True), (8, 8, True), (8, 8, True), (4, 8, False), (2, 4, False), (1, 2, False),
    ):  # fmt: skip
        level = Level(outer * width, inner * width, level, dropout)
    assert level is not None
    first, last = nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.ConvTranspose2d(2 * width, 3, 4, 2, 1)
    return nn.Sequential(first, level, nn.ReLU(True), last, nn.Tanh())


def patchgan(width: int) -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(6, width, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    for i, stride in enumerate((2, 2, 1)):
        a, b = width << i, width << i + 1
        layers += [nn.Conv2d(a, b, 4, stride, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))


def plain(width: int, x: Tensor, y: Tensor) -> Callable[[], None]:
    """Return the published step: forward, the critic's turn, the generator's; each with Adam."""
    generator, critic = unet(width), patchgan(width)
    adams = [torch.optim.Adam(n.parameters(), 2e-4, (0.5, 0.999)) for n in (generator, critic)]
    l1, bce = nn.L1Loss(), nn.BCEWithLogitsLoss()

    def judged(picture: Tensor, truth: float) -> Tensor:
        verdicts = critic(torch.cat([x, picture], 1))
        loss: Tensor = bce(verdicts, torch.full_like(verdicts, truth))
        return loss

    def run() -> None:
        fake = generator(x)
        critic.requires_grad_(True)
        adams[1].zero_grad()
        ((judged(fake.detach(), 0.0) + judged(y, 1.0)) * 0.5).backward()
        adams[1].step()
        critic.requires_grad_(False)
        adams[0].zero_grad()
        (judged(fake, 1.0) + 100 * l1(fake, y)).backward()
        adams[0].step()

    return run


def theirs(repository: Path, width: int, x: Tensor, y: Tensor) -> Callable[[], None]:
    """``optimize_parameters`` of their ``Pix2PixModel``, as its ``train.py`` calls it."""
    sys.path.insert(0, str(repository))
    options = SimpleNamespace(
        gpu_ids=[], isTrain=True, checkpoints_dir=tempfile.gettempdir(), name="peer", preprocess="none",
        input_nc=3, output_nc=3, ngf=width, ndf=width, netG="unet_256", netD="basic", n_layers_D=3,
        norm="batch", no_dropout=False, init_type="normal", init_gain=0.02, gan_mode="vanilla", pool_size=0,
        lr=2e-4, beta1=0.5, lambda_L1=100.0, direction="AtoB",
    )  # fmt: skip
    model = importlib.import_module("models.pix2pix_model").Pix2PixModel(options)

    def run() -> None:
        model.set_input({"A": x, "B": y, "A_paths": "", "B_paths": ""})
        model.optimize_parameters()

    return run
