"""Where numbers and pictures come from: benchmarks, frames, simulators."""

from .data import ForecastData, Metadata
from .frames import from_frame
from .orange_juice import dominicks_oj
from .registry import DATASETS, get_dataset
from .retail import from_sales
from .sales import simulated_sales
from .sales_truth import SalesTruth

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
