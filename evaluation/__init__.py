"""Windows, scores, backtests, tables and reports for any gluonts estimator or predictor."""

from .grids.backtest import BacktestError, RunFailedWarning, backtest
from .grids.grid import Grid, read_grid
from .grids.run_grid import run_grid
from .reports.forecast_plot import plot_forecast
from .reports.report import report
from .runs.metrics import METRICS, Metric, Outcome
from .runs.repeats import RepeatedDataWarning
from .runs.windows import Window, cut_window, rolling_windows
from .scores.calibration import calibration_histogram
from .scores.multivariate import energy_score, trajectory_energy_score, variogram_score
from .scores.univariate import crps, crps_sum, weighted_quantile_loss
from .store.backtest_folder import Backtest, load_backtest
from .tables.published import published_scores
from .tables.score_table import ScoreTable
from .tables.table import summary, table
from .tables.wins import wins

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
