"""How sales answer to prices and promotions: log-linear, of every article to every article's channels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import save

from ...datasets.entries.channels import PRICE, Channels, rows_of
from ...datasets.entries.domain import Domain
from ...datasets.entries.entry import Entry
from ...datasets.entries.unseen import warn_of_unseen
from ...runtime.arguments.kinds import Checked, Count, Positive
from ...runtime.reading.json_files import read_json
from ...runtime.reading.weights import read_arrays
from .effect_draws import drawn_effects, drawn_sums
from .gates import at_ends
from .inputs import bounded, logged

_FAINT = 0.05
"""Share of the usual factor below which a step may say nothing of the level."""

_BEYOND = 10.0
"""How much larger than the largest factor seen that of a future is, at most."""


@dataclass(frozen=True)
class LogLinear(Checked):
    r"""A log-linear response of sales to prices and promotions, fitted before the network, which models the rest.

    .. math:: \log \mu_{ti} = b_{ti} + \sum_k \theta_{ik} x_{tk}

    Channels called ``price`` enter by their logarithm, so that their coefficients are elasticities; the others are
    divided by their span on the training data, promotions that are shares by 1. The level b is a random walk, so that
    seasons, trends and shocks are not taken for an effect of prices; the variance around the mean is that of negative
    binomial counts, or proportional to the square of the mean where the data are no counts. The posterior of the
    coefficients (Laplace) goes into the sample paths: each path draws its own, those of an article's own and of shared
    channels with their covariance.

    A coefficient is judged beside its kind (`EffectPrior`): what an article's own price does is drawn towards what
    the others' own prices do to them, and an article whose price never moved takes that; likewise for promotions.
    Where none moved in any article, the effect is none, more or less by the size that is expected of it. The channels
    of another article have an effect in few of all pairs, so that most are drawn to 0 and those that stand out are
    left; a pair stands out by what the data show in both directions.

    Steps at which channels leave next to nothing of the sales say nothing of the rest: they are missing in what the
    model sees, as weeks out of stock are. An article that sells while it is promoted and at no other time is told
    apart from one that sells more then (`Gates`). No factor of a future is larger than ten times the largest seen.

    It is a direct path from what a shop sets to what it sells. A network that reads prices among its inputs has
    no reason to separate the few weeks in which one article was marked down from all else that happened in them.

    Arguments:
        prior: how large the effect of another article's channel, or of a shared one, is expected to be; it counts as
            one effect beside those that the data show.
        own_prior: that of an article's own price. That of its promotions and other channels, over their span, is at
            most log 2: one that doubles sales.
        iterations: reweighted least-squares steps, at most.

    Example:
        >>> LogLinear(prior=0.3).own_prior
        3.0
    """

    prior: Positive = 0.5
    own_prior: Positive = 3.0
    iterations: Count = 50


@dataclass(frozen=True, eq=False)
class Response:
    """A fitted response.

    Arguments:
        mean: ``[D, K]`` coefficients: elasticities of prices, log-changes over the span of other channels.
        deviation: ``[D, K]`` their posterior standard deviations.
        direct: bool ``[D, K]``, the channels of an article itself and those shared by all. An article is marked down
            and advertised in the same weeks, so that the data know what both do together far better than what each
            does: their effects are drawn with their covariance, all others on their own.
        root: ``[D, k, k]`` the lower Cholesky factor of that covariance, for the direct channels in their order; 0
            beyond the last of them.
        centre: ``[K]`` means of the channels, on the scale on which they enter.
        span: ``[K]`` what they are divided by; 1 for prices.
        names: of the K channels.
        domain: the values that sales can take.
        low: ``[K]`` the lowest values of the channels in training, in their units.
        high: ``[K]`` the highest ones.
        shut: ``[2, D, K]`` what is added to log sales at the lowest and at the highest value of channels that shut them
            (`Gates`); 0 for all others.
        unit: ``[D]`` what factors are multiplied by, so that sales without what the covariates explain have the mean
            that sales have.
        least: ``[D]`` factors below which a step says nothing of the level.
        most: ``[D]`` the largest factors of a future.
        spread: whether counts are spread over an interval of 1 once they are divided by their factors, for a model
            that learns a density.
        mixed: ``[5, D, K]`` effects of others' channels by the two distributions that they may come from, as
            `EffectPrior.mixed` has them; ``None`` where nothing says who is a substitute.
    """

    mean: np.ndarray
    deviation: np.ndarray
    direct: np.ndarray
    root: np.ndarray
    centre: np.ndarray
    span: np.ndarray
    names: tuple[str, ...]
    domain: Domain
    low: np.ndarray
    high: np.ndarray
    shut: np.ndarray
    unit: np.ndarray
    least: np.ndarray
    most: np.ndarray
    spread: bool = False
    mixed: np.ndarray | None = None

    @property
    def series(self) -> int:
        """The number of series D."""
        return len(self.mean)

    def inputs(self, covariates: np.ndarray, start: pd.Period | None = None) -> np.ndarray:
        """Channels ``[K, T]`` on the scale on which they enter, around their training mean; ``[T, K]``.

        What is no price counts as at most a span beyond the values that were seen.

        Arguments:
            covariates: the channels, in the units of the table.
            start: their first step, for the message.

        Raises:
            ValueError: a price is not above 0.
        """
        within = bounded(covariates, self.names, self.low, self.high, self.span)
        return (logged(within, self.names, start).T - self.centre) / self.span

    def usual(self, covariates: np.ndarray, start: pd.Period | None = None) -> np.ndarray:
        """Factors ``[D, T]`` of channels ``[K, T]`` on sales at the mean coefficients."""
        return self.unit[:, None] * np.exp(self._usual_logs(covariates, self.inputs(covariates, start)))

    def _usual_logs(self, covariates: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        logs = self.mean @ inputs.T
        if self.shut.any():
            for shut, state in zip(self.shut, at_ends(covariates, self.low, self.high), strict=True):
                logs += shut @ state
        return np.minimum(logs, np.log(self.most)[:, None])

    def measured(self, sales: np.ndarray, covariates: np.ndarray) -> Response:
        """The response with the unit and the bounds of its factors as they were in training.

        Arguments:
            sales: ``[D, T]``, NaN where missing.
            covariates: ``[K, T]``.
        """
        factors, sold = self.usual(covariates), np.nan_to_num(sales)
        seen = ~np.isnan(sales)
        total = sold.sum(1)
        usual = np.where(total > 0, (sold * factors).sum(1) / np.where(total > 0, total, 1), factors.mean(1))
        positive = np.where(sold > 0, sold, np.inf).min(1)
        smallest = np.ones(self.series) if self.domain == "count" else np.where(np.isfinite(positive), positive, 1.0)
        # The level of sales at a factor of 1: a step at which half a unit would sell, or less, says hardly anything.
        level = total / np.maximum((factors * seen).sum(1), np.finfo(float).tiny)
        with np.errstate(divide="ignore"):
            least = np.minimum(_FAINT * usual, 0.5 * smallest / level)
        told = seen & (factors >= least[:, None])
        told |= ~told.any(1, keepdims=True)
        left = np.where(told, sold / factors, 0.0).sum(1) / told.sum(1)
        mean = np.where(told, sold, 0.0).sum(1) / told.sum(1)
        unit = np.where(left > 0, left / np.where(mean > 0, mean, 1), 1.0)
        most = _BEYOND * np.where(seen | ~seen.any(1, keepdims=True), factors, 0.0).max(1)
        return replace(self, unit=self.unit * unit, least=least * unit, most=most / self.unit)

    def training(self, entries: Sequence[Entry], seed: int) -> list[Entry]:
        """Training entries without what the covariates explain.

        Arguments:
            entries: with the K channels over the target at least.
            seed: of the spread.
        """
        generator = np.random.default_rng(seed)
        return [
            self._deflated(entry, generator.random(entry.target.shape) if self._spreads else 0.0) for entry in entries
        ]

    def history(self, entry: Entry) -> Entry:
        """An entry to forecast without what the covariates explain; where counts are spread, in the middle."""
        return self._deflated(entry, 0.5 if self._spreads else 0.0)

    @property
    def _spreads(self) -> bool:
        return self.spread and self.domain == "count"

    def _deflated(self, entry: Entry, noise: np.ndarray | float) -> Entry:
        factor = self.usual(entry.channels.values[:, : entry.length], entry.start)
        told = self._told(entry, factor)
        # A series without any step that says something of its level has what sold, bounded.
        told |= ~told.any(axis=1, keepdims=True)
        left = entry.target / np.maximum(factor, self.least[:, None]) + noise
        deflated = np.where(told, left, np.nan).astype(np.float32)
        return entry.with_(target=deflated, channels=Channels(), planned=None, domain="real")

    def _told(self, entry: Entry, factor: np.ndarray) -> np.ndarray:
        """Where an entry says something of the level of a series: it was seen, at a factor above next to nothing."""
        return (factor >= self.least[:, None]) & ~np.isnan(entry.target)

    def serialize(self, path: Path) -> None:
        """Write the response into the folder `path`."""
        numbers = {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        (Path(path) / "response.safetensors").write_bytes(save(numbers))
        described = {"names": self.names, "domain": self.domain, "spread": self.spread}
        (Path(path) / "response.json").write_text(json.dumps(described))

    @classmethod
    def deserialize(cls, path: Path) -> Response:
        """Read what `serialize` wrote; what earlier versions wrote has no bounds, and spread all counts."""
        described = read_json(Path(path) / "response.json")
        numbers = read_arrays(Path(path) / "response.safetensors")
        series, channels = numbers["mean"].shape
        free: dict[str, Any] = {
            "low": np.full(channels, -np.inf),
            "high": np.full(channels, np.inf),
            "shut": np.zeros((2, series, channels)),
            "unit": np.ones(series),
            "least": np.zeros(series),
            "most": np.full(series, np.inf),
        }
        said: dict[str, Any] = {"spread": True, **described, "names": tuple(described["names"])}
        return cls(**{**free, **numbers, **said})

    def factors(self, entry: Entry, horizon: int, context: int, paths: int, seed: int) -> np.ndarray:
        """Factors of the covariates on sales over the horizon, with a posterior draw of the coefficients for each path.

        A drawn coefficient counts from the mean of the channel over the context, where the level was seen: for an
        article's own and for shared channels over the steps that say something of its level. These effects are drawn
        one by one, all others as their sum (`drawn_sums`).

        Arguments:
            entry: with the K channels over the horizon too. With a changed future, the entry of the planned one as
                ``planned``, as `simulate` says it: a path has the same coefficients in both.
            horizon: steps H.
            context: steps before it.
            paths: S.
            seed: of the coefficients. It gives an article's own effects whatever the covariates are; those of others'
                channels where the planned future is the same.

        Returns:
            float32 ``[S, H, D]``.
        """
        length = entry.length
        covariates = entry.channels.values[:, : length + horizon]
        inputs = self.inputs(covariates, entry.start)
        ahead, context_inputs = inputs[length:], inputs[max(0, length - context) : length]
        moved = ahead - context_inputs.mean(0)
        planned = moved
        if entry.planned is not None:
            whole = self.inputs(entry.planned.channels.values[:, : length + horizon], entry.start)
            planned = whole[length:] - whole[max(0, length - context) : length].mean(0)
        logs_of_all = self._usual_logs(covariates, inputs)
        told = self._told(entry, self.unit[:, None] * np.exp(logs_of_all[:, :length]))[:, -len(context_inputs) :]
        told |= ~told.any(axis=1, keepdims=True)
        seen_at = told @ context_inputs / told.sum(axis=1, keepdims=True)
        sums = drawn_sums(np.where(self.direct, 0.0, self.deviation), planned, moved, paths, seed)
        # Numbers of their own, apart from those of the sums and of their channels.
        generator = np.random.default_rng([seed, 0, 1])
        logs = np.empty((paths, horizon, self.series), dtype=np.float32)
        for series, others in enumerate(sums):
            direct = np.flatnonzero(self.direct[series])
            root = self.root[series, : len(direct), : len(direct)]
            drawn = generator.standard_normal((paths, len(direct))) @ root.T
            effects = drawn @ (ahead[:, direct] - seen_at[series, direct]).T + others
            usual = logs_of_all[series, length:]
            logs[:, :, series] = np.minimum(usual + effects, np.log(self.most[series])) + np.log(self.unit[series])
        return np.exp(logs)

    def price_effects(self, entry: Entry, horizon: int, context: int, paths: int, seed: int) -> np.ndarray | None:
        """The elasticities by which `factors` of the same arguments answers to prices, path by path.

        Those of an article to the prices of others are drawn given what all effects come to in the planned future, as
        if all of these prices were to change.

        Returns:
            float32 ``[D, D, S]``, of the row's series to the price of the column's; ``None`` where a series has no
            price, or the entry has other channels.
        """
        rows = rows_of(self.names, PRICE, entry.item_ids)
        if rows is None or entry.channels.names != self.names or len(rows) != self.series:
            return None
        length = entry.length
        inputs = self.inputs(entry.channels.values[:, : length + horizon], entry.start)
        planned = inputs[length:] - inputs[max(0, length - context) : length].mean(0)
        deviation = np.where(self.direct, 0.0, self.deviation)
        generator = np.random.default_rng([seed, 0, 1])
        found = np.empty((self.series, self.series, paths), dtype=np.float32)
        for series, (_, others) in enumerate(drawn_effects(deviation, planned, rows, paths, seed)):
            direct = np.flatnonzero(self.direct[series])
            drawn = generator.standard_normal((paths, len(direct)))
            effects = self.mean[series, rows] + others * deviation[series, rows]
            both = np.flatnonzero(np.isin(rows, direct))
            root = self.root[series, : len(direct), : len(direct)]
            effects[:, both] += (drawn @ root.T)[:, np.searchsorted(direct, np.array(rows)[both])]
            found[series] = effects.T
        return found

    def roundings(self, paths: int, horizon: int, seed: int) -> np.ndarray | None:
        """What counts are rounded up by, uniform numbers ``[S, H, D]``; ``None`` where sales are no counts."""
        if self.domain != "count":
            return None
        return np.random.default_rng([seed, 0, 2]).random((paths, horizon, self.series), dtype=np.float32)

    def warn_of_unseen(self, entry: Entry, horizon: int) -> None:
        """Warn of channels whose values ahead are far from all that were seen, in training or in the past given."""
        warn_of_unseen(entry, horizon, self.low, self.high)
