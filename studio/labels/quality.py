"""How well labels go with photos, by cleanlab over probabilities of networks that did not learn these labels."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ...datasets.pictures.labels import Task
from ...runtime.run_folder import RunFolder
from .answers import Answers, View

OUT_OF_FOLD = "out_of_fold.parquet"

_STALE = 300
"""Seconds after which labels that were changed are taken into account in judging the others."""


@dataclass(frozen=True)
class Judgement:
    """How well labels go with photos.

    Arguments:
        quality: ``[n]`` from `label_quality`; NaN where somebody has decided.
        likely: ``[n]`` from `likely_errors`; false where somebody has decided.
        trained: whether the labels of the training side were judged too.
    """

    quality: np.ndarray
    likely: np.ndarray
    trained: bool


class Judge:
    """Judges the labels of a run's articles, and again when they have changed, but not at every change."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[str | None, tuple[int, int], float, Judgement]] = {}

    def of(self, name: str, view: View, folder: str | None) -> Judgement:
        """How well the labels of a view go with the photos.

        Arguments:
            name: of the run.
            view: its answers beside the labels as they stand.
            folder: where `judge_out_of_fold` wrote; ``None`` where it did not.
        """
        key, moment = (name, view.task.name), time.monotonic()
        kept = self._kept.get(key)
        fresh = kept is not None and kept[0] == folder and (kept[1] == view.standing.stamp or moment < kept[2] + _STALE)
        if kept is None or not fresh:
            shares = held_out_shares(view.answers, folder)
            told = Judgement(label_quality(view, shares), likely_errors(view, shares), folder is not None)
            kept = self._kept[key] = (folder, view.standing.stamp, moment, told)
        told = kept[3]
        decided = [
            view.answers.place[item]
            for item in view.standing.changed.get(view.task.name, {})
            if item in view.answers.place
        ]
        if not decided:
            return told
        quality, likely = told.quality.copy(), told.likely.copy()
        quality[decided], likely[decided] = np.nan, False
        return replace(told, quality=quality, likely=likely)


def held_out_shares(answers: Answers, folder: str | None) -> np.ndarray:
    """Probabilities of networks that did not learn the label of each article.

    Off the training side these are the answers of the run itself; on it those that `judge_out_of_fold` wrote.

    Arguments:
        answers: of the run.
        folder: where `judge_out_of_fold` wrote; ``None`` where it did not.

    Returns:
        float32 ``[n, classes]``, NaN where there are none.

    Raises:
        ValueError: the classes in the folder are others than those of the run, or stand in another order.
    """
    shares = answers.probabilities.copy()
    shares[answers.sides == "train"] = np.nan
    if folder is None or not RunFolder(folder).has(OUT_OF_FOLD):
        return shares
    frame = RunFolder(folder).read_frame(OUT_OF_FOLD)
    mine = frame[frame["task"] == answers.task.name]
    for classes in mine["classes"].map(tuple).unique():
        require_classes(answers.task, classes)
    for item, values in zip(mine["item_id"], mine["probabilities"], strict=True):
        if item in answers.place:
            shares[answers.place[item]] = values
    return shares


def require_classes(task: Task, classes: tuple[str, ...]) -> None:
    """Raise where the columns of some probabilities are not the classes of a task in their order.

    Raises:
        ValueError: they are not.
    """
    if tuple(classes) != task.classes:
        raise ValueError(
            f"classes: expected those of {task.name!r} in their order, {list(task.classes)[:5]}…, "
            f"got {list(classes)[:5]}…"
        )


def label_quality(view: View, shares: np.ndarray) -> np.ndarray:
    """How well each label goes with its photo: low where it is likely to be wrong.

    For ordinary tasks cleanlab's self-confidence, adjusted by the mean confidence of each class (Northcutt, Jiang and
    Chuang 2021, "Confident learning", JAIR 70); for facets the smallest
    probability of any of its yes and no.

    Arguments:
        view: the answers beside the labels as they stand.
        shares: ``[n, classes]`` from `held_out_shares`.

    Returns:
        ``[n]`` 0…1, NaN where the article has no label of a known class, or no probabilities.
    """
    found = np.full(len(shares), np.nan)
    judged = view.is_told & ~np.isnan(shares).any(axis=1)
    if view.task.facets:
        right = np.where(view.codes > 0.5, shares, 1 - shares)
        found[judged] = right[judged].min(axis=1)
        return found
    judged &= view.codes >= 0
    if not judged.any():
        return found
    from cleanlab.rank import get_label_quality_scores

    codes, kept = view.codes[judged], shares[judged].astype(np.float64)
    kept /= kept.sum(axis=1, keepdims=True)
    # The mean confidence of a class needs an article of each: where one has none, scores stay as they are.
    whole = len(np.unique(codes)) == len(view.task.classes)
    found[judged] = get_label_quality_scores(codes, kept, method="self_confidence", adjust_pred_probs=whole)
    return found


def likely_errors(view: View, shares: np.ndarray) -> np.ndarray:
    """Which labels are likely to be wrong, bool ``[n]``: by cleanlab's confident joint; of facets those below one half.

    Arguments:
        view: the answers beside the labels as they stand.
        shares: ``[n, classes]`` from `held_out_shares`.
    """
    found = np.zeros(len(shares), dtype=bool)
    judged = view.is_told & ~np.isnan(shares).any(axis=1)
    if view.task.facets:
        return judged & (label_quality(view, shares) < 0.5)
    judged &= view.codes >= 0
    if not judged.any() or len(np.unique(view.codes[judged])) < 2:
        return found
    from cleanlab.filter import find_label_issues

    # Classes that no label names are left out: the joint counts labels of each.
    codes, columns = np.unique(view.codes[judged], return_inverse=True)
    kept = shares[judged][:, codes].astype(np.float64) + 1e-12
    kept /= kept.sum(axis=1, keepdims=True)
    found[judged] = find_label_issues(columns, kept, n_jobs=1)
    return found


def out_of_fold_table(task: Task, item_ids: list[str], shares: np.ndarray) -> pd.DataFrame:
    """Probabilities as `held_out_shares` reads them.

    Arguments:
        task: the task of the network that gave them.
        item_ids: n articles.
        shares: ``[n, classes]``.
    """
    return pd.DataFrame(
        {
            "item_id": item_ids,
            "task": task.name,
            "classes": [list(task.classes)] * len(item_ids),
            "probabilities": list(shares.astype(np.float32)),
        }
    )
