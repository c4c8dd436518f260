"""Models against models: in how many windows one has the lower score, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..runs.levels import metric_named
from ..runs.records import RunsTable
from .score_table import Cell, ScoreTable
from .table import scores_that_count

LEVEL = 0.9
"""Coverage of the bootstrap intervals."""

FEWEST = 5
"""Windows that two models have to share for an interval: of fewer that one of them wins all, chance may say as much."""


def wins(
    scores: pd.DataFrame,
    metric: str = "energy_score",
    models: Sequence[str] | None = None,
    *,
    runs: RunsTable = None,
    draws: int = 2000,
    seed: int = 0,
) -> ScoreTable:
    """Win rates: the share of windows in which the column's model scores lower than the row's.

    A window counts by its score's mean over seeds, equal scores as half a win, and every dataset the same however
    many windows it has; those on which one of the two was not run are left out. The interval is that of the
    percentile bootstrap over windows within their datasets (Efron and Tibshirani 1993, chapter 13); windows that lie
    close together are not as many independent ones, so that it is rather too narrow. Models that share fewer than
    `FEWEST` windows have none: a bootstrap of three wins in three is certain, and chance makes them once in eight.

    Arguments:
        scores: the long table of `backtest`.
        metric: a name in `METRICS`, of which less is better.
        models: the models of the columns; ``None`` takes all.
        runs: the runs table; ``None`` takes what `backtest` attached to ``scores``.
        draws: bootstrap samples.
        seed: of the bootstrap.

    Returns:
        A table with a row a model; in bold where the whole interval lies above one half. The standard error in its
        CSV is the bootstrap's.

    Raises:
        ValueError: less of the metric is not better, it was not computed, or a model is not in ``scores``.

    Example:
        >>> rows = [("a", 0, 1.0), ("a", 1, 2.0), ("a", 2, 3.0), ("b", 0, 2.0), ("b", 1, 3.0), ("b", 2, 1.0)]
        >>> scores = pd.DataFrame(rows, columns=["model", "window", "value"])
        >>> scores = scores.assign(run=scores.model, dataset="sales", seed=0, item_id=None, step=None, metric="crps")
        >>> wins(scores, "crps", ["a"]).rows["b"][0].text
        '0.667'
    """
    if metric_named(metric).better != "lower":
        raise ValueError(f"metric: expected one of which less is better, got {metric!r}")
    counted, note = scores_that_count(scores, metric, runs)
    known = list(dict.fromkeys(counted["model"]))
    columns = known if models is None else list(models)
    for name in columns:
        if name not in known:
            raise ValueError(f"models: expected some of {', '.join(known)}, got {name!r}")
    counted = counted[counted["window"].notna() & counted["item_id"].isna() & counted["step"].isna()]
    values = counted.groupby(["dataset", "window", "model"], sort=False)["value"].mean().unstack("model")
    better = _better(values[known].to_numpy(), [known.index(name) for name in columns])
    dataset = values.index.get_level_values("dataset")
    datasets = [np.flatnonzero(dataset == name) for name in dataset.unique()]
    shares = _mean_share(better, datasets)
    generator = np.random.default_rng(seed)
    resampled = np.stack(
        [_mean_share(better, [generator.choice(rows, len(rows)) for rows in datasets]) for _ in range(draws)]
    )
    enough = (~np.isnan(better)).sum(0) >= FEWEST
    # A draw may hold none of the windows that two models share, and is left out for these.
    told = np.where(enough, resampled, 0.0)
    low, high = np.nanquantile(told, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    spread = np.where(enough, np.nanstd(told, axis=0), np.nan)

    def cell(row: int, column: int) -> Cell:
        interval = (low[row, column], high[row, column]) if enough[row, column] else None
        best = bool(enough[row, column] and low[row, column] > 0.5)
        return Cell(shares[row, column], spread[row, column], seeds=1, interval=interval, best=best, share=True)

    rows = {
        model: tuple(Cell() if model == name else cell(row, column) for column, name in enumerate(columns))
        for row, model in enumerate(known)
    }
    label = metric_named(metric).label
    return ScoreTable(
        title=(
            f"Share of {len(values)} windows of {len(datasets)} dataset{'s' * (len(datasets) > 1)} in which the column "
            f"has a lower {label} than the row, with {LEVEL:.0%} bootstrap intervals"
        ),
        columns=tuple(columns),
        subjects=(("", metric),) * len(columns),
        rows=rows,
        notes=note,
    )


def _better(values: np.ndarray, columns: Sequence[int]) -> np.ndarray:
    """Of scores ``[N, J]`` whether the column's is lower than the row's, ``[N, J, columns]``; NaN where one is."""
    row, column = values[:, :, None], values[:, None, columns]
    won = (column < row) + 0.5 * (column == row)
    return np.where(np.isnan(row) | np.isnan(column), np.nan, won)


def _mean_share(better: np.ndarray, datasets: Sequence[np.ndarray]) -> np.ndarray:
    """The mean over datasets of the mean over their windows; NaN where two models share no window."""
    sums = np.stack([np.nansum(better[rows], axis=0) for rows in datasets])
    counts = np.stack([(~np.isnan(better[rows])).sum(0) for rows in datasets])
    share = np.where(counts > 0, sums / np.maximum(counts, 1), 0.0)
    together = (counts > 0).sum(0)
    return np.where(together > 0, share.sum(0) / np.maximum(together, 1), np.nan)
