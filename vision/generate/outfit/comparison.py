"""How well figures are dressed as was asked, beside answers that are always the same and conditions of others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from ....datasets.pictures.worn.outfits import Outfits
from ....runtime.arguments.kinds import Seed, checked
from ....runtime.run_folder import RunFolder
from .dresser import TrainedDresser
from .network import article_colours
from .reader import FigureReader, ReaderConfig, read_figures, trained_reader

Told = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Joints ``[n, J, 2]``, shares of the side; how likely each slot is worn ``[n, 6]``; colours ``[n, 6, 3]``, 0…1."""


@checked
def score_dresser(
    checkpoint: str,
    outfits: Outfits,
    *,
    unconditional: str | None = None,
    reader: ReaderConfig | None = None,
    seed: Seed = 0,
) -> pd.DataFrame:
    """Scores of dressed figures, asked for in outfits and poses of held-out photos.

    All is told by one network that learnt joints, slots and colours from photos of the training side. The rows: the
    network; the same in other outfits and the same poses (an outfit that moves to them); judged by the conditions of
    other photos (shuffled); untrained; a network without conditions; the fixed answer that suits the training photos
    best, which no photo gives; and the held-out photos themselves.

    Arguments:
        checkpoint: the run of `train_dresser`.
        outfits: of `read_outfits`, in the size of the run, with a test side.
        unconditional: the run of a network without conditions.
        reader: how the network that judges is trained.
        seed: draws latents and which outfits are moved.

    Returns:
        A row for each kind: ``images``; ``joints`` (mean distance, shares of the side), ``colour`` (Euclidean distance,
        0…1 a channel, over articles that are worn), ``worn`` (share of worn slots that are told to be), ``empty``
        (share of empty slots told to be worn), and ``count``.

    Raises:
        ValueError: there are no photos on the test side, or they have another size or another pose.
    """
    trained = TrainedDresser.load(RunFolder(checkpoint))
    form = trained.network.form
    test = np.array([side == "test" for side in outfits.sides], dtype=bool)
    if test.sum() < 2 or test.all():
        raise ValueError(f"outfits: expected photos of both sides, got {int(test.sum())} of {len(test)} to judge by")
    if outfits.images.shape[-1] != form.size or outfits.joints.shape[1] != form.joints:
        raise ValueError(
            f"outfits: expected photos of {form.size} pixels with {form.joints} joints, got "
            f"{outfits.images.shape[-1]} with {outfits.joints.shape[1]}"
        )
    asked, learnt = outfits.some(test), outfits.some(~test)
    judge = trained_reader(learnt, reader)
    order = np.random.default_rng(seed).permutation(len(asked))
    moved = asked.some(order)
    seeds = range(seed, seed + len(asked))
    torch.manual_seed(seed)
    untrained = TrainedDresser(
        form.build().eval(), trained.training, trained.slots, trained.articles, trained.worn, trained.joints
    )
    own, other = _drawn(trained, seeds, asked, asked), _drawn(trained, seeds, moved, asked)
    rows = {
        "dressed": scores_of(read_figures(judge, own), asked, asked),
        "another outfit": scores_of(read_figures(judge, other), moved, asked),
        "shuffled conditions": scores_of(read_figures(judge, own), moved, moved),
        "untrained": scores_of(read_figures(judge, _drawn(untrained, seeds, asked, asked)), asked, asked),
    }
    if unconditional is not None:
        free = TrainedDresser.load(RunFolder(unconditional))
        rows["without conditions"] = scores_of(read_figures(judge, _drawn(free, seeds, asked, asked)), asked, asked)
    rows["fixed answer"] = scores_of(fixed_answer(learnt, len(asked)), asked, asked)
    rows["held-out photos"] = scores_of(read_figures(judge, asked.images), asked, asked)
    return pd.DataFrame([{"images": name, **scores, "count": len(asked)} for name, scores in rows.items()])


def scores_of(told: Told, outfits: Outfits, poses: Outfits) -> dict[str, float]:
    """The scores of what was told, see `score_dresser`.

    Arguments:
        told: of `read_figures`.
        outfits: what was asked to be worn.
        poses: in which poses.
    """
    joints, likely, colours = told
    apart = np.linalg.norm(joints - poses.joints, axis=2)
    wanted = colours_of(outfits)
    return {
        "joints": float(np.nanmean(apart)),
        "colour": float(np.linalg.norm(colours - wanted, axis=2)[outfits.worn].mean()),
        "worn": float((likely > 0.5)[outfits.worn].mean()),
        "empty": float((likely > 0.5)[~outfits.worn].mean()),
    }


def colours_of(outfits: Outfits) -> np.ndarray:
    """The mean colour of each article, ``[n, 6, 3]``, 0…1."""
    found: np.ndarray = ((article_colours(torch.from_numpy(outfits.articles).float() / 127.5 - 1) + 1) / 2).numpy()
    return found


def fixed_answer(learnt: Outfits, count: int) -> Told:
    """The mean pose, the mean colour of each slot, and whether most people wear something there, so many times."""
    colours, worn = colours_of(learnt), learnt.worn[:, :, None]
    mean = (colours * worn).sum(axis=0) / np.maximum(worn.sum(axis=0), 1)
    told = (np.nanmean(learnt.joints, axis=0), learnt.worn.mean(axis=0), mean)
    joints, likely, shades = (np.broadcast_to(each, (count, *each.shape)) for each in told)
    return joints, likely, shades


def _drawn(trained: TrainedDresser, seeds: range, outfits: Outfits, poses: Outfits) -> np.ndarray:
    styles = trained.styles(trained.latents(seeds), outfits.articles, outfits.worn)
    return trained.draw(styles, poses.joints)


__all__ = ["FigureReader", "fixed_answer", "score_dresser", "scores_of"]
