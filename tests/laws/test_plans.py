"""Laws of every named model: a first promotion is a guess that is said to be one, and no path is without a number."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from gluonts.model.forecast import SampleForecast
from hemline.datasets import simulated_sales
from hemline.datasets.entries.channels import PROMO, Channels, rows_of
from hemline.datasets.entries.entry import Entry
from hemline.evaluation.adapters.fitted import PlainModel
from hemline.forecasting import MODELS, Scenario, simulate

PROMOTED = 4
"""The step of the horizon in which articles are promoted for the first time."""


DATA = simulated_sales(articles=3, weeks=120, windows=1)
ROWS = rows_of(DATA.metadata.covariates, PROMO, DATA.metadata.item_ids)


def promoted_at(entry: Entry, step: int | None = None) -> Entry:
    """An entry whose articles are promoted in one step, or never."""
    values = entry.channels.values.copy()
    values[ROWS] = 0.0
    if step is not None:
        values[ROWS, step] = 1.0
    return entry.with_(channels=Channels(values, entry.channels.names))


SALES = replace(DATA, train=[promoted_at(entry) for entry in DATA.train], test=[promoted_at(DATA.test[0])])
PLAN = SALES.history(0)
FIRST = promoted_at(PLAN, PLAN.length + PROMOTED)
"""The same with a promotion of every article, the first ever."""


@pytest.mark.parametrize("name", MODELS)
def test_a_promotion_that_was_never_seen_is_a_guess_that_is_said_to_be_one(name, trained_shortly):
    if name.startswith("auto-"):
        pytest.importorskip("statsforecast", reason="needs the extra `classical`")
    model = trained_shortly(name, SALES)
    reads = "promo[dress_1]" in model.covariate_names
    with warnings.catch_warnings(record=True) as quiet:
        warnings.simplefilter("always")
        usual = next(iter(model.predict([PLAN], num_samples=200, seed=1))).samples
    assert not [each for each in quiet if "never seen" in str(each.message)]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        drawn = next(iter(model.predict([FIRST], num_samples=200, seed=1)))
        if reads:
            simulate(model, PLAN, Scenario("first", f"promo[dress_2] = 1 @ {PROMOTED + 1}"), paths=5)
    told = [str(each.message) for each in said if "never seen" in str(each.message)]
    assert bool(told) == reads
    if reads:
        assert told[0].startswith("covariates: promo[dress_1] was always 0 and would be 1; promo[dress_2] was always")
        assert any(each.startswith("covariates: promo[dress_2] was always 0 and would be 1: how") for each in told)
    change = np.abs(drawn.samples - usual).mean(0)[PROMOTED]
    assert (change < np.nanmean(PLAN.target, axis=1)).all()
    # Every path of every model is looked at on its way out.
    assert hasattr(type(model).predict, "__wrapped__")


def test_a_path_that_is_no_number_is_refused_with_its_series_step_and_date():
    class Broken(PlainModel):
        def settings(self):
            return {"prediction_length": self.prediction_length}

        def predict(self, dataset, num_samples=100, seed=None):
            samples = np.ones((num_samples, 8, 3), dtype=np.float32)
            samples[1, 2, 1] = np.nan
            yield from (SampleForecast(samples, entry.forecast_start) for entry in dataset)

    with pytest.raises(ValueError, match=r"forecast: expected finite numbers, got nan for 'dress_2' on 2022-03-20"):
        next(Broken(prediction_length=8).predict([PLAN]))


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n == "pool" else n for n in MODELS])
def test_channels_that_reach_beyond_the_target_are_fine_in_training(name, trained_shortly):
    """As in `data.latest`, whose plan covers the weeks to come."""
    if name.startswith("auto-") or name in ("croston", "tsb"):
        pytest.importorskip("statsforecast", reason="needs the extra `classical`")
    entry = SALES.test[0].until(DATA.train[0].length, horizon=8)
    assert entry.channels.length == entry.length + 8
    model = trained_shortly(name, replace(SALES, train=[entry]))
    found = next(iter(model.predict([entry], num_samples=5))).samples
    assert found.shape == (5, 8, 3)
    assert np.isfinite(found).all()
