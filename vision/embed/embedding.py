"""One vector an article, in a file that says which network made it and how."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import fsspec
import numpy as np
from fsspec.implementations.local import LocalFileSystem

from ...datasets.pictures.source import Progress, Source
from ...datasets.pictures.vectors import ArticleVectors, article_vectors_file
from ...runtime.arguments.kinds import checked
from ...runtime.plain import PlainObject, to_plain
from ...runtime.whole_files import write_whole
from .encoder import ArticleEncoder


@dataclass(frozen=True)
class PrincipalAxes:
    """A projection onto the directions in which some vectors differ most.

    Arguments:
        mean: ``[F]``.
        axes: ``[k, F]``, orthonormal, the widest first.
        variance: ``[k]``, the share of all variance along each axis.

    Example:
        >>> axes = PrincipalAxes.fit(np.array([[0.0, 1.0], [0.0, 3.0], [0.0, 5.0]]), 1)
        >>> axes.project(np.array([[0.0, 4.0]])).round(3).tolist()
        [[1.0]]
    """

    mean: np.ndarray
    axes: np.ndarray
    variance: np.ndarray

    @classmethod
    def fit(cls, vectors: np.ndarray, k: int) -> PrincipalAxes:
        """The k widest axes of some vectors ``[n, F]``; the largest entry of an axis is positive.

        Raises:
            ValueError: there are fewer than k vectors or features.
        """
        if not 1 <= k <= min(vectors.shape):
            raise ValueError(f"pca: expected 1…{min(vectors.shape)} axes of {vectors.shape[0]} vectors, got {k}")
        mean = vectors.mean(axis=0)
        _, size, axes = np.linalg.svd(vectors - mean, full_matrices=False)
        axes = axes[:k]
        axes *= np.sign(axes[np.arange(k), np.abs(axes).argmax(axis=1)])[:, None]
        total = max(float((size**2).sum()), 1e-12)
        return cls(mean, axes, size[:k] ** 2 / total)

    def project(self, vectors: np.ndarray) -> np.ndarray:
        """Vectors ``[n, F]`` to their places along the axes ``[n, k]``."""
        return (vectors - self.mean) @ self.axes.T


@checked
def embed_catalogue(
    source: Source,
    out: str,
    encoder: ArticleEncoder,
    *,
    pca: int | None = None,
    fit_on: Sequence[str] = (),
    device: str = "cpu",
    progress: Progress | None = None,
) -> PlainObject:
    """Write the vector of each article of a catalogue to a Parquet file.

    Columns: ``item_id``, ``has_photo``, ``vector`` and ``encoder``; the metadata of the file holds the encoder's
    name, the pooling, the preprocessing, and what of the projection was fitted on how many articles. A vector
    has length 1, or is its projection onto the principal axes; that of an article without a photo is zero.

    Arguments:
        source: the catalogue.
        out: path or fsspec address of the file.
        encoder: what makes the vectors.
        pca: the number of principal axes; ``None`` keeps the whole vector.
        fit_on: item ids of the training articles, on which alone the axes are fitted.
        device: where to calculate.
        progress: called with the photos opened and all photos.

    Returns:
        The metadata.

    Raises:
        ValueError: axes are asked for, and none of the training articles has a photo.
    """
    articles = source.catalogue.articles
    pictures = source.load(**encoder.preprocessing.photos, progress=progress).first(encoder.max_images)
    shown = pictures.counts(len(articles)) > 0
    vectors = unit_length(encoder.encode(pictures, len(articles), device=device))
    metadata: PlainObject = {
        "encoder": encoder.name,
        "pooling": encoder.pooling,
        "normalised": "L2",
        "preprocessing": to_plain(encoder.preprocessing),
        "quarantined": [bad.address for bad in pictures.quarantine],
    }
    if pca is not None:
        wanted = set(fit_on)
        learned = np.array([article.item_id in wanted for article in articles], dtype=bool) & shown
        if not learned.any():
            raise ValueError("fit_on: expected training articles with a photo to fit the axes on, got none")
        axes = PrincipalAxes.fit(vectors[learned], pca)
        vectors = np.where(shown[:, None], axes.project(vectors), 0.0).astype(np.float32)
        metadata["pca"] = {
            "axes": pca,
            "fitted_on": int(learned.sum()),
            "variance": round(float(axes.variance.sum()), 4),
        }
    content = article_vectors_file(ArticleVectors(source.catalogue.item_ids, vectors, shown, encoder.name), metadata)
    files, path = fsspec.core.url_to_fs(out)
    if isinstance(files, LocalFileSystem):
        files.makedirs(os.path.dirname(path), exist_ok=True)
    write_whole(files, path, content)
    return metadata


def unit_length(vectors: np.ndarray) -> np.ndarray:
    """Vectors ``[n, F]`` scaled to length 1; zero stays zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1.0)).astype(np.float32)
