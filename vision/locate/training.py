"""Learn where the article is from photos with boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from ...runtime.arguments.kinds import Checked, Count, Positive, Seed
from .locator import LocatorHead, mean_box


@dataclass(frozen=True)
class LocateConfig(Checked):
    """How a locator is trained.

    Arguments:
        steps: steps of AdamW, each at one of the scales.
        batch_size: photos a step.
        lr: largest learning rate of one cosine cycle.
        seed: draws weights, photos and scales.
    """

    steps: Count = 150
    batch_size: Count = 16
    lr: Positive = 3e-3
    seed: Seed = 0


def fit_locator(maps: Sequence[Tensor], boxes: Tensor, config: LocateConfig) -> LocatorHead:
    """A head that was trained on the maps of some photos, and is in evaluation mode.

    The loss at each place is the cross-entropy of being in the box and, where it is, 1 − IoU of the box that the place
    tells (UnitBox, J. Yu et al., arXiv 1608.01471, has its logarithm); beside both, 1 − IoU of the photo's box.

    Arguments:
        maps: `location_maps` of the photos (and of their mirror images) at each scale.
        boxes: float32 ``[N, 4]``, shares of the square.
        config: how to train.
    """
    torch.manual_seed(config.seed)
    head = LocatorHead(maps[0].shape[1]).train()
    head.fit_scale(maps)
    optimiser = torch.optim.AdamW(head.parameters(), lr=config.lr, weight_decay=0.05)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.lr, total_steps=config.steps, pct_start=0.2)
    for _ in range(config.steps):
        seen = maps[int(torch.randint(len(maps), (1,)))]
        rows = torch.randint(len(boxes), (min(config.batch_size, len(boxes)),))
        wanted = boxes[rows]
        logits, told = head(seen[rows])
        within = _within(seen[rows], wanted)
        lost = 1 - _overlap(told, wanted[:, :, None, None])
        whole = 1 - _overlap(mean_box(logits, told), wanted)
        loss = binary_cross_entropy_with_logits(logits, within)
        loss = loss + (lost * within).sum() / within.sum().clamp_min(1) + whole.mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        cycle.step()
    return head.eval()


def _within(maps: Tensor, boxes: Tensor) -> Tensor:
    across, down = ((maps[:, number] + 1) / 2 for number in (-2, -1))
    left, top, right, bottom = (side[:, None, None] for side in boxes.unbind(dim=1))
    return ((across > left) & (across < right) & (down > top) & (down < bottom)).float()


def _overlap(told: Tensor, wanted: Tensor) -> Tensor:
    """IoU along the second dimension."""
    least, most = torch.maximum(told[:, :2], wanted[:, :2]), torch.minimum(told[:, 2:], wanted[:, 2:])
    both = (most - least).clamp_min(0).prod(dim=1)
    first, second = ((each[:, 2:] - each[:, :2]).clamp_min(0).prod(dim=1) for each in (told, wanted))
    return both / (first + second - both).clamp_min(1e-9)
