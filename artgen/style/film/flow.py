"""Optical flow from a frame back to the previous one, with the confidence of each vector."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.blur import gaussian_blur
from artgen.imaging.image import limit_longer_side, luminance

# Longer side in px at which the flow is computed: its error there is a tenth of a pixel.
FLOW_SIDE_PX = 384
# TV-L1 (Zach et al. 2007) of scikit-image. Its Lucas-Kanade takes as long, and errs by up to twice as much
# where motion is large or divergent.
TVL1_WARPS, TVL1_ITERATIONS, TVL1_ATTACHMENT = 5, 5, 15.0
# Squared error allowed to forward plus backward flow: this share of their squared lengths plus this many px
# (Sundaram et al. 2010).
MAX_ROUND_TRIP_MOTION_SHARE, MAX_ROUND_TRIP_PIXELS = 0.01, 0.5
# Colour difference, 0 to 1, above which a tracked pixel shows another object or another light.
MAX_TRACKED_COLOUR_DIFFERENCE = 0.1


@dataclass(frozen=True)
class FrameMotion:
    """Optical flow from a film's frame back to the previous one.

    Attributes:
        flow: ``(2, H, W)`` px: a pixel at ``(x, y)`` was at ``(x + flow[0], y + flow[1])``.
        confidence: ``(1, H, W)`` in [0, 1]: 0 where the pixel was hidden, outside the frame, or looked
            different.
    """

    flow: Tensor
    confidence: Tensor


def estimate_motion(frame: Tensor, previous_frame: Tensor) -> FrameMotion:
    """Estimate the optical flow from ``frame`` back to ``previous_frame``, both ``(3, H, W)`` in [0, 1]."""
    height, width = frame.shape[-2:]
    reduced = [limit_longer_side(image, FLOW_SIDE_PX) for image in (frame, previous_frame)]
    greys = [luminance(image) for image in reduced]
    backward, forward = _optical_flow(greys[0], greys[1]), _optical_flow(greys[1], greys[0])
    confidence = _round_trip_confidence(backward, forward) * _colour_confidence(
        reduced[0], warp_along(reduced[1], backward)
    )
    # The border between two motions is uncertain on both sides.
    confidence = gaussian_blur(-F.max_pool2d(-confidence[None], 3, 1, 1)[0], 1.0)
    flow = F.interpolate(backward[None], (height, width), mode="bilinear", align_corners=False)[0]
    scale = torch.tensor([width / backward.shape[-1], height / backward.shape[-2]]).view(2, 1, 1)
    confidence = F.interpolate(confidence[None], (height, width), mode="bilinear", align_corners=False)[0]
    return FrameMotion(flow * scale, confidence)


def warp_along(image: Tensor, flow: Tensor) -> Tensor:
    """Warp a frame ``(C, H, W)`` by ``flow`` ``(2, H, W)`` px: each pixel is read from where it was.

    Bicubic, because repeated linear resampling would make the paint soft.
    """
    height, width = image.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    sample_positions = torch.stack([(x + flow[0]) * 2 / width - 1, (y + flow[1]) * 2 / height - 1], -1)
    warped = F.grid_sample(image[None], sample_positions[None], "bicubic", "border", align_corners=False)[0]
    return warped.clamp_(0, 1)


def _optical_flow(reference: Tensor, moved: Tensor) -> Tensor:
    from skimage.registration import optical_flow_tvl1

    if min(reference.shape[-2:]) < 16:  # too small to detect motion
        return torch.zeros(2, *reference.shape[-2:])
    flow_y, flow_x = optical_flow_tvl1(
        reference[0].numpy(),
        moved[0].numpy(),
        attachment=TVL1_ATTACHMENT,
        num_warp=TVL1_WARPS,
        num_iter=TVL1_ITERATIONS,
    )
    return torch.stack([torch.from_numpy(flow_x), torch.from_numpy(flow_y)]).float()


def _round_trip_confidence(backward: Tensor, forward: Tensor) -> Tensor:
    """Return the confidence ``(1, H, W)`` that backward and forward flow cancel out in the frame."""
    height, width = backward.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    previous_x, previous_y = x + backward[0], y + backward[1]
    inside = (
        (previous_x > -0.5) & (previous_x < width - 0.5) & (previous_y > -0.5) & (previous_y < height - 0.5)
    )
    sample_positions = torch.stack(
        [(previous_x + 0.5) * 2 / width - 1, (previous_y + 0.5) * 2 / height - 1], -1
    )
    forward_there = F.grid_sample(
        forward[None], sample_positions[None], "bilinear", "border", align_corners=False
    )[0]
    error = (backward + forward_there).pow(2).sum(0)
    tolerance = (
        MAX_ROUND_TRIP_MOTION_SHARE * (backward.pow(2).sum(0) + forward_there.pow(2).sum(0))
        + MAX_ROUND_TRIP_PIXELS
    )
    return ((1.5 - error / tolerance).clamp(0, 1) * inside)[None]


def _colour_confidence(frame: Tensor, warped: Tensor) -> Tensor:
    """Return the confidence ``(1, H, W)`` that two frames show the same colours, apart from noise."""
    difference = gaussian_blur((frame - warped).abs(), 1.0).amax(0, keepdim=True)
    return torch.exp(-((difference / MAX_TRACKED_COLOUR_DIFFERENCE) ** 2))
