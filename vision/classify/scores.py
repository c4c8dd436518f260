"""How good the answers of a model are, class by class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import numpy as np

from ...datasets.pictures.labels import MISSING, UNSEEN, Task
from ...runtime.texts import markdown_cell

BINS = 15


class ClassScore(TypedDict):
    """Precision, recall and F1 of a class, of a facet its average precision, counted over articles."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    answered: int
    average_precision: NotRequired[float | None]


class Bin(TypedDict):
    """A bin of the reliability diagram: confidence, accuracy and share of answers, 0…1."""

    confidence: float
    accuracy: float
    share: float


class Score(TypedDict, total=False):
    """Scores of one task, see `score`; ``articles`` alone where none has a label."""

    articles: int
    accuracy: float
    exact: float
    macro_f1: float
    mean_average_precision: float | None
    prevalence: float | None
    majority: float | None
    calibration_error: float
    nll: float | None
    per_class: list[ClassScore]
    reliability: list[Bin]
    confusion: list[list[int]]


def score(
    task: Task,
    probabilities: np.ndarray,
    codes: np.ndarray,
    majority: int | np.ndarray | None = None,
    unseen: np.ndarray | None = None,
) -> Score:
    """Accuracy, F1 and calibration of the answers of one task.

    Articles without a label are left out. A label that was never seen in training cannot be answered: such an
    article counts as an error; among facets such a label counts as one more yes or no, answered wrongly. The
    macro-F1 is the mean over the classes that occur in the truth or the answers.

    Arguments:
        task: the task.
        probabilities: ``[n, classes]``.
        codes: ``[n]``, from `LabelSpace.encode`; for facets ``[n, classes]``.
        majority: the class to which the answers are compared, the most frequent one in training, or all that are
            equally frequent, int64 ``[m]``: their mean counts; for facets
            bool ``[classes]``, whether most articles had each.
        unseen: for facets int64 ``[n]``, how many labels of each article were never seen in training; by
            default none.

    Returns:
        Plain data: ``articles``, ``accuracy``, ``macro_f1``, ``majority`` (the accuracy of always answering
        that class), ``per_class`` (label, precision, recall, f1, support, answered), for facets ``exact`` (the share
        of articles with every answer right), ``mean_average_precision`` over the facets that some article has, the
        ``average_precision`` of each in ``per_class``, and ``prevalence``, the mean average precision of the same
        answer to every article; and for classes
        ``calibration_error``, ``nll``, ``reliability`` and ``confusion`` (rows: truth, the last one of labels
        never seen; columns: answers).

    Raises:
        ValueError: the shapes do not fit the task.
    """
    if probabilities.shape != (len(codes), len(task.classes)):
        raise ValueError(
            f"probabilities: expected the shape {(len(codes), len(task.classes))} for task {task.name!r}, "
            f"got {probabilities.shape}"
        )
    if task.facets:
        return _score_facets(task, probabilities, codes, majority, np.zeros(len(codes)) if unseen is None else unseen)
    return _score_class(task, probabilities, codes, majority)


def confusion_counts(answers: np.ndarray, codes: np.ndarray, classes: int) -> np.ndarray:
    """How often each class (row, the last one: never seen in training) was answered as each class (column).

    Arguments:
        answers: int64 ``[n]``.
        codes: int64 ``[n]``; missing ones are left out.
        classes: the number of classes K.

    Returns:
        int64 ``[K + 1, K]``.

    Example:
        >>> confusion_counts(np.array([0, 1, 1]), np.array([0, 0, UNSEEN]), classes=2)
        array([[1, 1],
               [0, 0],
               [0, 1]])
    """
    known = codes != MISSING
    rows = np.where(codes == UNSEEN, classes, codes)[known]
    counts = np.zeros((classes + 1, classes), dtype=np.int64)
    np.add.at(counts, (rows, answers[known]), 1)
    return counts


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> tuple[float, list[Bin]]:
    r"""Expected calibration error of the answers.

    :math:`\sum_b \frac{n_b}{n} |\text{accuracy}_b - \text{confidence}_b|` over bins of equal width.

    Source: C. Guo, G. Pleiss, Y. Sun, K. Weinberger (2017), arXiv 1706.04599, eq. 3.

    Arguments:
        confidence: ``[n]``, the probability of the answer, 0…1.
        right: bool ``[n]``.
        bins: the number of bins.

    Returns:
        The error, and a row for each bin that has answers: ``confidence``, ``accuracy``, ``share``.

    Example:
        >>> error, rows = calibration_error(np.array([0.9, 0.9]), np.array([True, False]))
        >>> round(error, 3), len(rows)
        (0.4, 1)
    """
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    rows: list[Bin] = [
        {
            "confidence": float(confidence[place == number].mean()),
            "accuracy": float(right[place == number].mean()),
            "share": float((place == number).mean()),
        }
        for number in np.unique(place)
    ]
    return sum(row["share"] * abs(row["accuracy"] - row["confidence"]) for row in rows), rows


