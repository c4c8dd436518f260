"""An assortment in the order of a model's score: how likely labels are, or how much articles are like something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...datasets.pictures.labels import LabelSpace
from ...datasets.pictures.photos import Quarantined
from ...datasets.pictures.source import Progress, Source
from ...runtime.arguments.kinds import checked
from ...runtime.run_folder import RunFolder
from ..classify.answers import judge
from ..classify.classifier import SHIPPED, Classifier
from ..classify.inputs import title_vectors
from .index import Hit
from .where import Condition, allowed_rows


@dataclass(frozen=True)
class Ranking:
    """Articles by a score.

    Arguments:
        hits: the articles, those with the largest score first.
        without_photo: item ids of those that have no score, as none of their photos could be used.
        quarantine: the photos that could not be used.
    """

    hits: tuple[Hit, ...]
    without_photo: tuple[str, ...] = ()
    quarantine: tuple[Quarantined, ...] = ()


@checked
def rank_by_labels(
    source: Source,
    by: Sequence[str],
    *,
    checkpoint: str | None = None,
    where: Sequence[str] = (),
    mirrored: bool | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Ranking:
    """The articles of a catalogue by how likely some labels are, as a classifier sees their photos.

    Arguments:
        source: the catalogue.
        by: what is to hold, such as ``"colour=red|blue"`` or ``"shape!=round"``; of several the product of their
            probabilities is taken, as that of several facets of one column, as if they were independent.
        checkpoint: folder or fsspec address of the classifier's run; ``None`` for the one that comes with the package.
        where: conditions on the labels that the articles have, as in `find_similar`.
        mirrored: take the mean of the answers to each photo and to its mirror image; by default where the training
            computed the vectors of both.
        device: where to calculate.
        progress: called with the photos opened and all photos.

    Returns:
        The articles; the score of each is a probability, 0…1.

    Raises:
        ValueError: nothing is asked for, the classifier does not know a column or label, or no article that `where`
            leaves has a photo.
    """
    if not by:
        raise ValueError("by: expected labels such as colour=red, got none")
    wanted = [Condition.read(text, "by") for text in by]
    limits = [Condition.read(text) for text in where]
    classifier = Classifier.load(RunFolder(checkpoint or SHIPPED))
    network = classifier.network.to(device)
    for condition in wanted:
        _require_known(condition, network.labels)
    articles = source.catalogue.articles
    allowed = allowed_rows([article.labels for article in articles], limits)
    pictures = source.load(**network.backbone.preprocessing.photos, progress=progress).first(classifier.max_images)
    shown = pictures.counts(len(articles)) > 0
    rows = np.flatnonzero(allowed & shown)
    if not len(rows):
        raise ValueError(f"data: expected articles with a photo, got none of {int(allowed.sum())} that are asked for")
    titles = title_vectors(network, [article.text for article in articles])
    mirrored = classifier.both_views if mirrored is None else mirrored
    shares = judge(network, pictures, rows, mirrored=mirrored, titles=titles)
    scores = np.prod([_probability(each, network.labels, shares[each.column]) for each in wanted], axis=0)
    first = np.searchsorted(pictures.article, rows)
    order = np.argsort(-scores, kind="stable")
    hits = [
        Hit(
            articles[rows[spot]].item_id,
            pictures.addresses[first[spot]],
            float(scores[spot]),
            articles[rows[spot]].labels,
            articles[rows[spot]].text,
        )
        for spot in order
    ]
    unseen = tuple(articles[row].item_id for row in np.flatnonzero(allowed & ~shown))
    return Ranking(tuple(hits), unseen, pictures.quarantine)


def ranked_table(ranking: Ranking) -> pd.DataFrame:
    """A ranking as a table; articles without a score stand at its end.

    Returns:
        Columns ``rank, item_id, score, photo, title`` and ``label_…`` for each label column, several labels of one
        article with ``|`` between.
    """
    columns = sorted({column for hit in ranking.hits for column in hit.labels})
    rows = [
        {
            "rank": number,
            "item_id": hit.item_id,
            "score": hit.score,
            "photo": hit.photo,
            "title": hit.text,
            **{f"label_{column}": "|".join(hit.labels.get(column, ())) or None for column in columns},
        }
        for number, hit in enumerate(ranking.hits, start=1)
    ]
    table = pd.DataFrame([*rows, *({"item_id": item} for item in ranking.without_photo)])
    return table.astype({"rank": "Int64"})


def _require_known(condition: Condition, labels: LabelSpace) -> None:
    names = [task.name for task in labels.tasks]
    if condition.column not in names:
        raise ValueError(f"by: expected one of the columns {names}, got {condition.column!r}")
    classes = labels[condition.column].classes
    if strange := [label for label in condition.labels if label not in classes]:
        some = ", ".join(classes[:20])
        raise ValueError(f"by: expected labels of {condition.column} ({some}), got {strange[0]!r}")


def _probability(condition: Condition, labels: LabelSpace, shares: np.ndarray) -> np.ndarray:
    """The probability ``[n]`` that a condition holds, from those of the classes ``[n, classes]``."""
    task = labels[condition.column]
    some = shares[:, [task.classes.index(label) for label in dict.fromkeys(condition.labels)]].astype(np.float64)
    holds = 1 - (1 - some).prod(axis=1) if task.facets else some.sum(axis=1)
    found: np.ndarray = 1 - holds if condition.negated else holds
    return found
