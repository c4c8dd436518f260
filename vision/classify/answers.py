"""The answers of a trained network, article by article and photo by photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ...datasets.pictures.catalogue import Article
from ...datasets.pictures.labels import LabelSpace, Task
from ...datasets.pictures.photos import Pictures
from ..networks.article_batches import ArticleBatch, ArticleBatches
from ..networks.product_network import ProductNetwork


def judge(
    network: ProductNetwork,
    pictures: Pictures,
    rows: np.ndarray,
    *,
    each_photo: bool = False,
    mirrored: bool = False,
    titles: Tensor | None = None,
    vectors: Tensor | None = None,
    batch_size: int = 256,
) -> dict[str, np.ndarray]:
    """The probabilities of all classes.

    Arguments:
        network: a trained network, on any device.
        pictures: the photos of the whole catalogue.
        rows: int64 ``[n]``, the numbers of the articles, each with a photo.
        each_photo: judge every photo alone.
        mirrored: take the mean of the probabilities with those of the mirror images.
        titles: ``[articles, titles]`` of the whole catalogue, from `title_vectors`; by default none is known.
        vectors: what `photo_vectors` gave of these pictures, with mirror images where these are asked for; then photos
            are not looked at again.
        batch_size: articles at a time.

    Returns:
        Task -> float32 ``[n, classes]``, or ``[photos, classes]`` in the order of the photos of the articles.
    """
    device = next(network.parameters()).device
    found: dict[str, list[Tensor]] = {task.name: [] for task in network.labels.tasks}
    network = network.eval().for_inference()
    with torch.inference_mode():
        batches = ArticleBatches(
            pictures, {}, rows, batch_size=batch_size, each_photo=each_photo, titles=titles, vectors=vectors
        )
        for batch in batches:
            moved = batch.to(device)
            shares = _shares(network, moved, vectors is not None, mirror=False)
            if mirrored:
                other = _shares(network, moved, vectors is not None, mirror=True)
                shares = {name: (values + other[name]) / 2 for name, values in shares.items()}
            for name, values in shares.items():
                found[name].append(values.cpu())
    empty = {task.name: torch.empty(0, len(task.classes)) for task in network.labels.tasks}
    return {name: torch.cat(parts).numpy() if parts else empty[name].numpy() for name, parts in found.items()}


def _shares(network: ProductNetwork, batch: ArticleBatch, seen: bool, *, mirror: bool) -> dict[str, Tensor]:
    """Probabilities from photos, or from the vectors of those that were `seen` before."""
    if seen:
        logits = network.judge_vectors(batch.pixels[:, int(mirror)], batch.article, len(batch), batch.titles)
    else:
        pixels = batch.pixels.flip(-1) if mirror else batch.pixels
        logits = network(pixels, batch.article, len(batch), batch.titles)
    return {
        name: values.float().sigmoid() if network.labels[name].facets else values.float().softmax(dim=1)
        for name, values in logits.items()
    }


def article_table(
    labels: LabelSpace,
    articles: Sequence[Article],
    counts: np.ndarray,
    probabilities: Mapping[str, np.ndarray],
) -> pd.DataFrame:
    """One row an article and task: the truth, the answer and its confidence.

    Arguments:
        labels: the tasks.
        articles: n articles, those without a photo among them.
        counts: int64 ``[n]``, the photos of each.
        probabilities: task -> ``[m, classes]``, of the m articles that have a photo.

    Returns:
        Columns ``item_id, photos, task, truth, answer, confidence``; an article without a photo has no answer.
    """
    place = np.cumsum(counts > 0) - 1
    rows = []
    for number, article in enumerate(articles):
        for task in labels.tasks:
            row = {"item_id": article.item_id, "photos": int(counts[number]), "task": task.name}
            row["truth"] = truth_of(task, article)
            if counts[number]:
                shares = probabilities[task.name][place[number]]
                if task.facets:
                    yes = shares > 0.5
                    row["answer"] = "|".join(label for label, said in zip(task.classes, yes, strict=True) if said)
                    row["confidence"] = float(np.where(yes, shares, 1 - shares).prod())
                else:
                    row["answer"] = task.classes[int(shares.argmax())]
                    row["confidence"] = float(shares.max())
            rows.append(row)
    columns = ["item_id", "photos", "task", "truth", "answer", "confidence"]
    return pd.DataFrame(rows, columns=columns)


def truth_of(task: Task, article: Article) -> str | None:
    """The labels of an article as an answer is written: in the order of the classes, those never seen last.

    Example:
        >>> truth_of(Task("tags", ("a", "b"), facets=True), Article("x", labels={"tags": ("new", "b", "a")}))
        'a|b|new'
    """
    place = {label: number for number, label in enumerate(task.classes)}
    return "|".join(sorted(article.labels.get(task.name, ()), key=lambda label: place.get(label, len(place)))) or None


def probability_table(item_ids: Sequence[str], probabilities: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """One row an article and task: the probabilities of all classes, in the order of the task.

    Arguments:
        item_ids: n articles.
        probabilities: task -> ``[n, classes]``.

    Returns:
        Columns ``item_id, task, probabilities``, the last one arrays.
    """
    parts = [
        pd.DataFrame({"item_id": list(item_ids), "task": name, "probabilities": list(values)})
        for name, values in probabilities.items()
    ]
    return pd.concat(parts, ignore_index=True)


def photo_table(
    labels: LabelSpace, item_ids: Sequence[str], addresses: Sequence[str], probabilities: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """One row a photo, task and label: the probability of every tag.

    Arguments:
        labels: the tasks.
        item_ids: the article of each of N photos.
        addresses: where the photos lie.
        probabilities: task -> ``[N, classes]``.

    Returns:
        Columns ``item_id, photo, task, label, probability``.
    """
    parts = [
        pd.DataFrame(
            {
                "item_id": np.repeat(np.array(item_ids, dtype=object), len(task.classes)),
                "photo": np.repeat(np.array(addresses, dtype=object), len(task.classes)),
                "task": task.name,
                "label": list(task.classes) * len(item_ids),
                "probability": probabilities[task.name].ravel().astype(np.float32),
            }
        )
        for task in labels.tasks
    ]
    return pd.concat(parts, ignore_index=True)
