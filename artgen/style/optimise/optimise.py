"""Style transfer by optimisation: minimise the style and content loss of a network over the pixels."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import check_image, resize, resize_if_needed, resize_longer_side
from artgen.models.features.features import FeatureNetwork
from artgen.style.optimise.objective import StyleObjective
from artgen.style.optimise.optimisers import LBFGS, Adam, PixelOptimiser, RunningAverage, build_optimiser
from artgen.style.optimise.precision import find_dtype
from artgen.style.optimise.presets import OptimiseSettings, check_settings
from artgen.style.preserve import face_mask, restore_preserved, to_matched_grey
from artgen.style.progress import StyleProgress
from artgen.style.request import StyleRequest, validate_request
from artgen.style.style_folder import reduce_style_image

# Smaller images are stretched to this side, because deep layers would have no features.
MIN_NETWORK_SIDE_PX = 32
# Factor on the content weight in faces when face_protection is 1.
FACE_CONTENT_WEIGHT_FACTOR = 20.0
# Successive bad losses (not finite) until the run fails, and Adam's learning rate after the first of them.
MAX_FAILED_LBFGS_STEPS, RECOVERY_LEARNING_RATE = 4, 0.01
# L-BFGS has diverged if the loss is this many times the lowest one.
MAX_LOSS_FACTOR = 10.0
# Images of a style whose statistics are used: each takes as long as an iteration.
MAX_STYLE_IMAGES = 16
PREVIEW_INTERVAL_SECONDS = 1.0  # between reports with an image
PATCH_PROGRESS_SHARE = 0.1  # of the reported progress, for the start image by patches
LBFGS_MEMORY_SHARE = 1 / 3  # of the memory, for the history of L-BFGS


@dataclass(frozen=True)
class OptimisationJob:
    """Data shared by all sizes and passes of a style optimisation.

    Attributes:
        network: computes the features.
        settings: of the optimisation.
        request: the style request.
        styles: the images of each style, ``(3, h, w)`` each.
        style_shares: share of each style.
        content_weight_map: ``(1, H, W)``: factor on the content weight of each pixel, or None.
    """

    network: FeatureNetwork
    settings: OptimiseSettings
    request: StyleRequest
    styles: Sequence[Sequence[Tensor]]
    style_shares: Sequence[float]
    content_weight_map: Tensor | None

    @property
    def memory_bytes(self) -> float:
        """Memory limit of style optimisation in bytes."""
        return self.settings.memory * 1e9


@torch.enable_grad()  # because runs disable gradients
def stylize_by_optimising(
    content: Tensor,
    styles: Sequence[Sequence[Tensor]],
    request: StyleRequest,
    settings: OptimiseSettings,
    features: FeatureNetwork,
) -> Tensor:
    """Paint ``content`` in the style of paintings, by optimising its pixels.

    The same arguments and the same number of torch threads give the same image on the same machine. Other
    thread counts and machines add in another order. Differences of 1e-7 grow over the iterations, so that the
    images are similar, with the same loss to about a percent, but not equal.

    Args:
        content: ``(3, H, W)`` float32, sRGB in [0, 1], any size from 1 px.
        styles: one or more styles, each of one or more images ``(3, h, w)``, likewise or bytes, such as a
            folder of photographs (``read_style_images``); at most ``MAX_STYLE_IMAGES`` of a style are used.
            Images are not enlarged.
        request: how much of each style goes where. Styles with masks of their own have statistics of their
            own. Every iteration reports its loss, and about once a second the image.
        settings: such as one of ``OPTIMISE_PRESETS``.
        features: VGG or SqueezeNet, from ``load_features``.

    Returns:
        ``(3, H, W)`` in [0, 1], of the content's size, on the CPU.

    Raises:
        ArtgenError: an argument is out of range, an image is invalid, or the loss stays not finite.
    """
    if request.style_scale is not None:
        settings = replace(settings, style_scale=request.style_scale)
    request = replace(request, style_scale=settings.style_scale)
    style_shares = validate_request(request, content, styles)
    check_settings(settings, features)
    if request.strength == 0:
        return content.clone()
    original, device = content.cpu(), request.device
    painted_content, style_images = original, [_sample_images(style, request.seed) for style in styles]
    if request.preserve == "colour":
        painted_content = to_matched_grey(painted_content, [])[0]
        style_images = [to_matched_grey(original, images)[1] for images in style_images]
    # An image that is too narrow for the network is stretched while it is painted.
    network_size = (max(MIN_NETWORK_SIDE_PX, content.shape[1]), max(MIN_NETWORK_SIDE_PX, content.shape[2]))
    painted_content = resize(painted_content, network_size)
    content_weight_map = None
    if request.face_protection:
        face_weights = (FACE_CONTENT_WEIGHT_FACTOR - 1) * request.face_protection * face_mask(painted_content)
        content_weight_map = (1 + face_weights).to(device)
    network = features.with_options(
        pooling=settings.pooling,
        replicate_border=settings.replicate_border,
        dtype=find_dtype(settings.precision, device),
    ).to(device)
    job = OptimisationJob(network, settings, request, style_images, style_shares, content_weight_map)
    start_image = None
    if request.start_image is not None:
        start_image = resize(check_image(request.start_image.cpu(), "style start"), network_size).to(device)
    painted = _run_passes(job, painted_content.to(device), start_image).clamp(0, 1).cpu()
    return restore_preserved(original, resize(painted, content.shape[1:]), request)


def _sample_images(images: Sequence[Tensor], seed: int) -> list[Tensor]:
    """Return at most ``MAX_STYLE_IMAGES`` of a style's paintings, drawn at random."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(images), generator=generator)[:MAX_STYLE_IMAGES].sort().values
    return [images[number].cpu() for number in order.tolist()]


