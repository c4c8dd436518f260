"""Every model goes on with weeks, and with articles, that have come since its training."""

import numpy as np
import pytest
from hemline.datasets import simulated_sales
from hemline.datasets.entries.cuts import of_articles
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.evaluation.adapters.foreign import updated
from hemline.forecasting import MODELS, build_model, load_predictor

from ..conftest import FEW, QUICK, SHORT

SALES = simulated_sales(articles=6, weeks=110, seed=3, windows=0)
WHOLE, NAMES = SALES.latest, np.array(SALES.metadata.item_ids)


def week(steps, *missing):
    """The data as they were known after so many weeks, without some articles."""
    return of_articles([WHOLE.until(steps, 8)], ~np.isin(NAMES, missing))[0]


def quick(name):
    model = build_model(name, SALES.metadata)
    small = {"cross-fit": {**SHORT, **FEW, "folds": 2}, **QUICK}
    return model.override(small.get(name, SHORT if hasattr(model, "train") else {}))


SLOW = ("pool", "sales-maf-ensemble", "timegrad", "lstm-real-nvp", "lstm-maf", "gru-real-nvp", "deepar-coupled")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in MODELS]
)
def test_a_model_goes_on_without_the_articles_that_are_gone_and_with_those_that_came(name, tmp_path):
    model = quick(name)
    first = week(90, "dress_2", "coat_2")
    fitted = model.train([first]) if hasattr(model, "train") else model
    if not hasattr(model, "train"):
        assert updated(model, fitted, [first]) is model
        return
    before = np.asarray(next(fitted.predict([first], num_samples=10, seed=1)).samples)
    second = week(96, "coat_1")
    later = fitted.update([second])
    third = week(97, "coat_1")
    latest = later.update([third], tmp_path / "checkpoints")
    drawn = np.asarray(next(latest.predict([third], num_samples=20, seed=1)).samples)
    assert drawn.shape == (20, 8, 5)
    assert np.isfinite(drawn).all()
    # What was there stays as it was, and the same update from it comes to the same.
    np.testing.assert_array_equal(next(fitted.predict([first], num_samples=10, seed=1)).samples, before)
    again = fitted.update([second]).update([third])
    np.testing.assert_array_equal(next(again.predict([third], num_samples=20, seed=1)).samples, drawn)
    # And it goes on from its folder.
    latest.serialize(tmp_path / "kept")
    read = load_predictor(tmp_path / "kept")
    np.testing.assert_array_equal(next(read.predict([third], num_samples=20, seed=1)).samples, drawn)
    fourth = week(98, "coat_1")
    one, other = read.update([fourth]), latest.update([fourth])
    np.testing.assert_array_equal(
        next(one.predict([fourth], num_samples=5, seed=1)).samples,
        next(other.predict([fourth], num_samples=5, seed=1)).samples,
    )


@pytest.mark.parametrize("name", ["cross-fit", "gru-maf", "sales-maf"])
def test_a_model_goes_on_when_the_first_value_is_missing(name):
    """Nothing was ever missing in training; then a shelf is empty for the first time."""
    whole = as_multivariate([WHOLE])[0]
    whole = whole.with_(target=np.nan_to_num(whole.target, nan=3.0))
    fitted = quick(name).train([whole.until(90, 8)])
    gap = np.array(whole.until(96, 8).target)
    gap[0, 92] = np.nan
    latest = whole.until(96, 8).with_(target=gap)
    drawn = np.asarray(next(fitted.update([latest]).predict([latest], num_samples=20, seed=1)).samples)
    assert np.isfinite(drawn).all()
