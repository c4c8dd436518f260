"""Windows by index, against windows cut by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.forecasting.units.scaling import Scaling, restore
from hemline.forecasting.windows.calendar import calendar_features, frequency_lags
from hemline.forecasting.windows.gaps import changes, previous_values
from hemline.forecasting.windows.spec import infer_spec
from hemline.forecasting.windows.tensor import SeriesTensor


def spec_of(data, **options):
    return infer_spec(as_multivariate(data), freq="D", prediction_length=7, **options)


def test_a_window_holds_the_values_that_lie_there(walks):
    series = SeriesTensor(as_multivariate(walks), spec_of(walks, lags=(1, 3)), change=None)
    starts = series.training_starts()
    window = series.gather(starts[[0, 50]])
    target = walks[0]["target"]
    first = int(starts[50]) - series.pad
    np.testing.assert_array_equal(window.values[1].numpy(), target[:, first - 10 : first + 7].T)
    assert window.features.shape == (2, 14, 3)
    expected = calendar_features(walks[0]["start"] + first - 7, 14)
    np.testing.assert_array_equal(window.features[1].numpy(), expected)


def test_training_starts_cover_every_horizon_with_its_whole_past(walks):
    series = SeriesTensor(as_multivariate(walks), spec_of(walks, lags=(1, 3)), change=None)
    starts = series.training_starts() - series.pad
    assert starts[0] == 10
    assert starts[-1] == 200 - 7
    assert series.gather(series.training_starts()).observed is None


def test_asking_where_windows_start_changes_no_window(walks):
    series = SeriesTensor(as_multivariate(walks), spec_of(walks), change=None)
    learnt = series.windows(series.training_starts())
    watched = series.windows(series.validation_starts(200))
    assert watched.masked, "the first of them begin before the data"
    assert watched.at(watched.starts[-2:]).observed.all(), "a batch says it as all others do"
    assert learnt.at(learnt.starts[:2]).observed is None
    assert series.gather(learnt.starts[:2]).observed is None


def test_a_window_never_crosses_into_another_entry(walks):
    other = {**walks[0], "target": walks[0]["target"] + 1000}
    data = [walks[0], other]
    series = SeriesTensor(as_multivariate(data), spec_of(data), change=None)
    window = series.gather(series.training_starts())
    low, high = (window.values < 500).all((1, 2)), (window.values > 500).all((1, 2))
    assert (low | high).all()
    assert low.any()
    assert high.any()


def test_a_short_history_is_padded_and_masked():
    data = [{"start": pd.Period("2024-01-01", "D"), "target": np.ones((2, 12), dtype=np.float32)}]
    series = SeriesTensor(as_multivariate(data), spec_of(data, context_length=30, lags=(1,)), change=None)
    window = series.gather(series.training_starts())
    assert window.observed is not None
    assert window.observed[0].sum() == 2 * 12 - 2 * (12 - int(series.training_starts()[0] - series.pad) - 7)


def test_channels_are_standardised_by_the_steps_of_their_series_alone():
    rng = np.random.default_rng(0)
    prices = rng.normal(10, 2, size=(2, 60))
    prices[1, :40] = 99.0  # what stands for a price before the launch
    data = {
        "start": pd.Period("2024-01-01", "D"),
        "target": np.where(np.arange(50) < np.array([[0], [40]]), np.nan, 1.0),
        "feat_dynamic_real": np.concatenate([prices, rng.normal(size=(1, 60))]),
        "covariates": ("price[a]", "price[b]", "weather"),
        "item_ids": ("a", "b"),
    }
    found = SeriesTensor(as_multivariate([data]), spec_of([data]), change=None).statistics
    used = [prices[0, :50], prices[1, 40:50], data["feat_dynamic_real"][2, :50]]
    np.testing.assert_allclose(found.covariate_mean, [each.mean() for each in used], rtol=1e-5)
    np.testing.assert_allclose(found.covariate_std, [each.std() for each in used], rtol=1e-5)


@pytest.mark.parametrize("gap", [slice(-20, -8), slice(-5, None)], ids=["past", "horizon"])
def test_a_gap_in_the_data_to_watch_is_no_zero_though_the_training_data_have_none(walks, gap):
    """The loss of a window with a gap is that of a window where anything may stand in the gap."""
    target = walks[0]["target"].copy()
    target[:, gap] = np.nan
    series = SeriesTensor(as_multivariate([{**walks[0], "target": target}]), spec_of(walks), change=None)
    window = series.gather(series.validation_starts(7))
    assert window.observed is not None
    np.testing.assert_array_equal(window.observed[0].T > 0, ~np.isnan(target[:, -window.values.shape[1] :]))


def test_entries_to_watch_that_are_no_longer_than_the_horizon_are_left_out(walks):
    short = [{**walks[0], "target": walks[0]["target"][:, :length]} for length in (5, 7, 10)]
    series = SeriesTensor(as_multivariate(short), spec_of(walks), change=None)
    starts = series.validation_starts(7)
    assert starts.tolist() == [series.first[2] + 3]
    assert series.gather(starts).observed[0, :-10].sum() == 0, "what lies before the data is not seen"
    with pytest.raises(ValueError, match="validation_data: expected more steps than the horizon of 7, got 7"):
        SeriesTensor(as_multivariate(short[:2]), spec_of(walks), change=None).validation_starts(7)


def test_changes_bridge_a_gap_and_seasonal_ones_look_a_season_back():
    target = np.array([[1.0, 2.0, np.nan, 5.0, 7.0, 8.0]])
    np.testing.assert_array_equal(changes(target, 1), [[np.nan, 1.0, np.nan, 3.0, 2.0, 1.0]])
    np.testing.assert_array_equal(changes(target, 2), [[np.nan, np.nan, np.nan, 3.0, 6.0, 3.0]])


@pytest.mark.parametrize("lag", [1, 2, 7])
def test_restoring_changes_gives_the_levels_back(lag):
    generator = np.random.default_rng(0)
    target = generator.normal(size=(3, 40))
    past, future = target[:, :30], target[:, 30:]
    paths = torch.from_numpy(changes(target, lag)[:, 30:].T[None, None].copy())
    last = torch.from_numpy(previous_values(past, lag, steps=lag)[:, -lag:].T[None].copy())
    np.testing.assert_allclose(restore(paths, last)[0, 0].numpy().T, future, atol=1e-12)


def test_the_scale_is_the_mean_size_and_never_zero():
    context = torch.tensor([[[2.0, 0.0], [-4.0, 0.0]]])
    scale = Scaling(prior=1e-9).scale(context, None, usual=torch.tensor([1.0, 1.0]))
    assert scale[0, 0] == pytest.approx(3.0)
    assert Scaling().scale(torch.zeros(1, 5, 1), torch.zeros(1, 5, 1), usual=torch.tensor([2.0])) == 2.0
    assert Scaling().scale(torch.zeros(1, 4, 1), None, usual=torch.tensor([2.0])) == pytest.approx(2 / 5)


def test_the_scale_does_not_change_the_callers_values(walks):
    """The reference implementation divides the caller's target in place."""
    from hemline.forecasting import ForecastEstimator

    spec = spec_of(walks)
    series = SeriesTensor(as_multivariate(walks), spec, change=None)
    before = series.values.clone()
    forecaster = ForecastEstimator("D", 7).composition(spec).network(series.statistics)
    forecaster.loss(series.gather(series.training_starts()))
    torch.testing.assert_close(series.values, before, atol=0, rtol=0)


