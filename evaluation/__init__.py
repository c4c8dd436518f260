"""Windows, scores, backtests, tables and reports for any gluonts estimator or predictor."""

from .backtest import BacktestError, RunFailedWarning, backtest
from .metrics import METRICS, Metric, Outcome
from .scores import (
    crps,
    crps_sum,
    energy_score,
    trajectory_energy_score,
    variogram_score,
    weighted_quantile_loss,
)
from .store import Backtest, load_backtest
from .windows import Window, cut_window, rolling_windows

__all__ = [
    "METRICS",
    "Backtest",
    "BacktestError",
    "Metric",
    "Outcome",
    "RunFailedWarning",
    "Window",
    "backtest",
    "crps",
    "crps_sum",
    "cut_window",
    "energy_score",
    "load_backtest",
    "rolling_windows",
    "trajectory_energy_score",
    "variogram_score",
    "weighted_quantile_loss",
]
