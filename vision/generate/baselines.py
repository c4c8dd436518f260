"""Images without a network, beside which a generator has to stand: normal laws of pixels, and noisy photos."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Baseline = Callable[[np.ndarray, np.ndarray, np.ndarray, np.random.Generator], np.ndarray]
"""Photos ``[N, C, S, S]`` with labels ``[N]``, and the labels ``[n]`` of the images that are made."""


def pixel_gaussians(photos: np.ndarray, labels: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each pixel drawn alone, from the normal law of its brightness in the class.

    Arguments:
        photos: uint8 ``[N, C, S, S]``.
        labels: int64 ``[N]``; zeros where there are no classes.
        wanted: int64 ``[n]``, the label of each image.
        rng: draws.

    Returns:
        uint8 ``[n, C, S, S]``.
    """
    found = np.empty((len(wanted), *photos.shape[1:]), dtype=np.uint8)
    for label in np.unique(wanted):
        some = photos[labels == label].astype(np.float64)
        count = int((wanted == label).sum())
        found[wanted == label] = _levels(rng.normal(some.mean(axis=0), some.std(axis=0), (count, *photos.shape[1:])))
    return found


def principal_gaussians(
    photos: np.ndarray, labels: np.ndarray, wanted: np.ndarray, rng: np.random.Generator, components: int = 100
) -> np.ndarray:
    """Images from the normal law of the first principal components of a class.

    Arguments:
        photos: uint8 ``[N, C, S, S]``.
        labels: int64 ``[N]``.
        wanted: int64 ``[n]``, the label of each image.
        rng: draws.
        components: how many, of a class with as many photos.

    Returns:
        uint8 ``[n, C, S, S]``.
    """
    found = np.empty((len(wanted), *photos.shape[1:]), dtype=np.uint8)
    for label in np.unique(wanted):
        some = photos[labels == label].reshape(int((labels == label).sum()), -1).astype(np.float64)
        mean = some.mean(axis=0)
        values, vectors = np.linalg.eigh(np.cov(some - mean, rowvar=False))
        kept = slice(max(len(values) - components, 0), None)
        count = int((wanted == label).sum())
        spread = np.sqrt(values[kept].clip(0))
        drawn = mean + (rng.normal(size=(count, len(spread))) * spread) @ vectors[:, kept].T
        found[wanted == label] = _levels(drawn.reshape(count, *photos.shape[1:]))
    return found


def noisy_photos(
    photos: np.ndarray, labels: np.ndarray, wanted: np.ndarray, rng: np.random.Generator, noise: float = 25.5
) -> np.ndarray:
    """Photos of the class with noise on each pixel: draws from a kernel density.

    Arguments:
        photos: uint8 ``[N, C, S, S]``.
        labels: int64 ``[N]``.
        wanted: int64 ``[n]``, the label of each image.
        rng: draws.
        noise: its standard deviation, of 255 levels.

    Returns:
        uint8 ``[n, C, S, S]``.
    """
    rows = np.empty(len(wanted), dtype=np.int64)
    for label in np.unique(wanted):
        rows[wanted == label] = rng.choice(np.flatnonzero(labels == label), int((wanted == label).sum()))
    return _levels(photos[rows] + rng.normal(0, noise, (len(wanted), *photos.shape[1:])))


BASELINES: dict[str, Baseline] = {
    "noisy photos": noisy_photos,
    "principal components by class": principal_gaussians,
    "pixels alone": pixel_gaussians,
}


def _levels(images: np.ndarray) -> np.ndarray:
    found: np.ndarray = images.round().clip(0, 255).astype(np.uint8)
    return found
