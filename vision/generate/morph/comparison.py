"""How good photos in other poses are, on people and poses that were not learnt from, beside rows that learn nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ....datasets.pictures.poses import PosePairs
from ....datasets.pictures.skeletons import Skeleton
from ....evaluation.scores.designs import pattern_similarities, structural_similarities
from ....runtime.arguments.kinds import Count, checked
from ....runtime.arguments.naming import naming
from ....runtime.run_folder import RunFolder
from ..trained import as_bytes
from .drawing import Change, morph_sheet
from .morph import TrainedMorph
from .warping import unchanged, warped

LEAST = 0.01
"""The share of a photo that a garment takes whose texture is compared."""

Moving = Callable[[Tensor, Tensor, Tensor, Skeleton], Tensor]


@checked
def score_morph(
    pairs: PosePairs, checkpoint: str, *, beside: Mapping[str, str] | None = None, patches: Count | None = None
) -> pd.DataFrame:
    """Scores of photos in the poses of held-out pairs.

    The rows are the network, others that are named, the source unchanged, and the source's limbs moved rigidly.

    Arguments:
        pairs: photos and poses; those that are held out are judged by.
        checkpoint: the run of a network that changes poses.
        beside: the name of a row -> the run of another network.
        patches: that each place of the network looks at; by default as in training.

    Returns:
        A row for each: ``images``, ``ssim`` (structural similarity over the photo), ``absolute`` (mean difference of
        pixels, 0…1), ``texture`` (correlation of the brightness inside each garment, the mean over garments; where
        garments are told), and ``count`` (pairs).

    Raises:
        ValueError: no pair is held out, or a network is of another size or layout than the photos.
    """
    rows = _rows(pairs, checkpoint, beside or {}, patches)
    return pd.DataFrame([{"images": name, **scores(pairs, change)} for name, change in rows.items()])


def sheet_of_morphs(
    pairs: PosePairs,
    checkpoint: str,
    *,
    beside: Mapping[str, str] | None = None,
    patches: Count | None = None,
    count: Count = 8,
) -> bytes:
    """Some held-out pairs with what each row makes of them, as PNG: source, pose, the rows from the last, the truth.

    Arguments:
        pairs: see `score_morph`.
        checkpoint: likewise.
        beside: likewise.
        patches: likewise.
        count: of pairs, spread over all.
    """
    rows = _rows(pairs, checkpoint, beside or {}, patches)
    rows.pop("source unchanged")
    some = np.unique(np.linspace(0, len(pairs.held_out) - 1, count).round().astype(int))
    return morph_sheet(pairs, pairs.held_out[some], dict(reversed(rows.items())))


def _rows(pairs: PosePairs, checkpoint: str, beside: Mapping[str, str], patches: int | None) -> dict[str, Change]:
    if not len(pairs.held_out):
        raise ValueError("data: expected pairs that are held out, got none")
    rows: dict[str, Change] = {}
    for name, run in {"network": checkpoint, **beside}.items():
        with naming("checkpoint" if name == "network" else "beside", run):
            trained = TrainedMorph.load(RunFolder(run)).looking_at(patches if name == "network" else None)
            trained.check(*_given(pairs, pairs.held_out))
            rows[name] = trained.morph
    return rows | still_rows(pairs.skeleton)


def still_rows(skeleton: Skeleton) -> dict[str, Change]:
    """The rows that learn nothing, by name."""

    def change(moving: Moving) -> Change:
        def moved(photos: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
            images, begin, end = (torch.from_numpy(each) for each in (photos, source, target))
            return as_bytes(moving(images.float() / 127.5 - 1, begin, end, skeleton))

        return moved

    return {"source unchanged": change(unchanged), "limbs moved rigidly": change(warped)}


def scores(pairs: PosePairs, change: Change) -> dict[str, float]:
    """The scores of what a change makes of the held-out pairs, see `score_morph`."""
    truth = pairs.images[pairs.held_out[:, 1]] / 255
    made = change(*_given(pairs, pairs.held_out)) / 255
    whole = np.ones((len(truth), pairs.size, pairs.size))
    found = {
        "ssim": float(structural_similarities(made, truth, whole).mean()),
        "absolute": float(np.abs(made - truth).mean()),
    }
    if pairs.garments is not None:
        worn = pairs.garments[pairs.held_out[:, 1]]
        found["texture"] = float(np.mean(garment_textures(made, truth, worn)))
    return {**found, "count": len(truth)}


def garment_textures(made: np.ndarray, truth: np.ndarray, garments: np.ndarray) -> np.ndarray:
    """The correlation of the brightness of two images inside each garment that is large enough, over all of them.

    Arguments:
        made: ``[n, 3, S, S]``.
        truth: likewise.
        garments: the number of the garment in each pixel of the truth ``[n, S, S]``, 0 for none.
    """
    found = []
    for number in np.unique(garments[garments > 0]):
        masks = (garments == number).astype(np.float64)
        rows = masks.mean(axis=(1, 2)) >= LEAST
        if rows.any():
            found.append(pattern_similarities(made[rows], truth[rows], masks[rows]))
    return np.concatenate(found) if found else np.zeros(0)


def _given(pairs: PosePairs, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return pairs.images[rows[:, 0]], pairs.joints[rows[:, 0]], pairs.joints[rows[:, 1]]
