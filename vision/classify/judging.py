"""Answers of a trained product network: scored on the sides of its split, and for photos that nobody has labelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from ...datasets.pictures.catalogue import Article, Catalogue
from ...datasets.pictures.labels import LabelSpace
from ...datasets.pictures.photos import Pictures, Quarantined, load_pictures
from ...datasets.pictures.source import Progress, Source
from ...datasets.pictures.split import ArticleSplit
from ...runtime.arguments.kinds import checked
from ...runtime.plain import made_of, to_plain
from ...runtime.run_folder import RunFolder
from .answers import article_table, judge, photo_table, probability_table
from .classifier import SHIPPED, Classifier
from .inputs import photo_vectors, title_vectors, vectors_are_kept
from .scores import Score, score

SPLIT, TEST, PROBABILITIES = "split.json", "test.json", "probabilities.parquet"


def evaluate_classifier(
    checkpoint: str,
    source: Source,
    *,
    mirrored: bool | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> dict[str, dict[str, Score]]:
    """Score a run on the sides of the split it was trained with, and write all its answers.

    Writes ``test.json`` (scores), ``articles.parquet`` (truth and answer of each article, with its side), and
    probabilities: ``probabilities.parquet`` (of its classes, in their order), ``photos.parquet`` (of each photo).

    Arguments:
        checkpoint: folder or fsspec address of the run.
        source: the catalogue.
        mirrored: take the mean of the answers to each photo and to its mirror image; by default where the training
            computed the vectors of both.
        device: where to calculate.
        progress: called with the photos opened and all photos.

    Returns:
        Side (``"train"``, ``"validation"``, ``"test"``) -> task -> what `score` gives.

    Raises:
        FileNotFoundError: there is no run.
        ValueError: no article of the stored split is in the catalogue.
    """
    folder = RunFolder(checkpoint)
    classifier = Classifier.load(folder)
    network, labels = classifier.network.to(device), classifier.network.labels
    mirrored = classifier.both_views if mirrored is None else mirrored
    split = made_of(folder.read_json(SPLIT), ArticleSplit)
    pictures = source.load(**network.backbone.preprocessing.photos, progress=progress).first(classifier.max_images)
    targets = labels.encode(source.catalogue.articles)
    new = labels.count_unseen(source.catalogue.articles)
    learned = rows_of(source.catalogue, split.train, pictures)
    counts = pictures.counts(len(source.catalogue))
    titles, vectors = title_vectors(network, titles_of(source.catalogue)), None
    if vectors_are_kept() and classifier.training.frozen and network.warp is None:
        vectors = photo_vectors(network, pictures, mirrored=mirrored, device=device)
    asked = partial(judge, network, pictures, mirrored=mirrored, titles=titles, vectors=vectors)
    scores: dict[str, dict[str, Score]] = {}
    tables, shares, photos = [], [], []
    for side in ("train", "validation", "test"):
        rows = rows_of(source.catalogue, split.side(side), pictures)
        everyone = rows_of(source.catalogue, split.side(side), None)
        probabilities = asked(rows)
        scores[side] = {
            task.name: score(
                task,
                probabilities[task.name],
                targets[task.name][rows],
                _most_frequent(targets[task.name][learned]),
                new[task.name][rows] if task.facets else None,
            )
            for task in labels.tasks
        }
        articles = [source.catalogue.articles[row] for row in everyone]
        tables.append(article_table(labels, articles, counts[everyone], probabilities).assign(side=side))
        judged = [source.catalogue.articles[row].item_id for row in rows]
        shares.append(probability_table(judged, probabilities).assign(side=side))
        told = _photos(labels, source.catalogue, pictures, rows, probabilities, asked)
        photos.append(told.assign(side=side))
    if not any(len(part) for part in photos):
        raise ValueError(f"data: expected articles with photos of the split in {folder.path(SPLIT)}, got none")
    for name, parts in (("articles.parquet", tables), (PROBABILITIES, shares), ("photos.parquet", photos)):
        folder.write_frame(name, pd.concat([part for part in parts if len(part)], ignore_index=True))
    folder.write_json(TEST, to_plain(scores))
    return scores


@checked
def predict_photos(
    checkpoint: str | None, addresses: Sequence[str], *, mirrored: bool | None = None, device: str = "cpu"
) -> tuple[pd.DataFrame, tuple[Quarantined, ...]]:
    """Predictions of a trained run for photos, each photo on its own.

    Arguments:
        checkpoint: folder or fsspec address of the run; ``None`` for the one that comes with the package, which tells
            ten kinds of clothes.
        addresses: paths or fsspec addresses of photos.
        mirrored: take the mean of the answers to each photo and to its mirror image; by default where the training
            computed the vectors of both.
        device: where to calculate.

    Returns:
        Columns ``item_id, photo, task, label, probability``, and the photos that could not be opened.
    """
    classifier = Classifier.load(RunFolder(checkpoint or SHIPPED))
    network = classifier.network.to(device)
    mirrored = classifier.both_views if mirrored is None else mirrored
    shown = network.backbone.preprocessing
    catalogue = Catalogue(tuple(Article(address, (address,)) for address in dict.fromkeys(addresses)))
    pictures = load_pictures(catalogue, shown.size, channels=shown.channels, fit=shown.fit)
    probabilities = judge(network, pictures, pictures.article, mirrored=mirrored)
    names = [catalogue.articles[row].item_id for row in pictures.article]
    return photo_table(network.labels, names, pictures.addresses, probabilities), pictures.quarantine


def rows_of(catalogue: Catalogue, item_ids: Sequence[str], pictures: Pictures | None) -> np.ndarray:
    """The numbers in the catalogue of these articles, of those with a photo where pictures are given."""
    wanted = set(item_ids)
    counts = pictures.counts(len(catalogue)) if pictures is not None else np.ones(len(catalogue))
    rows = [row for row, item_id in enumerate(catalogue.item_ids) if item_id in wanted and counts[row]]
    return np.array(rows, dtype=np.int64)


def titles_of(catalogue: Catalogue) -> list[str]:
    """The titles of all articles."""
    return [article.text for article in catalogue.articles]


def _most_frequent(codes: np.ndarray) -> np.ndarray | None:
    """What `score` compares with: the most frequent class or classes; of facets, whether most articles have each."""
    if codes.ndim == 2:
        told = codes[~np.isnan(codes).any(axis=1)]
        return told.mean(axis=0) > 0.5 if len(told) else None
    known = codes[codes >= 0]
    if not len(known):
        return None
    counts = np.bincount(known)
    return np.flatnonzero(counts == counts.max())


def _photos(
    labels: LabelSpace,
    catalogue: Catalogue,
    pictures: Pictures,
    rows: np.ndarray,
    probabilities: dict[str, np.ndarray],
    asked: Callable[..., dict[str, np.ndarray]],
) -> pd.DataFrame:
    chosen = np.flatnonzero(np.isin(pictures.article, rows))
    if len(chosen) != len(rows):
        probabilities = asked(rows, each_photo=True)
    names = [catalogue.articles[pictures.article[number]].item_id for number in chosen]
    return photo_table(labels, names, [pictures.addresses[number] for number in chosen], probabilities)
