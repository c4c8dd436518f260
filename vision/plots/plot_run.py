"""Draw the pictures of a run from what it left behind."""

from __future__ import annotations

import importlib.util
import io
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib
import matplotlib.pyplot as plt
import numpy as np

from ...datasets.pictures.catalogue import Article, Catalogue
from ...datasets.pictures.photos import Pictures, load_pictures
from ...datasets.pictures.source import Progress, Source
from ...runtime.run_folder import RunFolder
from ...runtime.training.resume import REPORT
from ..classify.answers import truth_of
from ..classify.classifier import Classifier
from ..classify.judging import TEST
from ..embed.encoder import ArticleEncoder
from .figures import captions, confusion, embedding_map, filters, learning_curves, mistakes, reliability
from .planes import FEWEST, NAMES, Method, require_umap

if TYPE_CHECKING:
    from matplotlib.figure import Figure

matplotlib.use("Agg")

logger = logging.getLogger(__name__)

_WORDS_AS_THEY_ARE = matplotlib.rc_context({"text.parse_math": False})
"""Labels and titles are a shop's words: what stands between two dollar signs is no formula."""


@_WORDS_AS_THEY_ARE
def plot_run(
    checkpoint: str, source: Source, *, articles: int = 1500, umap: bool = False, progress: Progress | None = None
) -> list[str]:
    """Draw filters, learning curves, the map of the test articles, their mistakes, confusion and reliability.

    The map needs scikit-learn and five test articles, reliability a task that is no facet; without them the others
    are drawn.

    Arguments:
        checkpoint: a classifier's run that was tested.
        source: the catalogue.
        articles: test articles on the map, at most; of more it shows some that are drawn at random.
        umap: whether there is a second map, by UMAP, beside that by t-SNE.
        progress: called with the photos opened and all photos.

    Returns:
        The addresses of the PNG files, in the run.

    Raises:
        FileNotFoundError: the run was not tested.
        ValueError: an article that was tested, or its photos, are no longer there; or UMAP is not installed.
    """
    if umap:
        require_umap()
    folder = RunFolder(checkpoint)
    classifier = Classifier.load(folder)
    scores = folder.read_json(TEST)["test"]
    answers = folder.read_frame("articles.parquet")
    answers = answers[(answers["side"] == "test") & (answers["photos"] > 0)]
    encoder = ArticleEncoder.of_run(checkpoint)
    pictures = source.load(**encoder.preprocessing.photos, progress=progress).first(classifier.max_images)
    row = {item_id: number for number, item_id in enumerate(source.catalogue.item_ids)}
    counts = pictures.counts(len(source.catalogue))
    if gone := [item for item in answers["item_id"].unique() if item not in row or not counts[row[item]]]:
        raise ValueError(f"data: expected the photos that were tested, got none of item {gone[0]!r}; test the run anew")
    first = np.searchsorted(pictures.article, np.arange(len(source.catalogue)))
    drawn: list[str] = []

    def keep(figure: Figure, name: str) -> None:
        folder.write_bytes(name, _png(figure))
        drawn.append(folder.path(name))

    keep(filters(classifier.network.backbone.first_filters()), "filters.png")
    if folder.has(REPORT) and (history := folder.read_json(REPORT)["history"]):
        keep(learning_curves(history), "curves.png")
    if any(score.get("reliability") for score in scores.values()):
        keep(reliability(scores), "reliability.png")
    for task in classifier.network.labels.tasks:
        name = "".join(sign if sign.isalnum() else "-" for sign in task.name)
        told = answers[(answers["task"] == task.name) & answers["truth"].notna()]
        wrong = told[told["truth"] != told["answer"]]
        if len(wrong):
            thumbnails = [pictures.pixels[first[row[item_id]]] for item_id in wrong["item_id"]]
            keep(
                mistakes(
                    thumbnails,
                    wrong["truth"].tolist(),
                    wrong["answer"].tolist(),
                    wrong["confidence"].tolist(),
                    title=f"{task.name}: {len(wrong)} of {len(told)} test articles wrong",
                ),
                f"mistakes-{name}.png",
            )
        if "confusion" in scores[task.name]:
            keep(
                confusion(np.array(scores[task.name]["confusion"]), task.classes, title=task.name),
                f"confusion-{name}.png",
            )
    if importlib.util.find_spec("sklearn") is None:
        logger.warning("map.png is left out: it needs scikit-learn (pip install scikit-learn)")
    elif len(judged := answers["item_id"].unique()) < FEWEST:
        logger.warning("map.png is left out: it needs %d test articles with a photo, got %d", FEWEST, len(judged))
    else:
        # Not the first ones: a table is often sorted by what its articles are.
        some = np.sort(np.random.default_rng(0).permutation(len(judged))[:articles])
        which = "Test articles" if len(some) == len(judged) else f"{len(some)} of {len(judged)} test articles"
        methods: list[Method] = ["tsne", "umap"] if umap else ["tsne"]
        maps = _maps(encoder, source, pictures, judged[some], row, first, which, methods)
        for figure, name in zip(maps, ("map.png", "map-umap.png"), strict=False):
            keep(figure, name)
    return drawn


