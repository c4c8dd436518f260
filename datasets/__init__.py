"""Where numbers and pictures come from: benchmarks, frames, simulators."""

from .data import ForecastData, Metadata
from .frames import from_frame
from .registry import get_dataset
from .sales import simulated_sales
from .sales_truth import SalesTruth

__all__ = ["ForecastData", "Metadata", "SalesTruth", "from_frame", "get_dataset", "simulated_sales"]
