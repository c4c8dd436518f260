"""Our scores against gluonts, properscoring and scoringrules on the same forecasts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import properscoring
import pytest
import scoringrules
from gluonts.evaluation import MultivariateEvaluator
from gluonts.model.forecast import SampleForecast
from hemline.evaluation.runs.metrics import METRICS, Outcome
from hemline.evaluation.scores import multivariate as vector_scores
from hemline.evaluation.scores import univariate as scores
from hemline.evaluation.scores.intervals import scaled_interval_score, seasonal_error
from hemline.evaluation.scores.mixtures import mixture_score, path_distances, weighted_crps, weighted_energy

# Of 100 paths the places (S - 1) q of the quantiles are no whole numbers, so that rounding shows.
WINDOWS, PATHS, HORIZON, DIM, PAST, SEASON = 3, 100, 6, 4, 40, 7


@pytest.fixture(params=[np.float64, np.float32], ids=["float64", "float32"])
def forecasts(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Paths [W, S, H, D], observations [W, H, D] and the past of each window [D, T], with ties among them."""
    rng = np.random.default_rng(0)
    level = rng.uniform(5, 50, DIM)
    samples = np.round(level + rng.normal(size=(WINDOWS, PATHS, HORIZON, DIM)) * level / 4, 1)
    observed = np.round(level + rng.normal(size=(WINDOWS, HORIZON, DIM)) * level / 4, 1)
    past = [(level + rng.normal(size=(PAST + w * HORIZON, DIM))).T.astype(request.param) for w in range(WINDOWS)]
    return samples.astype(request.param), observed.astype(request.param), past


def evaluate(
    samples: np.ndarray, observed: np.ndarray, past: list[np.ndarray], season: int = SEASON
) -> dict[str, float]:
    frames, forecasts = [], []
    for w in range(len(samples)):
        values = np.concatenate([past[w].T, observed[w]])
        index = pd.period_range("2024-01-01", periods=len(values), freq="D")
        frames.append(pd.DataFrame(values, index=index))
        forecasts.append(SampleForecast(samples[w], start_date=index[past[w].shape[1]]))
    evaluator = MultivariateEvaluator(
        quantiles=scores.LEVELS, target_agg_funcs={"sum": np.sum}, seasonality=season, num_workers=None
    )
    metrics, _ = evaluator(iter(frames), iter(forecasts))
    return metrics


def pooled(name: str, samples: np.ndarray, observed: np.ndarray, past: list[np.ndarray]) -> np.ndarray:
    """A metric of our registry, parts summed over everything but the series, if it has them: [D] or []."""
    metric = METRICS[name]
    parts = [metric.parts(Outcome(s, y, p, SEASON)) for s, y, p in zip(samples, observed, past, strict=True)]
    sums = np.stack(parts)
    return metric.pool(sums.sum((0, 2)) if metric.axes in ("series", "joint") else sums.sum(0))


def overall(name: str, samples: np.ndarray, observed: np.ndarray, past: list[np.ndarray]) -> float:
    metric = METRICS[name]
    parts = [metric.parts(Outcome(s, y, p, SEASON)) for s, y, p in zip(samples, observed, past, strict=True)]
    return float(metric.pool(sum(part.reshape(3, -1).sum(1) for part in parts)))


@pytest.mark.filterwarnings("ignore:The provided callable:FutureWarning")
class TestAgainstGluonts:
    def test_crps_sum_is_m_sum_mean_wquantileloss(self, forecasts) -> None:
        samples, observed, _ = forecasts
        theirs = evaluate(*forecasts)["m_sum_mean_wQuantileLoss"]
        assert scores.crps_sum(samples, observed) == pytest.approx(theirs, abs=1e-6)
        assert overall("crps_sum", *forecasts) == pytest.approx(theirs, abs=1e-6)

    def test_the_losses_of_the_sum_are_theirs_level_by_level(self, forecasts) -> None:
        samples, observed, _ = forecasts
        theirs = evaluate(*forecasts)
        paths, sums = scores.sum_over_series(samples, observed)
        quantiles = scores.sample_quantiles(paths)
        for level, quantile in zip(scores.LEVELS, quantiles, strict=True):
            loss = scores.quantile_loss(quantile, sums, level).sum()
            assert loss == pytest.approx(theirs[f"m_sum_QuantileLoss[{level}]"], rel=1e-5)
            assert loss / np.abs(sums).sum() == pytest.approx(theirs[f"m_sum_wQuantileLoss[{level}]"], abs=1e-6)
            if samples.dtype == np.float64:  # in float32 a tie of two sums may break either way
                assert (sums <= quantile).mean() == pytest.approx(theirs[f"m_sum_Coverage[{level}]"])

    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [("weighted_quantile_loss", "mean_wQuantileLoss"), ("nd", "ND"), ("nrmse", "NRMSE"), ("msis", "MSIS")],
    )
    def test_marginal_metrics_are_theirs_for_all_series_and_for_each(self, forecasts, ours, theirs) -> None:
        metrics = evaluate(*forecasts)
        assert overall(ours, *forecasts) == pytest.approx(metrics[theirs], rel=1e-6)
        each = [metrics[f"{series}_{theirs}"] for series in range(DIM)]
        assert pooled(ours, *forecasts) == pytest.approx(each, rel=1e-6)

    def test_metrics_of_the_sum_are_theirs(self, forecasts) -> None:
        metrics = evaluate(*forecasts)
        samples, observed, past = forecasts
        sums = [scores.sum_over_series(s, y) for s, y in zip(samples, observed.astype(np.float64), strict=True)]
        paths, outcomes = (np.stack(part) for part in zip(*sums, strict=True))
        total = [p.astype(np.float64).sum(0, keepdims=True) for p in past]
        for ours, theirs in [("nd", "ND"), ("nrmse", "NRMSE"), ("msis", "MSIS")]:
            assert overall(ours, paths, outcomes, total) == pytest.approx(metrics[f"m_sum_{theirs}"], rel=1e-5)

    def test_pooled_losses_agree_where_values_are_missing(self, forecasts) -> None:
        samples, observed, past = forecasts
        observed = observed.copy()
        observed[0, 2, 1] = observed[2, :4, 3] = np.nan
        metrics = evaluate(samples, observed, past)
        for ours, theirs in [("weighted_quantile_loss", "wQuantileLoss"), ("nd", "ND")]:
            each = pooled(ours, samples, observed, past)
            for series in range(DIM):
                expected = metrics[f"{series}_{'mean_' if ours != 'nd' else ''}{theirs}"]
                assert each[series] == pytest.approx(expected, rel=1e-6)

    def test_the_seasonal_error_is_theirs_with_gaps_and_short_histories(self) -> None:
        from gluonts.evaluation.metrics import calculate_seasonal_error

        past = np.random.default_rng(1).normal(size=(3, 20))
        past[1, [3, 10]] = np.nan
        for season in (1, 5, 19, 20, 30):
            theirs = [calculate_seasonal_error(np.ma.masked_invalid(row), seasonality=season) for row in past]
            assert seasonal_error(past, season) == pytest.approx(np.array(theirs, dtype=float))


