"""Style transfer by optimisation: pixels change until a network sees the style in them, and the content."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import check_image, enlarge, fit, resize
from artgen.models.features.features import Features
from artgen.style.optimise.objective import Objective
from artgen.style.optimise.optimisers import LBFGS, Adam, Average, Descent, begin
from artgen.style.optimise.precision import find_precision
from artgen.style.optimise.presets import OptimiseSettings, check_settings
from artgen.style.preserve import face_map, finished, in_luminance
from artgen.style.progress import Report
from artgen.style.request import StyleRequest, check_request
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
class Optimisation:
    """What does not change over sizes and passes."""

    network: Features
    settings: OptimiseSettings
    request: StyleRequest
    styles: Sequence[Sequence[Tensor]]
    shares: Sequence[float]
    hold: Tensor | None

    @property
    def memory(self) -> float:
        """Bytes that may be taken."""
        return self.settings.memory * GB


@torch.enable_grad()  # runs work without gradients, else
def stylize_by_optimising(
    content: Tensor,
    styles: Sequence[Sequence[Tensor]],
    request: StyleRequest,
    settings: OptimiseSettings,
    features: Features,
) -> Tensor:
    """Paint ``content`` in the manner of ``styles``.

    The same arguments and the same number of torch threads give the same picture on the same machine. Over
    thread counts and machines sums are taken in another order; what is 1e-7 at first grows over the
    iterations, so that pictures are alike, with the same loss to a percent or so, but not equal.

    Args:
        content: ``(3, H, W)`` float32, sRGB in [0, 1], any size from 1 px.
        styles: one or more, each of one painting ``(3, h, w)``, likewise, or of several, such as a folder of
            photographs (``read_album``), of which no more than ``MOST`` are looked at; bytes will do. None is
            enlarged.
        request: how much of them goes where. Styles with masks of their own have statistics of their own. The
            loss and the share done are reported at every iteration, and about once a second the picture.
        settings: one of ``OPTIMISE_PRESETS``, or of one's own.
        features: VGG or SqueezeNet, of ``load_features``.

    Returns:
        ``(3, H, W)`` in [0, 1], of the content's size, on the CPU.

    Raises:
        ArtgenError: an argument is out of range, a picture is not one, or the loss is no number whatever is
            tried.
    """
    if request.scale is not None:
        settings = replace(settings, style_scale=request.scale)
    request = replace(request, scale=settings.style_scale)
    shares = check_request(request, content, styles)
    check_settings(settings, features)
    if request.strength == 0:
        return content.clone()
    original, device = content.cpu(), request.device
    ground, albums = original, [_sample(style, request.seed) for style in styles]
    if request.preserve == "colour":
        ground = in_luminance(ground, [])[0]
        albums = [in_luminance(original, album)[1] for album in albums]
    # Where it is too narrow for a network it is stretched, and painted so.
    size = (max(SMALLEST, content.shape[1]), max(SMALLEST, content.shape[2]))
    ground = resize(ground, size)
    hold = 1 + (FACES - 1) * request.faces * face_map(ground) if request.faces else None
    network = features.adapted(
        pooling=settings.pooling,
        replicates=settings.replicates,
        dtype=find_precision(settings.precision, device),
    ).to(device)
    job = Optimisation(network, settings, request, albums, shares, None if hold is None else hold.to(device))
    begun = None
    if request.start is not None:
        begun = resize(check_image(request.start.cpu(), "style start"), size).to(device)
    painted = _run(job, ground.to(device), begun).clamp(0, 1).cpu()
    painted = resize(painted, (content.shape[1], content.shape[2]))
    return finished(original, painted, request)


def _sample(album: Sequence[Tensor], seed: int) -> list[Tensor]:
    """At most ``MOST`` of a style's pictures, by chance."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(album), generator=generator)[:MOST].sort().values
    return [album[number].cpu() for number in order.tolist()]


def _sizes(size: tuple[int, int], settings: OptimiseSettings) -> list[tuple[int, int]]:
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


def _run(job: Optimisation, content: Tensor, picture: Tensor | None) -> Tensor:
    """All passes over all sizes."""
    passes = job.settings.passes
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


def _iterations(settings: OptimiseSettings, index: int) -> int:
    first = settings.first_iterations
    return first if index == 0 and first is not None else settings.iterations


def _begin(job: Optimisation, ground: Tensor) -> Tensor:
    """The first picture, of the first size."""
    settings = job.settings
    if settings.start == "content":
        return ground.clone()
    if settings.start == "noise":
        generator = torch.Generator().manual_seed(job.request.seed)
        colour, deviation = settings.noise
        noise = torch.randn(ground.shape, generator=generator) * deviation
        return (noise + torch.tensor(colour).view(3, 1, 1)).clamp_(0, 1).to(ground.device)
    from artgen.style.patch import patch
    from artgen.style.patch.presets import patch_preset

    def report_patches(report: Report) -> None:
        job.request.watch(replace(report, done=report.done * PATCH, stage="patches"))

    # A start need not be sharp: where memory is short, or the picture large, it is painted smaller.
    fitting = min(patch.LARGEST, job.memory / patch.BYTES) / (ground.shape[1] * ground.shape[2])
    reduced = (
        fit(ground.cpu(), max(1, int(max(ground.shape[1:]) * math.sqrt(fitting)))) if fitting < 1 else ground
    )
    request = replace(job.request, weights=job.shares, preserve="none", device="cpu", watch=report_patches)
    painted = patch.stylize_by_patches(reduced.cpu(), job.styles, request, patch_preset("balanced"))
    return resize(painted, (ground.shape[1], ground.shape[2])).to(ground.device)


def _objective(job: Optimisation, ground: Tensor) -> Objective:
    size, masks = (ground.shape[1], ground.shape[2]), job.request.masks
    side = max(SMALLEST, round(max(size) * job.settings.style_scale))
    settings = replace(job.settings, content_weight=job.settings.content_weight / job.request.strength)
    return Objective(
        job.network,
        settings,
        ground,
        [[_sized(as_floats(picture), side).to(ground.device) for picture in album] for album in job.styles],
        job.shares,
        masks=None if masks is None else resize(masks.to(ground.device), size),
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
    job: Optimisation,
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
        job.request.watch(Report(part[0] + part[1] * (number + 1) / iterations, show, loss, stage))
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
