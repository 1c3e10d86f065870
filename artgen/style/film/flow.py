"""From a frame back to the one before: where each pixel was, and how far that is to be believed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.image import fit, luminance
from artgen.style.detail import blur

# Long side of the greys compared, px: the flow errs by a tenth of a pixel there; time grows with the area.
SIDE = 384
# TV-L1 (Zach et al. 2007) as scikit-image has it. Its Lucas-Kanade takes as long, and errs by up to twice as
# much where things move far or apart.
WARPS, ITERATIONS, ATTACHMENT = 5, 5, 15.0
# Squared, forth and back may differ by this share of their lengths, and by so many px (Sundaram et al. 2010).
APART_SHARE, APART = 0.01, 0.5
# Colours that came along may differ by about so much; above, it is another thing or another light.
UNLIKE = 0.1


@dataclass(frozen=True)
class Motion:
    """How a frame follows from the one before.

    Attributes:
        flow: ``(2, H, W)`` px: a pixel at ``(x, y)`` was at ``(x + flow[0], y + flow[1])``.
        trust: ``(1, H, W)`` in [0, 1]: 0 where the pixel was hidden, out of the frame, or looked otherwise.
    """

    flow: Tensor
    trust: Tensor


def motion_between(now: Tensor, before: Tensor) -> Motion:
    """The motion that leads from ``now`` back to ``before``, both ``(3, H, W)`` in [0, 1] of one size."""
    height, width = now.shape[-2:]
    small = [_small(image) for image in (now, before)]
    greys = [luminance(image) for image in small]
    back, forth = _flow(greys[0], greys[1]), _flow(greys[1], greys[0])
    trust = _agreement(back, forth) * _likeness(small[0], warped(small[1], back))
    # A border between two motions is uncertain on both of its sides.
    trust = blur(-F.max_pool2d(-trust[None], 3, 1, 1)[0], 1.0)
    flow = F.interpolate(back[None], (height, width), mode="bilinear", align_corners=False)[0]
    factor = torch.tensor([width / back.shape[-1], height / back.shape[-2]]).view(2, 1, 1)
    trust = F.interpolate(trust[None], (height, width), mode="bilinear", align_corners=False)[0]
    return Motion(flow * factor, trust)


def warped(image: Tensor, flow: Tensor) -> Tensor:
    """``image`` ``(C, H, W)`` taken along ``flow`` ``(2, H, W)`` px: each pixel comes from where it was.

    Bicubic: of linear resampling, frame upon frame, paint would go soft.
    """
    height, width = image.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    places = torch.stack([(x + flow[0]) * 2 / width - 1, (y + flow[1]) * 2 / height - 1], -1)
    moved = F.grid_sample(image[None], places[None], "bicubic", "border", align_corners=False)[0]
    return moved.clamp_(0, 1)


def _small(image: Tensor) -> Tensor:
    return fit(image, SIDE) if max(image.shape[-2:]) > SIDE else image


def _flow(reference: Tensor, moving: Tensor) -> Tensor:
    from skimage.registration import optical_flow_tvl1

    if min(reference.shape[-2:]) < 16:  # too few pixels to see anything move
        return torch.zeros(2, *reference.shape[-2:])
    down, right = optical_flow_tvl1(
        reference[0].numpy(),
        moving[0].numpy(),
        attachment=ATTACHMENT,
        num_warp=WARPS,
        num_iter=ITERATIONS,
    )
    return torch.stack([torch.from_numpy(right), torch.from_numpy(down)]).float()


def _agreement(back: Tensor, forth: Tensor) -> Tensor:
    """Whether the way back and forth ends where it began, and never leaves the frame: ``(1, H, W)``."""
    height, width = back.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    came_x, came_y = x + back[0], y + back[1]
    inside = (came_x > -0.5) & (came_x < width - 0.5) & (came_y > -0.5) & (came_y < height - 0.5)
    places = torch.stack([(came_x + 0.5) * 2 / width - 1, (came_y + 0.5) * 2 / height - 1], -1)
    there = F.grid_sample(forth[None], places[None], "bilinear", "border", align_corners=False)[0]
    apart = (back + there).pow(2).sum(0)
    limit = APART_SHARE * (back.pow(2).sum(0) + there.pow(2).sum(0)) + APART
    return ((1.5 - apart / limit).clamp(0, 1) * inside)[None]


def _likeness(now: Tensor, came: Tensor) -> Tensor:
    """How alike the two look but for noise: ``(1, H, W)``."""
    apart = blur((now - came).abs(), 1.0).amax(0, keepdim=True)
    return torch.exp(-((apart / UNLIKE) ** 2))
