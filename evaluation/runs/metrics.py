"""The metrics of a backtest by name, and how each is pooled over steps, series and windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal

import numpy as np

from ..scores import intervals, multivariate, scaled, univariate
from ..scores.intervals import COVERAGES


class Outcome:
    """A forecast of one window with its observations; intermediate results of metrics are cached.

    Arguments:
        samples: sample paths ``[S, H, D]``, data units.
        observed: ``[H, D]``, data units, NaN where missing.
        past: the history before the window ``[D, T]``, data units.
        season: steps of a season, for the seasonal error.
    """

    def __init__(self, samples: np.ndarray, observed: np.ndarray, past: np.ndarray, season: int) -> None:
        self.samples, self.past, self.season = samples, past, season
        self.observed = np.asarray(observed, dtype=np.float64)

    @cached_property
    def ordered(self) -> np.ndarray:
        """Sorted paths ``[S, H, D]``."""
        return univariate.sorted_paths(self.samples)

    @cached_property
    def mean(self) -> np.ndarray:
        """The mean forecast ``[H, D]``."""
        return self.samples.mean(0, dtype=np.float64)

    @cached_property
    def summed(self) -> Outcome:
        """The sum of the series as a forecast of one series."""
        samples, observed = univariate.sum_over_series(self.samples, self.observed)
        return Outcome(samples, observed, self.past.sum(0, keepdims=True), self.season)

    @cached_property
    def seasonal_error(self) -> np.ndarray:
        """Seasonal error of each series ``[D]``."""
        return intervals.seasonal_error(self.past, self.season)

    @cached_property
    def size(self) -> np.ndarray:
        """``|y|`` ``[H, D]``."""
        return np.abs(self.observed)

    @cached_property
    def loss_of_sum(self) -> tuple[np.ndarray, np.ndarray]:
        """Numerator and denominator of the CRPS-sum, each ``[H]``."""
        return univariate.crps_sum_parts(self.samples, self.observed)


Values = Callable[[Outcome], np.ndarray]

Axes = Literal["series", "joint", "window"]

Better = Literal["lower", "nominal", "none"]


@dataclass(frozen=True)
class Metric:
    """A score of a backtest: pooled, it is ``Σ value / Σ weight`` over everything observed.

    Arguments:
        label: its name in tables.
        meaning: one sentence on what it says.
        axes: what a value belongs to: a step of one series (``[H, D]``), a step of all series together (``[H]``), or
            a whole window (``[]``).
        value: the numerator, NaN where undefined.
        weight: the denominator; ``None`` counts the values.
        better: whether less is better, or closeness to ``nominal``, or neither.
        nominal: the value of a perfect forecast, where that is not 0.
        root: whether the pooled mean of squares is taken the root of, and divided by the mean weight.
    """

    label: str
    meaning: str
    axes: Axes
    value: Values
    weight: Values | None = None
    better: Better = "lower"
    nominal: float = 0.0
    root: bool = False

    def parts(self, outcome: Outcome) -> np.ndarray:
        """The summands of a metric: value, weight and count, stacked ``[3, ...]``, 0 where undefined.

        Arguments:
            outcome: a forecast and what happened.

        Returns:
            ``[3, H, D]``, ``[3, H]`` or ``[3]``, by `axes`.
        """
        value = np.asarray(self.value(outcome), dtype=np.float64)
        present = ~np.isnan(value)
        weight = present if self.weight is None else np.where(present, self.weight(outcome), 0.0)
        return np.stack([np.where(present, value, 0.0), weight, present])

    def pool(self, sums: np.ndarray) -> np.ndarray:
        """The metric of summed parts.

        Arguments:
            sums: sums of `parts` ``[3, ...]``.

        Returns:
            ``[...]``; NaN where nothing was observed or the weight is 0.
        """
        value, weight, count = sums
        defined = (weight > 0) & (count > 0)
        weight, count = np.where(defined, weight, np.nan), np.where(defined, count, np.nan)
        return np.sqrt(value / count) / (weight / count) if self.root else value / weight


def _size(outcome: Outcome) -> np.ndarray:
    return outcome.size


def _covered(outcome: Outcome, coverage: float) -> np.ndarray:
    return intervals.covered(outcome.ordered, outcome.observed, coverage)


def _width(outcome: Outcome, coverage: float) -> np.ndarray:
    return intervals.width(outcome.ordered, outcome.observed, coverage)


_COVERAGE = (
    "Share of {1} inside the central {0:.0%} interval{2}, ends included; {0:.0%} is right, of small counts more."
)

METRICS: dict[str, Metric] = {
    "crps_sum": Metric(
        "CRPS-sum",
        "Quantile loss of the sum of all series over 19 levels, divided by Σ|sum|: the published score.",
        "joint",
        lambda outcome: outcome.loss_of_sum[0],
        lambda outcome: outcome.loss_of_sum[1],
    ),
    "crps": Metric(
        "CRPS",
        "Continuous ranked probability score of each series on its own, divided by Σ|y|.",
        "series",
        lambda outcome: univariate.crps_of_sorted(outcome.ordered, outcome.observed),
        _size,
    ),
    "energy_score": Metric(
        "Energy",
        "Energy score over the series, step by step, divided by the mean norm of the observation.",
        "joint",
        lambda outcome: multivariate.energy_score(outcome.samples, outcome.observed),
        lambda outcome: multivariate.norm(outcome.observed),
    ),
    "trajectory_energy_score": Metric(
        "Energy, paths",
        "Energy score over all series and all steps at once, divided by the norm of the observation.",
        "window",
        lambda outcome: multivariate.trajectory_energy_score(outcome.samples, outcome.observed),
        lambda outcome: multivariate.trajectory_norm(outcome.observed),
    ),
    "variogram_score": Metric(
        "Variogram",
        "Variogram score of order ½ over the series, divided by Σ|y_i − y_j|: how series move together.",
        "joint",
        lambda outcome: multivariate.variogram_score(outcome.samples, outcome.observed),
        lambda outcome: multivariate.variogram_size(outcome.observed),
    ),
    "weighted_quantile_loss": Metric(
        "wQL",
        "Quantile loss of each series over 19 levels, divided by Σ|y|.",
        "series",
        lambda outcome: univariate.mean_quantile_loss(outcome.ordered, outcome.observed),
        _size,
    ),
    "nd": Metric(
        "ND",
        "Absolute error of the median forecast, divided by Σ|y|.",
        "series",
        lambda outcome: univariate.median_error(outcome.ordered, outcome.observed),
        _size,
    ),
    "nrmse": Metric(
        "NRMSE",
        "Root mean square error of the mean forecast, divided by the mean of |y|.",
        "series",
        lambda outcome: univariate.squared_error(outcome.mean, outcome.observed),
        _size,
        root=True,
    ),
    "mase": Metric(
        "MASE",
        "Mean absolute error of the median, over the error of the seasonal naive forecast on the past.",
        "series",
        lambda outcome: scaled.scaled_error(outcome.ordered, outcome.observed, outcome.seasonal_error),
    ),
    "rmsse": Metric(
        "RMSSE",
        "Root mean squared error of the mean, over that of the last value in the past from the first sale on.",
        "series",
        lambda outcome: scaled.scaled_squared_error(
            outcome.mean, outcome.observed, scaled.squared_change(outcome.past)
        ),
        root=True,
    ),
    "crps_lead_time": Metric(
        "CRPS, lead time",
        "Continuous ranked probability score of the sum of each series over the window, divided by its size.",
        "window",
        lambda outcome: np.nansum(scaled.crps_of_lead_time(outcome.samples, outcome.observed)),
        lambda outcome: np.nansum(scaled.lead_time_size(outcome.observed)),
    ),
    "msis": Metric(
        "MSIS",
        "Mean score of the 95% interval, over the error of the seasonal naive forecast on the past.",
        "series",
        lambda outcome: intervals.scaled_interval_score(outcome.ordered, outcome.observed, outcome.seasonal_error),
    ),
    **{
        f"coverage_{coverage * 100:.0f}": Metric(
            f"Cover {coverage:.0%}",
            _COVERAGE.format(coverage, "observations", ""),
            "series",
            partial(_covered, coverage=coverage),
            better="nominal",
            nominal=coverage,
        )
        for coverage in COVERAGES
    },
    "coverage_80_sum": Metric(
        "Cover 80%, sum",
        _COVERAGE.format(0.8, "observed sums", " of the sum"),
        "joint",
        lambda outcome: _covered(outcome.summed, 0.8)[:, 0],
        better="nominal",
        nominal=0.8,
    ),
    **{
        f"width_{coverage * 100:.0f}": Metric(
            f"Width {coverage:.0%}",
            f"Width of the central {coverage:.0%} interval, divided by Σ|y|: narrow is good only where covered.",
            "series",
            partial(_width, coverage=coverage),
            _size,
            better="none",
        )
        for coverage in COVERAGES
    },
}
"""Every metric by the name it has in the long table; one more entry here is one more score."""

USUAL: tuple[str, ...] = tuple(name for name in METRICS if name not in ("mase", "rmsse", "crps_lead_time"))
"""What a backtest computes where nothing is asked for. It is part of a run's identity: a metric that joins the table
later is asked for by name, so that finished runs are found again."""
