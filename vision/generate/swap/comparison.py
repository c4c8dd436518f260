"""How good swaps are where the truth is known, beside swaps without a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch

from ....datasets.pictures.source import Progress
from ....datasets.pictures.worn.pairs import WornPairs, WornRow, load_worn
from ....evaluation.scores.designs import changes_outside, colour_errors, mask_overlaps, mean_colours
from ....runtime.arguments.kinds import Seed, checked
from ....runtime.run_folder import RunFolder
from .matching import article_shares, likeness, palette
from .swapper import TrainedSwapper

Swap = Callable[[WornPairs], tuple[np.ndarray, np.ndarray]]
"""Pairs to swapped photos ``[n, 3, H, W]``, 0…1, and α ``[n, H, W]``, 0…1."""


@checked
def score_swapper(
    checkpoint: str, rows: Sequence[WornRow], *, seed: Seed = 0, progress: Progress | None = None
) -> pd.DataFrame:
    """Scores of an article swap on pairs whose truth is known.

    The rows are the swap; the same network untrained; the colours alone (α is 1 where a pixel is as near to a colour of
    the worn article as a threshold says); the one fixed mask that suits all training photos best; and photos that are
    left as they are. Without a network, what is drawn is the mean colour of the article wanted. Threshold and fixed
    mask are those with the largest overlap on the training side, whose masks they may see and the swap may not.

    Arguments:
        checkpoint: the run of `train_swapper`.
        rows: of `worn_rows`; those of the test side with mask, wanted article and truth are judged.
        seed: of the untrained weights.
        progress: called with the pairs opened and all pairs.

    Returns:
        A row for each kind: ``images``; ``overlap`` (IoU of α above ½ with the mask), ``colour`` (Euclidean distance of
        the mean colours within the mask of swap and truth, 0…1 a channel), ``pixels`` (their mean absolute difference
        within it), ``outside`` (mean absolute change where the mask is 0), and ``count``.

    Raises:
        ValueError: no row of the test side has a truth.
    """
    trained = TrainedSwapper.load(RunFolder(checkpoint))
    form = trained.network.form
    known = [row for row in rows if row.side == "test" and row.mask and row.wanted and row.truth]
    if not known:
        raise ValueError(f"data: expected rows of the test side with mask, wanted and truth, got none of {len(rows)}")
    asked = load_worn(known, form.height, form.width, progress)
    asked = asked.some(asked.masks.max(axis=(1, 2), initial=0) > 127)
    if not len(asked):
        raise ValueError(f"data: expected masks with an article in {len(known)} rows of the test side, got none")
    masked = [row for row in rows if row.side != "test" and row.mask]
    learnt = load_worn(masked, form.height, form.width) if masked else asked
    torch.manual_seed(seed)
    untrained = TrainedSwapper(form.build().eval(), trained.training, trained.examples)
    ways: dict[str, Swap] = {
        "swap": _by(trained),
        "untrained": _by(untrained),
        "colours alone": by_colours(learnt),
        "fixed mask": by_fixed_mask(learnt),
        "unchanged": lambda pairs: (pairs.images / 255, np.zeros(pairs.masks.shape)),
    }
    return pd.DataFrame([{"images": name, **scores_of(asked, way)} for name, way in ways.items()])


def scores_of(pairs: WornPairs, way: Swap) -> dict[str, float]:
    """The scores of one way to swap, see `score_swapper`.

    Arguments:
        pairs: with masks, wanted articles and truths.
        way: how they are swapped.
    """
    swapped, alpha = way(pairs)
    masks, truths = pairs.masks / 255, pairs.truths / 255
    apart = np.abs(swapped - truths).mean(axis=1)
    return {
        "overlap": float(mask_overlaps(alpha > 0.5, masks > 0.5).mean()),
        "colour": float(colour_errors(swapped, masks, mean_colours(truths, masks)).mean()),
        "pixels": float(((apart * masks).sum(axis=(1, 2)) / masks.sum(axis=(1, 2))).mean()),
        "outside": float(changes_outside(pairs.images / 255, swapped, masks).mean()),
        "count": len(pairs),
    }


def by_fixed_mask(learnt: WornPairs) -> Swap:
    """The same mask on every photo: where at least a share of the training masks is, the share that suits them best."""
    masks = learnt.masks > 127
    share = masks.mean(axis=0)
    fixed = [share >= bound for bound in np.unique(np.quantile(share, np.linspace(0.5, 0.999, 60)))]
    best = fixed[int(np.argmax([mask_overlaps(np.broadcast_to(one, masks.shape), masks).mean() for one in fixed]))]
    return lambda pairs: _filled(pairs, np.broadcast_to(best, pairs.masks.shape).astype(np.float64))


def by_colours(learnt: WornPairs) -> Swap:
    """What has a colour of the worn article; the least likeness that counts is the one that suits the masks best."""
    bounds, masks = np.linspace(0.05, 0.95, 19), learnt.masks > 127
    alike = _alike(learnt)
    best = bounds[int(np.argmax([mask_overlaps(alike > bound, masks).mean() for bound in bounds]))]
    return lambda pairs: _filled(pairs, (_alike(pairs) > best).astype(np.float64))


def _alike(pairs: WornPairs) -> np.ndarray:
    images, worn = (torch.from_numpy(each).float() / 127.5 - 1 for each in (pairs.images, pairs.articles))
    parts = zip(images.split(64), worn.split(64), strict=True)
    return np.concatenate([likeness(some, *palette(shots))[:, 0].numpy() for some, shots in parts])


def _filled(pairs: WornPairs, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Photos with the mean colour of the article wanted where α is."""
    wanted = pairs.wanted / 255
    inside = article_shares(torch.from_numpy(wanted) * 2 - 1)[:, 0].numpy()
    colours = mean_colours(wanted, inside)[:, :, None, None]
    return alpha[:, None] * colours + (1 - alpha[:, None]) * (pairs.images / 255), alpha


def _by(trained: TrainedSwapper) -> Swap:
    def swap(pairs: WornPairs) -> tuple[np.ndarray, np.ndarray]:
        images, alpha = trained.swap(pairs.images, pairs.articles, pairs.wanted)
        return images / 255, alpha

    return swap
