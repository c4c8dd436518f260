"""Train a generator on the photos of a catalogue and keep it in a folder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from lightning.pytorch.loggers import Logger
from torch import Tensor

from ...datasets.pictures.labels import MISSING, LabelSpace
from ...datasets.pictures.photos import Pictures
from ...datasets.pictures.source import Progress, Source
from ...datasets.pictures.split import ArticleSplit, split_articles
from ...runtime.arguments.kinds import Count, Seed, checked
from ...runtime.plain import PlainObject, made_of, to_plain
from ...runtime.run_folder import RunFolder
from ...runtime.training.resume import REPORT, begin, check_begun, finish
from .adversarial.precision import precision_here
from .adversarial.running import keep_sheet, train_adversaries
from .adversarial.training import AdversarialTraining
from .networks.network import Generator, ImageSpec
from .recipes import DEFAULT, RECIPES, Recipe
from .sheets import sample_sheet
from .trained import TrainedGenerator

SPLIT, SHEET = "split.json", "samples.png"


@dataclass(frozen=True)
class Examples:
    """The photos that are learnt from or compared with.

    Arguments:
        images: uint8 ``[N, channels, size, size]``.
        labels: int64 ``[N]``; ``None`` where no classes are told.
        classes: the classes, in the order of the labels.
        content: the N fingerprints of what the photos show.
    """

    images: Tensor
    labels: Tensor | None
    classes: tuple[str, ...]
    content: tuple[str, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """How frequent each class is."""
        if self.labels is None:
            return ()
        counts = torch.bincount(self.labels, minlength=len(self.classes))
        return tuple(round(float(share), 9) for share in counts / len(self.labels))


def training_examples(
    source: Source, pictures: Pictures, item_ids: Sequence[str], task: str | None, classes: Sequence[str] = ()
) -> Examples:
    """The photos of some articles, each with the class of its article; articles without one are left out.

    Arguments:
        source: the catalogue.
        pictures: its photos.
        item_ids: the articles.
        task: the label column of the classes; ``None`` for none.
        classes: in the order of the labels; by default those of these articles.

    Raises:
        ValueError: fewer than two photos are left.
    """
    wanted = set(item_ids)
    chosen = np.array([article.item_id in wanted for article in source.catalogue.articles])
    codes = None
    if task is not None:
        some = [article for article, used in zip(source.catalogue.articles, chosen, strict=True) if used]
        order = {task: tuple(classes)} if classes else {k: v for k, v in source.order.items() if k == task}
        space = LabelSpace.of(some, [task], order=order)
        classes = space[task].classes
        codes = space.encode(source.catalogue.articles)[task].astype(np.int64)
        chosen &= codes != MISSING
    photos = np.flatnonzero(chosen[pictures.article])
    if len(photos) < 2:
        bad = len(pictures.quarantine)
        raise ValueError(f"data: expected two or more photos, got {len(photos)} ({bad} in quarantine)")
    return Examples(
        torch.from_numpy(pictures.pixels[photos]),
        None if codes is None else torch.from_numpy(codes[pictures.article[photos]]),
        tuple(classes),
        tuple(pictures.content[photo] for photo in photos),
    )


@checked
def train_generator(
    source: Source,
    checkpoint: str,
    *,
    recipe: Recipe | None = None,
    size: Count | None = None,
    channels: Count | None = None,
    task: str | None = None,
    split_seed: Seed = 0,
    resume: bool = False,
    progress: Progress | None = None,
    logger: Logger | Sequence[Logger] | None = None,
) -> TrainedGenerator:
    """Train a generator on the photos of the training side of a catalogue and write the run.

    The run holds ``generator.safetensors`` (the running mean of the weights), ``generator.json``, ``split.json``,
    ``samples.png`` and earlier sheets of the same latents in ``sheets/``, and ``report.json`` with the training log.
    While it trains, it also holds ``last.ckpt``, from which a killed training goes on.

    Arguments:
        source: the catalogue; every photo of an article is an example, with the label of the article.
        checkpoint: folder or fsspec address of the run.
        recipe: forms and options; by default ``RECIPES["small"]``.
        size: side of the images, pixels; by default that of decoded photos, else 64.
        channels: 3, or 1 for grey; by default as decoded photos, else 3.
        task: the label column whose classes are told to both networks; articles without a label are left out.
        split_seed: draws the split, where the source does not say which articles are for the test.
        resume: go on with the killed training in `checkpoint`.
        progress: called with the photos opened and all photos.
        logger: one or several of ``lightning.pytorch.loggers``; gets the losses and what is watched, a point an epoch.

    Returns:
        The generator.

    Raises:
        ValueError: the folder already holds a run, or another process is writing one; `task` is no column of classes;
            the networks cannot make this size; or `resume` is asked of a run begun with other options or photos.
        FloatingPointError: a loss became NaN or infinite; the state of the last whole epoch is kept.
    """
    recipe = recipe or RECIPES[DEFAULT]
    folder = RunFolder(checkpoint)
    if task is not None and task not in source.catalogue.columns:
        raise ValueError(f"task: expected a label column of {list(source.catalogue.columns)}, got {task!r}")
    if task in source.facets:
        raise ValueError(f"task: expected a column of one label for each article, got {task!r}, which holds several")
    decoded = None if source.pictures is None else source.pictures.pixels.shape[1:]
    channels = channels or (3 if decoded is None else int(decoded[0]))
    size = size or (64 if decoded is None else int(decoded[-1]))
    spec = ImageSpec(size, channels)
    if decoded is not None and decoded != (channels, size, size):
        raise ValueError(
            f"size, channels: expected {decoded[-1]} and {decoded[0]} as decoded, got {size} and {channels}"
        )
    begun: PlainObject = {
        "recipe": to_plain(recipe),
        "size": size,
        "channels": channels,
        "task": task,
        "split_seed": split_seed,
    }
    with folder.alone("checkpoint"):
        check_begun(folder, begun, resume)
        if folder.has(REPORT):
            return TrainedGenerator.load(folder)
        started = time.process_time()
        pictures = source.load(size, channels=channels, progress=progress)
        if resume:
            split = made_of(folder.read_json(SPLIT), ArticleSplit)
        else:
            told = any(article.side is not None for article in source.catalogue.articles)
            split = split_articles(source.catalogue, pictures, validation=None if told else 0.0, seed=split_seed)
        learnt = training_examples(source, pictures, split.train, task)
        spec = replace(spec, classes=learnt.classes)
        if not resume:
            folder.write_json(SPLIT, to_plain(split))
        facts: PlainObject = {"photos": list(learnt.content), "classes": list(learnt.classes)}
        begin(folder, begun, facts, resume)
        torch.manual_seed(recipe.training.seed)
        generator, critic = recipe.generator.build(spec), recipe.critic.build(spec)

        def shown(epoch: int, now: Generator) -> None:
            content = sample_sheet(TrainedGenerator(now, recipe, task, learnt.shares))
            keep_sheet(folder, SHEET, content, epoch, recipe.training.epochs)

        module = AdversarialTraining(generator, critic, recipe.training, learnt.images, learnt.labels, shown)
        train_adversaries(module, folder, recipe.training.precision, recipe.training.device, logger)
        trained = TrainedGenerator(module.average.cpu(), recipe, task, learnt.shares)
        trained.save(folder)
        report: PlainObject = {
            "photos": len(learnt.images),
            "quarantine": [{"address": bad.address, "reason": bad.reason} for bad in pictures.quarantine],
            "parameters": {
                "generator": sum(each.numel() for each in generator.parameters()),
                "critic": sum(each.numel() for each in critic.parameters()),
            },
            "precision": precision_here(recipe.training.precision, recipe.training.device),
            "seconds": {"processor": round(time.process_time() - started, 1)},
            "history": module.history,
        }
        finish(folder, report)
        return trained
