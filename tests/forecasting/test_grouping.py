"""Reading gluonts datasets of single series and of many."""

import numpy as np
import pandas as pd
import pytest
from gluonts.dataset.common import ListDataset
from hemline.datasets.entries.channels import Channels
from hemline.datasets.entries.cuts import of_articles
from hemline.datasets.entries.entry import Entry
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.datasets.entries.univariate import as_univariate

START = pd.Period("2024-01-01", "D")


def test_series_with_other_starts_and_ends_are_laid_on_one_span():
    rows = [{"start": START, "target": [1.0, 2.0, 3.0]}, {"start": START + 2, "target": [4.0, 5.0]}]
    entry = as_multivariate(rows)[0]
    assert entry["start"] == START
    np.testing.assert_array_equal(entry["target"], [[1, 2, 3, np.nan], [np.nan, np.nan, 4, 5]])


def test_a_gluonts_list_dataset_is_read():
    dataset = ListDataset([{"start": "2024-01-01", "target": [1.0, 2.0]}] * 3, freq="h")
    assert as_multivariate(dataset)[0]["target"].shape == (3, 2)


def test_splitting_undoes_grouping():
    target = np.arange(6, dtype=np.float32).reshape(2, 3)
    rows = as_univariate({"start": START, "target": target})
    np.testing.assert_array_equal(as_multivariate(rows)[0]["target"], target)
    assert [int(row["feat_static_cat"][0]) for row in rows] == [0, 1]


def test_covariates_of_single_series_become_rows():
    rows = [{"start": START, "target": [1.0, 2.0], "feat_dynamic_real": [[k, k, k]]} for k in (1.0, 2.0)]
    np.testing.assert_array_equal(as_multivariate(rows)[0]["feat_dynamic_real"], [[1, 1, 1], [2, 2, 2]])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "training_data: expected at least one entry, got an empty dataset"),
        ([{"start": START}], "expected 'start' and 'target' in entry 0"),
        ([{"start": START, "target": [1.0]}, {"start": START, "target": [[1.0]]}], r"all \[T\] or all \[D, T\]"),
        ([{"start": START, "target": [1.0]}, {"start": pd.Period("2024-01", "M"), "target": [1.0]}], "one frequency"),
        ([{"start": "2024-01-01", "target": [1.0]}], "every start to be a Period"),
        (
            [{"start": START, "target": [1.0, 2.0]}, {"start": START, "target": [np.nan, np.nan], "item_id": "B"}],
            "got only missing values in entry 1 ('B')",
        ),
        ([{"start": START, "target": [[1.0, np.inf]]}], "got an infinite value in series 0 of entry 0"),
        (
            [{"start": START, "target": [[1.0]]}, {"start": START, "target": [[1.0], [2.0]]}],
            "expected 1 series as in the first entry, got 2 in entry 1",
        ),
        (
            [{"start": START, "target": [[1.0, 2.0]], "feat_dynamic_real": [[1.0]]}],
            "expected feat_dynamic_real over at least 2 steps, got 1 in entry 0",
        ),
        (
            [
                {"start": START, "target": [[1.0]], "feat_dynamic_real": [[1.0]]},
                {"start": START, "target": [[1.0]]},
            ],
            "expected the same feat_dynamic_real rows in every entry, got others in entry 1",
        ),
    ],
)
def test_a_dataset_that_makes_no_sense_is_refused_by_entry(rows, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(").replace(")", r"\)")):
        as_multivariate(rows)


def test_a_week_out_of_stock_is_no_demand():
    entry = {
        "start": START,
        "target": np.array([[5.0, 1.0, 6.0], [7.0, 8.0, 9.0]]),
        "item_ids": ("A", "B"),
        "past_feat_dynamic_real": np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 1.0]]),
        "past_covariates": ("in_stock[B]", "in_stock[A]"),
    }
    read = as_multivariate([entry])[0]
    np.testing.assert_array_equal(read["target"], [[5, np.nan, 6], [7, 8, 9]])
    assert entry["target"][0, 1] == 1.0, "the caller's numbers stay as they were"
    without = {key: value for key, value in entry.items() if key != "past_covariates"}
    assert not np.isnan(as_multivariate([without])[0]["target"]).any()


