"""What a new article and the others take from each other: by price, by promotion, and by being on sale at all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from ....datasets.entries.channels import Channels, items_of, kinds_of, names_of
from ....datasets.entries.domain import Domain
from ....datasets.entries.entry import Entry
from ...response.prior import ON_SALE
from ...response.response import Response
from ...windows.spec import SeriesSpec

FEWEST_LAUNCHES = 3
"""Articles that came or went within the data, at least, for presence to say anything."""

_MOST = float(np.log(10))
"""Logarithm of the factor by which others move an article, at most."""

_STILL = 1e-9
"""By how much an input moves, at least, to count."""


def on_sale(entry: Entry, known: np.ndarray, horizon: int) -> np.ndarray:
    """Whether each article is on sale, 1 or 0, in the past and over the horizon, ``[D, T + H]``.

    One is from its first value on, until its last one if it has none for a horizon before the end. Over the horizon a
    new one is, and nobody is in a step in which sales of 0 are imposed.

    Arguments:
        entry: ``target`` ``[D, T]``.
        known: bool ``[D]``, which articles have a past.
        horizon: steps H.
    """
    seen, length = ~np.isnan(entry.target), entry.length
    step = np.arange(length + horizon)
    first = np.where(seen.any(1), seen.argmax(1), length)
    last = np.where(seen.any(1), length - 1 - seen[:, ::-1].argmax(1), length)
    gone = known & (length - 1 - last >= horizon)
    there = (step >= first[:, None]) & (~gone[:, None] | (step <= last[:, None]))
    if entry.imposed is not None:
        there[:, length:] &= entry.imposed[:, :horizon] != 0
    return there.astype(np.float32)


def came_or_went(entry: Entry, known: np.ndarray, horizon: int) -> tuple[str, ...]:
    """The articles whose presence is a channel: new ones, and known ones that came or went; none if these are few.

    Arguments:
        entry: the longest of the training data.
        known: bool ``[D]``, which articles have a past.
        horizon: steps H.
    """
    moved = known & (np.ptp(on_sale(entry, known, horizon)[:, : entry.length], axis=1) > 0)
    if moved.sum() < FEWEST_LAUNCHES:
        return ()
    return tuple(item for item, is_one in zip(entry.item_ids, moved | ~known, strict=True) if is_one)


def with_presence(entry: Entry, items: tuple[str, ...], known: np.ndarray, horizon: int) -> Entry:
    """An entry, and its planned future, with a channel for each of some articles: whether it is on sale."""
    if not items:
        return entry
    rows = [entry.item_ids.index(item) for item in items]
    there = on_sale(entry, known, horizon)[rows]
    channels = entry.channels
    values = there if not len(channels) else np.concatenate([channels.values, there[:, : channels.length]])
    told = entry.with_(channels=Channels(values, (*channels.names, *names_of(ON_SALE, items))))
    return told if entry.planned is None else told.with_(planned=with_presence(entry.planned, items, known, horizon))


def present(response: Response | None) -> tuple[str, ...]:
    """The articles whose presence a fitted response reads."""
    names = () if response is None else response.names
    named = zip(kinds_of(names), items_of(names), strict=True)
    return tuple(str(item) for kind, item in named if kind == ON_SALE)


def wider(spec: SeriesSpec, items: tuple[str, ...]) -> SeriesSpec:
    """The shape of entries `with_presence`."""
    names = (*spec.covariate_names, *names_of(ON_SALE, items))
    return replace(spec, covariates=len(names), covariate_names=names)


def of_direct(response: Response) -> Response:
    """A response without the effects of others' channels."""
    mean, deviation = (np.where(response.direct, each, 0.0) for each in (response.mean, response.deviation))
    return replace(response, mean=mean, deviation=deviation)


def crossed(
    response: Response,
    entry: Entry,
    rows: np.ndarray,
    owners: Collection[str],
    usual: np.ndarray,
    *,
    horizon: int,
    paths: int,
    seed: int,
) -> np.ndarray | None:
    """Factors of others' channels on the sales of some articles, path by path.

    Whether two articles are substitutes is drawn first, and then how much they take from each other, channel by
    channel: two futures have the same effects on a path.

    Arguments:
        response: fitted to all articles.
        entry: with the channels of the response over the horizon.
        rows: bool ``[D]``, the articles that are moved.
        owners: whose channels move them; their own do not.
        usual: ``[K]`` inputs at which nothing moves, as `Response.inputs` has them.
        horizon: steps H.
        paths: S.
        seed: of the effects.

    Returns:
        ``[S, H, R]``; ``None`` where no channel moves.
    """
    ahead = response.inputs(entry.channels.values[:, entry.length : entry.length + horizon]) - usual
    logs = None
    for channel, item in enumerate(items_of(response.names)):
        if item not in owners or not (np.abs(ahead[:, channel]) > _STILL).any():
            continue
        generator = np.random.default_rng([seed, 3, channel])
        chance, drawn = generator.random((paths, len(rows))), generator.standard_normal((paths, len(rows)))
        if response.mixed is None:
            others = ~response.direct[:, channel]
            effects = others * (response.mean[:, channel] + drawn * response.deviation[:, channel])
        else:
            likely, wide, wide_spread, narrow, narrow_spread = response.mixed[:, :, channel]
            effects = np.where(chance < likely, wide + wide_spread * drawn, narrow + narrow_spread * drawn)
        logs = np.zeros((paths, horizon, int(rows.sum()))) if logs is None else logs
        logs += effects[:, None, rows] * ahead[:, channel, None]
    return None if logs is None else np.exp(logs.clip(-_MOST, _MOST))


def lessened(paths: np.ndarray, factors: np.ndarray, chance: np.ndarray, domain: Domain) -> np.ndarray:
    """Paths ``[S, H, D]`` times factors; counts are rounded up or down by chance, uniform numbers, so that means stay.

    Example:
        >>> lessened(np.array([10.0, 10.0]), np.array([0.85, 1.0]), np.array([0.6, 0.6]), "count")
        array([ 9., 10.])
    """
    moved = paths * factors
    return np.where(factors == 1, paths, np.floor(moved + chance)) if domain == "count" else moved
