"""A template of a model in a package of its own: a random walk with the drift of the training span.

Copy this folder, rename it, and `pip install` it: every command then knows the model `drift`.
"""

import json

import numpy as np
from gluonts.model.forecast import SampleForecast
from hemline.evaluation import FittedModel, ForecastModel, as_multivariate


class DriftEstimator(ForecastModel):
    """Measures the mean and the covariance of the changes of all series."""

    def __init__(self, prediction_length, *, shrinkage=0.1, seed=0):
        super().__init__()
        self.prediction_length, self.shrinkage, self.seed = prediction_length, shrinkage, seed

    def settings(self):
        return {"prediction_length": self.prediction_length, "shrinkage": self.shrinkage, "seed": self.seed}

    def train(self, training_data, validation_data=None):
        changes = np.concatenate([np.diff(entry.target, axis=1) for entry in as_multivariate(training_data)], axis=1)
        changes = np.nan_to_num(changes)
        covariance = np.atleast_2d(np.cov(changes))
        covariance = (1 - self.shrinkage) * covariance + self.shrinkage * np.diag(np.diag(covariance))
        return DriftPredictor(self.prediction_length, changes.mean(1), covariance, self.seed)


class DriftPredictor(FittedModel):
    """Adds up normal changes of all series, behind the last value of each."""

    def __init__(self, prediction_length, drift, covariance, seed=0):
        super().__init__(prediction_length=prediction_length)
        self.drift, self.covariance, self.seed = np.asarray(drift), np.asarray(covariance), seed

    def predict(self, dataset, num_samples=100, seed=None):
        generator = np.random.default_rng(self.seed if seed is None else seed)
        for entry in as_multivariate(dataset):
            size = (num_samples, self.prediction_length)
            changes = generator.multivariate_normal(self.drift, self.covariance, size)
            paths = np.nan_to_num(entry.target[:, -1]) + changes.cumsum(1)
            yield SampleForecast(paths.astype(np.float32), start_date=entry.forecast_start)

    def write(self, folder):
        kept = [self.prediction_length, self.drift.tolist(), self.covariance.tolist(), self.seed]
        (folder / "drift.json").write_text(json.dumps(kept))

    @classmethod
    def read(cls, folder, names, device):
        return cls(*json.loads((folder / "drift.json").read_text()))
