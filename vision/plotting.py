"""Draw the pictures of a run from what it left behind."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from ..datasets.photos import Pictures
from .classifier import Classifier
from .classify import TEST
from .encoder import ArticleEncoder
from .plots import confusion, embedding_map, filters, mistakes, reliability
from .run_folder import RunFolder
from .sources import Progress, Source

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_run(checkpoint: str, source: Source, *, articles: int = 1500, progress: Progress | None = None) -> list[str]:
    """Draw filters, the map of the test articles, their mistakes, confusion and reliability.

    Arguments:
        checkpoint: a classifier's run that was tested.
        source: the catalogue.
        articles: test articles on the map, at most.
        progress: called with the photos opened and all photos.

    Returns:
        The addresses of the PNG files, in the run.

    Raises:
        FileNotFoundError: the run was not tested.
    """
    folder = RunFolder(checkpoint)
    classifier = Classifier.load(folder)
    scores = folder.read_json(TEST)["test"]
    answers = folder.read_frame("articles.parquet")
    answers = answers[(answers["side"] == "test") & (answers["photos"] > 0)]
    encoder = ArticleEncoder.of_run(checkpoint)
    pictures = source.load(encoder.preprocessing, progress=progress).first(classifier.max_images)
    row = {item_id: number for number, item_id in enumerate(source.catalogue.item_ids)}
    first = np.searchsorted(pictures.article, np.arange(len(source.catalogue)))
    drawn: list[str] = []

    def keep(figure: Figure, name: str) -> None:
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=130, bbox_inches="tight")
        plt.close(figure)
        folder.write_bytes(name, file.getvalue())
        drawn.append(folder.path(name))

    keep(filters(classifier.network.backbone.first_filters()), "filters.png")
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
    keep(_map(encoder, source, pictures, answers["item_id"].unique()[:articles], row, first), "map.png")
    return drawn


def _map(
    encoder: ArticleEncoder,
    source: Source,
    pictures: Pictures,
    item_ids: np.ndarray,
    row: dict[str, int],
    first: np.ndarray,
) -> Figure:
    task = encoder.network.labels.tasks[0].name
    chosen = np.array([row[item_id] for item_id in item_ids])
    some = np.isin(pictures.article, chosen)
    kept = Pictures(
        pictures.pixels[some],
        pictures.article[some],
        tuple(np.array(pictures.addresses, dtype=object)[some]),
        tuple(np.array(pictures.content, dtype=object)[some]),
    )
    vectors = encoder.encode(kept, len(source.catalogue))[chosen]
    labels = ["|".join(source.catalogue.articles[number].labels.get(task, ())) or "–" for number in chosen]
    thumbnails = [pictures.pixels[first[number]] for number in chosen]
    return embedding_map(vectors, thumbnails, labels, title=f"Test articles by their vectors; coloured by {task}")