@pytest.mark.parametrize("freq", ["7D", "s", "fortnight"])
def test_an_unknown_frequency_never_becomes_lag_1(freq):
    with pytest.raises(ValueError, match="freq"):
        frequency_lags(freq)


@pytest.mark.parametrize(
    ("freq", "lags"),
    [
        ("H", (1, 24, 168)),
        ("h", (1, 24, 168)),
        ("30T", (1, 4, 12, 24, 48)),
        ("min", (1, 60, 1440, 10080)),
        ("B", (1, 2)),
        ("W-MON", (1, 2, 4, 52)),
    ],
)
def test_old_and_new_aliases_have_the_same_lags(freq, lags):
    assert frequency_lags(freq) == lags


@pytest.mark.parametrize("freq", ["B", "D", "W-MON", "M", "Q", "h", "30min"])
def test_calendar_features_do_not_depend_on_the_length_of_the_data(freq):
    start = pd.Period("2024-01-01", freq)
    np.testing.assert_array_equal(calendar_features(start, 50)[10:20], calendar_features(start + 10, 10))


def test_early_years_have_a_calendar_too():
    """Yearly data of the 18th century, and the padding before them, lie before the first timestamp of pandas."""
    assert calendar_features(pd.Period("1750", "Y") - 107, 120).shape == (120, 0)
    assert calendar_features(pd.Period("1600-01", "M"), 13)[[0, 11, 12], 0].tolist() == [-0.5, 0.5, -0.5]


def test_a_horizon_longer_than_the_history_is_refused(walks):
    with pytest.raises(ValueError, match="prediction_length: expected fewer steps than the history of 200, got 200"):
        infer_spec(as_multivariate(walks), freq="D", prediction_length=200)


def test_another_frequency_than_the_datas_is_refused(walks):
    with pytest.raises(ValueError, match="freq: expected the frequency of the data, 'D', got 'h'"):
        infer_spec(as_multivariate(walks), freq="h", prediction_length=7)


def test_lags_beyond_half_of_the_history_are_left_out(walks):
    short = [{**walks[0], "target": walks[0]["target"][:, :20]}]
    assert infer_spec(as_multivariate(short), freq="D", prediction_length=2).lags == (1, 7)
