from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hemline.evaluation import wins

COLUMNS = ["model", "dataset", "window", "seed", "value"]


def long_table(rows, metric="energy_score"):
    frame = pd.DataFrame(rows, columns=COLUMNS)
    run = frame["model"] + frame["dataset"] + frame["seed"].astype(str)
    pooled = frame.assign(window=None, value=99.0)
    return pd.concat([frame, pooled]).assign(run=pd.concat([run, run]), item_id=None, step=None, metric=metric)


def by_window(values, dataset="x", seed=0):
    return [(model, dataset, w, seed, v) for model, row in values.items() for w, v in enumerate(row)]


def shares(table):
    return {model: [cell.mean for cell in cells] for model, cells in table.rows.items()}


def test_a_share_is_counted_by_window_and_ties_are_halves():
    found = wins(long_table(by_window({"a": [1.0, 1, 1, 2], "b": [2.0, 2, 1, 1]})))
    assert found.columns == ("a", "b")
    np.testing.assert_allclose(shares(found)["b"], [0.625, np.nan])
    np.testing.assert_allclose(shares(found)["a"], [np.nan, 0.375])


def test_seeds_are_averaged_before_windows_are_counted():
    rows = by_window({"a": [1.0, 1], "b": [2.0, 2]}) + by_window({"a": [9.0, 1], "b": [2.0, 2]}, seed=1)
    assert shares(wins(long_table(rows), models=["a"]))["b"] == [0.5]


def test_every_dataset_counts_the_same_and_those_that_only_one_has_do_not():
    rows = by_window({"a": [1.0], "b": [2.0]}, "short") + by_window({"a": [3.0] * 9, "b": [2.0] * 9}, "long")
    rows += by_window({"a": [1.0] * 5}, "alone")
    assert shares(wins(long_table(rows), models=["a"]))["b"] == [0.5]


def test_models_that_share_no_window_have_no_number():
    rows = by_window({"a": [1.0]}, "x") + by_window({"b": [2.0]}, "y")
    assert np.isnan(shares(wins(long_table(rows), models=["a"]))["b"]).all()
    assert wins(long_table(rows), models=["a"]).rows["b"][0].text == "–"


def test_the_interval_is_that_of_the_binomial():
    generator = np.random.default_rng(0)
    won = generator.random(400) < 0.7
    found = wins(long_table(by_window({"a": np.where(won, 1.0, 3.0), "b": np.full(400, 2.0)})), models=["a"])
    cell = found.rows["b"][0]
    error = np.sqrt(won.mean() * (1 - won.mean()) / 400)
    assert cell.error == pytest.approx(error, rel=0.1)
    np.testing.assert_allclose(cell.interval, won.mean() + 1.645 * error * np.array([-1, 1]), atol=0.01)
    assert cell.best
    assert cell.text.startswith(f"{won.mean():.3f} [")


def test_what_may_be_luck_is_not_bold():
    assert not wins(long_table(by_window({"a": [1.0, 1, 3], "b": [2.0, 2, 2]}))).rows["b"][0].best


def test_the_same_draws_give_the_same_table():
    scores = long_table(by_window({"a": [1.0, 1, 3, 1, 3], "b": [2.0, 2, 2, 2, 2]}))
    assert wins(scores) == wins(scores) != wins(scores, seed=1, draws=11)


def test_few_windows_say_nothing_of_chance():
    def against(windows):
        return wins(long_table(by_window({"a": [1.0] * windows, "b": [2.0] * windows})), models=["a"]).rows["b"][0]

    assert [(against(n).text, against(n).best) for n in (1, 4)] == [("1.000", False)] * 2
    assert (against(5).text, against(5).best) == ("1.000 [1.000, 1.000]", True)


def test_a_window_without_a_score_is_left_out_of_its_pairs_alone():
    late = {"a": [np.nan] * 4 + [1.0, 3, 1, 1, 3], "b": [2.0] * 9, "c": [4.0] * 9}
    found = wins(long_table(by_window(late)), models=["a", "b"])
    alone = wins(long_table(by_window({"a": late["a"][4:], "b": [2.0] * 5})), models=["a"]).rows["b"][0]
    assert found.rows["b"][0].mean == alone.mean == 0.6
    np.testing.assert_allclose(found.rows["b"][0].interval, alone.interval, atol=0.1)
    assert found.rows["c"][1].interval == (1, 1)


def test_metrics_and_models_are_checked():
    scores = long_table(by_window({"a": [1.0], "b": [2.0]}))
    with pytest.raises(ValueError, match=r"models: expected some of a, b, got 'c'"):
        wins(scores, models=["c"])
    with pytest.raises(ValueError, match=r"metric: expected one of which less is better, got 'coverage_80'"):
        wins(scores, "coverage_80")
    with pytest.raises(ValueError, match=r"metric: 'crps' was not computed"):
        wins(scores, "crps")
