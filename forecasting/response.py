"""How sales answer to prices and promotions: log-linear, of every article to every article's channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from .grouping import Entry
from .scaling import Domain
from .spec import SeriesSpec

PRICE = "price"
_START = 10.0
"""Prior standard deviation of the first log level: wide enough for any data."""


@dataclass(frozen=True)
class LogLinear:
    r"""A log-linear response to known-future covariates, fitted before the network, which models what is left.

    .. math:: \log \mu_{ti} = b_{ti} + \sum_k \theta_{ik} x_{tk}

    Channels called ``price`` enter by their logarithm, so that their coefficients are elasticities; the others are
    divided by their span on the training data. The level b is a random walk, so that seasons, trends and shocks
    are not taken for an effect of prices; the variance around the mean is that of negative binomial counts, or
    proportional to the square of the mean where the data are no counts. Coefficients have normal priors around 0,
    and their posterior (Laplace) goes into the sample paths: each path draws its own.

    It is a direct path from what a shop sets to what it sells. A network that reads prices among its inputs has
    no reason to separate the few weeks in which one article was marked down from all else that happened in them.

    Arguments:
        prior: prior standard deviation of the effect of another article's channel, or of a shared one.
        own_prior: that of an article's own channels.
        iterations: reweighted least-squares steps.

    Example:
        >>> LogLinear(prior=0.3).own_prior
        3.0
    """

    prior: float = 0.5
    own_prior: float = 3.0
    iterations: int = 25

    def __post_init__(self) -> None:
        for name in ("prior", "own_prior", "iterations"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")


@dataclass(frozen=True, eq=False)
class Response:
    """A fitted response.

    Arguments:
        mean: ``[D, K]`` coefficients: elasticities of prices, log-changes over the span of other channels.
        deviation: ``[D, K]`` their posterior standard deviations.
        centre: ``[K]`` means of the channels, on the scale on which they enter.
        span: ``[K]`` what they are divided by; 1 for prices.
        names: of the K channels.
        domain: the values that sales can take.
    """

    mean: np.ndarray
    deviation: np.ndarray
    centre: np.ndarray
    span: np.ndarray
    names: tuple[str, ...]
    domain: Domain

    @property
    def series(self) -> int:
        """The number of series D."""
        return len(self.mean)

    def inputs(self, covariates: np.ndarray) -> np.ndarray:
        """Channels ``[K, T]`` on the scale on which they enter, around their training mean; ``[T, K]``.

        Raises:
            ValueError: a price is not above 0.
        """
        return (logged(covariates, self.names).T - self.centre) / self.span

    def training(self, entries: Sequence[Entry], seed: int) -> list[Entry]:
        """Training entries without what the covariates explain; counts are spread over [y, y + 1) before.

        Arguments:
            entries: ``target`` ``[D, T]``, ``feat_dynamic_real`` ``[K, >= T]``.
            seed: of the spread.
        """
        generator = np.random.default_rng(seed)
        counts = self.domain == "count"
        return [self._deflated(entry, generator.random(entry["target"].shape) if counts else 0.0) for entry in entries]

    def history(self, entry: Entry) -> Entry:
        """An entry to forecast without what the covariates explain; counts are read as y + 1/2."""
        return self._deflated(entry, 0.5 if self.domain == "count" else 0.0)

    def _deflated(self, entry: Entry, noise: np.ndarray | float) -> Entry:
        target = entry["target"]
        factor = np.exp(self.inputs(entry["feat_dynamic_real"][:, : target.shape[1]]) @ self.mean.T).T
        kept = {key: value for key, value in entry.items() if key not in ("feat_dynamic_real", "covariates")}
        return {**kept, "target": ((target + noise) / factor).astype(np.float32)}

    def tensors(self) -> dict[str, torch.Tensor]:
        """The numbers by name, to be saved."""
        return {name: torch.from_numpy(getattr(self, name)) for name in ("mean", "deviation", "centre", "span")}

    def factors(self, entry: Entry, horizon: int, context: int, paths: int, seed: int) -> np.ndarray:
        """What the covariates multiply the sales of the horizon by, with coefficients drawn for each path.

        A drawn coefficient counts from the mean of the channel over the context, where the level was seen.

        Arguments:
            entry: ``target`` ``[D, T]``, ``feat_dynamic_real`` ``[K, T + H]``.
            horizon: steps H.
            context: steps before it.
            paths: S.
            seed: of the coefficients; the same seed gives the same ones whatever the covariates are.

        Returns:
            float32 ``[S, H, D]``.
        """
        length = entry["target"].shape[1]
        inputs = self.inputs(entry["feat_dynamic_real"][:, : length + horizon])
        ahead = inputs[length:]
        moved = ahead - inputs[max(0, length - context) : length].mean(0)
        generator = np.random.default_rng(seed)
        logs = np.empty((paths, horizon, len(self.mean)), dtype=np.float32)
        for series, (mean, deviation) in enumerate(zip(self.mean, self.deviation, strict=True)):
            drawn = generator.standard_normal((paths, len(mean)), dtype=np.float32)
            logs[:, :, series] = mean @ ahead.T + (drawn * deviation.astype(np.float32)) @ moved.T.astype(np.float32)
        return np.exp(logs)


def logged(covariates: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Channels ``[K, T]`` with prices as logarithms, float64.

    Raises:
        ValueError: a price is not above 0.
    """
    values = np.asarray(covariates, dtype=float).copy()
    for row, name in enumerate(names):
        if name.partition("[")[0] == PRICE:
            if not (values[row] > 0).all():
                step = int(np.argmin(values[row] > 0))
                raise ValueError(f"{name}: expected prices above 0, got {values[row, step]:g} at step {step}")
            values[row] = np.log(values[row])
    return values


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
        ValueError: there are no covariates or they have no names, sales are negative, or a price is not above 0.
    """
    if not spec.covariates or not spec.covariate_names:
        raise ValueError(
            "response: expected feat_dynamic_real with names in 'covariates' to respond to, "
            f"got {spec.covariates} channels and {len(spec.covariate_names)} names"
        )
    names, target = spec.covariate_names, np.concatenate([entry["target"] for entry in entries], axis=1).astype(float)
    if np.nanmin(target) < 0:
        series = int(np.argwhere(target < 0)[0][0])
        raise ValueError(
            f"response: expected sales of at least 0, got {np.nanmin(target):g} in {spec.item_ids[series]!r}"
        )
    raw = np.concatenate([entry["feat_dynamic_real"][:, : entry["target"].shape[1]] for entry in entries], axis=1)
    values = logged(raw, names)
    priced = np.array([name.partition("[")[0] == PRICE for name in names])
    width = np.ptp(values, axis=1)
    span = np.where(priced | (width == 0), 1.0, width)
    centre = values.mean(axis=1)
    inputs = (values.T - centre) / span
    mean, deviation = np.empty((2, spec.target_dim, len(names)))
    for series, (item, sales) in enumerate(zip(spec.item_ids, target, strict=True)):
        own = np.array([name.endswith(f"[{item}]") for name in names])
        prior = np.where(own, config.own_prior, config.prior)
        mean[series], deviation[series] = _fit_series(sales, inputs, prior, domain == "count", config.iterations)
    return Response(mean, deviation, centre, span, names, domain)


def _fit_series(
    sales: np.ndarray, inputs: np.ndarray, prior: np.ndarray, counts: bool, iterations: int
) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means and deviations ``[K]`` of one series, sales ``[T]`` with NaN for gaps.

    Iteratively reweighted least squares in the space of the steps, whose cost does not grow with K. The log level is
    a random walk whose step size is set by EM, the dispersion is set by moments.
    """
    seen = np.flatnonzero(~np.isnan(sales))
    y, x = sales[seen], inputs[seen]
    # A random walk is its start and the steps taken so far: one column a step of the data.
    steps = (seen[:, None] >= np.arange(1, seen[-1] + 1)).astype(float)
    effects = (x * prior**2) @ x.T + _START**2
    smallest = 0.5 if counts else max(float(y[y > 0].min()), 1e-12) / 2 if (y > 0).any() else 1.0
    log_mean = np.log(np.maximum(y, smallest))
    offset, drift, dispersion = float(log_mean.mean()), 0.01, 0.1
    for _ in range(iterations):
        expected = np.exp(log_mean)
        noise = dispersion + (1 / expected if counts else 0.0)
        working = log_mean + (y - expected) / expected - offset
        covariance = effects + drift * steps @ steps.T
        inverse = np.linalg.inv(covariance + np.diag(np.broadcast_to(noise, y.shape)))
        weights = inverse @ working
        # A step of the Newton kind may overshoot where counts are near 0.
        log_mean = np.clip(offset + covariance @ weights, log_mean - 2, log_mean + 2)
        taken = drift * steps.T @ weights
        left = drift - drift**2 * np.einsum("ts,tu,us->s", steps, inverse, steps, optimize=True)
        drift = max(float(np.mean(taken**2 + left)), 1e-6)
        dispersion = _dispersion(y, np.exp(log_mean), len(y) - np.einsum("tu,ut->", covariance, inverse), counts)
    mean = prior**2 * (x.T @ weights)
    variance = prior**2 - prior**4 * np.einsum("tk,tu,uk->k", x, inverse, x, optimize=True)
    return mean, np.sqrt(np.maximum(variance, 0))


def _dispersion(y: np.ndarray, expected: np.ndarray, freedom: float, counts: bool) -> float:
    """The dispersion at which Pearson's statistic equals the degrees of freedom."""
    squares = ((y - expected) / expected) ** 2
    freedom = max(freedom, 1.0)
    if not counts:
        return max(float(squares.sum()) / freedom, 1e-6)
    low, high = 1e-6, 10.0
    for _ in range(40):
        middle = np.sqrt(low * high)
        more = float((squares / (middle + 1 / expected)).sum()) > freedom
        low, high = (middle, high) if more else (low, middle)
    return float(np.sqrt(low * high))
