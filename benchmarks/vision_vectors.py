"""What the benchmarks of labels share: vectors of a catalogue's photos, computed once, and networks on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from hemline.datasets.pictures.labels import LabelSpace
from hemline.datasets.pictures.photos import Pictures
from hemline.datasets.pictures.source import Source, open_source
from hemline.datasets.pictures.split import ArticleSplit, split_articles
from hemline.vision.classify.inputs import photo_vectors, title_vectors
from hemline.vision.classify.options import TrainConfig
from hemline.vision.classify.scores import Score, score
from hemline.vision.classify.training import fit
from hemline.vision.networks.known_backbones import build_backbone
from hemline.vision.networks.product_network import NetworkConfig, ProductNetwork

FORM = NetworkConfig(backbone="efficientnet-lite0", depths=True, standardise=True)
TRAINING = TrainConfig(frozen=True, device="cpu")


@dataclass(frozen=True)
class Seen:
    """A catalogue whose photos a frozen network has seen.

    Arguments:
        source: the catalogue.
        pictures: its photos, without pixels.
        vectors: float32 ``[photos, 2, F]``, of each photo and of its mirror image.
        split: who learns, who chooses, who judges.
    """

    source: Source
    pictures: Pictures
    vectors: torch.Tensor
    split: ArticleSplit

    def rows(self, *sides: str) -> np.ndarray:
        """The numbers of the articles of some sides that have a photo."""
        wanted = {item for side in sides for item in self.split.side(side)}
        counts = self.pictures.counts(len(self.source.catalogue))
        ids = self.source.catalogue.item_ids
        return np.array([row for row, item in enumerate(ids) if item in wanted and counts[row]], dtype=np.int64)


def seen(data: str, form: NetworkConfig, kept: str | None) -> Seen:
    """The photos of a catalogue by a network of this form; the vectors are read from the file if it is there."""
    source = open_source(data)
    network = ProductNetwork(backbone=build_backbone(form.backbone), labels=LabelSpace(()), config=form).freeze()
    pictures = source.load(**network.backbone.preprocessing.photos)
    if kept is not None and Path(kept).exists():
        vectors = torch.from_numpy(np.load(kept))
    else:
        vectors = photo_vectors(network, pictures, mirrored=True, device="cpu")
        if kept is not None:
            np.save(kept, vectors.numpy())
    split = split_articles(source.catalogue, pictures)
    return Seen(source, replace(pictures, pixels=pictures.pixels[:, :, :1, :1]), vectors, split)


def trained(
    known: Seen,
    labels: LabelSpace,
    form: NetworkConfig,
    training: TrainConfig,
    *,
    titles: Sequence[str] | None = None,
    vectors: torch.Tensor | None = None,
) -> ProductNetwork:
    """A network of this form, trained on the training side."""
    torch.manual_seed(training.seed)
    network = ProductNetwork(backbone=build_backbone(form.backbone), labels=labels, config=form)
    vectors = known.vectors if vectors is None else vectors
    targets = labels.encode(known.source.catalogue.articles)
    none = np.zeros(0, dtype=np.int64)
    given = {"titles": titles, "vectors": vectors}
    fit(network, training, known.pictures, targets, train=known.rows("train"), validation=none, **given)
    return network


def shares(
    known: Seen,
    network: ProductNetwork,
    rows: np.ndarray,
    *,
    titles: Sequence[str] | None = None,
    vectors: torch.Tensor | None = None,
) -> dict[str, np.ndarray]:
    """The probabilities of all classes, the mean of the answers to each photo and to its mirror image."""
    vectors = known.vectors if vectors is None else vectors
    article, photos = np.unique(known.pictures.article[np.isin(known.pictures.article, rows)], return_inverse=True)
    assert article.tolist() == rows.tolist()
    chosen = vectors[torch.from_numpy(np.isin(known.pictures.article, rows))]
    read = None if titles is None else title_vectors(network, titles)
    told = None if read is None else read[torch.from_numpy(rows)]
    found: dict[str, np.ndarray] = {}
    with torch.inference_mode():
        for view in range(chosen.shape[1]):
            logits = network.judge_vectors(chosen[:, view], torch.from_numpy(photos), len(rows), told)
            for task in network.labels.tasks:
                part = logits[task.name].sigmoid() if task.facets else logits[task.name].softmax(dim=1)
                found[task.name] = found.get(task.name, np.float32(0)) + part.numpy() / chosen.shape[1]
    return found


def scored(known: Seen, labels: LabelSpace, rows: np.ndarray, found: Mapping[str, np.ndarray]) -> dict[str, Score]:
    """Accuracy, F1 and the like of each task."""
    targets = labels.encode(known.source.catalogue.articles)
    return {task.name: score(task, found[task.name], targets[task.name][rows]) for task in labels.tasks}
