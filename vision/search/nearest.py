"""The articles whose photos are most similar to some vectors: exactly by torch, or by faiss with the same answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch


@dataclass(frozen=True)
class Found:
    """The most similar articles, the best first; equally similar ones in the order of the index.

    Arguments:
        articles: int64 ``[k]``, the numbers of the articles.
        rows: int64 ``[k]``, the photo of each that is most similar.
        scores: float32 ``[k]``, how similar it is.
    """

    articles: np.ndarray
    rows: np.ndarray
    scores: np.ndarray


class Nearest(Protocol):
    """Base class of nearest-neighbour searches."""

    def search(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None, more: np.ndarray | None = None
    ) -> Found:
        """The k articles with the largest inner product of any of their photos with any of the queries.

        Arguments:
            queries: float32 ``[Q, F]``.
            k: how many; fewer are found where fewer are allowed.
            allowed: bool ``[n]``, which photos count; all if ``None``.
            more: float32 ``[n]``, added to the products of each photo; nothing if ``None``.

        Raises:
            ValueError: something is to be added that the engine cannot.
        """


class ExactNearest:
    """All inner products, by torch.

    Arguments:
        vectors: float32 ``[n, F]``.
        article: int64 ``[n]``, the number of the article that each photo shows.

    Example:
        >>> nearest = ExactNearest(np.eye(3, dtype="float32"), np.array([0, 0, 1]))
        >>> nearest.search(np.array([[0.0, 1.0, 0.5]], dtype="float32"), 2).scores.tolist()
        [1.0, 0.5]
    """

    def __init__(self, vectors: np.ndarray, article: np.ndarray) -> None:
        self.vectors, self.article = torch.from_numpy(vectors), article

    def search(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None, more: np.ndarray | None = None
    ) -> Found:
        """See `Nearest.search`."""
        with torch.inference_mode():
            scores = (self.vectors @ torch.from_numpy(queries).T).amax(dim=1).numpy()
        if more is not None:
            scores = scores + more
        if allowed is not None:
            scores = np.where(allowed, scores, -np.inf)
        # No more articles than photos: whatever is among the best k articles has a photo at or above this score.
        best = np.full(int(self.article.max()) + 1, -np.inf, dtype=np.float32)
        np.maximum.at(best, self.article, scores)
        k = min(k, int(np.isfinite(best).sum()))
        if k == 0:
            return _chosen(scores[:0], np.zeros(0, dtype=np.int64), self.article[:0], 0)
        lowest = np.partition(best, len(best) - k)[len(best) - k]
        rows = np.flatnonzero(scores >= lowest)
        return _chosen(scores[rows], rows, self.article[rows], k)


class FaissNearest:
    """The same answers from a flat index of faiss (M. Douze et al., arXiv 2401.08281): candidates, judged anew.

    Arguments:
        vectors: float32 ``[n, F]``.
        article: int64 ``[n]``, the number of the article that each photo shows.

    Raises:
        ValueError: faiss is not installed.
    """

    def __init__(self, vectors: np.ndarray, article: np.ndarray) -> None:
        try:
            import faiss
        except ImportError:
            raise ValueError("faiss: expected faiss to be installed, got none; pip install faiss-cpu") from None
        self._faiss: Any = faiss
        self._index: Any = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(np.ascontiguousarray(vectors))
        self.vectors, self.article = torch.from_numpy(vectors), article

    def search(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None, more: np.ndarray | None = None
    ) -> Found:
        """See `Nearest.search`."""
        if more is not None:
            raise ValueError("engine: expected 'exact' where words are asked for, got 'faiss'")
        there = len(self.article) if allowed is None else int(allowed.sum())
        options = {}
        if allowed is not None:
            chosen = np.flatnonzero(allowed)
            options["params"] = self._faiss.SearchParameters(sel=self._faiss.IDSelectorBatch(chosen))
        wanted = 2 * k + 8
        while True:
            wanted = min(wanted, there)
            if wanted == 0:
                return _chosen(np.zeros(0, np.float32), np.zeros(0, np.int64), self.article[:0], 0)
            given, numbers = self._index.search(np.ascontiguousarray(queries), wanted, **options)
            rows = np.unique(numbers)
            with torch.inference_mode():
                scores = (self.vectors[rows] @ torch.from_numpy(queries).T).amax(dim=1).numpy()
            found = _chosen(scores, rows, self.article[rows], k)
            # A photo that was not given is no nearer than the last one given, to rounding.
            unseen = float(given[:, -1].max()) + 1e-4 * max(1.0, float(np.abs(given).max()))
            if wanted == there or (len(found.scores) == k and found.scores[-1] > unseen):
                return found
            wanted *= 4


def _chosen(scores: np.ndarray, rows: np.ndarray, article: np.ndarray, k: int) -> Found:
    """The k best articles of some photos, each with its best photo; the earlier one of equals."""
    order = np.lexsort((rows, -scores))
    _, first = np.unique(article[order], return_index=True)
    kept = order[np.sort(first)][:k]
    return Found(article[kept].astype(np.int64), rows[kept].astype(np.int64), scores[kept].astype(np.float32))
