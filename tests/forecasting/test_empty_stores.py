"""An article that is sold out in the store that sells most of it is forecast at its level, not at what is left."""

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_sales
from hemline.forecasting import build_model

QUICK = {
    "analog": {"origins": 10},
    "cross-fit": {"train": {"max_epochs": 6, "batches_per_epoch": 20}, "folds": 3},
    "deepar": {"train": {"max_epochs": 4, "batches_per_epoch": 20}},
    "gru-real-nvp": {"train": {"max_epochs": 10, "batches_per_epoch": 20}},
    "var": {},
    "seasonal-naive": {},
    "last-value": {},
    "random-walk": {},
    "seasonal-walk": {},
}
COPIES = ("seasonal-naive", "last-value", "random-walk", "seasonal-walk")


@pytest.fixture(scope="module")
def sold_out():
    """Fifty articles that sell 90 units online and 10 in the shop; online is empty in the last four weeks."""
    draw, weeks = np.random.default_rng(0), pd.date_range("2023-01-02", periods=130, freq="W-MON")
    rows = []
    for number in range(50):
        for store, mean in (("shop", 10), ("online", 90)):
            sold, shelf = draw.poisson(mean, len(weeks)).astype(float), np.ones(len(weeks))
            if store == "online":
                sold[-4:], shelf[-4:] = 0, 0
            rows.append(pd.DataFrame({"sku": f"a{number}", "shop": store, "week": weeks, "sold": sold, "shelf": shelf}))
    return from_sales(
        pd.concat(rows, ignore_index=True), article="sku", store="shop", date="week", units="sold", in_stock="shelf",
        prediction_length=4, windows=0,
    )  # fmt: skip


SLOW = ("cross-fit", "gru-real-nvp")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in QUICK]
)
def test_the_chain_is_forecast_at_its_level(sold_out, name):
    model = build_model(name, sold_out.metadata, QUICK[name])
    fitted = model.train(sold_out.train) if hasattr(model, "train") else model
    drawn = np.asarray(next(fitted.predict([sold_out.latest], num_samples=50)).samples)
    means = drawn.mean((0, 1))
    assert means.mean() == pytest.approx(100, rel=0.1)
    # What copies one value is as far off as that value was; the others estimate a level.
    np.testing.assert_allclose(means, 100, rtol=0.35 if name in COPIES else 0.15)
