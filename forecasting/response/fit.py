"""The fit of a log-linear response: all series side by side, their effects under a prior that they share."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from ...datasets.entries.channels import items_of
from ...datasets.entries.domain import Domain
from ...datasets.entries.entry import Entry
from ...datasets.entries.frequency import written_date
from ...datasets.entries.gluonts_keys import KNOWN
from ...runtime.display.bars import Bar, is_watched
from ..windows.spec import SeriesSpec
from .gates import Gates
from .inputs import logged, spans
from .pair_odds import Described
from .prior import EffectPrior
from .response import LogLinear, Response
from .series_fit import SeriesFit
from .shared import shared
from .step_pairs import StepPairs

logger = logging.getLogger(__name__)

_STILL = 1e-3
"""The coefficients are found when none moves by more."""

_SETTLED = 0.1
"""Share of its deviation by which an effect may still move in the last step."""

_ROOM = 2**25
"""Numbers of the series' covariances in memory at once: a quarter of a GiB."""

_TWINS = 0.95
"""Correlation beyond which two channels of an article are one."""


def fit_response(
    entries: Sequence[Entry],
    spec: SeriesSpec,
    config: LogLinear,
    domain: Domain,
    *,
    spread: bool = False,
    described: Described | None = None,
) -> Response:
    """Fit the response of every series to all channels, once in a block of `responses_shared`.

    Arguments:
        entries: multivariate training entries.
        spec: names and numbers of series and channels.
        config: priors.
        domain: the values that sales can take.
        spread: whether counts are spread for a model that learns a density (`Response`).
        described: what tells the series apart, by which they are substitutes (`EffectPrior`); ``None`` for nothing.

    Returns:
        The posterior.

    Raises:
        ValueError: there are no covariates or they have no names, no channel is one of the series, sales are negative,
            or a price is not above 0.
    """
    if described is not None:
        return replace(_fitted(entries, spec, config, domain, described), spread=spread)
    found = shared(lambda: _fitted(entries, spec, config, domain), entries, spec, config, domain)
    return replace(found, spread=spread)


def _fitted(
    entries: Sequence[Entry], spec: SeriesSpec, config: LogLinear, domain: Domain, described: Described | None = None
) -> Response:
    """The fit itself, for whatever model follows it."""
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
    for entry in entries:
        for series, step in np.argwhere(entry.target < 0):
            raise ValueError(
                f"response: expected sales of at least 0, got {entry.target[series, step]:g} in "
                f"{spec.item_ids[series]!r} on {written_date(entry.start, int(step))}"
            )
    raw = np.concatenate([entry.channels.values[:, : entry.length] for entry in entries], axis=1)
    values = np.concatenate(
        [logged(entry.channels.values[:, : entry.length], names, entry.start) for entry in entries], axis=1
    )
    span = spans(values, names)
    centre = values.mean(axis=1)
    inputs = (values.T - centre) / span
    prior = EffectPrior(names, spec.item_ids, prior=config.prior, own_prior=config.own_prior, described=described)
    direct = [np.flatnonzero(channels) for channels in prior.direct]
    _warn_of_twins(inputs, direct, names, spec.item_ids)
    gates = Gates(target, raw, names, prior.direct, domain == "count")
    # Where a gate is shut an article is out of stock, for its other effects.
    open_sales = np.where(gates.shut(raw), np.nan, target)
    fits = [SeriesFit(sales, inputs[:, own], domain == "count") for sales, own in zip(open_sales, direct, strict=True)]
    # More channels than steps leave less to do by steps.
    pairs = StepPairs(inputs) if len(names) > len(inputs) else None
    mean = prior.mean
    quiet = logger.isEnabledFor(logging.INFO) and not is_watched()  # the log says it then
    with Bar(config.iterations, "price response", unit="steps", quiet=quiet) as bar:
        for iteration in range(1, config.iterations + 1):
            before = mean
            mean, variance, blocks = _posterior(fits, inputs, pairs, direct, prior)
            prior.learn(mean, variance)
            moved = np.abs(mean - before)
            bar.reach(iteration)
            if iteration % 10 == 0:
                logger.info(
                    "response: step %d of at most %d, effects moved by %.3g", iteration, config.iterations, moved.max()
                )
            if moved.max() < _STILL:
                break
        else:
            _warn_of_moving(moved / np.sqrt(variance), config.iterations, names, spec.item_ids)
    gated = np.asarray(gates.at.any(axis=0))
    root = np.zeros((len(blocks), *[max(map(len, blocks))] * 2))
    for series, block in enumerate(blocks):
        root[series, : len(block), : len(block)] = np.linalg.cholesky(block)
        root[series, : len(block)][gated[series, direct[series]]] = 0.0
    response = Response(
        mean,
        np.where(gated, 0.0, np.sqrt(variance)),
        prior.direct,
        root,
        centre,
        span,
        names,
        domain,
        low=gates.low,
        high=gates.high,
        shut=gates.beside(mean, inputs, raw),
        unit=np.ones(len(mean)),
        least=np.zeros(len(mean)),
        most=np.full(len(mean), np.inf),
        mixed=None if described is None else prior.mixed.reshape(5, *mean.shape),
    )
    return response.measured(target, raw)


def _warn_of_moving(moved: np.ndarray, iterations: int, names: Sequence[str], item_ids: Sequence[str]) -> None:
    """Warn where effects ``[D, K]`` moved in the last step, beside their deviations, as far as may be seen."""
    if moved.max() > _SETTLED:
        series, channel = divmod(int(moved.argmax()), moved.shape[1])
        warnings.warn(
            f"response: the effects did not settle in {iterations} steps; that of {names[channel]} on "
            f"{item_ids[series]!r} still moved by {moved.max():.2g} of its deviation; more steps are "
            "LogLinear(iterations=...)",
            stacklevel=7,
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
            stacklevel=6,
        )


def _posterior(
    fits: Sequence[SeriesFit],
    inputs: np.ndarray,
    pairs: StepPairs | None,
    direct: Sequence[np.ndarray],
    prior: EffectPrior,
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """One step of every series: means and variances ``[D, K]``, and the covariances of the direct effects."""
    mean, variance = prior.mean, prior.variance
    if pairs is not None:
        return _by_pairs(fits, inputs, pairs, direct, mean, variance)
    blocks, rows = [], np.ascontiguousarray(inputs.T)
    for series, (fit, own) in enumerate(zip(fits, direct, strict=True)):
        mean[series], covariance = fit.step_by_state(mean[series], variance[series], rows)
        variance[series] = covariance.diagonal()
        blocks.append(covariance[np.ix_(own, own)])
    return mean, variance, blocks


def _by_pairs(
    fits: Sequence[SeriesFit],
    inputs: np.ndarray,
    pairs: StepPairs,
    direct: Sequence[np.ndarray],
    mean: np.ndarray,
    variance: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """The same by matrices of the steps, whose products with the channels are one for all series."""
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
