"""Training again with the labels as they stand, and judging labels by networks that did not learn them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from ...datasets.pictures.catalogue import Catalogue
from ...datasets.pictures.parts import photos_of
from ...datasets.pictures.source import Progress, Source, open_source
from ...datasets.pictures.split import ArticleSplit
from ...runtime.devices import torch_device
from ...runtime.digest import sha256_of
from ...runtime.plain import made_of
from ...runtime.run_folder import RunFolder
from ...vision.classify.answers import judge
from ...vision.classify.classifier import Classifier
from ...vision.classify.inputs import kept_vectors, photo_vectors, title_vectors
from ...vision.classify.judging import SPLIT, evaluate_classifier
from ...vision.networks.known_backbones import build_backbone
from ...vision.networks.product_network import ProductNetwork
from ..jobs.jobs import Tell
from .ledger import Labels
from .quality import OUT_OF_FOLD, out_of_fold_table

FOLDS = 4


@dataclass(frozen=True)
class TrainOrder:
    """What is to be trained.

    Arguments:
        data: the catalogue, as `open_source` takes it.
        run: the run whose options and sides of the split are taken.
        out: the folder of the new run, or of the judgements.
        changed: task -> item id -> the labels that stand.
        vectors: the folder of what networks that stay as they are see of photos; each is looked at once.
    """

    data: str
    run: str
    out: str
    changed: Mapping[str, Mapping[str, Labels]]
    vectors: str


def train_again(order: TrainOrder, tell: Tell) -> str:
    """Train a run anew with the labels as they stand, every article on the side of the split where it was.

    Arguments:
        order: what is to be trained.
        tell: is told how far it is.

    Returns:
        The folder of the new run, which is tested.
    """
    from ...vision.classify.classify import train_classifier  # here, as the pages should not wait for Lightning
    from ..jobs.epochs import epochs_told

    source, before = _relabelled(order), Classifier.load(RunFolder(order.run))
    with kept_vectors(order.vectors):
        train_classifier(
            source,
            order.out,
            network=before.network.config,
            training=before.training,
            tasks=[task.name for task in before.network.labels.tasks],
            max_images=before.max_images,
            progress=_photos(tell),
            logger=epochs_told(tell, "training", before.training.epochs or 0),
        )
        tell("testing", 0, 0)
        evaluate_classifier(order.out, source)
    return order.out


def judge_out_of_fold(order: TrainOrder, tell: Tell) -> str:
    """Probabilities of the training articles by networks that learnt from the others, of `FOLDS` parts.

    Articles that share their first photo stand in one part, so that none is judged by a network that saw its photo.

    Arguments:
        order: what is to be judged.
        tell: is told how far it is.

    Returns:
        The folder, in which ``out_of_fold.parquet`` lies.
    """
    from ...vision.classify.training import fit
    from ..jobs.epochs import epochs_told

    source, before = _relabelled(order), Classifier.load(RunFolder(order.run))
    network, training = before.network, before.training
    pictures = source.load(**network.backbone.preprocessing.photos, progress=_photos(tell)).first(before.max_images)
    articles = source.catalogue.articles
    shown = pictures.counts(len(articles)) > 0
    rows = np.array([row for row, each in enumerate(articles) if each.side == "train" and shown[row]], dtype=np.int64)
    parts = np.array(
        [int(sha256_of(pictures.content[place])[:8], 16) % FOLDS for place in np.searchsorted(pictures.article, rows)]
    )
    targets, titles = network.labels.encode(articles), [article.text for article in articles]
    vectors = None
    if training.frozen and network.warp is None:
        tell("looking at photos", 0, 0)
        with kept_vectors(order.vectors):
            vectors = photo_vectors(network, pictures, mirrored=before.both_views, device=torch_device(training.device))
    tables = []
    for number in range(FOLDS):
        apart, others = rows[parts == number], rows[parts != number]
        if not len(apart) or not len(others):
            continue
        fold = _untrained(before)
        fit(
            fold,
            training,
            pictures,
            targets,
            train=others,
            validation=np.array([], dtype=np.int64),
            logger=epochs_told(tell, f"part {number + 1} of {FOLDS}", training.epochs or 0),
            titles=titles,
            vectors=vectors,
        )
        read = title_vectors(fold, titles)
        shares = judge(fold, pictures, apart, mirrored=before.both_views, titles=read, vectors=vectors)
        items = [articles[row].item_id for row in apart]
        tables += [out_of_fold_table(task, items, shares[task.name]) for task in fold.labels.tasks]
    if not tables:
        raise ValueError("data: expected training articles with photos of several kinds, got too few to judge them")
    RunFolder(order.out).write_frame(OUT_OF_FOLD, pd.concat(tables, ignore_index=True))
    return order.out


def _untrained(before: Classifier) -> ProductNetwork:
    """A network as that of a run was before its training."""
    config = before.network.config
    torch.manual_seed(before.training.seed)
    backbone = build_backbone(config.backbone, size=config.size, channels=config.channels, widths=config.widths)
    return ProductNetwork(backbone=backbone, labels=before.network.labels, config=config)


def _relabelled(order: TrainOrder) -> Source:
    """The catalogue with the labels that stand, the sides of the run, and its classes in their order."""
    source = open_source(order.data)
    split = made_of(RunFolder(order.run).read_json(SPLIT), ArticleSplit)
    side = {item: name for name in ("train", "validation", "test") for item in split.side(name)}
    articles = []
    numbers = []
    for number, article in enumerate(source.catalogue.articles):
        if article.item_id not in side:
            continue  # new since: it has no side yet
        labels = {
            task: of_task[article.item_id] for task, of_task in order.changed.items() if article.item_id in of_task
        }
        articles.append(replace(article, side=side[article.item_id], labels={**article.labels, **labels}))
        numbers.append(number)
    catalogue = replace(source.catalogue, articles=tuple(articles))
    pictures = None if source.pictures is None else photos_of(source.pictures, np.array(numbers))
    known = {task.name: task.classes for task in Classifier.load(RunFolder(order.run)).network.labels.tasks}
    return replace(source, catalogue=catalogue, order=_orders(catalogue, known), pictures=pictures)


def _orders(catalogue: Catalogue, known: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The classes of each task in the order of the run, and behind them those that people have added."""
    found = {}
    for task, classes in known.items():
        now = {label for each in catalogue.articles if each.side == "train" for label in each.labels.get(task, ())}
        found[task] = (*classes, *sorted(now - set(classes)))
    return found


def _photos(tell: Tell) -> Progress:
    def progress(done: int, total: int) -> None:
        if done % 50 == 0 or done == total:
            tell("opening photos", done, total)

    return progress
