"""Where numbers and pictures come from: benchmarks, frames, simulators."""

from .data import ForecastData, Metadata
from .registry import get_dataset

__all__ = ["ForecastData", "Metadata", "get_dataset"]
