"""The fit of a log-linear response: all series side by side, their effects under a prior that they share."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from ...datasets.entries.channels import PRICE, items_of, kinds_of
from ...datasets.entries.domain import Domain
from ...datasets.entries.entry import Entry
from ...datasets.entries.gluonts_keys import KNOWN
from ..windows.spec import SeriesSpec
from .prior import EffectPrior
from .response import LogLinear, Response, logged
from .series_fit import SeriesFit
from .step_pairs import StepPairs

logger = logging.getLogger(__name__)

_STILL = 1e-3
"""The coefficients are found when none moves by more."""

_ROOM = 2**25
"""Numbers of the series' covariances in memory at once: a quarter of a GiB."""

_TWINS = 0.95
"""Correlation beyond which two channels of an article are one."""


def fit_response(entries: Sequence[Entry], spec: SeriesSpec, config: LogLinear, domain: Domain) -> Response:
    """Fit the response of every series to all channels.

    Arguments:
        entries: multivariate training entries.
        spec: names and numbers of series and channels.
        config: priors.
        domain: the values that sales can take.

    Returns:
        The posterior.

    Raises:
        ValueError: there are no covariates or they have no names, no channel is one of the series, sales are negative,
            or a price is not above 0.
    """
    if not spec.covariates or not spec.covariate_names:
        raise ValueError(
            f"response: expected {KNOWN} with names in 'covariates' to respond to, "
            f"got {spec.covariates} channels and {len(spec.covariate_names)} names"
        )
    owners = {item for item in items_of(spec.covariate_names) if item is not None}
    if owners and not owners & set(spec.item_ids):
        raise ValueError(
            f"item_ids: expected the series to be named as the owners of channels, such as {min(owners)!r}, got "
            f"{', '.join(map(repr, spec.item_ids[:3]))}"
        )
    names, target = spec.covariate_names, np.concatenate([entry.target for entry in entries], axis=1).astype(float)
    if np.nanmin(target) < 0:
        series = int(np.argwhere(target < 0)[0][0])
        raise ValueError(
            f"response: expected sales of at least 0, got {np.nanmin(target):g} in {spec.item_ids[series]!r}"
        )
    raw = np.concatenate([entry.channels.values[:, : entry.length] for entry in entries], axis=1)
    values = logged(raw, names)
    priced = np.array(kinds_of(names)) == PRICE
    span = np.where(priced, 1.0, _spans(values, names))
    centre = values.mean(axis=1)
    inputs = (values.T - centre) / span
    prior = EffectPrior(names, spec.item_ids, prior=config.prior, own_prior=config.own_prior)
    direct = [np.flatnonzero(channels) for channels in prior.direct]
    _warn_of_twins(inputs, direct, names, spec.item_ids)
    fits = [SeriesFit(sales, inputs[:, own], domain == "count") for sales, own in zip(target, direct, strict=True)]
    pairs, mean = StepPairs(inputs), prior.mean
    for iteration in range(1, config.iterations + 1):
        before = mean
        mean, variance, blocks = _posterior(fits, inputs, pairs, direct, prior)
        prior.learn(mean, variance)
        moved = np.abs(mean - before).max()
        if iteration % 10 == 0:
            logger.info("response: step %d of at most %d, effects moved by %.3g", iteration, config.iterations, moved)
        if moved < _STILL:
            break
    root = np.zeros((len(blocks), *[max(map(len, blocks))] * 2))
    for series, block in enumerate(blocks):
        root[series, : len(block), : len(block)] = np.linalg.cholesky(block)
    return Response(mean, np.sqrt(variance), prior.direct, root, centre, span, names, domain)


def _spans(values: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """The spans ``[K]`` of channels; one that never moved has the usual span of its kind, whose effects it takes."""
    width = np.ptp(values, axis=1)
    kinds = np.array(kinds_of(names))
    usual = {kind: width[(kinds == kind) & (width > 0)] for kind in kinds}
    return np.array(
        [
            own or (float(np.median(usual[kind])) if len(usual[kind]) else 1.0)
            for own, kind in zip(width, kinds, strict=True)
        ]
    )


def _warn_of_twins(
    inputs: np.ndarray, direct: Sequence[np.ndarray], names: Sequence[str], item_ids: Sequence[str]
) -> None:
    """Warn of articles whose own channels say the same: no data tell apart what each of them does."""
    twins: dict[str, str] = {}
    owners = items_of(names)
    for item, channels in zip(item_ids, direct, strict=True):
        own = [column for column in channels if owners[column] == item and np.ptp(inputs[:, column]) > 0]
        for first, second in combinations(own, 2):
            if abs(np.corrcoef(inputs[:, first], inputs[:, second])[0, 1]) > _TWINS:
                twins.setdefault(item, f"{names[first]} and {names[second]}")
    if twins:
        warnings.warn(
            f"covariates: {next(iter(twins.values()))} move together (correlation above {_TWINS}), as do channels of "
            f"{len(twins)} of {len(item_ids)} articles; what each does alone cannot be told from such data: leave one "
            "out, or change both in a scenario",
            stacklevel=3,
        )


def _posterior(
    fits: Sequence[SeriesFit],
    inputs: np.ndarray,
    pairs: StepPairs,
    direct: Sequence[np.ndarray],
    prior: EffectPrior,
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """One step of every series: means and variances ``[D, K]``, and the covariances of the direct effects."""
    mean, variance = prior.mean, prior.variance
    expected = mean @ inputs.T
    weights, told = np.empty_like(expected), np.empty_like(mean)
    blocks, at_once = [], max(1, _ROOM // len(pairs))
    covariance = np.zeros((len(inputs), len(inputs)))
    for first in range(0, len(fits), at_once):
        chunk = slice(first, first + at_once)
        triangles = pairs.covariances(variance[chunk])
        for series, triangle in enumerate(triangles, start=first):
            covariance.put(pairs.places, triangle)
            weights[series], inverse, block = fits[series].step(
                expected[series], covariance, variance[series, direct[series]]
            )
            triangle[:] = inverse.take(pairs.places)
            blocks.append(block)
        told[chunk] = pairs.quadratics(triangles)
    return mean + variance * (weights @ inputs), np.maximum(variance - variance**2 * told, 1e-12), blocks
