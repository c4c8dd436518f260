"""What a pool computes once: the response to prices, and trainings, which go on over the whole span."""

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import simulated_sales
from hemline.datasets.entries.entry import Entry
from hemline.evaluation.adapters.model import ForecastModel
from hemline.forecasting import (
    CrossFitEstimator,
    ForecastEstimator,
    LogLinear,
    PooledEstimator,
    RandomWalkPredictor,
    RespondingEstimator,
    TrainConfig,
)
from hemline.forecasting.response import fit as response_fit
from hemline.forecasting.response.fit import fit_response
from hemline.forecasting.response.shared import responses_shared
from hemline.forecasting.units.scaling import Scaling
from hemline.forecasting.windows.spec import infer_spec

SHORT = TrainConfig(max_epochs=1, batches_per_epoch=1, batch_size=4)
SALES = simulated_sales(articles=4, weeks=104, windows=1, seed=5)


@pytest.fixture
def fits(monkeypatch):
    """The number of steps of the data of each fit of a response."""
    lengths, fit = [], response_fit._fitted
    monkeypatch.setattr(
        response_fit, "_fitted", lambda entries, *rest: (lengths.append(entries[0].length), fit(entries, *rest))[1]
    )
    return lengths


def test_a_pool_fits_a_response_once_for_what_is_weighed_and_once_for_the_whole_span(fits):
    models = {
        "direct": CrossFitEstimator("W-SUN", 8, folds=2, windows=10, domain="count", response=LogLinear(), train=SHORT),
        "density": ForecastEstimator(
            "W-SUN", 8, scaling=Scaling("level", domain="count"), response=LogLinear(), train=SHORT
        ),
        "walk": RespondingEstimator(RandomWalkPredictor(8), domain="count"),
    }
    pool = PooledEstimator(models, windows=2, smallest=0.0, shrinkage=1e4, domain="count").train(SALES.train)
    assert fits == [80, 96]
    direct, density, walk = (member.response for member in pool.members)
    np.testing.assert_array_equal(direct.mean, walk.mean)
    np.testing.assert_array_equal(density.root, walk.root)
    # What a density is to see is spread; that is no part of the fit.
    assert (direct.spread, density.spread, walk.spread) == (False, True, False)


def test_only_fits_of_the_same_data_and_settings_are_one(fits):
    entries = list(SALES.train)
    spec = infer_spec(entries, freq="W-SUN", prediction_length=8)
    sold = entries[0].target.copy()
    sold[0, 3] += 1
    others = [entries[0].with_(target=sold)]
    with responses_shared():
        one = fit_response(entries, spec, LogLinear(), "count")
        np.testing.assert_array_equal(fit_response(entries, spec, LogLinear(), "count").mean, one.mean)
        assert len(fits) == 1
        assert (fit_response(others, spec, LogLinear(), "count").mean != one.mean).any()
        assert (fit_response(entries, spec, LogLinear(prior=0.1), "count").mean != one.mean).any()
        assert (fit_response(entries, spec, LogLinear(), "nonnegative").mean != one.mean).any()
        assert len(fits) == 4
    fit_response(entries, spec, LogLinear(), "count")
    assert len(fits) == 5, "nothing is kept behind the block"


class Noting(ForecastModel):
    """Notes what it is trained on and what it goes on with."""

    prediction_length = 7

    def __init__(self, alike=True):
        super().__init__()
        self.noted, self.alike = [], alike

    def settings(self):
        return {"alike": self.alike}

    def for_run(self, seed, directory=None):
        return self

    def goes_on_from(self, entries, part):
        return self.alike

    def train(self, training_data, validation_data=None):
        self.noted.append(("train", training_data[0].length, validation_data is not None))
        return RandomWalkPredictor(7)

    def update(self, fitted, training_data, directory=None):
        self.noted.append(("update", training_data[0].length, False))
        return fitted


WALK = np.random.default_rng(0).normal(size=(2, 120)).cumsum(1).astype(np.float32) + 40
LATE = np.where(np.arange(120) < [[0], [116]], np.nan, WALK)


@pytest.mark.parametrize(
    ("target", "names", "alike", "watched", "whole"),
    [
        (WALK, (), True, False, ("update", 120, False)),
        (WALK, (), False, False, ("train", 120, False)),
        (WALK, (), True, True, ("train", 120, True)),
        (LATE, ("a", "b"), True, False, ("update", 120, False)),
        (LATE, (), True, False, ("train", 120, False)),
    ],
    ids=["goes on", "too short a part", "with data to watch", "a new article", "a new series without a name"],
)
def test_a_weighed_model_goes_on_where_it_can(target, names, alike, watched, whole):
    entry, noting = Entry(pd.Period("2024-01-01", "D"), target, item_ids=names), Noting(alike)
    pool = PooledEstimator({"noting": noting, "walk": RandomWalkPredictor(7)}, windows=3, smallest=0.0, shrinkage=1e4)
    pool.train([entry], [entry] if watched else None)
    assert noting.noted == [("train", 99, False), whole]


def test_what_it_goes_on_from_is_in_the_name_of_what_is_kept(tmp_path):
    """Windows held out are no setting of a model, but they say how much of the data it has learnt from before."""
    entry = Entry(pd.Period("2024-01-01", "D"), WALK)

    def pool(windows):
        direct = CrossFitEstimator("D", 7, folds=2, windows=10, lags=(1, 7), train=SHORT)
        models = {"direct": direct, "walk": RandomWalkPredictor(7)}
        return PooledEstimator(models, windows=windows, smallest=0.0, shrinkage=1e4).for_run(0, tmp_path)

    for windows in (2, 3, 2):
        pool(windows).train([entry])
    kept = sorted(path.parent.parent.name for path in tmp_path.rglob("predictor") if path.is_dir())
    assert kept == ["weighing-direct"] * 2 + ["whole-direct"] * 2
