"""Laws of every named model: in units of the data, with the means of its paths, and finite at any size."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_frame
from hemline.datasets.entries import domain as units
from hemline.forecasting import MODELS
from hemline.forecasting.training.options import NonFiniteLoss
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

STEPS, HORIZON = 120, 7
NAMES = [pytest.param(name, marks=pytest.mark.slow) if name == "pool" else name for name in MODELS]


def table(values: np.ndarray, domain: str):
    """Daily series ``[T, D]`` as a dataset, with a channel that does nothing, because some models want one."""
    items = [f"article_{number}" for number in range(values.shape[1])]
    frame = pd.DataFrame(values, columns=items)
    frame["day"], frame["weather"] = pd.date_range("2024-01-01", periods=len(values)), np.sin(np.arange(len(values)))
    told = {"target": items, "shared_covariates": ["weather"], "prediction_length": HORIZON, "windows": 1}
    return from_frame(frame, timestamp="day", domain=domain, **told)


def slow_sales(rng: np.random.Generator) -> np.ndarray:
    """Counts at rates from one a fortnight to five a day, with a week."""
    week = 1 + 0.3 * np.sin(2 * np.pi * np.arange(STEPS) / 7)
    return rng.poisson(np.array([0.07, 0.3, 1.0, 5.0]) * week[:, None]).astype(float)


def needs_extra(name: str) -> None:
    if name.startswith("auto-") or name in ("croston", "tsb"):
        pytest.importorskip("statsforecast", reason="needs the extra `classical`")


def drawn(model, entry, paths: int = 200) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(next(iter(model.predict([entry], num_samples=paths, seed=1))).samples)


class Settlings:
    """What was brought into the domain of the data, and what came of it."""

    def __init__(self) -> None:
        self.pairs = []

    def __call__(self, paths, domain, phase, **options):
        found = units.settled(paths, domain, phase, **options)
        self.pairs.append((paths, found))
        return found


@pytest.fixture
def settlings(monkeypatch):
    """Every place that brings paths into the domain, watched."""
    from hemline.evaluation.adapters import door
    from hemline.forecasting.models import analog
    from hemline.forecasting.wrappers import ensemble

    watched = Settlings()
    for module in (door, analog, ensemble):
        monkeypatch.setattr(module, "settled", watched)
    return watched


@pytest.mark.parametrize("name", NAMES)
def test_counts_are_whole_and_have_the_means_of_the_paths(name, trained_shortly, settlings):
    needs_extra(name)
    data = table(slow_sales(np.random.default_rng(0)), "count")
    model = trained_shortly(name, data)
    settlings.pairs.clear()
    found = drawn(model, data.history(0))
    assert (found % 1 == 0).all()
    assert (found >= 0).all()
    for paths, whole in settlings.pairs:
        # What a model expects below 0 of becomes 0; the sum over the horizon is rounded by less than 1 on a path, and
        # as often up as down: four standard errors of rounding. A pool keeps the sum of the series instead.
        expected = np.maximum(paths.mean(0, dtype=float), 0).sum(0)
        steps = HORIZON if name == "pool" else 1
        np.testing.assert_allclose(whole.sum(1).mean(0), expected, atol=4 * 0.5 * np.sqrt(steps / len(paths)))


@pytest.mark.parametrize("name", NAMES)
def test_amounts_are_not_negative_and_have_the_means_of_the_paths(name, trained_shortly, settlings):
    needs_extra(name)
    rng = np.random.default_rng(0)
    data = table(rng.gamma(0.3, size=(STEPS, 3)) * np.array([1.0, 5.0, 50.0]), "positive")
    model = trained_shortly(name, data)
    settlings.pairs.clear()
    assert (drawn(model, data.history(0)) >= 0).all()
    for paths, raised in settlings.pairs:
        np.testing.assert_allclose(raised.mean(0), np.maximum(paths.mean(0, dtype=float), 0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_series_that_never_sold_sells_next_to_nothing(name, trained_shortly):
    needs_extra(name)
    values = slow_sales(np.random.default_rng(0))
    values[:, 0] = 0
    found = drawn(trained_shortly(name, data := table(values, "count")), data.history(0))
    assert (found % 1 == 0).all()
    assert found[..., 0].sum(1).mean() < 1


@pytest.mark.parametrize("name", ["analog", "auto-ets", "deepar", "random-walk", "var"])
@pytest.mark.parametrize("rows", ["none", "of 0"])
def test_nothing_is_sold_on_a_weekday_on_which_a_shop_is_closed(name, rows, trained_shortly):
    needs_extra(name)
    values = np.random.default_rng(0).poisson(8.0, size=(28 * 7 + 2, 2)).astype(float)
    sundays = pd.date_range("2024-01-01", periods=len(values) + HORIZON).dayofweek == 6
    values[sundays[: len(values)], 0] = np.nan if rows == "none" else 0
    data = table(values, "count")
    found = drawn(trained_shortly(name, data), data.history(0))
    there = sundays[data.train[0].length :][:HORIZON]
    assert there.sum() == 1
    assert (found[:, there, 0] == 0).all()
    assert found[:, ~there].mean() > 1
    assert found[:, there, 1].mean() > 1


def test_closed_are_only_places_of_the_week_at_which_nothing_ever_happened():
    days = np.random.default_rng(1).poisson(6.0, size=(5, 40 * 7 + 3)).astype(float) + 1
    weekday = np.arange(days.shape[1]) % 7
    days[0, weekday == 2] = np.nan  # closed
    days[1, weekday == 2] = np.nan
    days[1, 100] = 1  # once open on this weekday, the hundredth day
    days[2, weekday == 3] = 0  # closed, with rows of 0
    days[3, : 35 * 7] = np.nan
    days[3, weekday == 4] = np.nan  # too young to say
    days[4] = np.where(np.random.default_rng(2).random(days.shape[1]) < 0.1, 1, 0)  # rarely sold
    days[4, weekday == 5] = 0
    assert 100 % 7 == 2
    found = units.closed(days, "D", 14)
    assert {(int(step + days.shape[1]) % 7, int(series)) for step, series in np.argwhere(found)} == {(2, 0), (3, 2)}
    assert found.sum() == 4
    assert not units.closed(days[:, ::-1][:, :55], "D", 7).any()
    assert not units.closed(days, "W", 7).any()
    hours = np.tile(np.r_[np.full(9, np.nan), np.ones(15)], 7 * 9)[None]
    assert units.closed(hours, "h", 24)[:, 0].tolist() == [True] * 9 + [False] * 15
    assert units.closed(hours[:, ::2], "2h", 12)[:, 0].tolist() == np.isnan(hours[0, :24:2]).tolist()


@pytest.mark.parametrize("name", NAMES)
def test_numbers_at_the_end_of_single_precision_give_numbers_or_one_line(name, trained_shortly):
    needs_extra(name)
    data = table(1e37 * np.random.default_rng(0).uniform(0.5, 1.5, (STEPS, 3)), "positive")
    found, said = np.zeros(1), "expected"
    try:
        with np.errstate(all="ignore"):
            found = drawn(trained_shortly(name, data), data.history(0), paths=20)
    except NonFiniteLoss as error:
        said = f"expected: {error}"
    except ValueError as error:
        said = str(error)
    assert "expected" in said
    assert "\n" not in said
    assert np.isfinite(found).all()
    assert (found >= 0).all()


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float32, st.tuples(*[st.integers(1, 5)] * 3), elements=st.floats(0, 9, width=32)),
    st.sampled_from(["steps", "series"]),
    st.integers(0, 99),
)
def test_whole_numbers_keep_the_sums_of_each_path(paths, by, seed):
    phase = units.phases(len(paths), range(paths.shape[2]), [seed])
    whole = units.settled(paths, "count", phase, by=by)
    assert (abs(whole - paths) < 1).all()
    axis = 1 if by == "steps" else 2
    assert (abs(whole.sum(axis) - paths.sum(axis, dtype=float)) < 1 + 1e-4).all()
    np.testing.assert_array_equal(whole, units.settled(whole, "count", phase, by=by))


def test_rounding_leaves_no_bias_over_its_phases():
    paths = np.full((1, 3, 2), [0.1, 0.7], dtype=np.float32)
    found = np.mean([units.settled(paths, "count", units.phases(1, "ab", [seed])) for seed in range(4000)], axis=0)
    np.testing.assert_allclose(found, paths, atol=0.03)


def test_what_a_changed_future_leaves_alone_is_rounded_as_in_the_plan():
    rng = np.random.default_rng(0)
    plan = rng.gamma(0.5, size=(40, 5, 3)).astype(np.float32)
    changed = plan.copy()
    changed[:, 2, 1] *= 3.3
    phase = units.phases(40, "abc", [0])
    before, after = units.settled(plan, "count", phase), units.settled(changed, "count", phase, like=plan)
    same = np.ones((5, 3), dtype=bool)
    same[2, 1] = False
    np.testing.assert_array_equal(before[:, same], after[:, same])
    assert abs(after[:, 2, 1].mean() - changed[:, 2, 1].mean()) < 0.2


def test_imposed_values_are_not_rounded():
    paths, fixed = np.full((8, 2, 1), 2.5, dtype=np.float32), np.array([[True], [False]])
    found = units.settled(paths, "count", units.phases(8, "a", [0]), fixed=fixed)
    assert (found[:, 0] == 2.5).all()
    assert set(found[:, 1].ravel()) == {2.0, 3.0}