def _list_sizes(full_size: tuple[int, int], settings: OptimiseSettings) -> list[tuple[int, int]]:
    """List the image sizes of a style optimisation, from coarse to ``full_size``, by factors of root 2."""
    longer_side, sizes = max(full_size), [full_size]
    for size_index in range(1, settings.scales):
        side = round(longer_side / 2 ** (size_index / 2))
        if side < settings.min_side:
            break
        height, width = (max(MIN_NETWORK_SIDE_PX, round(full * side / longer_side)) for full in full_size)
        sizes.append((height, width))
    return sizes[::-1]


def _run_passes(job: OptimisationJob, content: Tensor, image: Tensor | None) -> Tensor:
    """Run all passes of a style optimisation: the first at all sizes, the others at the full size."""
    passes = job.settings.passes
    sizes = _list_sizes((content.shape[1], content.shape[2]), job.settings)
    stages = [*((1, size) for size in sizes), *((number, sizes[-1]) for number in range(2, passes + 1))]
    iteration_counts = [job.settings.iterations] * len(stages)
    if job.settings.first_iterations is not None:
        iteration_counts[0] = job.settings.first_iterations
    costs = [count * size[0] * size[1] for count, (_, size) in zip(iteration_counts, stages, strict=True)]
    start_fraction = PATCH_PROGRESS_SHARE if image is None and job.settings.start == "patch" else 0.0
    optimiser = build_optimiser(job.settings)
    image = _make_start_image(job, resize(content, sizes[0])) if image is None else image
    for stage_index, (pass_number, size) in enumerate(stages):
        if pass_number > 1:
            content, optimiser = image.clamp(0, 1), build_optimiser(job.settings)
        progress_span = (
            start_fraction + (1 - start_fraction) * sum(costs[:stage_index]) / sum(costs),
            (1 - start_fraction) * costs[stage_index] / sum(costs),
        )
        image, optimiser = _optimise_at_size(
            job,
            _build_objective(job, resize(content, size)),
            resize_if_needed(image, size),
            optimiser.resized(size),
            iteration_counts[stage_index],
            f"{max(size)} px" if passes == 1 else f"pass {pass_number} of {passes}, {max(size)} px",
            progress_span,
        )
    return image


def _make_start_image(job: OptimisationJob, content: Tensor) -> Tensor:
    """Make the image that style optimisation starts from at the first size."""
    settings = job.settings
    if settings.start == "content":
        return content.clone()
    if settings.start == "noise":
        generator = torch.Generator().manual_seed(job.request.seed)
        colour, deviation = settings.start_noise
        noise = torch.randn(content.shape, generator=generator) * deviation
        return (noise + torch.tensor(colour).view(3, 1, 1)).clamp_(0, 1).to(content.device)
    from artgen.style.patch import patch
    from artgen.style.patch.presets import patch_preset

    def report_patches(report: StyleProgress) -> None:
        job.request.on_progress(
            replace(report, fraction=report.fraction * PATCH_PROGRESS_SHARE, stage="patches")
        )

    # A start image need not be sharp, so a large one, or one that exceeds the memory, is painted smaller.
    max_pixels = min(patch.MAX_PIXELS, job.memory_bytes / patch.BYTES_PER_PIXEL)
    pixel_ratio = max_pixels / (content.shape[1] * content.shape[2])
    reduced = content.cpu()
    if pixel_ratio < 1:
        reduced = resize_longer_side(reduced, max(1, int(max(content.shape[1:]) * math.sqrt(pixel_ratio))))
    request = replace(
        job.request, style_weights=job.style_shares, preserve="none", device="cpu", on_progress=report_patches
    )
    painted = patch.stylize_by_patches(reduced, job.styles, request, patch_preset("balanced"))
    return resize(painted, content.shape[1:]).to(content.device)


