"""The runs of a backtest as pages show them: what was forecast of each window, beside what came."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from ...evaluation.runs.rows import STORED_LEVELS
from ...evaluation.scores.intervals import COVERAGES
from ...evaluation.scores.univariate import quantile_loss
from ...evaluation.store.backtest_folder import Backtest, load_backtest
from ...evaluation.store.store import PLAN
from ...evaluation.store.which_runs_count import current_runs
from ...evaluation.tables.table import overall_rows

SUM = ""
"""The name of the sum of all series, which a backtest keeps beside them."""

SHOWN = ("crps", "crps_sum", "energy_score", "coverage_80")
"""Scores by which the runs of a backtest are compared, the first that was computed to order them."""

_QUANTILES = [f"q_{level}" for level in STORED_LEVELS]
_REMEMBERED = 4


def holds_backtest(folder: Path) -> bool:
    """Whether a backtest or a grid wrote into a folder."""
    return (folder / "runs.parquet").is_file() or ((folder / "runs").is_dir() and (folder / PLAN).is_file())


@dataclass(frozen=True, eq=False)
class StoredWindow:
    """What a run of a backtest forecast from one moment on: quantiles of each series and of the sum of all.

    Arguments:
        name: number of the test window.
        item_ids: names of the D series; the sum, ``SUM``, stands behind them.
        dates: of the H steps.
        quantiles: ``[7, H, D + 1]`` at `STORED_LEVELS`, data units.
        mean: ``[H, D + 1]``, data units.
        observed: ``[H, D + 1]``, NaN where missing.
        spans: lower and upper ends of `pit`, each ``[H, D + 1]``.
        score: the run's own score of the window; ``None`` where it was not computed.
    """

    name: str
    item_ids: tuple[str, ...]
    dates: pd.DatetimeIndex
    quantiles: np.ndarray
    mean: np.ndarray
    observed: np.ndarray
    spans: tuple[np.ndarray, np.ndarray]
    score: float | None

    @cached_property
    def losses(self) -> np.ndarray:
        """CRPS of each series and of the sum, ``[H, D + 1]``: quantile losses over the levels, by trapezoids."""
        levels = (0.0, *STORED_LEVELS, 1.0)
        told = zip(STORED_LEVELS, self.quantiles, strict=True)
        losses = [quantile_loss(values, self.observed, level) for level, values in told]
        nothing = np.where(np.isnan(self.observed), np.nan, 0.0)
        stacked = np.stack([nothing, *losses, nothing])
        return np.asarray(np.tensordot(np.diff(levels), (stacked[1:] + stacked[:-1]) / 2, 1))

    @cached_property
    def errors(self) -> np.ndarray:
        """CRPS of each series and of the sum as a share of what was sold, ``[D + 1]``; NaN where that is not known.

        A series that sold nothing is set in relation to what the model expected of it.
        """
        sold = np.nansum(np.abs(self.observed), axis=0)
        size = np.where(sold > 0, sold, np.maximum(self.mean.sum(0), 1e-9))
        known = ~np.isnan(self.observed).all(axis=0)
        return np.where(known, np.nansum(self.losses, axis=0) / size, np.nan)

    @property
    def error(self) -> float:
        """CRPS over all series as a share of what was sold: the run's own score where it has one."""
        if self.score is not None:
            return self.score
        sold = float(np.nansum(np.abs(self.observed[:, :-1])))
        return float(np.nansum(self.losses[:, :-1])) / sold if sold else float("nan")

    def place(self, name: str) -> int:
        """The place of a series, or of the sum.

        Raises:
            ValueError: there is none of this name.
        """
        if name == SUM:
            return len(self.item_ids)
        if name not in self.item_ids:
            raise ValueError(f"series: expected one of the {len(self.item_ids)} of the backtest, got {name[:100]!r}")
        return self.item_ids.index(name)

    def inside(self, place: int) -> tuple[int, int]:
        """In how many steps of a series the 80 % interval held what came, and of how many that is known."""
        low, high = (self.quantiles[STORED_LEVELS.index(level), :, place] for level in (0.1, 0.9))
        came = self.observed[:, place]
        return int(((low <= came) & (came <= high)).sum()), int((~np.isnan(came)).sum())


