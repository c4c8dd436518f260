"""Every named model on the whole simulated shop, loaded by its one TOML file and forecast as a user does."""

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import get_dataset, simulated_shop
from hemline.forecasting import MODELS, forecast_frame

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*left out:UserWarning"),
    pytest.mark.filterwarnings("ignore:covariates.*was never seen:UserWarning"),
    pytest.mark.filterwarnings("ignore:covariates.*move together:UserWarning"),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return get_dataset(str(simulated_shop().write(tmp_path_factory.mktemp("shop"), photos=False)))


@pytest.mark.parametrize("name", MODELS)
def test_a_model_trains_on_the_whole_shop_and_forecasts_the_weeks_to_come(name, shop, trained_shortly):
    if name.startswith("auto-"):
        pytest.importorskip("statsforecast", reason="needs the extra `classical`")
    model = trained_shortly(name, shop)
    drawn = next(iter(model.predict([shop.latest], num_samples=20)))
    table = forecast_frame(drawn, shop.latest.item_ids)
    assert sorted(table["item_id"].unique()) == sorted(shop.latest.item_ids)
    assert list(table["timestamp"].unique()) == list(pd.date_range("2025-02-24", periods=8, freq="W-MON"))
    assert np.isfinite(table[["mean", "q05", "q95"]].to_numpy()).all()
