from ..datasets.entries.multivariate import as_multivariate as as_multivariate
from .adapters.fitted import FittedModel as FittedModel
from .adapters.fitted import PlainModel as PlainModel
from .adapters.model import ForecastModel as ForecastModel
from .execution.jobs import BacktestError as BacktestError
from .grids.backtest import RunFailedWarning as RunFailedWarning
from .grids.backtest import backtest as backtest
from .grids.grid import Grid as Grid
from .grids.grid import read_grid as read_grid
from .grids.run_grid import run_grid as run_grid
from .reports.forecast_plot import plot_forecast as plot_forecast
from .reports.report import report as report
from .runs.metrics import METRICS as METRICS
from .runs.metrics import Metric as Metric
from .runs.metrics import Outcome as Outcome
from .runs.repeats import RepeatedDataWarning as RepeatedDataWarning
from .runs.windows import Window as Window
from .runs.windows import cut_window as cut_window
from .runs.windows import rolling_windows as rolling_windows
from .scores.calibration import calibration_histogram as calibration_histogram
from .scores.multivariate import energy_score as energy_score
from .scores.multivariate import trajectory_energy_score as trajectory_energy_score
from .scores.multivariate import variogram_score as variogram_score
from .scores.univariate import crps as crps
from .scores.univariate import crps_sum as crps_sum
from .scores.univariate import weighted_quantile_loss as weighted_quantile_loss
from .search.search import tune as tune
from .store.backtest_folder import Backtest as Backtest
from .store.backtest_folder import load_backtest as load_backtest
from .tables.published import published_scores as published_scores
from .tables.score_table import ScoreTable as ScoreTable
from .tables.table import summary as summary
from .tables.table import table as table
from .tables.wins import wins as wins

__all__ = [
    "FittedModel",
    "ForecastModel",
    "PlainModel",
    "backtest",
    "load_backtest",
    "plot_forecast",
    "report",
    "table",
    "tune",
]
