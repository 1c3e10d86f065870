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

from artgen.imaging.image import luminance, resize, resize_if_needed
from artgen.imaging.masks import blend_by_masks
from artgen.models.inference.translating import translate_image
from artgen.style.preserve import face_mask, restore_preserved
from artgen.style.progress import ProgressCallback, StyleProgress
from artgen.style.request import DEFAULT_STYLE_SCALE, StyleRequest, validate_request

# Share of the start image that stays where it agrees with the new painting; the difference in luminance, 0 to
# 1, up to which the two agree; and the side of the square over which that difference is averaged.
MAX_START_IMAGE_SHARE, MAX_START_DIFFERENCE, COMPARISON_WINDOW_PIXELS = 0.85, 0.12, 7


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
    if request.masks is None or len(request.masks) == 1:
        image = _paint_style(content, _mix_styles(style_vectors, style_shares), request, model_file)
    else:
        paintings = []
        for index, style_vector in enumerate(style_vectors):
            report = partial(_report_style, request.on_progress, index, len(style_vectors))
            paintings.append(
                _paint_style(content, style_vector, replace(request, on_progress=report), model_file)
            )
        image = _blend_by_masks(paintings, request.masks, style_shares)
    if request.start_image is not None:
        image = _keep_similar_start(image, request.start_image)
    image = restore_preserved(content, image, request)
    if request.face_protection:
        image = image.lerp(content, request.face_protection * face_mask(content))
    return image


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
    """Paint by the style network as often as ``strength`` asks for, each pass over the last result."""
    longer_side = max(content.shape[-2:])
    first_side = max(
        1, round(longer_side * DEFAULT_STYLE_SCALE / (request.style_scale or DEFAULT_STYLE_SCALE))
    )
    pass_sides = [first_side] if first_side >= longer_side else [first_side, longer_side]
    passes = math.ceil(request.strength)
    image = content.clone()

    def paint_scale(image: Tensor, scale_index: int, fraction_before: float, stage: str) -> Tensor:
        def report_share(share: float) -> None:
            fraction = fraction_before + 1 / (passes * len(pass_sides)) * share
            request.on_progress(StyleProgress(fraction, stage=stage))

        return translate_image(
            image,
            model_file,
            side=pass_sides[scale_index],
            style_shares=style_vector,
            device=request.device,
            progress=report_share,
        )

    for pass_index in range(passes):
        stage = f"pass {pass_index + 1} of {passes}" if passes > 1 else ""
        scale_images = [
            paint_scale(image, scale_index, (pass_index + scale_index / len(pass_sides)) / passes, stage)
            for scale_index in range(len(pass_sides))
        ]
        merged = _merge_scales(scale_images, content.shape[-2:])
        image = image.lerp(merged, min(1.0, request.strength - pass_index))
        request.on_progress(StyleProgress((pass_index + 1) / passes, image, stage=stage))
    return image


def _merge_scales(scale_images: Sequence[Tensor], size: Sequence[int]) -> Tensor:
    """Enlarge the first painting to ``size`` and add the finer detail of the larger ones."""
    first, *finer_images = scale_images
    image = resize_if_needed(first, size)
    for finer_image in finer_images:
        enlarged = resize_if_needed(finer_image, size)
        coarse = resize_if_needed(resize_if_needed(enlarged, first.shape[-2:]), size)
        image = (image + enlarged - coarse).clamp(0, 1)
    return image


def _blend_by_masks(paintings: Sequence[Tensor], masks: Tensor, style_shares: Sequence[float]) -> Tensor:
    """Blend paintings by their masks and weights; where no mask is, the result does not matter."""
    factors = torch.tensor([max(share, 1e-6) for share in style_shares]).view(-1, 1, 1, 1)
    weighted_masks = factors * resize(masks, paintings[0].shape[-2:]).clamp(0, 1)
    total_weight = weighted_masks.sum(0).clamp_min(1e-9)
    return blend_by_masks(torch.stack(list(paintings)), weighted_masks / total_weight)


def _keep_similar_start(image: Tensor, start_image: Tensor) -> Tensor:
    """Blend a painting towards ``start_image`` where they are similar, so that films do not flicker."""
    difference = luminance((image - start_image).abs())[None]
    mean_difference = F.avg_pool2d(
        difference, COMPARISON_WINDOW_PIXELS, 1, COMPARISON_WINDOW_PIXELS // 2, count_include_pad=False
    )[0]
    return image.lerp(
        start_image, MAX_START_IMAGE_SHARE * (-((mean_difference / MAX_START_DIFFERENCE) ** 2)).exp()
    )


def _report_style(
    on_progress: ProgressCallback, style_index: int, style_count: int, progress: StyleProgress
) -> None:
    on_progress(replace(progress, fraction=(style_index + progress.fraction) / style_count))
