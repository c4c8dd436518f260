from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from gluonts.model.seasonal_naive import SeasonalNaivePredictor
from hemline.datasets import ForecastData, Metadata
from hemline.evaluation import RepeatedDataWarning, backtest
from hemline.evaluation.runs.repeats import describe_repeats, repeated_windows
from hemline.evaluation.runs.windows import cut_window

HORIZON = 10
NOISE = np.random.default_rng(0).normal(size=(3, 60))


def window(target, number=0):
    return cut_window({"start": pd.Period("2024-01-01", "D"), "target": target}, HORIZON, number=number)


def test_a_copy_is_found_where_it_begins():
    copied = np.hstack([NOISE, NOISE[:, 20:30]])
    assert repeated_windows([window(NOISE), window(copied, 1)]) == {1: 20}


def test_a_gap_is_part_of_the_copy():
    gappy = NOISE.copy()
    gappy[1, 20:23] = np.nan
    assert repeated_windows([window(np.hstack([gappy, gappy[:, 20:30]]))]) == {0: 20}
    filled = np.hstack([gappy, NOISE[:, 20:30]])
    assert repeated_windows([window(filled)]) == {}


def test_one_other_number_is_no_copy():
    copied = np.hstack([NOISE, NOISE[:, 20:30]])
    copied[2, -1] += 1e-9
    assert repeated_windows([window(copied)]) == {}


@pytest.mark.parametrize("target", [np.zeros((3, 40)), np.tile([[0.0, 1.0]], (3, 20)), np.full((3, 40), np.nan)])
def test_what_may_come_back_by_chance_is_no_copy(target):
    assert repeated_windows([window(target)]) == {}


def test_a_copy_never_reaches_into_the_answer():
    period = np.random.default_rng(1).normal(size=(3, 7))
    assert repeated_windows([window(np.tile(period, 8)[:, :17])]) == {}
    assert repeated_windows([window(np.tile(period, 8)[:, :24])]) == {0: 0}


def test_the_line_names_dates():
    line = describe_repeats("copied", [window(np.hstack([NOISE, NOISE[:, 20:30]]), 3)])
    assert line == (
        "copied: 1 of 1 test windows repeat earlier data value for value, window 3 (2024-03-01 to 2024-03-10) those of "
        "2024-01-21 to 2024-01-30: a model that has learnt them by heart wins there"
    )
    assert describe_repeats("noise", [window(NOISE)]) == ""


def test_a_backtest_warns():
    class Line(SeasonalNaivePredictor):
        def predict_item(self, item):
            return super().predict_item(item | {"target": item["target"][0]})

    target = np.hstack([NOISE[:1], NOISE[:1, 20:40]]).astype(np.float32)
    entry = {"start": pd.Period("2024-01-01", "D"), "target": target}
    metadata = Metadata("line", "D", 20, item_ids=("a",))
    data = ForecastData(metadata, train=[entry | {"target": target[:, :60]}], test=[entry])
    with pytest.warns(RepeatedDataWarning, match=r"line: 1 of 1 test windows"):
        backtest({"last": Line(20, season_length=1)}, data, quiet=True)
