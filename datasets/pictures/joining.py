"""Vectors of articles beside the series of a dataset."""

from __future__ import annotations

from ...runtime.arguments.kinds import checked
from ..entries.data import ForecastData
from .vectors import ArticleVectors


@checked
def join_article_vectors(data: ForecastData, vectors: ArticleVectors) -> ForecastData:
    """Put the vectors of its articles beside the series of a dataset, by item id.

    Arguments:
        data: a dataset; its item ids are those of articles.
        vectors: the vectors.

    Returns:
        ``data.with_article_vectors(vectors)``.

    Raises:
        ValueError: no item id of the dataset has a picture, or the vectors were learnt from purchases in test windows.
    """
    return data.with_article_vectors(vectors)