class StoredRun:
    """A finished run of a backtest.

    Arguments:
        name: by which pages call it.
        found: the backtest.
        record: its row of the runs table.
    """

    def __init__(self, name: str, found: Backtest, record: pd.Series) -> None:
        self.name, self.found, self.record = name, found, record
        self.model, self.dataset, self.seed = str(record["model"]), str(record["dataset"]), int(record["seed"])
        self.windows = [str(number) for number in range(int(record["windows"]))]

    @cached_property
    def _shown(self) -> tuple[tuple[str, ...], dict[str, StoredWindow]]:
        rows = self.found.forecasts(str(self.record["run"]))
        rows = rows.assign(item_id=rows["item_id"].fillna(SUM).astype(str))
        names = tuple(name for name in rows["item_id"].drop_duplicates() if name != SUM)
        by_window = self._scores()
        windows = {}
        for number, some in rows.groupby("window", sort=True):
            laid = some.set_index(["step", "item_id"]).sort_index()

            def cells(column: str, laid: pd.DataFrame = laid) -> np.ndarray:
                return laid[column].unstack()[[*names, SUM]].to_numpy(np.float64)

            dates = pd.DatetimeIndex(some.drop_duplicates("step").sort_values("step")["timestamp"])
            windows[str(number)] = StoredWindow(
                str(number),
                names,
                dates,
                np.stack([cells(column) for column in _QUANTILES]),
                cells("mean"),
                cells("observed"),
                (cells("pit_lower"), cells("pit_upper")),
                by_window.get(str(number)),
            )
        return names, windows

    def _scores(self) -> dict[str, float]:
        scores = self.found.scores
        mine = scores[(scores["run"] == self.record["run"]) & (scores["metric"] == "crps")]
        mine = mine[mine["window"].notna() & mine["item_id"].isna() & mine["step"].isna()]
        return {str(window): float(value) for window, value in zip(mine["window"], mine["value"], strict=True)}

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The names of the series."""
        return self._shown[0]

    def require_window(self, name: str) -> str:
        """The name of a window; the last one for an empty name.

        Raises:
            ValueError: there is none of this name.
        """
        if name and name not in self._shown[1]:
            raise ValueError(f"window: expected one of {', '.join(self._shown[1])}; got {name[:20]!r}")
        return name or list(self._shown[1])[-1]

    def window(self, name: str) -> StoredWindow:
        """What was forecast of a window."""
        return self._shown[1][name]

    def past(self) -> list[StoredWindow]:
        """All windows, the earliest first."""
        return list(self._shown[1].values())

    def rows(self, window: str, series: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The stored forecast of a series in a window, and the observations around the windows."""
        rows = self.found.forecasts(str(self.record["run"]))
        named = rows["item_id"].isna() if series == SUM else rows["item_id"] == series
        history = self.found.history(str(self.record["data_fingerprint"]))
        known = history["item_id"].isna() if series == SUM else history["item_id"] == series
        return rows[named & (rows["window"] == int(window))], history[known]

    @cached_property
    def calibration(self) -> tuple[dict[float, float], tuple[np.ndarray, np.ndarray]]:
        """How often intervals held what came over all windows, by their nominal coverage, and the PIT spans."""
        windows = self.past()
        observed = np.stack([each.observed[:, :-1] for each in windows])
        quantiles = np.stack([each.quantiles[:, :, :-1] for each in windows], axis=1)
        shares = {}
        for coverage in COVERAGES:
            low, high = (
                quantiles[STORED_LEVELS.index(round(level, 6))] for level in ((1 - coverage) / 2, (1 + coverage) / 2)
            )
            held = np.where(np.isnan(observed), np.nan, (low <= observed) & (observed <= high))
            shares[coverage] = float(np.nanmean(held))
        lower, upper = (np.concatenate([each.spans[end][:, :-1].ravel() for each in windows]) for end in (0, 1))
        return shares, (lower, upper)


@dataclass(frozen=True)
class RunScores:
    """A run of a backtest in the table of all: its name on pages, model, dataset, seed, and its scores."""

    name: str
    model: str
    dataset: str
    seed: int
    scores: tuple[float, ...]


class StoredBacktest:
    """The finished runs of a backtest's folder that count, the best first.

    Arguments:
        folder: the folder.

    Raises:
        ValueError: no run has finished.
    """

    def __init__(self, folder: Path) -> None:
        self.name, self.found = folder.name, load_backtest(folder)
        runs = current_runs(self.found.runs)
        runs = runs[runs["status"] == "finished"]
        pooled = overall_rows(self.found.scores)
        known = set(pooled["metric"])
        self.metrics = tuple(metric for metric in SHOWN if metric in known)
        self._records = {
            f"{self.name}/{row['model']}/{row['dataset']}/{row['seed']}": row for _, row in runs.iterrows()
        }
        values = pooled.set_index(["run", "metric"])["value"].to_dict()
        table = [
            RunScores(
                name,
                str(row["model"]),
                str(row["dataset"]),
                int(row["seed"]),
                tuple(float(values.get((row["run"], metric), float("nan"))) for metric in self.metrics),
            )
            for name, row in self._records.items()
        ]
        order = [place for place, metric in enumerate(self.metrics) if not metric.startswith("coverage")][:1]
        self.table = sorted(table, key=lambda each: [np.nan_to_num(each.scores[place], nan=np.inf) for place in order])
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, StoredRun] = OrderedDict()

    def run(self, name: str) -> StoredRun:
        """A run by its name; the best one for that of the folder.

        Raises:
            ValueError: there is none.
        """
        name = self.table[0].name if name == self.name else name
        if name not in self._records:
            raise ValueError(f"model: expected one of {', '.join(self._records)}; got {name[:100]!r}")
        with self._lock:
            if name not in self._kept:
                self._kept[name] = StoredRun(name, self.found, self._records[name])
                while len(self._kept) > _REMEMBERED:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(name)
            return self._kept[name]