def average_precision(shares: np.ndarray, truth: np.ndarray) -> float:
    r"""The area under the steps of precision against recall.

    :math:`\sum_k (R_k - R_{k-1}) P_k` over the thresholds, from the highest; equal answers are one threshold.

    Arguments:
        shares: ``[n]``, how likely the label holds for each article.
        truth: bool ``[n]``, whether it does; for one of them at least.

    Example:
        >>> average_precision(np.array([0.9, 0.8, 0.1]), np.array([True, False, True]))
        0.8333333333333333
    """
    order = np.argsort(-shares, kind="stable")
    last = np.append(np.flatnonzero(np.diff(shares[order])), len(shares) - 1)
    hits = np.cumsum(truth[order])[last]
    return float(np.sum(np.diff(hits, prepend=0) / truth.sum() * hits / (last + 1)))


def _score_class(task: Task, probabilities: np.ndarray, codes: np.ndarray, majority: int | np.ndarray | None) -> Score:
    known = codes != MISSING
    if not known.any():
        return {"articles": 0}
    answers = probabilities.argmax(axis=1)
    counts = confusion_counts(answers, codes, len(task.classes))
    right = (answers == codes)[known]
    error, reliability = calibration_error(probabilities.max(axis=1)[known], right)
    seen = codes >= 0
    stated = probabilities[seen, codes[seen]]
    per_class = _per_class(task, counts.diagonal(), counts.sum(axis=1)[:-1], counts.sum(axis=0))
    return {
        "articles": int(known.sum()),
        "accuracy": float(right.mean()),
        "macro_f1": _macro(per_class),
        "majority": float(np.isin(codes[known], majority).mean() / np.size(majority)) if majority is not None else None,
        "calibration_error": error,
        "nll": float(-np.log(stated.clip(1e-12)).mean()) if seen.any() else None,
        "per_class": per_class,
        "reliability": reliability,
        "confusion": counts.tolist(),
    }


def _score_facets(
    task: Task, probabilities: np.ndarray, codes: np.ndarray, majority: int | np.ndarray | None, unseen: np.ndarray
) -> Score:
    known = ~np.isnan(codes).any(axis=1)
    if not known.any():
        return {"articles": 0}
    answers, truth = probabilities[known] > 0.5, codes[known] > 0.5
    new = unseen[known]
    asked = truth.size + new.sum()
    hits = (answers & truth).sum(axis=0)
    per_class = _per_class(task, hits, truth.sum(axis=0), answers.sum(axis=0))
    areas = [
        average_precision(shares, held) if held.any() else None
        for shares, held in zip(probabilities[known].T, truth.T, strict=True)
    ]
    for row, area in zip(per_class, areas, strict=True):
        row["average_precision"] = area
    told = [area for area in areas if area is not None]
    return {
        "articles": int(known.sum()),
        "accuracy": float((answers == truth).sum() / asked),
        "exact": float(((answers == truth).all(axis=1) & (new == 0)).mean()),
        "macro_f1": _macro(per_class),
        "mean_average_precision": float(np.mean(told)) if told else None,
        "prevalence": float(truth[:, truth.any(axis=0)].mean()) if told else None,
        "majority": float((majority == truth).sum() / asked) if majority is not None else None,
        "per_class": per_class,
    }


def _per_class(task: Task, hits: np.ndarray, support: np.ndarray, answered: np.ndarray) -> list[ClassScore]:
    return [
        {
            "label": label,
            "precision": float(hit / said) if said else 0.0,
            "recall": float(hit / there) if there else 0.0,
            "f1": float(2 * hit / (there + said)) if there + said else 0.0,
            "support": int(there),
            "answered": int(said),
        }
        for label, hit, there, said in zip(task.classes, hits, support, answered, strict=True)
    ]


def _macro(per_class: list[ClassScore]) -> float:
    occurring = [row["f1"] for row in per_class if row["support"] or row["answered"]]
    return float(np.mean(occurring)) if occurring else 0.0


def table(scores: Mapping[str, Score]) -> str:
    """Scores of several tasks as text.

    Arguments:
        scores: task -> what `score` gave.

    Returns:
        A Markdown table.
    """
    heads = ["accuracy", "macro-F1", "majority", "calibration error"]
    facets = any("mean_average_precision" in row for row in scores.values())
    heads += ["mAP", "prevalence"] if facets else []
    lines = [f"| task | articles | {' | '.join(heads)} |", "|---" * (len(heads) + 2) + "|"]
    for name, row in scores.items():
        numbers = [row.get("accuracy"), row.get("macro_f1"), row.get("majority"), row.get("calibration_error")]
        numbers += [row.get("mean_average_precision"), row.get("prevalence")] if facets else []
        shown = [_number(number) for number in numbers]
        lines.append(f"| {markdown_cell(name)} | {row['articles']} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
