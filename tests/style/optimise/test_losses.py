"""Losses and their gradients against an independent reference in float64."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.style.optimise.losses import (
    STYLE_LOSSES,
    GramLoss,
    MeanGramLoss,
    WassersteinLoss,
    weighted_squared_error,
)
from artgen.style.optimise.moments import FeatureStatistics, compute_moments, mix_statistics
from artgen.style.optimise.objective import StyleObjective
from artgen.style.optimise.presets import OPTIMISE_PRESETS, OptimiseSettings
from tests.style.optimise.random_networks import random_layers, random_vgg, scene

MEAN = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64).view(3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64).view(3, 1, 1)


def reference_features(picture: Tensor, pooling: str, *, replicates: bool) -> dict[str, Tensor]:
    """VGG-19 up to relu5_1 on ``(3, H, W)`` float64."""
    x, features = ((picture - MEAN) / DEVIATION)[None], {}
    for number, layer in enumerate(random_layers("relu5_1")):
        if layer.pool_before:
            x = F.max_pool2d(x, 2) if pooling == "max" else F.avg_pool2d(x, 2)
        mode = "replicate" if replicates and number == 0 else "constant"
        x = F.conv2d(F.pad(x, (1, 1, 1, 1), mode=mode), layer.weight.double(), layer.bias.double()).relu()
        features[layer.name] = x[0].flatten(1)
    return features


def reference_gram(features: Tensor, target: Tensor, kind: str) -> Tensor:
    channels, places = features.shape
    difference = features @ features.T / places - target @ target.T / target.shape[1]
    return difference.square().sum() / (4 * channels**2 if kind == "gram" else channels**4)


def schulz(matrix: Tensor) -> Tensor:
    norm = matrix.norm()
    root, inverse = matrix / norm, torch.eye(len(matrix), dtype=torch.float64)
    for _ in range(12):
        step = (3 * torch.eye(len(matrix), dtype=torch.float64) - inverse @ root) / 2
        root, inverse = root @ step, step @ inverse
    return root * norm.sqrt()


def reference_schulz(features: Tensor, target: Tensor) -> Tensor:
    eye = 1e-4 * torch.eye(len(features), dtype=torch.float64)
    a, b = (torch.cov(each, correction=0) + eye for each in (target, features))
    root = schulz(a)
    mean_error = (features.mean(1) - target.mean(1)).square().mean()
    return mean_error + (a.trace() + b.trace() - 2 * schulz(root @ b @ root).trace()) / len(features)


def reference_wasserstein(features: Tensor, target: Tensor) -> Tensor:
    eye = 1e-4 * torch.eye(len(features), dtype=torch.float64)
    a, b = (torch.cov(each, correction=0) + eye for each in (target, features))
    values, vectors = torch.linalg.eigh(a)
    root = vectors @ values.sqrt().diag() @ vectors.T
    shared = torch.linalg.eigvalsh(root @ b @ root).sqrt().sum()
    apart = (features.mean(1) - target.mean(1)).square().mean()
    return apart + (a.trace() + b.trace() - 2 * shared) / len(features)


def reference_variation(x: Tensor, kind: str) -> Tensor:
    if kind == "neighbours":
        d, r = x[:, 1:, :-1] - x[:, :-1, :-1], x[:, :-1, 1:] - x[:, :-1, :-1]
        return 0.5 * 256**2 * (d.square().sum() + r.square().sum())
    _, height, width = x.shape
    p = F.pad(x[None], (1, 1, 1, 1), mode="replicate")[0]
    right = sum((x[:, :, i + 1] - x[:, :, i]).square().sum() for i in range(width - 1)) / (3 * height * width)
    down = sum((x[:, i + 1] - x[:, i]).square().sum() for i in range(height - 1)) / (3 * height * width)
    falling = (p[:, 1:, 1:] - p[:, :-1, :-1]).square().mean()
    rising = (p[:, 1:, :-1] - p[:, :-1, 1:]).square().mean()
    return 2 * ((right + down) / 3 + (falling + rising) / 12)


def reference_loss(settings: OptimiseSettings, picture: Tensor, content: Tensor, style: Tensor) -> Tensor:
    def compute_features(x: Tensor) -> dict[str, Tensor]:
        return reference_features(x, settings.pooling, replicates=settings.replicate_border)

    image_features, content_features, style_features = (
        compute_features(picture),
        compute_features(content.double()),
        compute_features(style.double()),
    )
    squared_error = (image_features["relu4_2"] - content_features["relu4_2"]).square()
    loss = settings.content_weight * (
        squared_error.sum() / 2 if settings.halve_content_sum else squared_error.mean()
    )
    for layer, weight in settings.style_layers:
        if settings.loss == "wasserstein":
            loss = loss + weight * reference_wasserstein(image_features[layer], style_features[layer])
        elif settings.loss == "wasserstein-schulz":
            loss = loss + weight * reference_schulz(image_features[layer], style_features[layer])
        else:
            loss = loss + weight * reference_gram(image_features[layer], style_features[layer], settings.loss)
    return loss + settings.tv * reference_variation(picture, settings.tv_kind)


@pytest.mark.parametrize(
    "name", ["gatys", "neural-style", pytest.param("crowsonkb", marks=pytest.mark.slow), "exact"]
)
def test_loss_and_gradient_are_those_of_a_float64_reference(name: str) -> None:
    settings = OPTIMISE_PRESETS.get(name, replace(OPTIMISE_PRESETS["crowsonkb"], loss="wasserstein"))
    content, style, picture = scene(39, 53, 1), scene(50, 34, 2), scene(39, 53, 3)
    network = random_vgg().with_options(pooling=settings.pooling, replicate_border=settings.replicate_border)
    loss, gradient = StyleObjective(network, settings, content, [[style]], [1.0])(picture)
    x = picture.double().requires_grad_()
    expected = reference_loss(settings, x, content, style)
    expected.backward()
    assert x.grad is not None
    assert loss == pytest.approx(float(expected.detach()), rel=1e-5)
    assert float((gradient - x.grad).norm() / x.grad.norm()) < 1e-5


def test_gram_is_the_papers_formula_where_sizes_are_equal() -> None:
    f, a = torch.rand(2, 6, 35, dtype=torch.float64)
    paper = (f @ f.T - a @ a.T).square().sum() / (4 * 6**2 * 35**2)
    statistics, target = (compute_moments(x.view(6, 5, 7)).statistics for x in (f, a))
    assert float(GramLoss(target)(statistics)) == pytest.approx(float(paper))
    mean = (f @ f.T / f.numel() - a @ a.T / a.numel()).square().mean()
    assert float(MeanGramLoss(target)(statistics)) == pytest.approx(float(mean))


def test_wasserstein_of_independent_features_is_known() -> None:
    spread, other = torch.tensor([1.0, 4.0, 9.0]).double(), torch.tensor([4.0, 1.0, 9.0]).double()
    mean, shift = torch.tensor([0.0, 1.0, 2.0]).double(), torch.tensor([0.0, 1.0, 5.0]).double()
    one = FeatureStatistics(mean, spread.diag() + torch.outer(mean, mean))
    two = FeatureStatistics(shift, other.diag() + torch.outer(shift, shift))
    # (1 - 2)^2 + (2 - 1)^2 of the deviations, 3^2 of the means
    assert float(WassersteinLoss(one)(two)) == pytest.approx((1 + 1 + 9) / 3, rel=1e-3)
    assert float(WassersteinLoss(one)(one)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", [name for name in STYLE_LOSSES if name != "wasserstein-schulz"])
def test_what_is_wanted_has_no_loss_and_no_slope(name: str) -> None:
    style = scene(40, 40)
    settings = replace(OPTIMISE_PRESETS["crowsonkb"], loss=name, content_weight=0.0, tv=0.0)
    loss, gradient = StyleObjective(random_vgg("relu3_1").with_options(), settings, style, [[style]], [1.0])(
        style
    )
    _, else_where = StyleObjective(random_vgg("relu3_1").with_options(), settings, style, [[style]], [1.0])(
        scene(40, 40, 1)
    )
    assert abs(loss) < 1e-7
    assert float(gradient.norm()) < 1e-3 * float(else_where.norm())


def test_styles_mix_as_if_they_were_one_picture() -> None:
    """Two pictures of one size side by side have the mean of their means and of their raw second moments."""
    one, two = torch.rand(2, 5, 8, 6)
    mixed = mix_statistics([compute_moments(one).statistics, compute_moments(two).statistics], [0.5, 0.5])
    joined = compute_moments(torch.cat([one, two], 2)).statistics
    torch.testing.assert_close(mixed.mean, joined.mean)
    torch.testing.assert_close(mixed.covariance, joined.covariance, rtol=1e-5, atol=1e-7)


def test_weights_of_places_choose_a_region() -> None:
    features = torch.rand(5, 8, 6)
    weights = torch.zeros(8, 6)
    weights[2:5] = 1
    inside, alone = (
        compute_moments(features, weights).statistics,
        compute_moments(features[:, 2:5]).statistics,
    )
    torch.testing.assert_close(inside.mean, alone.mean)
    torch.testing.assert_close(inside.second_moment, alone.second_moment)


@pytest.mark.parametrize("weighted", [False, True])
def test_gradient_of_the_sums(weighted: bool) -> None:
    features = torch.rand(3, 4, 5, dtype=torch.float64, requires_grad=True)
    weights = torch.rand(4, 5, dtype=torch.float64) if weighted else None

    def sums(x: Tensor) -> tuple[Tensor, Tensor]:
        moments = compute_moments(x, weights)
        return moments.feature_sum, moments.product_sum

    assert torch.autograd.gradcheck(sums, (features,))


def test_content_may_be_held_more_in_places() -> None:
    features, target = torch.rand(2, 4, 3, 3)
    weights = torch.ones(3, 3)
    weights[1, 1] = 5
    squared_error = (features - target).square().sum(0)
    assert float(weighted_squared_error(features, target, weights)) == pytest.approx(
        float(squared_error.sum() + 4 * squared_error[1, 1]), rel=1e-6
    )
    assert float(weighted_squared_error(features, target, None)) == pytest.approx(
        float(squared_error.sum()), rel=1e-6
    )
