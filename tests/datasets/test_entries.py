"""An entry: made of a gluonts dict, read as one, cut by time, by series and by channel."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from gluonts.transform import AddObservedValuesIndicator, Chain, RemoveFields
from hemline.datasets.entries.channels import Channels
from hemline.datasets.entries.entry import Entry
from hypothesis import given
from hypothesis import strategies as st

START = pd.Period("2024-01-01", "D")
GIVEN = {
    "start": START,
    "target": np.arange(12, dtype=np.float32).reshape(2, 6),
    "item_id": "shop",
    "item_ids": ("a", "b"),
    "feat_dynamic_real": np.arange(24, dtype=np.float32).reshape(3, 8),
    "covariates": ("price[a]", "price[b]", "holiday"),
    "past_feat_dynamic_real": np.ones((2, 6), dtype=np.float32),
    "past_covariates": ("in_stock[a]", "in_stock[b]"),
    "feat_static_real": np.array([[0.5], [1.5]], dtype=np.float32),
    "feat_static_cat": np.array([[3], [4]]),
    "imposed": np.array([[np.nan, 0.0], [1.0, np.nan]]),
    "source": "a table",
}
ENTRY = Entry.of(GIVEN)


def same(first, second):
    assert set(first) == set(second)
    for key in first:
        np.testing.assert_array_equal(first[key], second[key], err_msg=key)
        assert getattr(first[key], "dtype", None) == getattr(second[key], "dtype", None)


@given(st.sets(st.sampled_from(sorted(set(GIVEN) - {"start", "target"}))))
def test_an_entry_has_the_keys_and_values_that_it_was_given(keys):
    given = {key: GIVEN[key] for key in ("start", "target", *keys)}
    for name, values in (("covariates", "feat_dynamic_real"), ("past_covariates", "past_feat_dynamic_real")):
        if values not in given:
            given.pop(name, None)  # names of nothing
    same(dict(Entry.of(given)), given)
    same(Entry.of(given).to_gluonts(), given)


def test_an_entry_is_taken_as_it_is():
    assert Entry.of(ENTRY) is ENTRY
    assert (ENTRY.dim, ENTRY.length, ENTRY.freq) == (2, 6, "D")
    assert str(ENTRY.forecast_start) == "2024-01-07"
    assert ENTRY.others == {"source": "a table"}
    assert repr(ENTRY) == "Entry(2 series, 6 steps of 'D' from 2024-01-01, 3 channels, 2 past channels)"


def test_lists_and_one_series_are_read_as_arrays_of_two_dimensions():
    entry = Entry.of({"start": START, "target": [1, 2, 3], "feat_dynamic_real": [4, 5, 6, 7], "feat_static_cat": [0]})
    assert (entry.dim, entry.length, len(entry.channels), entry.channels.length) == (1, 3, 1, 4)
    assert entry.static_cat is None
    assert entry["feat_static_cat"] == [0]


def test_a_key_without_a_value_is_no_key():
    entry = Entry.of({"start": START, "target": [[1.0]], "feat_dynamic_real": None, "item_id": None})
    assert set(entry) == {"start", "target"}
    assert not entry.channels


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": None}, r"expected 'start' and 'target', got \['covariates', 'feat_dynamic_real'"),
        ({"start": "2024-01-01"}, "start: expected a Period, got '2024-01-01'"),
        ({"target": np.ones((1, 2, 3))}, r"target: expected \[D, T\], got \[1, 2, 3\]"),
        ({"item_ids": ("a",)}, "item_ids: expected 2 different names, one a row, got 1 \\('a' first\\)"),
        ({"item_ids": ("a", "a")}, "item_ids: expected 2 different names"),
        ({"covariates": ("price[a]", "price[b]")}, "covariates: expected 3 different names, one a row, got 2"),
        ({"past_covariates": ("x", "x")}, "past_covariates: expected 2 different names"),
    ],
)
def test_what_is_no_entry_is_refused_by_its_key(changes, message):
    with pytest.raises(ValueError, match=message):
        Entry.of({**GIVEN, **changes})


def test_the_numbers_of_an_entry_cannot_be_written_to():
    for key, value in ENTRY.items():
        if isinstance(value, np.ndarray):
            assert not value.flags.writeable, key
            assert GIVEN[key].flags.writeable, key
    with pytest.raises(TypeError):
        ENTRY["target"] = 1
    own = ENTRY.to_gluonts()
    own["target"][0, 0] = 99
    assert ENTRY.target[0, 0] == 0


def test_gluonts_transformations_read_an_entry_and_leave_it_alone():
    transformation = Chain(
        [RemoveFields(["source"]), AddObservedValuesIndicator(target_field="target", output_field="seen")]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (seen,) = transformation.apply([ENTRY])
    assert "source" not in seen
    assert seen["seen"].shape == (2, 6)
    assert "seen" not in ENTRY
    assert "source" in ENTRY


def test_an_entry_is_merged_as_a_dict_is():
    merged = ENTRY | {"target": 5}
    assert merged["target"] == 5
    assert {**ENTRY, "target": 5} == {**ENTRY} | {"target": 5}
    assert ENTRY["target"].shape == (2, 6)


def test_entries_are_told_apart_by_identity_and_survive_pickling():
    assert ENTRY == ENTRY
    assert Entry.of(GIVEN) != ENTRY
    same(pickle.loads(pickle.dumps(ENTRY)), ENTRY)
    same(copy.deepcopy(ENTRY), ENTRY)


@given(st.integers(1, 5))
def test_history_is_what_lies_before_the_horizon_with_the_channels_known_over_it(horizon):
    past = ENTRY.history(horizon)
    np.testing.assert_array_equal(past.target, GIVEN["target"][:, : 6 - horizon])
    assert past.channels.length == 6
    assert past.past_channels.length == 6 - horizon
    assert past.forecast_start == ENTRY.start + (6 - horizon)
    assert past.static_real is not None
    assert past.imposed is None, "it speaks of the steps after the whole entry"


@pytest.mark.parametrize("horizon", [0, 6, 7])
def test_a_history_without_steps_is_refused(horizon):
    with pytest.raises(ValueError, match=f"prediction_length: expected 1 to 5 steps.* got {horizon}"):
        ENTRY.history(horizon)


def test_an_entry_is_cut_at_a_number_of_steps_or_at_a_date():
    for end in (4, np.int64(4), "2024-01-04", pd.Timestamp("2024-01-04 13:00"), pd.Period("2024-01-04", "D")):
        cut = ENTRY.until(end)
        assert (cut.length, cut.channels.length, cut.past_channels.length) == (4, 4, 4), end
    assert ENTRY.until(4, horizon=3).channels.length == 7
    planned = ENTRY.with_(planned=ENTRY)
    assert ENTRY.until(6).imposed is not None
    assert planned.until(6).planned is ENTRY
    assert planned.until(5).planned is None, "it is the plan of the steps after the whole entry"
    with pytest.raises(ValueError, match="end: expected 0 to 6 steps, to 2024-01-06, got 7"):
        ENTRY.until(7)
    with pytest.raises(ValueError, match="end: expected 0 to 6 steps, to 2024-01-06, got 2023-12-30"):
        ENTRY.until("2023-12-30")


@pytest.mark.parametrize(
    ("freq", "date"), [("W-SUN", "2024-01-21"), ("30min", "2024-01-01 01:00"), ("B", "2024-01-03")]
)
def test_a_date_is_a_step_at_every_frequency(freq, date):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        start = pd.Period("2024-01-01", freq)
    assert Entry(start, np.ones((1, 9))).until(date).length == 3


def test_the_first_steps_are_left_out_and_the_start_moves():
    later = ENTRY.since(2)
    assert later.start == START + 2
    np.testing.assert_array_equal(later.target, GIVEN["target"][:, 2:])
    np.testing.assert_array_equal(later.channels.values, GIVEN["feat_dynamic_real"][:, 2:])
    assert later.past_channels.length == 4


@pytest.mark.parametrize("series", [["b"], [1], np.array([False, True]), np.array([1])])
def test_a_series_is_chosen_by_name_number_or_mask_with_all_channels(series):
    changed = ENTRY.with_(planned=ENTRY)
    one = changed.of_series(series)
    assert one.item_ids == ("b",)
    np.testing.assert_array_equal(one.target, GIVEN["target"][1:])
    np.testing.assert_array_equal(one.static_cat, [[4]])
    np.testing.assert_array_equal(one.imposed, [[1, np.nan]])
    np.testing.assert_array_equal(one.planned.target, one.target)
    assert len(one.channels) == 3


def test_no_series_and_an_unknown_series():
    assert ENTRY.of_series([]).target.shape == (0, 6)
    with pytest.raises(ValueError, match="series: expected some of a, b; got 'c'"):
        ENTRY.of_series(["a", "c"])


def test_a_channel_is_found_by_name_among_both_kinds():
    np.testing.assert_array_equal(ENTRY.channel("price[b]"), GIVEN["feat_dynamic_real"][1])
    np.testing.assert_array_equal(ENTRY.channel("in_stock[a]"), np.ones(6))
    with pytest.raises(ValueError, match=r"name: expected one of price\[a\], .*; got 'price\[c\]'"):
        ENTRY.channel("price[c]")
    with pytest.raises(ValueError, match="name: expected one of no channel with a name; got 'x'"):
        Entry(START, np.ones((1, 3))).channel("x")


def test_channels_of_some_items_are_left_out_and_shared_ones_stay():
    less = ENTRY.without_channels_of({"b"})
    assert less.channels.names == ("price[a]", "holiday")
    assert less.past_channels.names == ("in_stock[a]",)
    assert "past_feat_dynamic_real" not in ENTRY.without_channels_of({"a", "b"})


def test_a_field_is_replaced_and_the_rest_stays():
    other = ENTRY.with_(channels=Channels(np.zeros((3, 8)), ENTRY.channels.names))
    assert other.channel("price[a]").max() == 0
    assert other.target is not None
    assert ENTRY.channel("price[a]").max() > 0
    with pytest.raises(ValueError, match=r"with_: expected some of start, target, .*; got feat_dynamic_real"):
        ENTRY.with_(feat_dynamic_real=np.zeros((3, 8)))
    with pytest.raises(ValueError, match="covariates: expected 1 different names"):
        ENTRY.with_(channels=Channels(np.zeros((1, 8)), ("a", "b")))


def test_cuts_of_checked_numbers_are_checked_and_changes_are_not():
    checked = Entry.of(GIVEN)
    object.__setattr__(checked, "checked", True)
    parts = (checked.until(3), checked.since(1), checked.history(2), checked.of_series(["a"]))
    assert all(part.checked for part in (*parts, checked.without_channels_of({"a"})))
    assert not checked.with_(target=np.full((2, 6), np.inf)).checked
    assert not ENTRY.checked