def test_single_series_keep_their_own_and_the_shared_channels():
    entry = {
        "start": START,
        "target": np.ones((2, 3)),
        "item_ids": ("A", "B"),
        "feat_dynamic_real": np.array([[1.0] * 3, [2.0] * 3, [3.0] * 3]),
        "covariates": ("price[A]", "price[B]", "holiday"),
    }
    rows = as_univariate(entry)
    np.testing.assert_array_equal([row["feat_dynamic_real"][:, 0] for row in rows], [[1, 3], [2, 3]])
    with pytest.raises(ValueError, match="expected the same channels for every series"):
        as_univariate({**entry, "covariates": ("price[A]", "price[A2]", "holiday")})


def test_static_features_go_with_their_series_and_are_standardised():
    entry = {
        "start": START,
        "target": np.ones((3, 4)),
        "feat_static_real": [[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]],
        "feat_static_cat": [[0], [4], [0]],
    }
    rows = as_univariate(as_multivariate([entry])[0])
    assert [row["feat_static_cat"].tolist() for row in rows] == [[0, 0], [1, 4], [2, 0]]
    np.testing.assert_allclose(
        [row["feat_static_real"] for row in rows], [[-1.2247, 0], [0, 0], [1.2247, 0]], atol=1e-4
    )
    single = [{"start": START, "target": np.ones(4), "feat_static_real": [number]} for number in (1.0, 2.0)]
    assert as_multivariate(single)[0]["feat_static_real"].tolist() == [[1.0], [2.0]]
    whole = {"start": START, "target": np.ones((3, 4)), "feat_static_cat": [0]}
    assert "feat_static_cat" not in as_multivariate([whole])[0]


@pytest.mark.parametrize(
    ("static", "message"),
    [([[1.0]], r"for each of 2 series, got 1 rows"), ([[1.0], [np.nan]], r"got 2 rows with 1 that are not finite")],
)
def test_static_features_that_miss_a_series_are_refused(static, message):
    with pytest.raises(ValueError, match=message):
        as_multivariate([{"start": START, "target": np.ones((2, 4)), "feat_static_real": static}])


def test_channels_of_single_series_are_named_after_them():
    rows = [
        {
            "start": START,
            "target": [1.0, 2.0],
            "item_id": item,
            "feat_dynamic_real": [[3.0, 4.0], [0.0, 1.0]],
            "covariates": ("price", f"promo[{item}]"),
            "past_feat_dynamic_real": [[1.0, on_shelf]],
            "past_covariates": ("in_stock",),
        }
        for item, on_shelf in (("A", 1.0), ("B", 0.0))
    ]
    entry = as_multivariate(rows)[0]
    assert entry["covariates"] == ("price[A]", "promo[A]", "price[B]", "promo[B]")
    np.testing.assert_array_equal(entry["target"], [[1, 2], [1, np.nan]])
    assert "past_covariates" not in entry
    unnamed = [{key: value for key, value in row.items() if key != "item_id"} for row in rows]
    assert "covariates" not in as_multivariate(unnamed)[0]


def test_channels_of_other_articles_go_and_those_of_none_stay():
    names = ("price[a]", "price[b]", "holiday", "temperature[C]")
    entry = Entry(START, np.ones((2, 3)), item_ids=("a", "b"), channels=Channels(np.eye(4), names))
    (kept,) = of_articles([entry], np.array([True, False]))
    assert kept["covariates"] == ("price[a]", "holiday", "temperature[C]")
    np.testing.assert_array_equal(kept["feat_dynamic_real"], np.eye(4)[[0, 2, 3]])


def test_what_is_known_of_no_step_of_a_series_without_a_past():
    rows = [{"start": START, "target": [1.0, 2.0], "past_feat_dynamic_real": [[3.0, 4.0]]}]
    rows.append({"start": START + 5, "target": [], "past_feat_dynamic_real": np.empty((1, 0))})
    entry = as_multivariate(rows, unseen=True)[0]
    np.testing.assert_array_equal(entry["past_feat_dynamic_real"], [[3, 4], [np.nan, np.nan]])
    known = [{**row, "feat_dynamic_real": row["past_feat_dynamic_real"]} for row in rows]
    with pytest.raises(ValueError, match=r"feat_dynamic_real of at least one step, got none in entry 1.*launched"):
        as_multivariate(known, unseen=True)
