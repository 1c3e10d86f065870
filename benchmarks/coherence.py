"""Whether mixed faces look like one: a judge that no model ever met tells real faces from mixtures.

For ``models.py --mixer``. On half of the faces a small network learns to tell real ones from naive mixtures
(two faces laid over each other by the masks of the source ``faces``, full size); its verdicts are then
asked about the other half: real faces, naive mixtures, and what ``portrait-mix`` makes of these mixtures'
thumbnails. It judges only what is put together wrongly: in training both kinds are blurred alike, by chance.
So that softness cannot be taken for coherence, it is asked about real faces redrawn by the model, too, and
about everything at half the size.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from artgen.imaging.image import block_means
from artgen.imaging.inputs import prepare_input
from artgen.imaging.io.files import read_image
from artgen.imaging.masks import MASK_MODES, blend_by_masks, draw_masks
from artgen.models.files import catalog, header
from artgen.models.files.checkpoint import load_model
from artgen.references import find_images
from artgen.training.material.squares import centre_square

MIXER = "portrait-mix"
BATCH, ASKED = 16, 64


def told_apart(folder: str, seconds: float) -> None:
    file = catalog.find_model_file(MIXER, Path())
    model = load_model(file)
    table, side = header.training_inputs(model.metadata), header.training_side(model.metadata) or 128
    faces = torch.stack([_face(path, side) for path in find_images(folder, Path())])
    learned, others = faces[::2], faces[1::2]
    judge, steps = _trained(learned, seconds)
    chance = np.random.default_rng(1)
    real = others[chance.permutation(len(others))[:ASKED]]
    naive = torch.stack([_mixture(others, chance) for _ in range(len(real))])
    with torch.inference_mode():
        asked = {
            "real faces": real,
            "naive mixtures": naive,
            f"{MIXER} of these mixtures": _made(model.network, naive, table),
            f"{MIXER} of the real faces": _made(model.network, real, table),
        }
        print(f"judge: {steps} steps on {len(learned)} faces; {len(real)} of {len(others)} others, {side} px")
        print(f"  {'how often a real face looks more real':40}{'full size':>12}{'half size':>12}")
        verdicts = {name: [judge(each) for each in (made, _halved(made))] for name, made in asked.items()}
        for name, sizes in verdicts.items():
            told = [_told(judged, real) for judged, real in zip(sizes, verdicts["real faces"], strict=True)]
            print(f"  {name:40}{told[0]:12.3f}{told[1]:12.3f}")


def _told(judged: Tensor, real: Tensor) -> float:
    """Share of the pairs in which the real face has the higher verdict: the area under the ROC curve."""
    higher = (real > judged.T).float() + (real == judged.T).float() / 2
    return float(higher.mean())


def _halved(pictures: Tensor) -> Tensor:
    return F.interpolate(block_means(pictures, 2), scale_factor=2, mode="bilinear")


def _face(path: Path, side: int) -> Tensor:
    pixels = (read_image(path).permute(1, 2, 0) * 255).round().byte().numpy()
    return centre_square(pixels, side)


def _mixture(faces: Tensor, chance: np.random.Generator) -> Tensor:
    """Two faces, each 30 to 70 % of the picture."""
    share = chance.uniform(0.3, 0.7)
    covers = draw_masks(
        str(chance.choice(MASK_MODES)),
        torch.tensor([share, 1 - share], dtype=torch.float32),
        (faces.shape[-2], faces.shape[-1]),
        torch.Generator().manual_seed(int(chance.integers(2**63))),
        softness=chance.uniform(0.1, 0.8),
    )
    return blend_by_masks(faces[chance.choice(len(faces), 2, replace=False)], covers).clamp(0, 1)


def _made(network: nn.Module, pictures: Tensor, table: dict[str, object]) -> Tensor:
    return torch.cat([network(prepare_input(picture, table)[None]).clamp(0, 1) for picture in pictures])


def _trained(faces: Tensor, seconds: float) -> tuple[nn.Module, int]:
    """Return the judge after so many CPU seconds; logits ``(B, 1)`` of being one real face."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for before, after in ((3, 24), (24, 48), (48, 96), (96, 96), (96, 96)):
        layers += [nn.Conv2d(before, after, 4, 2, 1), nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
    judge = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, 1))
    adam = torch.optim.Adam(judge.parameters(), 5e-4)
    chance, steps, begun = np.random.default_rng(0), 0, time.process_time()
    truth = torch.cat([torch.ones(BATCH, 1), torch.zeros(BATCH, 1)])
    while time.process_time() - begun < seconds:
        real = faces[chance.integers(len(faces), size=BATCH)]
        pictures = torch.cat([real, torch.stack([_mixture(faces, chance) for _ in range(BATCH)])])
        pictures = _blurred(pictures.flip(3) if chance.random() < 0.5 else pictures, chance.uniform(1, 4))
        loss = F.binary_cross_entropy_with_logits(judge(pictures), truth)
        adam.zero_grad()
        loss.backward()
        adam.step()
        steps += 1
    return judge.eval(), steps


def _blurred(pictures: Tensor, factor: float) -> Tensor:
    """Reduced so many times, and enlarged again."""
    side = pictures.shape[-1]
    small = F.interpolate(pictures, size=round(side / factor), mode="bilinear", antialias=True)
    return F.interpolate(small, size=side, mode="bicubic", align_corners=False).clamp(0, 1)
