"""Articles without a past, on the paths of those that have one."""

from .estimator import ColdStartEstimator
from .predictor import ColdStartPredictor

__all__ = ["ColdStartEstimator", "ColdStartPredictor"]
