"""Word the photos of articles: train on titles, test by BLEU, tell of new photos."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TypedDict

import numpy as np
import pandas as pd
import torch
from lightning.pytorch.loggers import Logger

from ...datasets.pictures.catalogue import Article, Catalogue
from ...datasets.pictures.photos import Quarantined, load_pictures
from ...datasets.pictures.source import Progress, Source
from ...datasets.pictures.split import ArticleSplit, split_articles
from ...evaluation.scores.captions import cider_d
from ...runtime.devices import torch_device
from ...runtime.plain import PlainObject, made_of, to_plain
from ...runtime.reading.places import is_remote, without_network
from ...runtime.run_folder import RunFolder
from ...runtime.training.checkpoints import Checkpoints
from ...runtime.training.resume import REPORT, begin, check_begun, finish
from ..classify.classifier import machine
from ..embed.encoder import open_encoder
from .annotator import Annotator
from .captioner import Captioner, CaptionerConfig
from .kept_vectors import KeptVectors
from .training import CaptionTrainConfig, fit_captioner
from .tuning import TUNING, tune
from .words import CaptionTokenizer

SPLIT, TEST = "split.json", "test.json"


def train_annotator(
    source: Source,
    checkpoint: str,
    *,
    encoder: dict[str, str],
    training: CaptionTrainConfig | None = None,
    min_count: int = 2,
    resume: bool = False,
    progress: Progress | None = None,
    logger: Logger | Sequence[Logger] | None = None,
) -> Annotator:
    """Train a captioner on the titles of a catalogue and write the run.

    The vectors of all articles are computed once and kept in the run. Where the encoder is a classifier's run,
    its split is used, so that no article by which the captions are judged taught the encoder. With
    ``CaptionTrainConfig.finetune`` the encoder learns along in some last epochs; it is then part of the run, and so
    are its vectors.

    Arguments:
        source: the catalogue, with texts.
        checkpoint: folder or fsspec address of the run.
        encoder: ``{"run": …}``, a classifier's run, or ``{"backbone": …}``, a name as in `build_backbone`.
        training: how to train.
        min_count: rarer words become unknown.
        resume: go on with the killed training in `checkpoint`.
        progress: called with the photos opened and all photos.
        logger: one or several of ``lightning.pytorch.loggers``; gets loss and learning rate, a point an epoch.

    Returns:
        The trained annotator.

    Raises:
        ValueError: the folder already holds a run, or another process is writing one; no article has a text; or
            `resume` is asked of a run that was begun with another encoder, other options, articles or texts.
    """
    training = training or CaptionTrainConfig()
    folder = RunFolder(checkpoint)
    catalogue = source.catalogue
    opened = open_encoder(encoder)
    begun: PlainObject = {"encoder": opened.name, "training": to_plain(training), "min_count": min_count}
    with folder.alone("checkpoint"):
        check_begun(folder, begun, resume)
        if folder.has(REPORT):
            return Annotator.load(folder)
        # Those of an encoder that learnt along may lie there already.
        kept = KeptVectors.read(folder) if resume and not training.finetune else None
        split = made_of(folder.read_json(SPLIT), ArticleSplit) if resume else None
        pictures = None
        if kept is None or split is None:
            pictures = source.load(**opened.preprocessing.photos, progress=progress).first(opened.max_images)
            kept = KeptVectors.of(opened, catalogue, pictures, device=torch_device(training.device))
            if split is None and "run" in encoder:
                split = made_of(RunFolder(encoder["run"]).read_json(SPLIT), ArticleSplit)
            split = split or split_articles(catalogue, pictures)
        vectors, photos = kept.in_order(folder, catalogue)
        learning = _rows(catalogue, split.train, photos)
        texts = [catalogue.articles[row].text for row in learning]
        if not texts:
            there = sum(article.item_id in set(split.train) for article in catalogue.articles)
            whose = f" on the training side of {encoder['run']}, whose split is used" if "run" in encoder else ""
            raise ValueError(
                f"data: expected training articles with a photo and a text, got none among {there} articles{whose}"
            )
        tokenizer = CaptionTokenizer.learn(texts, min_count=min_count)
        known = vectors[learning]
        mean, std = known.mean(dim=0), known.std(dim=0, correction=min(1, len(known) - 1))
        # A feature that is the same in all training articles says nothing here: by a tiny number it would say all.
        std = torch.where(std > 1e-6, std, 1.0)
        torch.manual_seed(training.seed)
        captioner = Captioner(CaptionerConfig(features=vectors.shape[1], vocabulary=len(tokenizer)))
        began = time.perf_counter()
        folder.write_json(SPLIT, to_plain(split))
        kept.write(folder)
        told = {f"text of item {article.item_id}": article.text for article in catalogue.articles}
        begin(folder, begun, told, resume)
        titles = [tokenizer.encode(text) for text in texts]
        history = fit_captioner(captioner, training, (known - mean) / std, titles, folder, logger)
        tuned, tuning = None, None
        if training.finetune and pictures is not None:
            of_rows = dict(zip(learning.tolist(), titles, strict=True))
            tuning = tune(captioner, opened.network, training, pictures, of_rows, mean, std, folder, logger)
            tuned = opened.learnt_further("titles")
            KeptVectors.of(tuned, catalogue, pictures, device=torch_device(training.device)).write(folder)
            tuned.network.cpu()
        annotator = Annotator(captioner.cpu(), tokenizer, mean, std, {**encoder, "name": opened.name}, tuned)
        annotator.save(folder)
        report: PlainObject = {
            "articles": {"learned": len(texts), "words": len(tokenizer)},
            "quarantine": kept.quarantine,
            "training": to_plain(training),
            "seconds": round(time.perf_counter() - began, 1),
            "machine": machine(),
            "history": history,
            "tuning": tuning,
        }
        finish(folder, report, Checkpoints(folder, identity=TUNING).name)
        return annotator


class CaptionScores(TypedDict):
    """BLEU and CIDEr-D of an annotator on its test titles."""

    articles: int
    model: Mapping[str, float | str]
    most_frequent_title: Mapping[str, float | str]


def evaluate_annotator(checkpoint: str, source: Source, *, beams: int = 5) -> CaptionScores:
    """BLEU and CIDEr-D of an annotator on the test titles, with the most frequent training title as baseline.

    Writes ``test.json`` and ``captions.parquet`` (``item_id, photo, title, said``).

    Arguments:
        checkpoint: folder or fsspec address of the run.
        source: the catalogue it was trained on.
        beams: beams of the search.

    Returns:
        ``articles``, and for the row of the model and that of the most frequent title BLEU-1 … BLEU-4, 0…1, and
        CIDEr-D, 0…10.

    Raises:
        ValueError: no test article has a photo and a text, or the articles are not those of training.
    """
    folder = RunFolder(checkpoint)
    annotator = Annotator.load(folder)
    catalogue = source.catalogue
    kept = KeptVectors.read(folder)
    if kept is None:
        raise ValueError(f"checkpoint: expected the vectors of its training in {folder.address}; train the run anew")
    vectors, photos = kept.in_order(folder, catalogue)
    split = made_of(folder.read_json(SPLIT), ArticleSplit)
    rows = _rows(catalogue, split.test, photos)
    if not len(rows):
        raise ValueError("data: expected test articles with a photo and a text, got none")
    words = annotator.tokenizer.words
    truth = [words(catalogue.articles[row].text) for row in rows]
    learned = (words(catalogue.articles[row].text) for row in _rows(catalogue, split.train, photos))
    frequent = Counter(learned).most_common(1)[0][0]
    said = annotator.say(vectors[rows].numpy(), beams=beams)
    scores: CaptionScores = {
        "articles": len(rows),
        "model": title_scores(said, truth),
        "most_frequent_title": {"title": frequent, **title_scores([frequent] * len(rows), truth)},
    }
    articles = [catalogue.articles[row] for row in rows]
    frame = {
        "item_id": [article.item_id for article in articles],
        "photo": [photos[row] for row in rows],
        "title": truth,
        "said": said,
    }
    folder.write_frame("captions.parquet", pd.DataFrame(frame))
    folder.write_json(TEST, to_plain(scores))
    return scores


def annotate_photos(
    checkpoint: str, addresses: Sequence[str], *, beams: int = 5
) -> tuple[list[tuple[str, str]], tuple[Quarantined, ...]]:
    """Captions of single photos.

    Arguments:
        checkpoint: folder or fsspec address of the run.
        addresses: paths or fsspec addresses of photos.
        beams: beams of the search.

    Returns:
        The address and words of each photo, and the photos that could not be opened.
    """
    annotator = Annotator.load(RunFolder(checkpoint))
    told = f"{checkpoint} remembers {annotator.encoder}; open that once yourself, as by `hemline vision embed`"
    with nullcontext() if is_remote(checkpoint) else without_network(told):
        encoder = annotator.opened_encoder()
    catalogue = Catalogue(tuple(Article(address, (address,)) for address in dict.fromkeys(addresses)))
    wanted = encoder.preprocessing
    pictures = load_pictures(catalogue, wanted.size, channels=wanted.channels, fit=wanted.fit)
    vectors = encoder.encode(pictures, len(catalogue))
    said = annotator.say(vectors[pictures.article], beams=beams) if len(pictures) else []
    return list(zip(pictures.addresses, said, strict=True)), pictures.quarantine


def title_scores(said: Sequence[str], truth: Sequence[str]) -> dict[str, float]:
    """Corpus BLEU of 1 … 4 words, by torchmetrics, and the mean of `cider_d`.

    Arguments:
        said: n sentences.
        truth: the one reference of each.

    Returns:
        ``bleu_1`` … ``bleu_4``, 0…1, and ``cider_d``, 0…10.

    Example:
        >>> title_scores(["a blue hat", "a red hat"], ["a blue hat", "a red hat"])
        {'bleu_1': 1.0, 'bleu_2': 1.0, 'bleu_3': 1.0, 'bleu_4': 0.0, 'cider_d': 7.5}
    """
    from torchmetrics.functional.text import bleu_score

    references = [[one] for one in truth]
    found = {f"bleu_{n}": round(float(bleu_score(list(said), references, n_gram=n)), 4) for n in (1, 2, 3, 4)}
    return {**found, "cider_d": round(float(cider_d(said, references).mean()), 4)}


def _rows(catalogue: Catalogue, item_ids: Sequence[str], photos: Sequence[str | None]) -> np.ndarray:
    wanted = set(item_ids)
    rows = [
        row
        for row, article in enumerate(catalogue.articles)
        if article.item_id in wanted and article.text and photos[row]
    ]
    return np.array(rows, dtype=np.int64)