def _build_objective(job: OptimisationJob, content: Tensor) -> StyleObjective:
    size, masks, weight_map = content.shape[1:], job.request.masks, job.content_weight_map
    style_side = max(MIN_NETWORK_SIDE_PX, round(max(size) * job.settings.style_scale))
    settings = replace(job.settings, content_weight=job.settings.content_weight / job.request.strength)
    if weight_map is not None:  # resizing clamps to 1
        weight_map = resize(weight_map / FACE_CONTENT_WEIGHT_FACTOR, size) * FACE_CONTENT_WEIGHT_FACTOR
    return StyleObjective(
        job.network,
        settings,
        content,
        [
            [
                reduce_style_image(image, style_side, MIN_NETWORK_SIDE_PX).to(content.device)
                for image in images
            ]
            for images in job.styles
        ],
        job.style_shares,
        masks=None if masks is None else resize(masks.to(content.device), size),
        content_weight_map=weight_map,
        memory_bytes=job.memory_bytes * (1 - LBFGS_MEMORY_SHARE),
    )


def _optimise_at_size(
    job: OptimisationJob,
    objective: StyleObjective,
    image: Tensor,
    optimiser: PixelOptimiser,
    iterations: int,
    stage_text: str,
    progress_span: tuple[float, float],
) -> tuple[Tensor, PixelOptimiser]:
    """Optimise an image's style at one size; after a bad loss, restart from the best image."""
    if isinstance(optimiser, LBFGS):
        # Each step stores two images, which at print sizes would take more memory than the network.
        max_history = int(job.memory_bytes * LBFGS_MEMORY_SHARE / (2 * image.numel() * image.element_size()))
        optimiser = LBFGS(max(2, min(job.settings.lbfgs_history, max_history)))
    best_image, lowest_loss, failures, last_preview = image, math.inf, 0, -math.inf
    # L-BFGS may have failed already, at a smaller size.
    recovering, average_decay = isinstance(optimiser, Adam) and job.settings.optimiser != "adam", 0.0
    if isinstance(optimiser, Adam):  # its steps are noisy, while those of L-BFGS follow the path of descent
        average_decay = job.settings.adam_average_decay
    average = RunningAverage(image, average_decay) if average_decay > 0 else None
    for iteration in range(iterations):
        loss, gradient = objective(image)
        is_finite = math.isfinite(loss) and bool(gradient.isfinite().all())
        if is_finite and loss < lowest_loss:
            best_image, lowest_loss = image, loss
        preview = None
        if (now_seconds := time.monotonic()) - last_preview >= PREVIEW_INTERVAL_SECONDS:
            preview, last_preview = best_image.clamp(0, 1), now_seconds
        fraction = progress_span[0] + progress_span[1] * (iteration + 1) / iterations
        job.request.on_progress(StyleProgress(fraction, preview, loss, stage_text))
        if not is_finite or (isinstance(optimiser, LBFGS) and loss > MAX_LOSS_FACTOR * lowest_loss):
            failures = failures if is_finite else failures + 1
            if failures == MAX_FAILED_LBFGS_STEPS:
                raise _no_finite_loss(loss)
            image, recovering = best_image, True
            optimiser = Adam(RECOVERY_LEARNING_RATE / 2**failures, (0.9, 0.99))
            average = RunningAverage(image, average_decay) if average else None
            continue
        failures = 0
        if isinstance(optimiser, Adam) and not recovering:
            decay = 1 + (job.settings.adam_final_rate_factor - 1) * iteration / iterations
            optimiser.learning_rate = job.settings.adam_learning_rate * decay
        image = optimiser.step(image, gradient)
        if average:
            average.add(image)
    if average is None:  # the last step is not evaluated yet
        loss, _ = objective(image)
        best_image, lowest_loss = (image, loss) if loss < lowest_loss else (best_image, lowest_loss)
    if lowest_loss == math.inf:
        raise _no_finite_loss(loss)
    return average.image if average else best_image, optimiser


def _no_finite_loss(loss: float) -> ArtgenError:
    return ArtgenError(
        "style loss",
        f"not a number ({loss}), repeatedly, also with small steps from the best image",
        "content and style weights within the range of float32, and a weights file without NaN or infinity",
        'method = "patch"',
    )
