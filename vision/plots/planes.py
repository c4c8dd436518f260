"""Vectors on a plane, those that are alike beside each other."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np

from ...runtime.quiet import own_filters

Method = Literal["tsne", "umap"]

NAMES: dict[Method, str] = {"tsne": "t-SNE", "umap": "UMAP"}

FEWEST = 5
"""Vectors that a plane needs at least."""


def on_plane(vectors: np.ndarray, method: Method = "tsne", *, seed: int = 0) -> np.ndarray:
    """Places of vectors on a plane, by t-SNE or UMAP, each axis from 0 to 1.

    t-SNE (L. van der Maaten, G. Hinton, 2008) keeps who is whose neighbour; UMAP (L. McInnes et al., arXiv 1802.03426)
    more of how far groups are from each other. Distances mean nothing in either.

    Arguments:
        vectors: ``[n, F]``.
        method: which.
        seed: of what is drawn.

    Returns:
        ``[n, 2]``.

    Raises:
        ValueError: there are fewer vectors than `FEWEST`, or UMAP is not installed.
        ModuleNotFoundError: scikit-learn is not installed (``pip install scikit-learn``).
    """
    if len(vectors) < FEWEST:
        raise ValueError(f"vectors: expected at least {FEWEST} articles for a map, got {len(vectors)}")
    if method == "umap":
        require_umap()
        import umap

        places = umap.UMAP(
            n_neighbors=min(15, len(vectors) - 1), init="pca", random_state=seed, n_jobs=1
        ).fit_transform(vectors)
    else:
        from sklearn.manifold import TSNE

        perplexity = min(30.0, (len(vectors) - 1) / 3)
        places = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(vectors)
    found: np.ndarray = (places - places.min(axis=0)) / np.ptp(places, axis=0).clip(min=1e-9)
    return found


def require_umap() -> None:
    """Refuse a map by UMAP where the package is not installed.

    Raises:
        ValueError: it is not.
    """
    try:
        with own_filters():
            # It says that a variant of it, which is not asked for, would need TensorFlow.
            warnings.simplefilter("ignore", ImportWarning)
            import umap  # noqa: F401
    except ImportError:
        raise ValueError("umap: expected umap-learn to be installed, got none; pip install umap-learn") from None
