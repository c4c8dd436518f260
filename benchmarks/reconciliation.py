"""What a pool's mixtures are worth, and other ways to make them: held-out windows, forecast with weights of the others.

Rows of each set, scores relative to the best single model for each:

* the models; one mixture of paths; two, the paths reconciled to the mixture of sums (`PooledEstimator`);
* what is missing in a path's sum shared out otherwise than by the size of each value: by the spread of each series over
  the paths, or by its regression on the sum (a covariance by the variance of the sum);
* quantile averages instead of mixtures (Lichtendahl, Grushka-Cockayne and Winkler 2013, doi 10.1287/mnsc.1120.1667), of
  the series, whose paths keep their ranks, or of the sums;
* chosen: for each window the row, of those from "two" on, with the best energy score on the others, if it is better
  than "two" by a standard error.

All within the training span; the test windows are not read.

Run: HEMLINE_DATA=... python -m benchmarks.reconciliation [DATASET ...] [--seed 0]
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from hemline.datasets import ForecastData, get_dataset
from hemline.datasets.entries.domain import Domain, phases, settled
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.evaluation.scores.mixtures import model_distances, path_distances, weighted_energy
from hemline.forecasting import PooledEstimator, build_model
from hemline.forecasting.paths.totals import mixed_totals, summed
from hemline.forecasting.paths.weights import weights_of

DATASETS = (
    "dominicks_oj",
    "pems_sf_267d",
    "wiki2_daily",
    "electricity_ecl203",
    "taxi_manhattan",
    "solar_florida",
    "exchange_rate_nips",
)
ONE, TWO, CHOSEN = "one mixture", "two, reconciled", "chosen"


@dataclass(frozen=True)
class Way:
    """How forecasts become one.

    Arguments:
        shared: what a missing part of a sum is shared out by, ``size``, ``spread`` or ``regression``; ``None`` leaves
            sums as they are.
        series: ``mixture`` or ``quantiles``.
        sums: likewise.
    """

    shared: str | None = "size"
    series: str = "mixture"
    sums: str = "mixture"


WAYS = {
    ONE: Way(shared=None),
    TWO: Way(),
    "shared by spread": Way(shared="spread"),
    "shared by regression": Way(shared="regression"),
    "quantiles of series": Way(series="quantiles"),
    "quantiles of sums": Way(sums="quantiles"),
    "quantiles of both": Way(series="quantiles", sums="quantiles"),
}


class HeldOut:
    """Forecasts of held-out windows, and what each way makes of them."""

    def __init__(self, pool: PooledEstimator, drawn: Mapping[str, np.ndarray], truth: np.ndarray) -> None:
        self.smallest, self.shrinkage, self.domain = pool.smallest, pool.shrinkage, pool.domain
        self.drawn, self.truth, self.windows = dict(drawn), truth, range(len(truth))
        self.of_series = {name: paths for name, paths in drawn.items() if name not in pool.only_totals} or dict(drawn)
        self.sums, self.outcome = summed(self.drawn, truth)

    def single(self, name: str) -> np.ndarray:
        """Scores ``[W, 3]`` of a model."""
        return np.array([self._scores(self.drawn[name][[of]], np.ones(1), of) for of in self.windows])

    def scores(self, way: Way) -> np.ndarray:
        """Scores ``[W, 3]`` of each window, with weights from the others: energy, CRPS of the sum, coverage of 80 %."""
        told = self._reconciled(way)
        distances = [model_distances([each[[of]] for each in told.values()], self.truth[[of]]) for of in self.windows]
        found = []
        for of in self.windows:
            weights = self._weights(distances, of)
            paths = np.stack([each[of] for each in told.values()])[weights > 0]
            weights = weights[weights > 0]
            averaged = quantile_average(paths, weights) if way.series == "quantiles" else paths
            found.append(self._scores(averaged, weights, of))
        return np.array(found)

    def _weights(self, distances: list[tuple[np.ndarray, np.ndarray]], without: int) -> np.ndarray:
        others = [each for of, each in enumerate(distances) if of != without]
        distance, between = (np.sum(each, axis=0) for each in zip(*others, strict=True))
        return weights_of(distance, between, self.smallest, self.shrinkage)

    def _reconciled(self, way: Way) -> dict[str, np.ndarray]:
        if way.shared is None:
            return self.of_series
        models = list(self.sums.values())
        distances = [model_distances([each[[of]] for each in models], self.outcome[[of]]) for of in self.windows]
        totals = []
        for of in self.windows:
            weights, sums = self._weights(distances, of), [paths[of].sum(-1) for paths in self.drawn.values()]
            if way.sums == "quantiles":
                totals.append(sum(w * np.sort(each, axis=0) for w, each in zip(weights, sums, strict=True)))
            else:
                totals.append(mixed_totals(sums, weights.tolist(), len(sums[0])))
        phase = phases(len(totals[0]), range(self.truth.shape[-1]), [0])
        domain: Domain = self.domain
        return {
            name: np.stack(
                [
                    settled(with_totals(each, of, way.shared), domain, phase, by="series")
                    for each, of in zip(paths, totals, strict=True)
                ]
            )
            for name, paths in self.of_series.items()
        }

    def _scores(self, paths: np.ndarray, weights: np.ndarray, window: int) -> tuple[float, float, float]:
        """Energy score, CRPS of the sum and coverage of a mixture of paths ``[J, S, H, D]``."""
        count = paths.shape[1]
        share, flat, truth = np.repeat(weights / count, count), paths.reshape(-1, *paths.shape[2:]), self.truth[window]
        known = ~np.isnan(truth)
        sums = np.where(known, flat, 0.0).sum(-1, keepdims=True)
        scores = [
            float(weighted_energy(*path_distances(each, outcome), share))
            for each, outcome in ((flat, truth), (sums, self.outcome[window]))
        ]
        order = flat.argsort(0)
        ranked, level = np.take_along_axis(flat, order, 0), share[order].cumsum(0)
        low, high = (np.take_along_axis(ranked, (level >= of).argmax(0)[None], 0)[0] for of in (0.1, 0.9))
        return scores[0], scores[1], float(((low <= truth) & (truth <= high))[known].mean())


def with_totals(paths: np.ndarray, totals: np.ndarray, shared: str) -> np.ndarray:
    """Paths ``[S, H, D]`` whose sums follow totals ``[S, H]``, rank by rank, as `to_totals` with other shares."""
    sums = paths.sum(-1)
    missing = (
        np.take_along_axis(np.sort(totals, axis=0), sums.argsort(0, kind="stable").argsort(0, kind="stable"), 0) - sums
    )
    if shared == "size":
        size = np.abs(paths)
    elif shared == "spread":
        size = np.broadcast_to(paths.std(0), paths.shape)
    else:
        apart = sums - sums.mean(0)
        size = np.broadcast_to(((paths - paths.mean(0)) * apart[..., None]).mean(0), paths.shape)
    whole = size.sum(-1, keepdims=True)
    return paths + np.where(whole > 0, missing[..., None] / np.where(whole > 0, whole, 1), 0) * size


def quantile_average(paths: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Paths ``[J, S, H, D]`` of means over models of their quantiles, each at the level of its value in the mixture.

    The mixture's ranks stay, and with them its dependence over series and steps.
    """
    models, count = paths.shape[:2]
    flat = paths.reshape(models * count, -1)
    order = flat.argsort(0, kind="stable")
    share = np.repeat(weights / count, count)[order]
    level = np.empty_like(flat)
    np.put_along_axis(level, order, share.cumsum(0) - share / 2, 0)
    middles, ranked = (np.arange(count) + 0.5) / count, np.sort(paths.reshape(models, count, -1), axis=1)
    found = np.zeros_like(flat)
    for column in range(flat.shape[1]):
        for model, weight in enumerate(weights):
            found[:, column] += weight * np.interp(level[:, column], middles, ranked[model, :, column])
    return found.reshape(paths.shape)