@_WORDS_AS_THEY_ARE
def plot_captions(checkpoint: str, *, examples: int = 10, size: int = 224) -> str:
    """Draw some test photos with their titles and what an annotator says of them.

    Arguments:
        checkpoint: an annotator's run that was tested.
        examples: photos at most, drawn at random but each time the same.
        size: side of a photo in the picture, pixels.

    Returns:
        The address of the PNG file, in the run.

    Raises:
        FileNotFoundError: the run was not tested.
        ValueError: none of the photos can be opened.
    """
    folder = RunFolder(checkpoint)
    told = folder.read_frame("captions.parquet")
    told = told.sample(min(examples, len(told)), random_state=0)
    rows = list(told.itertuples())
    articles = tuple(Article(str(row.item_id), (str(row.photo),)) for row in rows)
    # Nobody has named the places of these photos but the run: one of this machine makes no requests.
    pictures = load_pictures(Catalogue(articles, photos=folder.address), size)
    if not len(pictures):
        reason = pictures.quarantine[0].reason if pictures.quarantine else "there are none"
        raise ValueError(f"checkpoint: expected photos of the captions in {folder.address}, got none ({reason})")
    chosen = [rows[number] for number in pictures.article]
    figure = captions(list(pictures.pixels), [row.title for row in chosen], [row.said for row in chosen])
    folder.write_bytes("captions.png", _png(figure))
    return folder.path("captions.png")


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=130, bbox_inches="tight")
    plt.close(figure)
    return file.getvalue()


def _maps(
    encoder: ArticleEncoder,
    source: Source,
    pictures: Pictures,
    item_ids: np.ndarray,
    row: dict[str, int],
    first: np.ndarray,
    which: str,
    methods: Sequence[Method],
) -> list[Figure]:
    task = encoder.network.labels.tasks[0]
    chosen = np.array([row[item_id] for item_id in item_ids])
    some = np.isin(pictures.article, chosen)
    kept = Pictures(
        pictures.pixels[some],
        pictures.article[some],
        tuple(np.array(pictures.addresses, dtype=object)[some]),
        tuple(np.array(pictures.content, dtype=object)[some]),
    )
    vectors = encoder.encode(kept, len(source.catalogue))[chosen]
    labels = [truth_of(task, source.catalogue.articles[number]) or "–" for number in chosen]
    thumbnails = [pictures.pixels[first[number]] for number in chosen]
    title = f"{which} by their vectors; coloured by {task.name}"
    return [
        embedding_map(vectors, thumbnails, labels, title=f"{title} ({NAMES[method]})", method=method)
        for method in methods
    ]
