"""The family ``fast-style``, distilled: the network learns from pictures that patch EM painted.

Pix2pix (Isola et al. 2017) with other weights. What patch EM paints is sharp, but where a stroke falls is
random: L1 alone would paint the mean of all possible strokes, which is blurred. So L1 decides composition and
colour, and strokes are left to a critic with spectral norm that sees content and style, with hinge loss and
feature matching (Wang et al. 2018). It also sees the magnified detail: strokes are faint compared with what
they are painted on, and under a spectral norm of 1 its logits could not follow them.

Tried and left out: the distance of patch distributions (Elnekave and Weiss 2022), since after 1,200 steps it
left ghosts next to outlines, and a step cost half as much again; and as a moving target what patch EM would
paint over the network's own picture, since what is still soft matches the painting's flat patches, and stays
soft.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.models.architectures.network import Network
from artgen.seeds import derive_key
from artgen.training.critics.adversarial import create_adam
from artgen.training.critics.discriminator import PatchDiscriminator
from artgen.training.engine.family import (
    Evaluation,
    Metric,
    OptimiserStep,
    TrainingContext,
    make_grid,
    seeded_weights,
)
from artgen.training.evaluation.metrics import realism_metrics
from artgen.training.families.distill import PairPainter, StylePainting
from artgen.training.families.fast_style import MAX_SAMPLE_CONTENTS, MAX_SAMPLE_STYLES, FastStyleTraining
from artgen.training.material.images import Pixels, load_images
from artgen.training.material.material import TrainingDataset
from artgen.training.recipes.fast_style import FastStyleRecipe

CRITIC_DETAIL_GAIN = 4.0  # factor by which the critic sees detail magnified
MAX_DETAIL_PX = 8  # structures smaller than this are detail
CRITIC_IMAGE_CHANNELS = 9  # of the critic's input: picture, detail and content


@dataclass
class DistilledBatch:
    """Pairs of content and painting for one training step.

    Attributes:
        contents: ``(B, 3, crop, crop)`` in [0, 1].
        targets: the contents as patch EM painted them, of the same shape.
        style_weights: one-hot style of each row, ``(B, styles)``.
    """

    contents: Tensor
    targets: Tensor
    style_weights: Tensor


class DistilledTraining(FastStyleTraining):
    """The networks and losses of a distilled ``fast-style``. Creating it paints missing pairs.

    Args:
        recipe: the recipe.
        dataset: images that contents are cut from.
        context: the folder, device and process.
    """

    def __init__(self, recipe: FastStyleRecipe, dataset: TrainingDataset, context: TrainingContext) -> None:
        super().__init__(recipe, dataset, context)
        self.table = recipe.distilled
        with seeded_weights(recipe.seed + 1):
            self.critic = PatchDiscriminator(
                self.table.critic_width, CRITIC_IMAGE_CHANNELS + len(self.paintings)
            )
        self.networks["critic"] = self.critic
        self.move_networks()
        self.optimisers["critic"] = create_adam([self.critic], recipe.critic_rate, 0.0)
        self.training_pairs, self.validation_pairs = self._load_pairs()

    def draw_batch(self, step: int) -> DistilledBatch:
        contents, targets, styles = [], [], []
        for rng in self.row_generators(step):
            style = int(rng.integers(len(self.paintings)))
            pairs = self.training_pairs[style]
            content, target = _crop_pair(pairs[int(rng.integers(len(pairs)))], self.recipe.crop, rng)
            contents.append(content)
            targets.append(target)
            styles.append(style)
        return DistilledBatch(
            torch.stack(contents),
            torch.stack(targets),
            F.one_hot(torch.tensor(styles), len(self.paintings)).float(),
        )

    def optimiser_steps(self, batch: DistilledBatch, progress: float) -> Iterator[OptimiserStep]:
        """Yield the critic's loss, after a warm-up without it, then the generator's."""
        table = self.table
        contents, targets = self.move_batch(batch.contents), self.move_batch(batch.targets)
        style_weights = self.move_batch(batch.style_weights)
        generated = self.generator(contents, style_weights)
        losses = {"l1": (generated - targets).abs().mean() * 2}  # the published scale is [-1, 1]
        total_loss = table.l1 * losses["l1"]
        if table.adversarial and progress >= table.warm_up:
            run_critic = partial(self._run_critic, contents, style_weights)
            self.critic.requires_grad_(True)
            # In the same precision, by which a critic could otherwise tell real and generated apart.
            real_logits, real_features = run_critic(targets.to(generated.dtype))
            fake_logits, _ = run_critic(generated.detach())
            critic_loss = F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()
            yield OptimiserStep("critic", critic_loss, {"critic": critic_loss.detach()})
            self.critic.requires_grad_(False)
            fake_logits, fake_features = run_critic(generated)
            losses["fool"] = -fake_logits.mean()
            feature_distances = [
                F.l1_loss(fake, real.detach())
                for fake, real in zip(fake_features, real_features, strict=True)
            ]
            losses["features"] = torch.stack(feature_distances).mean()
            total_loss = total_loss + table.adversarial * losses["fool"] + table.features * losses["features"]
        yield OptimiserStep("generator", total_loss, {name: loss.detach() for name, loss in losses.items()})

    def sample_grid(self, networks: Mapping[str, Network]) -> Tensor:
        """Return rows of held-out contents, then for each style patch EM's paintings and the model's."""
        rows = []
        for style, (contents, targets) in enumerate(self.validation_pairs[:MAX_SAMPLE_STYLES]):
            rows += [targets, self._paint(networks, contents, style)]
        return make_grid([self.validation_pairs[0][0], *rows])

    def evaluate(self, networks: Mapping[str, Network]) -> Evaluation:
        """Compare the model's paintings with those of patch EM, by pixels and by statistics of strokes."""
        contents, targets = (torch.cat([pair[part] for pair in self.validation_pairs]) for part in (0, 1))
        generated = torch.cat(
            [self._paint(networks, pair[0], style) for style, pair in enumerate(self.validation_pairs)]
        )
        metrics = [
            Metric("l1", "mean distance to patch EM's painting", float((generated - targets).abs().mean())),
            Metric("l1_content", "the same of the content", float((contents - targets).abs().mean())),
            *realism_metrics(generated, targets, contents, "the content"),
        ]
        count, side = len(contents), self.table.side
        images = self._describe_validation_images()
        return Evaluation(f"{count} paintings by patch EM of {side} px, of {images}", metrics)

    def _run_critic(
        self, contents: Tensor, style_weights: Tensor, images: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """Return the critic's logits and features for paintings ``(B, 3, H, W)`` of contents."""
        style_planes = style_weights[:, :, None, None].expand(-1, -1, *images.shape[2:])
        blurred = F.interpolate(F.avg_pool2d(images, MAX_DETAIL_PX), images.shape[2:], mode="bilinear")
        inputs = [images * 2 - 1, (images - blurred) * CRITIC_DETAIL_GAIN, contents * 2 - 1, style_planes]
        output: tuple[Tensor, list[Tensor]] = self.critic(torch.cat(inputs, 1))
        return output

    def _load_pairs(self) -> tuple[list[list[Pixels]], list[tuple[Tensor, Tensor]]]:
        """Paint the training pairs that are missing, and load all of them.

        Returns:
            For each style the pixels of its training pairs, and for each style the contents and paintings of
            its validation pairs, ``(MAX_SAMPLE_CONTENTS, 3, side, side)``.
        """
        table, folder = self.table, self.context.folder
        painter = PairPainter(folder / "pairs", table, self.recipe.seed)
        validation_loaders = [
            partial(self._validation_content, index, MAX_SAMPLE_CONTENTS, table.side)
            for index in range(MAX_SAMPLE_CONTENTS)
        ]
        plans = []
        for painting in self.paintings:
            training_loaders = (
                partial(self._training_content, painting, index) for index in range(table.pairs)
            )
            plans.append(
                (
                    [*painter.plan(training_loaders, painting)],
                    [*painter.plan(validation_loaders, painting)],
                )
            )
        painter.paint_missing(
            [pair for training, validation in plans for pair in (*validation, *training)],
            self.context.emit,
            str(self.context.device),
        )
        training_pairs, validation_pairs = [], []
        for training, validation in plans:
            files = sorted({pair.file for pair in training})
            training_pairs.append([*load_images(files, folder, max_side=2 * table.side).pixels])
            files = [pair.file for pair in validation]
            halves = [
                _split_pair(pixels) for pixels in load_images(files, folder, max_side=2 * table.side).pixels
            ]
            contents, paintings = zip(*halves, strict=True)
            validation_pairs.append((torch.stack(contents), torch.stack(paintings)))
        return training_pairs, validation_pairs

    def _training_content(self, painting: StylePainting, index: int) -> Tensor:
        """Return content number ``index`` of a style's training pairs, ``(3, side, side)``."""
        rng = np.random.default_rng(derive_key(self.seed, index, "distil", painting.digest))
        return self._draw_content(self.dataset.images.pixels, self.table.side, rng)


def _crop_pair(pair: Pixels, crop: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return the same random square of content and painting, for training.

    It is never flipped, since a painting's strokes have a direction.
    """
    side = pair.shape[0]
    top, left = (int(rng.integers(side - crop + 1)) for _ in range(2))
    rows = pair[top : top + crop]
    return _to_tensor(rows[:, left : left + crop]), _to_tensor(rows[:, side + left : side + left + crop])


def _split_pair(pair: Pixels) -> tuple[Tensor, Tensor]:
    """Return content and painting of a stored training pair."""
    side = pair.shape[0]
    return _to_tensor(pair[:, :side]), _to_tensor(pair[:, side:])


def _to_tensor(pixels: Pixels) -> Tensor:
    return torch.from_numpy(np.array(pixels, dtype=np.float32) / 255).permute(2, 0, 1).contiguous()