def chosen(found: Mapping[str, np.ndarray]) -> np.ndarray:
    """Scores ``[W, 3]`` of the way that is chosen for each window on the others."""
    rows, allowed = [], [name for name in found if name != ONE]
    for window in range(len(found[TWO])):
        gain = {name: np.delete(found[TWO][:, 0] - found[name][:, 0], window) for name in allowed}
        sure = [n for n, of in gain.items() if n == TWO or of.mean() > of.std(ddof=1) / np.sqrt(len(of))]
        rows.append(found[max(sure, key=lambda name: gain[name].mean())][window])
    return np.array(rows)


def left_out(data: ForecastData, seed: int) -> pd.DataFrame:
    """Scores over the held-out windows: of each model, and of each way to make one forecast of them.

    Arguments:
        data: the dataset, of which the training span is read.
        seed: of the models.

    Returns:
        A row a forecast: energy score and CRPS of the sum relative to the best single model, their change against "two,
        reconciled" in per cent of its mean with a standard error over the windows, and the coverage of 80 % intervals.
    """
    pool = build_model("pool", data.metadata).for_run(seed)
    held_out = HeldOut(pool, *pool.held_out(as_multivariate(data.train)))
    singles = {name: held_out.single(name) for name in held_out.drawn}
    found = {name: held_out.scores(way) for name, way in WAYS.items()}
    found[CHOSEN] = chosen(found)
    best = np.min([each.sum(0) for each in singles.values()], axis=0)
    rows = {}
    for name, each in {**singles, **found}.items():
        change = 100 * (each - found[TWO])[:, :2] / found[TWO][:, :2].mean(0)
        error = change.std(0, ddof=1) / np.sqrt(len(change))
        rows[name] = {
            "energy": each[:, 0].sum() / best[0],
            "change": f"{change[:, 0].mean():+.1f} ± {error[0]:.1f}",
            "sum": each[:, 1].sum() / best[1],
            "change of sum": f"{change[:, 1].mean():+.1f} ± {error[1]:.1f}",
            "in 80 %": each[:, 2].mean(),
        }
    return pd.DataFrame(rows).T


def main() -> None:
    """Print a table a dataset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", default=DATASETS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for name in arguments.datasets:
        found = left_out(get_dataset(name), arguments.seed)
        print(f"\n{name}\n{found.to_string(float_format='{:.3f}'.format)}", flush=True)


if __name__ == "__main__":
    main()
