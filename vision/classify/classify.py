"""Train a product network on a catalogue, test it on articles it never saw, and ask it about photos."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import torch
from lightning.pytorch.loggers import Logger

from ...datasets.pictures.catalogue import Article, Catalogue
from ...datasets.pictures.labels import LabelSpace
from ...datasets.pictures.photos import Pictures, Quarantined, load_pictures
from ...datasets.pictures.source import Progress, Source
from ...datasets.pictures.split import ArticleSplit, split_articles
from ...runtime.arguments.kinds import Count, Seed, checked
from ...runtime.plain import PlainObject, made_of, to_plain
from ...runtime.run_folder import RunFolder
from ...runtime.training.resume import REPORT, begin, check_begun, finish
from ..networks.backbone import AUTO
from ..networks.efficientnet_lite import FORMS
from ..networks.known_backbones import build_backbone, chosen_backbone
from ..networks.product_network import NetworkConfig, ProductNetwork
from .answers import article_table, judge, photo_table, probability_table
from .classifier import SHIPPED, Classifier, machine
from .further import further_config, further_labels, further_split, take_over
from .inputs import photo_vectors, title_form, title_vectors, vectors_are_kept
from .reporting import learned_facts, scan_report
from .scores import Score, score
from .training import TrainConfig, fit

SPLIT, TEST, PROBABILITIES = "split.json", "test.json", "probabilities.parquet"


@checked
def train_classifier(
    source: Source,
    checkpoint: str,
    *,
    network: NetworkConfig | None = None,
    training: TrainConfig | None = None,
    tasks: Sequence[str] = (),
    max_images: Count | None = None,
    shares: tuple[float | None, float | None] = (None, None),
    split_seed: Seed = 0,
    resume: bool = False,
    start: str | None = None,
    progress: Progress | None = None,
    logger: Logger | Sequence[Logger] | None = None,
) -> Classifier:
    """Train a network on the articles of a catalogue and write the run.

    The run holds ``model.safetensors``, ``model.json``, ``split.json``, what it was begun with (``begun.json``,
    ``data.json``) and ``report.json`` with the training log, the quarantined photos and what was noticed about
    articles and labels. While it trains, it also holds ``last.ckpt``, from which a killed training goes on.

    Arguments:
        source: the catalogue.
        checkpoint: folder or fsspec address of the run.
        network: the form of the network; by default stored ImageNet features where their weights are installed, and
            else a small network.
        training: how to train; by default the backbone stays as it is where it is pretrained.
        tasks: the label columns to learn; by default all.
        max_images: photos an article, at most.
        shares: the shares of articles for validation and test, as `split_articles` takes them.
        split_seed: draws the split.
        resume: go on with the killed training in `checkpoint`.
        start: a finished run whose network, answers and split this one begins with, for more articles, classes or
            tasks; classes that it knows keep their places, whether they occur now or not.
        progress: called with the photos opened and all photos.
        logger: one or several of ``lightning.pytorch.loggers``; gets the loss, the right answers by task among the
            articles that are watched, and the learning rate, a point an epoch.

    Returns:
        The trained classifier.

    Raises:
        ValueError: the folder already holds a run, or another process is writing one; a task is not a label column;
            `resume` is asked of a run that was begun with other options, labels or classes; or the network of `start`
            has another form.
    """
    before = None if start is None else Classifier.load(RunFolder(start))
    if before is None:
        network = network or NetworkConfig(backbone=AUTO, depths=chosen_backbone(AUTO) in FORMS)
        network = replace(network, backbone=chosen_backbone(network.backbone), **title_form(network.text))
        training = training or TrainConfig(frozen=network.backbone in FORMS)
        network = replace(network, standardise=training.frozen and not network.spatial_transformer)
    else:
        network, training = further_config(before, network), training or before.training
    folder = RunFolder(checkpoint)
    tasks = tuple(tasks) or source.catalogue.columns
    if not tasks:
        raise ValueError("tasks: expected label columns to learn, got a catalogue without labels")
    for task in tasks:
        if task not in source.catalogue.columns:
            raise ValueError(f"tasks: expected label columns of {list(source.catalogue.columns)}, got {task!r}")
    begun: PlainObject = {
        "network": to_plain(network),
        "training": to_plain(training),
        "tasks": list(tasks),
        "max_images": max_images,
        "shares": list(shares),
        "split_seed": split_seed,
        "start": start,
    }
    with folder.alone("checkpoint"):
        check_begun(folder, begun, resume)
        if folder.has(REPORT):
            return Classifier.load(folder)
        started, busy = time.perf_counter(), time.process_time()
        torch.manual_seed(training.seed)
        if before is None:
            backbone = build_backbone(
                network.backbone, size=network.size, channels=network.channels, widths=network.widths
            )
        else:
            backbone = before.network.backbone
        pictures = source.load(**backbone.preprocessing.photos, progress=progress)
        if resume:
            split = made_of(folder.read_json(SPLIT), ArticleSplit)
        else:
            split = split_articles(source.catalogue, pictures, validation=shares[0], test=shares[1], seed=split_seed)
            split = split if start is None else further_split(split, RunFolder(start))
        # Only now: which photos are used must not change who judges whom.
        pictures = pictures.first(max_images)
        learning = _rows(source.catalogue, split.train, pictures)
        if not len(learning):
            bad = pictures.quarantine
            first = f", {bad[0].address}: {bad[0].reason}" if bad else ""
            raise ValueError(
                f"data: expected training articles with a photo, got none of {len(split.train)} "
                f"({len(bad)} photos in quarantine{first})"
            )
        labels = LabelSpace.of(
            [source.catalogue.articles[row] for row in learning],
            tasks,
            facets=[name for name in source.facets if name in tasks],
            order={name: classes for name, classes in source.order.items() if name in tasks},
        )
        if before is not None:
            labels = further_labels(before.network.labels, labels)
        targets = labels.encode(source.catalogue.articles)
        opened = time.perf_counter()
        whole = ProductNetwork(backbone=backbone, labels=labels, config=network)
        if before is not None:
            take_over(whole, before.network)
        classifier = Classifier(whole, training, max_images)
        if not resume:
            folder.write_json(SPLIT, to_plain(split))
        begin(folder, begun, learned_facts(source.catalogue, labels, titles=network.titles > 0), resume)
        history = fit(
            classifier.network,
            training,
            pictures,
            targets,
            train=learning,
            validation=_rows(source.catalogue, split.validation, pictures),
            folder=folder,
            logger=logger,
            further=start is not None,
            titles=_titles(source.catalogue),
        )
        classifier.save(folder)
        report: PlainObject = {
            **scan_report(source.catalogue, pictures, split, labels),
            "seconds": {
                "photos": round(opened - started, 1),
                "training": round(time.perf_counter() - opened, 1),
                "processor": round(time.process_time() - busy, 1),
            },
            "machine": machine(),
            "parameters": sum(p.numel() for p in classifier.network.parameters()),
            "history": history,
        }
        finish(folder, report)
        return classifier


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
    learned = _rows(source.catalogue, split.train, pictures)
    counts = pictures.counts(len(source.catalogue))
    titles, vectors = title_vectors(network, _titles(source.catalogue)), None
    if vectors_are_kept() and classifier.training.frozen and network.warp is None:
        vectors = photo_vectors(network, pictures, mirrored=mirrored, device=device)
    asked = partial(judge, network, pictures, mirrored=mirrored, titles=titles, vectors=vectors)
    scores: dict[str, dict[str, Score]] = {}
    tables, shares, photos = [], [], []
    for side in ("train", "validation", "test"):
        rows = _rows(source.catalogue, split.side(side), pictures)
        everyone = _rows(source.catalogue, split.side(side), None)
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


def _rows(catalogue: Catalogue, item_ids: Sequence[str], pictures: Pictures | None) -> np.ndarray:
    """The numbers in the catalogue of these articles, of those with a photo where pictures are given."""
    wanted = set(item_ids)
    counts = pictures.counts(len(catalogue)) if pictures is not None else np.ones(len(catalogue))
    rows = [row for row, item_id in enumerate(catalogue.item_ids) if item_id in wanted and counts[row]]
    return np.array(rows, dtype=np.int64)


def _titles(catalogue: Catalogue) -> list[str]:
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