def test_crps_is_that_of_properscoring_and_scoringrules(forecasts) -> None:
    samples, observed, _ = forecasts
    ours = scores.crps(samples, observed)
    ensemble = np.moveaxis(samples.astype(np.float64), 1, -1)
    assert ours == pytest.approx(properscoring.crps_ensemble(observed, ensemble), abs=1e-9)
    assert ours == pytest.approx(scoringrules.crps_ensemble(observed, ensemble, estimator="nrg"), abs=1e-9)


def test_crps_keeps_its_digits_at_a_high_level() -> None:
    rng = np.random.default_rng(0)
    samples, observed = rng.normal(size=(100, 5, 3)), rng.normal(size=(5, 3))
    assert scores.crps(samples + 1e9, observed + 1e9) == pytest.approx(scores.crps(samples, observed), abs=1e-6)


def test_weighted_scores_are_those_of_scoringrules(forecasts) -> None:
    samples, observed = (each.astype(np.float64) for each in forecasts[:2])
    weights = np.random.default_rng(1).dirichlet(np.ones(PATHS))
    steps_first = np.moveaxis(samples[0], 0, 1)
    theirs = scoringrules.es_ensemble(observed[0], steps_first, ens_w=np.tile(weights, (HORIZON, 1)))
    assert weighted_energy(*path_distances(samples[0], observed[0]), weights) == pytest.approx(theirs.sum(), rel=1e-6)
    values = samples[0].reshape(PATHS, -1).T
    rows = np.tile(weights, (len(values), 1))
    theirs = scoringrules.crps_ensemble(observed[0].ravel(), values, ens_w=rows, estimator="nrg")
    assert weighted_crps(values, rows, observed[0].ravel()) == pytest.approx(theirs, abs=1e-9)


def test_the_score_of_a_model_in_a_mixture_is_the_fair_one_of_scoringrules(forecasts) -> None:
    samples, observed = (each.astype(np.float64) for each in forecasts[:2])
    theirs = scoringrules.es_ensemble(observed, np.moveaxis(samples, 1, 2), estimator="fair")
    assert mixture_score([samples], observed, [1.0]) == pytest.approx(theirs.sum())


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (vector_scores.energy_score, scoringrules.es_ensemble),
        (vector_scores.variogram_score, lambda y, x: scoringrules.vs_ensemble(y, x, p=0.5)),
        (
            lambda x, y: vector_scores.variogram_score(x, y, order=1.0),
            lambda y, x: scoringrules.vs_ensemble(y, x, p=1.0),
        ),
    ],
    ids=["energy", "variogram", "variogram, order 1"],
)
def test_joint_scores_are_those_of_scoringrules(forecasts, ours: Callable, theirs: Callable, missing: bool) -> None:
    samples, observed, _ = forecasts
    kept = [0, 1, 3] if missing else list(range(DIM))
    observed = observed.astype(np.float64)
    if missing:
        observed[..., 2] = np.nan
    steps_first = np.moveaxis(samples.astype(np.float64), 1, 2)[..., kept]
    expected = theirs(observed[..., kept], steps_first)
    assert ours(samples, observed) == pytest.approx(expected, rel=1e-5 if samples.dtype == np.float32 else 1e-9)


def test_the_trajectory_energy_score_is_the_energy_score_of_all_steps_at_once(forecasts) -> None:
    samples, observed, _ = forecasts
    flat = samples.reshape(WINDOWS, PATHS, -1).astype(np.float64)
    expected = scoringrules.es_ensemble(observed.reshape(WINDOWS, -1).astype(np.float64), flat)
    assert vector_scores.trajectory_energy_score(samples, observed) == pytest.approx(expected, rel=1e-6)


def test_scaled_interval_scores_skip_series_without_a_seasonal_error(forecasts) -> None:
    samples, observed, _ = forecasts
    ordered = scores.sorted_paths(samples[0])
    values = scaled_interval_score(ordered, observed[0], np.array([0.0, np.nan, 1.0, 2.0]))
    assert np.isnan(values[:, :2]).all()
    assert np.isfinite(values[:, 2:]).all()
