"""Style transfer by a network trained on the styles (``fast-style``), which paints in a single pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.image import luminance, resize
from artgen.models.inference.fitting import resize_if_needed
from artgen.models.inference.translating import translate_image
from artgen.style.preserve import face_mask, restore_preserved
from artgen.style.progress import ProgressCallback, StyleProgress
from artgen.style.request import DEFAULT_STYLE_SCALE, StyleRequest, validate_request

# Share of the start image that stays where it agrees with the new painting; the difference in luminance, 0 to
# 1, up to which the two agree; and the side of the square over which that difference is averaged.
MAX_START_SHARE, START_TOLERANCE, COMPARISON_WINDOW_PIXELS = 0.85, 0.12, 7


def stylize_by_network(
    content: Tensor, style_vectors: Sequence[Sequence[float]], request: StyleRequest, model_file: Path
) -> Tensor:
    """Paint ``content`` in the styles that a network was trained on.

    Args:
        content: ``(3, H, W)`` float32, sRGB in ``[0, 1]``.
        style_vectors: one or more styles; each gives the weight of every style of the network.
        request: how much of each style goes where. Where masks overlap, paintings blend. With a
            ``style_scale`` of ``DEFAULT_STYLE_SCALE`` the network paints at the content's size, with twice
            that also at half the size, which gives broad strokes; finer detail comes from the full size.
            Where the painting is close to ``start_image``, that is kept, so that films do not flicker.
        model_file: a fast-style network, or a transformer net.

    Returns:
        ``(3, H, W)`` in ``[0, 1]``, of the content's size, on the CPU.

    Raises:
        ArtgenError: the request is invalid, or the model cannot be read or used (see ``translate_image``).
    """
    # The styles are in the network, so there are no style images to validate.
    style_shares = validate_request(request, content, [[content]] * len(style_vectors))
    if request.strength == 0:
        return content.clone()
    separately = request.masks is not None and len(request.masks) > 1
    painted_vectors = list(style_vectors) if separately else [_mix_styles(style_vectors, style_shares)]
    paintings = [
        _paint_style(
            content,
            style_vector,
            replace(
                request, on_progress=partial(_report_style, request.on_progress, index, len(painted_vectors))
            ),
            model_file,
        )
        for index, style_vector in enumerate(painted_vectors)
    ]
    image = (
        paintings[0]
        if request.masks is None or not separately
        else _blend_by_masks(paintings, request.masks, style_shares)
    )
    if request.start_image is not None:
        image = _keep_similar_start(image, request.start_image)
    image = restore_preserved(content, image, request)
    return (
        image.lerp(content, request.face_protection * face_mask(content))
        if request.face_protection
        else image
    )


def _mix_styles(style_vectors: Sequence[Sequence[float]], style_shares: Sequence[float]) -> list[float]:
    """Return the weighted mean of several style vectors, each normalised to a sum of 1."""
    totals = [sum(style) or 1.0 for style in style_vectors]
    columns = zip(*style_vectors, strict=True)
    return [
        sum(share * value / total for share, value, total in zip(style_shares, column, totals, strict=True))
        for column in columns
    ]


def _paint_style(
    content: Tensor, style_vector: Sequence[float], request: StyleRequest, model_file: Path
) -> Tensor:
    """Paint as many passes as ``strength`` asks for, each over the result of the last."""
    height, width = content.shape[-2:]
    longer_side = max(height, width)
    first_side = max(
        1, round(longer_side * DEFAULT_STYLE_SCALE / (request.style_scale or DEFAULT_STYLE_SCALE))
    )
    pass_sides = [first_side] if first_side >= longer_side else [first_side, longer_side]
    passes = math.ceil(request.strength)
    image = content.clone()
    for pass_index in range(passes):
        stage = f"pass {pass_index + 1} of {passes}" if passes > 1 else ""
        scale_images = []
        for scale_index, side in enumerate(pass_sides):
            fraction_before = (pass_index + scale_index / len(pass_sides)) / passes
            report_fraction = partial(
                _report_pass, request.on_progress, fraction_before, 1 / (passes * len(pass_sides)), stage
            )
            scale_images.append(
                translate_image(
                    image,
                    model_file,
                    side=side,
                    style_shares=style_vector,
                    device=request.device,
                    progress=report_fraction,
                )
            )
        image = image.lerp(
            _merge_scales(scale_images, (height, width)), min(1.0, request.strength - pass_index)
        )
        request.on_progress(StyleProgress((pass_index + 1) / passes, image, stage=stage))
    return image


def _merge_scales(scale_images: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
    """Enlarge the first image to ``size`` and add the finer detail of the larger ones."""
    first, *finer_images = scale_images
    image = resize_if_needed(first, size)
    for finer_image in finer_images:
        enlarged = resize_if_needed(finer_image, size)
        coarse = resize_if_needed(resize_if_needed(enlarged, (first.shape[-2], first.shape[-1])), size)
        image = (image + enlarged - coarse).clamp(0, 1)
    return image


def _blend_by_masks(paintings: Sequence[Tensor], masks: Tensor, style_shares: Sequence[float]) -> Tensor:
    """Blend paintings by their masks and weights; where no mask is, the result does not matter."""
    size = (paintings[0].shape[-2], paintings[0].shape[-1])
    coverages = resize(masks, size).clamp(0, 1)
    weighted_masks = [
        max(share, 1e-6) * coverage for share, coverage in zip(style_shares, coverages, strict=True)
    ]
    total_weight = torch.stack(weighted_masks).sum(0).clamp_min(1e-9)
    return torch.stack(
        [
            weighted_mask / total_weight * painting
            for weighted_mask, painting in zip(weighted_masks, paintings, strict=True)
        ]
    ).sum(0)


def _keep_similar_start(image: Tensor, start_image: Tensor) -> Tensor:
    """Blend towards ``start_image`` where the two images are similar, so that films do not flicker."""
    difference = luminance((image - start_image).abs())[None]
    mean_difference = F.avg_pool2d(
        difference, COMPARISON_WINDOW_PIXELS, 1, COMPARISON_WINDOW_PIXELS // 2, count_include_pad=False
    )[0]
    return image.lerp(start_image, MAX_START_SHARE * (-((mean_difference / START_TOLERANCE) ** 2)).exp())


def _report_pass(
    on_progress: ProgressCallback,
    fraction_before: float,
    fraction_size: float,
    stage: str,
    pass_fraction: float,
) -> None:
    on_progress(StyleProgress(fraction_before + fraction_size * pass_fraction, stage=stage))


def _report_style(
    on_progress: ProgressCallback, style_index: int, style_count: int, progress: StyleProgress
) -> None:
    on_progress(
        StyleProgress((style_index + progress.fraction) / style_count, progress.image, stage=progress.stage)
    )
