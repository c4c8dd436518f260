"""Train a product network on a catalogue, test it on articles it never saw, and ask it about photos."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import torch
from lightning.pytorch.loggers import Logger

from ...datasets.pictures.labels import LabelSpace
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
from .classifier import Classifier, machine
from .further import further_config, further_labels, further_split, take_over
from .inputs import title_form
from .judging import SPLIT, rows_of, titles_of
from .options import TrainConfig
from .reporting import learned_facts, scan_report
from .training import fit


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
        learning = rows_of(source.catalogue, split.train, pictures)
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
            validation=rows_of(source.catalogue, split.validation, pictures),
            folder=folder,
            logger=logger,
            further=start is not None,
            titles=titles_of(source.catalogue),
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
