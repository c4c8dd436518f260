"""How the paths of new articles are made of those of others: what describes them, whom they follow, and by how much."""

from __future__ import annotations

import numpy as np

from ....datasets.entries.channels import PRICE, rows_of
from ....datasets.entries.domain import Domain
from ....datasets.entries.entry import Entry
from ...response.response import Response
from .descriptors import descriptors


def at_usual_prices(entry: Entry, response: Response | None) -> np.ndarray:
    """Sales ``[D, T]`` as they would have been with every channel at its median: at the regular price, not promoted."""
    target = entry.target.astype(float)
    if response is None:
        return target
    return target / beside_usual(response, entry, entry.channels.values[:, : entry.length])


def beside_usual(response: Response, entry: Entry, channels: np.ndarray) -> np.ndarray:
    """Price factors ``[D, T]`` of channels ``[K, T]`` relative to their medians over the past.

    Not beside their means: of a new article the first price is known alone, which is most often the regular one, and
    the mean price of others is lower the more they were marked down.
    """
    return response.usual(channels) / response.usual(usual_channels(entry))


def usual_channels(entry: Entry) -> np.ndarray:
    """The medians ``[K, 1]`` of channels over the past of an entry."""
    return np.median(entry.channels.values[:, : entry.length], axis=1, keepdims=True)


def described(entry: Entry, response: Response | None, known: np.ndarray) -> np.ndarray:
    """Descriptors ``[D, p]`` of the articles of an entry: its static features, and the regular price of each."""
    columns = [np.empty((len(known), 0))] + ([] if entry.static_real is None else [entry.static_real])
    priced = None if response is None else rows_of(response.names, PRICE, entry.item_ids)
    if priced is not None:
        columns.append(np.log(usual_channels(entry)[priced]))
    return descriptors(np.concatenate(columns, axis=1), entry.static_cat, known)


def scaled(paths: np.ndarray, times: np.ndarray, chance: np.ndarray, domain: Domain) -> np.ndarray:
    """Sales of an article that sells so many times as much as another.

    Arguments:
        paths: of the other, at least 0.
        times: what it sells as much of, at least 0; below 1, counts are thinned out.
        chance: uniform numbers, the quantiles of what is left of counts.
        domain: the values that sales can take.

    Example:
        >>> half, one = np.array([0.5, 0.3]), np.array([10.0, 7.0])
        >>> scaled(one, np.array([0.5, 2.0]), half, "count"), scaled(one, np.array([0.5, 2.0]), half, "real")
        (array([ 5., 14.]), array([ 5., 14.]))
    """
    if domain != "count":
        return paths * times
    from scipy.stats import binom  # takes a second to import, which no other model needs

    whole = np.rint(np.maximum(paths, 0))
    thinned = binom.ppf(chance, whole, np.minimum(times, 1)).clip(min=0)
    return np.where(times < 1, thinned, np.floor(whole * times + chance))


def followed(weights: np.ndarray, today: np.ndarray, level: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The known article that each path follows: a similar one that sells no less, where there is one.

    Arguments:
        weights: ``[D]`` how much each is like the new one, 1 in all.
        today: ``[D]`` its level, above 0.
        level: ``[S]`` of the new one on each path.
        generator: of the draws.

    Returns:
        ``[S]`` places among the D articles.
    """
    chances = weights * np.minimum(1.0, today / level[:, None])
    edges = np.cumsum(chances / chances.sum(1, keepdims=True), axis=1)
    chosen = (edges < generator.random((len(level), 1))).sum(1)
    return chosen.clip(max=len(weights) - 1)
