"""Style transfer by optimisation: pixels change until a network sees the style in them, and the content."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import check_image, enlarge, fit, resize
from artgen.models.features.features import Features
from artgen.style.optimise.checks import check_settings, check_work
from artgen.style.optimise.objective import Objective
from artgen.style.optimise.optimisers import LBFGS, Adam, Average, Descent, begin
from artgen.style.optimise.precision import find_precision
from artgen.style.optimise.presets import Settings, find_settings
from artgen.style.preserve import Preserve, check_manner, face_map, finished, in_luminance
from artgen.style.progress import Report, Watch, unwatched
from artgen.style.style_folder import as_floats

# No side below it goes into a network: deep layers would see nothing. Smaller pictures are stretched.
SMALLEST = 32
# What faces = 1 multiplies the content weight by, in a face.
FACES = 20.0
# Values that are no numbers, one after the other, until it is given up; Adam's rate from then on.
PATIENCE, CAREFUL = 4, 0.01
# A loss this much above the best one means that L-BFGS has lost its way.
LOST = 10.0
# Pictures of one style whose statistics are taken: each costs as much as an iteration.
MOST = 16
EVERY = 1.0  # seconds between pictures shown
GB = 1e9
PATCH = 0.1  # of the work, as it is told
SHARE = 1 / 3  # of memory for what L-BFGS remembers


@dataclass(frozen=True)
class Job:
    """What does not change over sizes and passes."""

    network: Features
    settings: Settings
    styles: Sequence[Sequence[Tensor]]
    shares: Sequence[float]
    masks: Tensor | None
    hold: Tensor | None
    faces: float
    strength: float
    style_scale: float
    memory: float
    seed: int
    watch: Watch


@torch.enable_grad()  # runs work without gradients, else
def stylize(
    content: Tensor,
    styles: Sequence[Tensor | Sequence[Tensor]],
    features: Features,
    *,
    preset: str | Settings = "artgen",
    strength: float = 1.0,
    weights: Sequence[float] | None = None,
    masks: Tensor | None = None,
    preserve: Preserve = "none",
    style_scale: float | None = None,
    faces: float = 0.0,
    seed: int,
    start: str | Tensor | None = None,
    loss: str | None = None,
    content_layer: str | None = None,
    content_weight: float | None = None,
    style_layers: Mapping[str, float] | None = None,
    tv: float | None = None,
    iterations: int | None = None,
    optimiser: str | None = None,
    scales: int | None = None,
    passes: int = 1,
    memory: float = 4.0,
    precision: str = "auto",
    watch: Watch = unwatched,
    device: str = "cpu",
) -> Tensor:
    """Paint ``content`` in the manner of ``styles``.

    The same arguments and the same number of torch threads give the same picture on the same machine. Over
    thread counts and machines sums are taken in another order; what is 1e-7 at first grows over the
    iterations, so that pictures are alike, with the same loss to a percent or so, but not equal.

    Args:
        content: ``(3, H, W)`` float32, sRGB in [0, 1], any size from 1 px.
        styles: one or more paintings, ``(3, h, w)`` likewise. Several in a row are one style, such as a
            folder of photographs (``read_album``), of which no more than ``MOST`` are looked at; bytes will
            do.
        features: VGG or SqueezeNet, of ``load_features``.
        preset: everything below that is None: ``artgen``, or ``gatys``, ``neural-style``, ``crowsonkb`` as
            published (``presets.py``), or settings of one's own.
        strength: 0 leaves the content; 1 is as meant; more holds the content less.
        weights: the share of each style; equal when None.
        masks: ``(k, 1, h, w)`` in [0, 1]: one for each style says where it goes and has statistics of its
            own, a single one is for all. Outside of them the content stays.
        preserve: ``colour`` paints in luminance and keeps the content's colours, ``luminance`` the other way
            round.
        style_scale: longer side of the style over the content's. No style is enlarged.
        faces: 0 to 1, by how much faces are held more firmly to the content.
        seed: of the noise that it starts from; the global generator is not touched.
        start: ``content``, ``noise``, ``patch`` (the patch method's picture) or a picture ``(3, h, w)``.
        loss: of style: ``wasserstein``, ``gram``; or as published ``gram-mean``, ``wasserstein-schulz``.
        content_layer: such as ``relu4_2``; where the network lacks it, the nearest.
        content_weight: of the content loss, from 0 up.
        style_layers: weights by layer.
        tv: weight of the total variation, from 0 up.
        iterations: at each size.
        optimiser: ``lbfgs`` or ``adam``.
        scales: at how many sizes, each root 2 larger than the last, none below 128 px.
        passes: runs, each of them beginning with the last one's picture and taking it for its content.
        memory: GB that may be taken. What does not fit at once is seen in tiles, exactly; L-BFGS then
            remembers fewer steps.
        precision: of convolutions: ``float32``, ``bfloat16``, or ``auto``: bfloat16 where the processor has
            it. Statistics and losses never are.
        watch: told loss and share done at every iteration, and about once a second the picture.
        device: where to work.

    Returns:
        ``(3, H, W)`` in [0, 1], of the content's size, on the CPU.

    Raises:
        ArtgenError: an argument is out of range, a picture is not one, or the loss is no number whatever is
            tried.
    """
    changes: dict[str, Any] = {
        "loss": loss,
        "content_layer": content_layer,
        "content_weight": content_weight,
        "style_layers": None if style_layers is None else tuple(style_layers.items()),
        "tv": tv,
        "iterations": iterations,
        "first_iterations": iterations,
        "optimiser": optimiser,
        "scales": scales,
        "start": start if isinstance(start, str) else None,
        "style_scale": style_scale,
    }
    settings = find_settings(preset) if isinstance(preset, str) else preset
    settings = replace(settings, **{k: v for k, v in changes.items() if v is not None})
    albums = [[style] if isinstance(style, Tensor) else list(style) for style in styles]
    shares = check_manner(
        content,
        albums,
        strength=strength,
        weights=weights,
        masks=masks,
        preserve=preserve,
        style_scale=settings.style_scale,
        faces=faces,
    )
    check_settings(settings, features)
    check_work(passes, memory, precision)
    if strength == 0:
        return content.clone()
    original = content.cpu()
    ground, albums = original, [_sample(album, seed) for album in albums]
    if preserve == "colour":
        ground = in_luminance(ground, [])[0]
        albums = [in_luminance(original, album)[1] for album in albums]
    # Where it is too narrow for a network it is stretched, and painted so.
    size = (max(SMALLEST, content.shape[1]), max(SMALLEST, content.shape[2]))
    ground = resize(ground, size)
    hold = 1 + (FACES - 1) * faces * face_map(ground) if faces else None
    network = features.adapted(
        pooling=settings.pooling, replicates=settings.replicates, dtype=find_precision(precision, device)
    ).to(device)
    job = Job(
        network,
        settings,
        albums,
        shares,
        None if masks is None else masks.to(device),
        None if hold is None else hold.to(device),
        faces,
        strength,
        settings.style_scale,
        memory * GB,
        seed,
        watch,
    )
    begun = None
    if isinstance(start, Tensor):
        begun = resize(check_image(start.cpu(), "style start"), size).to(device)
    painted = _run(job, ground.to(device), begun, passes).clamp(0, 1).cpu()
    painted = resize(painted, (content.shape[1], content.shape[2]))
    return finished(original, painted, preserve, masks)


def _sample(album: Sequence[Tensor], seed: int) -> list[Tensor]:
    """At most ``MOST`` of a style's pictures, by chance."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(album), generator=generator)[:MOST].sort().values
    return [album[number].cpu() for number in order.tolist()]


def _sizes(size: tuple[int, int], settings: Settings) -> list[tuple[int, int]]:
    """From coarse to the full ``size``, each root 2 larger than the last."""
    longest, found = max(size), [size]
    for number in range(1, settings.scales):
        side = round(longest / 2 ** (number / 2))
        if side < settings.smallest:
            break
        found.append(
            (max(SMALLEST, round(size[0] * side / longest)), max(SMALLEST, round(size[1] * side / longest)))
        )
    return found[::-1]


def _run(job: Job, content: Tensor, picture: Tensor | None, passes: int) -> Tensor:
    """All passes over all sizes."""
    sizes = _sizes((content.shape[1], content.shape[2]), job.settings)
    plan = [(1, size) for size in sizes] + [(number, sizes[-1]) for number in range(2, passes + 1)]
    costs = [_iterations(job.settings, index) * size[0] * size[1] for index, (_, size) in enumerate(plan)]
    patched = picture is None and job.settings.start == "patch"
    descent, done, first = begin(job.settings), 0.0, PATCH if patched else 0.0
    for index, (number, size) in enumerate(plan):
        if number > 1 and picture is not None:
            content = picture.clamp(0, 1)
        ground = resize(content, size)
        if picture is None:
            picture = _begin(job, ground)
        picture = picture if picture.shape[1:] == size else resize(picture, size)
        stage = f"{max(size)} px" if passes == 1 else f"pass {number} of {passes}, {max(size)} px"
        descent = begin(job.settings) if number > 1 else descent.resized(size)
        part = (first + (1 - first) * done / sum(costs), (1 - first) * costs[index] / sum(costs))
        picture, descent = _descend(
            job, _objective(job, ground), picture, descent, _iterations(job.settings, index), stage, part
        )
        done += costs[index]
    assert picture is not None
    return picture


def _iterations(settings: Settings, index: int) -> int:
    first = settings.first_iterations
    return first if index == 0 and first is not None else settings.iterations


def _begin(job: Job, ground: Tensor) -> Tensor:
    """The first picture, of the first size."""
    settings = job.settings
    if settings.start == "content":
        return ground.clone()
    if settings.start == "noise":
        generator = torch.Generator().manual_seed(job.seed)
        colour, deviation = settings.noise
        noise = torch.randn(ground.shape, generator=generator) * deviation
        return (noise + torch.tensor(colour).view(3, 1, 1)).clamp_(0, 1).to(ground.device)
    from artgen.style.patch import patch

    def told(report: Report) -> None:
        job.watch(replace(report, done=report.done * PATCH, stage="patches"))

    # A start need not be sharp: where memory is short, or the picture large, it is painted smaller.
    fitting = min(patch.LARGEST, job.memory / patch.BYTES) / (ground.shape[1] * ground.shape[2])
    reduced = (
        fit(ground.cpu(), max(1, int(max(ground.shape[1:]) * math.sqrt(fitting)))) if fitting < 1 else ground
    )
    painted = patch.stylize(
        reduced.cpu(),
        job.styles,
        faces=job.faces,
        weights=job.shares,
        strength=job.strength,
        style_scale=job.style_scale,
        masks=None if job.masks is None else job.masks.cpu(),
        seed=job.seed,
        watch=told,
    )
    return resize(painted, (ground.shape[1], ground.shape[2])).to(ground.device)


def _objective(job: Job, ground: Tensor) -> Objective:
    size = (ground.shape[1], ground.shape[2])
    side = max(SMALLEST, round(max(size) * job.style_scale))
    settings = replace(job.settings, content_weight=job.settings.content_weight / job.strength)
    return Objective(
        job.network,
        settings,
        ground,
        [[_sized(as_floats(picture), side).to(ground.device) for picture in album] for album in job.styles],
        job.shares,
        masks=None if job.masks is None else resize(job.masks, size),
        hold=None if job.hold is None else resize(job.hold[None] / FACES, size)[0] * FACES,
        room=job.memory * (1 - SHARE),
    )


def _sized(style: Tensor, side: int) -> Tensor:
    """No larger than it is, but large enough for a network."""
    sized = fit(style, min(side, max(style.shape[1:])))
    height, width = int(sized.shape[1]), int(sized.shape[2])
    if min(height, width) >= SMALLEST:
        return sized
    return enlarge(sized, (max(height, SMALLEST), max(width, SMALLEST)))


def _descend(
    job: Job,
    objective: Objective,
    picture: Tensor,
    descent: Descent,
    iterations: int,
    stage: str,
    part: tuple[float, float],
) -> tuple[Tensor, Descent]:
    """One run at one size; where values are no numbers any more, on from the best picture with care."""
    if isinstance(descent, LBFGS):
        # Two pictures a step: at print sizes they, and not the network, would take the memory.
        fitting = int(job.memory * SHARE / (2 * picture.numel() * picture.element_size()))
        descent = LBFGS(max(2, min(job.settings.history, fitting)))
    best, lowest, bad, shown = picture, math.inf, 0, -math.inf
    careful = (
        isinstance(descent, Adam) and job.settings.optimiser != "adam"
    )  # it had to be, at a smaller size
    # Steps of L-BFGS are not noise about a way, which a mean would smooth, but the way itself.
    averaged = job.settings.average > 0 and isinstance(descent, Adam)
    average = Average(picture, job.settings.average) if averaged else None
    for number in range(iterations):
        loss, gradient = objective(picture)
        sound = math.isfinite(loss) and bool(gradient.isfinite().all())
        if sound and loss < lowest:
            best, lowest = picture, loss
        now = time.monotonic()
        show = best.clamp(0, 1) if now - shown >= EVERY else None
        shown = now if show is not None else shown
        job.watch(Report(part[0] + part[1] * (number + 1) / iterations, show, loss, stage))
        if not sound or (isinstance(descent, LBFGS) and loss > LOST * lowest):
            bad = bad if sound else bad + 1
            if bad == PATIENCE:
                raise _hopeless(loss)
            picture, descent, careful = best, Adam(CAREFUL / 2**bad, (0.9, 0.99)), True
            average = Average(picture, job.settings.average) if average else None
            continue
        bad = 0
        if isinstance(descent, Adam) and not careful:
            descent.rate = job.settings.rate * (1 + (job.settings.fade - 1) * number / iterations)
        picture = descent.step(picture, gradient)
        if average:
            average.add(picture)
    if average is None:  # the last step has not been looked at
        loss, _ = objective(picture)
        best, lowest = (picture, loss) if loss < lowest else (best, lowest)
    if lowest == math.inf:
        raise _hopeless(loss)
    return average.picture if average else best, descent


def _hopeless(loss: float) -> ArtgenError:
    return ArtgenError(
        "style loss",
        f"not a number ({loss}), again and again, also in small steps from the best picture",
        "content and style weights within what a float32 holds, and a weights file without such values in it",
        'method = "patch"',
    )
