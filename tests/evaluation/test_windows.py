"""Rolling windows: the past without the answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hemline.datasets.entries.entry import Entry
from hemline.evaluation.runs.windows import cut_window, last_steps, rolling_windows, training_entry, windows_of

START = pd.Period("2024-01-01", "D")


def entry(length: int = 20, dim: int = 2) -> dict:
    steps = np.arange(length, dtype=np.float32)
    return {
        "start": START,
        "item_id": "x",
        "target": steps + 100 * np.arange(dim)[:, None],
        "feat_dynamic_real": steps[None] + 0.5,
        "past_feat_dynamic_real": steps[None] + 0.25,
    }


def test_a_window_gives_the_past_without_the_answer_and_the_answer_apart() -> None:
    window = cut_window(entry(), 5, number=3)
    assert window.past["target"].shape == (2, 15)
    assert window.past["target"][0, -1] == 14
    assert window.observed[:, 1].tolist() == [115, 116, 117, 118, 119]
    assert window.start == START + 15
    assert window.number == 3
    assert [str(date) for date in window.dates] == [f"2024-01-{day}" for day in range(16, 21)]


def test_covariates_known_ahead_reach_over_the_horizon_and_others_end_with_the_past() -> None:
    past = cut_window(entry(), 5).past
    assert past["feat_dynamic_real"].shape == (1, 20)
    assert past["past_feat_dynamic_real"].shape == (1, 15)


def test_nothing_of_the_answer_hangs_on_the_past() -> None:
    past = cut_window(entry(), 5).past
    for name in ("target", "past_feat_dynamic_real"):
        assert past[name].base.shape == past[name].shape
        assert past[name].max() < 115.5


def test_a_fixed_history_moves_the_start_and_cuts_everything_alike() -> None:
    past = cut_window(entry(), 5, history=4).past
    assert past["start"] == START + 11
    assert past["target"][0].tolist() == [11, 12, 13, 14]
    assert past["feat_dynamic_real"][0, 0] == 11.5
    assert past["feat_dynamic_real"].shape == (1, 9)
    assert past["past_feat_dynamic_real"][0].tolist() == [11.25, 12.25, 13.25, 14.25]


def test_a_history_longer_than_the_data_is_all_of_it() -> None:
    assert cut_window(entry(), 5, history=1000).past["target"].shape == (2, 15)


def test_windows_follow_each_other_to_the_end_without_overlap() -> None:
    windows = rolling_windows(entry(), 3, 4)
    answers = np.concatenate([window.observed[:, 0] for window in windows])
    assert answers.tolist() == list(range(8, 20))
    assert [window.past["target"].shape[1] for window in windows] == [8, 11, 14, 17]
    assert [window.number for window in windows] == [0, 1, 2, 3]


@pytest.mark.parametrize("stride", [1, 2, 7])
def test_windows_lie_a_stride_apart_and_covariates_never_reach_beyond_the_horizon(stride: int) -> None:
    windows = rolling_windows(entry(), 3, 2, stride=stride)
    assert windows[1].start == windows[0].start + stride
    assert [window.past["feat_dynamic_real"].shape[1] for window in windows] == [20 - stride, 20]


def test_training_entries_end_with_the_target() -> None:
    trained = training_entry(cut_window(entry(), 5))
    assert {trained[name].shape[1] for name in ("target", "feat_dynamic_real", "past_feat_dynamic_real")} == {15}


def test_training_on_the_last_steps_keeps_dates_and_values_together() -> None:
    cut = last_steps(Entry.of(entry()), 6)
    assert cut["start"] == START + 14
    assert cut["target"][0, 0] == 14
    assert last_steps(Entry.of(entry()), "expanding")["target"].shape == (2, 20)


def test_business_days_are_counted_as_such() -> None:
    target = {"start": pd.Period("2024-01-05", "B"), "target": np.arange(10.0)[None]}
    window = cut_window(target, 2)
    assert str(window.start) == "2024-01-17"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: cut_window(entry(5), 5, number=2),
            "prediction_length: expected a history before .*5 steps, got 5 steps in all for window 2",
        ),
        (lambda: cut_window(entry(), 0), "prediction_length: expected at least 1 step, got 0"),
        (lambda: cut_window(entry(), 5, history=0), "history: expected 'expanding' or a number of steps.*got 0"),
        (lambda: cut_window(entry(), 5, history="all"), "history: .*got 'all'"),
        (
            lambda: rolling_windows(entry(), 5, 4),
            "windows: expected more than 20 steps for 4 windows of 5, 5 apart, got 20",
        ),
        (lambda: rolling_windows(entry(), 5, 0), "windows: expected at least 1, got 0"),
        (lambda: rolling_windows(entry(), 5, 1, stride=0), "stride: expected at least 1, got 0"),
        (lambda: windows_of([], 5), r"data\.test: expected at least one test window"),
        (
            lambda: cut_window(entry() | {"feat_dynamic_real": np.zeros((1, 18))}, 5),
            "feat_dynamic_real: expected at least 20 steps in window 0, got 18",
        ),
        (
            lambda: cut_window({"start": START, "target": np.zeros((2, 2, 9))}, 5),
            r"target: expected \[D, T\], got \[2, 2, 9\]",
        ),
    ],
)
def test_windows_that_cannot_be_cut_are_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
