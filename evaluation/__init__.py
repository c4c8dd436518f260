"""Windows, scores, backtests, tables and reports for any gluonts estimator or predictor."""

from .backtest import BacktestError, RunFailedWarning, backtest
from .calibration import calibration_histogram
from .grid import Grid, read_grid
from .grid_run import run_grid
from .metrics import METRICS, Metric, Outcome
from .plots import plot_forecast
from .published import published_scores
from .repeats import RepeatedDataWarning
from .report import report
from .score_table import ScoreTable
from .scores import crps, crps_sum, weighted_quantile_loss
from .stored_backtest import Backtest, load_backtest
from .table import summary, table
from .vector_scores import energy_score, trajectory_energy_score, variogram_score
from .windows import Window, cut_window, rolling_windows
from .wins import wins

__all__ = [
    "METRICS",
    "Backtest",
    "BacktestError",
    "Grid",
    "Metric",
    "Outcome",
    "RepeatedDataWarning",
    "RunFailedWarning",
    "ScoreTable",
    "Window",
    "backtest",
    "calibration_histogram",
    "crps",
    "crps_sum",
    "cut_window",
    "energy_score",
    "load_backtest",
    "plot_forecast",
    "published_scores",
    "read_grid",
    "report",
    "rolling_windows",
    "run_grid",
    "summary",
    "table",
    "trajectory_energy_score",
    "variogram_score",
    "weighted_quantile_loss",
    "wins",
]
