"""A chain of many articles with a price each: what all prices do together is no sum of guesses."""

import numpy as np
import pandas as pd
import pytest
from hemline.datasets.entries.channels import Channels
from hemline.datasets.entries.entry import Entry
from hemline.forecasting.response.fit import fit_response
from hemline.forecasting.response.response import LogLinear
from hemline.forecasting.windows.spec import infer_spec

ARTICLES, WEEKS, HORIZON = 300, 44, 4


def chain(seed):
    """Sales of articles of which a tenth was ever marked down, before a sale of the whole chain; the true effect."""
    draw = np.random.default_rng(seed)
    logs = np.zeros((ARTICLES, WEEKS + HORIZON))
    for series in range(ARTICLES // 10):
        for week in range(int(draw.integers(0, 10)), WEEKS, 12):
            logs[series, week : week + 2] = np.log(1 - draw.uniform(0.15, 0.45))
    logs[:, WEEKS:] = np.log(1 - draw.uniform(0.2, 0.4, (ARTICLES, 1)))
    shocks = np.zeros(WEEKS + HORIZON)
    for week in range(1, WEEKS + HORIZON):
        shocks[week] = 0.8 * shocks[week - 1] + 0.09 * draw.normal()
    elasticity = draw.uniform(-3.5, -1.5, (ARTICLES, 1))
    level = np.exp(draw.uniform(np.log(2), np.log(30), (ARTICLES, 1)))
    sold = draw.poisson(level * np.exp(elasticity * logs + shocks))[:, :WEEKS].astype(float)
    names = [f"a{number}" for number in range(ARTICLES)]
    channels = Channels(10 * np.exp(logs).astype(np.float32), tuple(f"price[{name}]" for name in names))
    entry = Entry(pd.Period("2023-01-02", "W-MON"), sold, item_ids=tuple(names), channels=channels)
    return entry, np.exp(elasticity * logs[:, WEEKS:]).T, level[:, 0]


@pytest.mark.parametrize("seed", [0, 1])
def test_a_sale_of_a_whole_chain_is_foretold_by_the_articles_own_prices(seed):
    entry, truth, level = chain(seed)
    spec = infer_spec([entry], freq="W-MON", prediction_length=HORIZON)
    response = fit_response([entry], spec, LogLinear(), "count")
    factors = response.factors(entry, HORIZON, WEEKS, paths=200, seed=0).mean(0)
    assert (factors @ level).sum() / (truth @ level).sum() == pytest.approx(1.0, abs=0.2)
