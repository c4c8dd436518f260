"""Where numbers and pictures come from: benchmarks, frames, simulators."""

from .benchmarks.orange_juice import dominicks_oj
from .entries.data import ForecastData, Metadata
from .registry import DATASETS, get_dataset
from .simulated.sales import simulated_sales
from .simulated.truth import SalesTruth
from .tables.frames import from_frame
from .tables.sales_table import from_sales

__all__ = [
    "DATASETS",
    "ForecastData",
    "Metadata",
    "SalesTruth",
    "dominicks_oj",
    "from_frame",
    "from_sales",
    "get_dataset",
    "simulated_sales",
]
