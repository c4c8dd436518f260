"""Promotions on real tables: articles listed only while promoted, first promotions, trials, sales of hardly a unit."""

import re

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_frame, from_sales
from hemline.datasets.entries.domain import raised
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.forecasting import Scenario, build_model, forecast_frame, simulate
from hemline.forecasting.response.fit import fit_response
from hemline.forecasting.response.gates import Gates
from hemline.forecasting.response.inputs import bounded, spans
from hemline.forecasting.response.response import LogLinear, Response
from hemline.forecasting.windows.spec import infer_spec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

WEEKS = pd.date_range("2022-01-03", periods=112, freq="W-MON")
AHEAD = np.arange(len(WEEKS)) >= 104


def listed_only(rate=2.0, articles=6, days=300, seed=0, share=0.5, regular=0, unit=1.0):
    """Daily sales of articles that sell only while promoted, in blocks of five days, and of some that always do."""
    rng, rows = np.random.default_rng(seed), []
    for number in range(articles + regular):
        promo = (rng.random(days // 5) < share).repeat(5)
        shown = promo if number < articles else 1 + promo
        sold = unit * rng.poisson(rate * shown, days)
        day = pd.date_range("2023-01-01", periods=days, freq="D")
        rows.append(pd.DataFrame({"d": day, "sku": f"a{number}", "qty": sold, "promo": promo.astype(float)}))
    return pd.concat(rows)


def daily(table, **changes):
    names = {"item": "sku", "timestamp": "d", "target": "qty", "covariates": ["promo"], "domain": "count"}
    return from_frame(table, **{**names, "prediction_length": 14, "windows": 3, **changes})


def weekly(promo, *, rates=(60, 30, 8), prices=(1, 0.9, 0.8), ahead=1.0, seed=1):
    """A shop whose promotions are given by week, with prices that move; the last eight weeks are to come."""
    rng, rows = np.random.default_rng(seed), []
    for number, rate in enumerate(rates):
        eur = 20 * rng.choice(prices, len(WEEKS))
        eur[AHEAD] = 20 * ahead
        sold = rng.poisson(rate * (eur / 20) ** -2.5).astype(float)
        sold[AHEAD] = np.nan
        rows.append(pd.DataFrame({"week": WEEKS, "sku": f"s{number}", "eur": eur, "promo": promo, "sold": sold}))
    columns = {"article": "sku", "date": "week", "units": "sold", "price": "eur"}
    columns |= {} if promo is None else {"promotion": "promo"}
    table = pd.concat(rows).drop(columns=[] if promo is not None else "promo")
    return from_sales(table, **columns, prediction_length=8, windows=2)


def one_week(week, size=1.0, trial=None):
    """A promotion in one week alone, and a trial of another size in week 50."""
    promo = np.zeros(len(WEEKS))
    promo[week] = size
    if trial is not None:
        promo[50] = trial
    return promo


def fitted(data, **changes):
    entries = as_multivariate(data.train)
    spec = infer_spec(entries, freq=data.metadata.freq, prediction_length=data.metadata.prediction_length)
    return fit_response(entries, spec, LogLinear(**changes), data.metadata.domain)


class TestListedOnly:
    @pytest.mark.parametrize("name", ["analog", "var-responding"])
    def test_the_forecast_is_that_of_the_promoted_days_and_none_of_the_others(self, name):
        data = daily(listed_only())
        model = build_model(name, data.metadata).train(data.train)
        for window in range(3):
            past = data.history(window)
            mean = next(model.predict([past], num_samples=200)).samples.mean(0)
            promo = past.channels.values[:, -14:].T > 0
            assert mean[promo].mean() == pytest.approx(2.0, rel=0.3)
            assert mean[~promo].mean() < 0.05

    def test_amounts_are_no_different(self):
        data = daily(listed_only(unit=0.25), domain="positive")
        response = fitted(data)
        assert (response.shut[0].diagonal() < np.log(0.02)).all()

    def test_promotions_of_the_others_are_found_as_without_them(self):
        both, alone = (fitted(daily(listed_only(articles=number, regular=4))) for number in (4, 0))
        np.testing.assert_allclose(np.diag(both.mean)[-4:], np.diag(alone.mean)[-4:], atol=0.1)
        np.testing.assert_allclose(np.diag(both.mean)[-4:], np.log(2), atol=0.2)

    def test_what_sells_while_closed_is_a_share_of_its_own(self):
        """A channel that shuts at its highest value: a shop that is closed on some days."""
        closed = np.tile([0.0, 0, 0, 0, 0, 0, 1], 30)
        sales = np.where(closed, 0.0, 5.0)[None]
        gates = Gates(sales, closed[None], ["closed"], np.ones((1, 1), dtype=bool), True)
        assert gates.at[0, 0, 0] == 0
        assert gates.at[1, 0, 0] == pytest.approx(np.log(0.5 / (30 * 5)))
        np.testing.assert_array_equal(gates.shut(closed[None])[0], closed > 0)

    @pytest.mark.parametrize(
        "sales",
        [np.zeros(60), np.r_[np.zeros(40), np.ones(20)], np.tile([1.0, 0, 1], 20), np.full(60, np.nan)],
        ids=["never sold", "not launched before its promotions", "sells without", "not seen"],
    )
    def test_no_gate_where_the_data_do_not_say_so(self, sales):
        promo = np.r_[np.zeros(40), np.ones(20)]
        assert not Gates(sales[None], promo[None], ["promo"], np.ones((1, 1), dtype=bool), True).at.any()


class TestNeverBefore:
    @pytest.mark.parametrize("name", ["analog", "var-responding", "cross-fit"])
    @pytest.mark.parametrize("trial", [None, 0.01], ids=["never", "a trial in one store"])
    def test_the_first_promotion_is_near_the_other_weeks_and_said(self, name, trial):
        shop = weekly(one_week(107, trial=trial))
        model = build_model(name, shop.metadata)
        if name == "cross-fit":
            model = model.override({"train": {"max_epochs": 2, "batches_per_epoch": 10}})
        model = model.train([shop.latest])
        was = "was always 0" if trial is None else "was between 0 and 0.01"
        with pytest.warns(UserWarning, match=rf"promo\[s0\] {was} and would be 1; promo\[s1\] {was} .* never seen"):
            drawn = next(model.predict([shop.latest], num_samples=500))
        frame = forecast_frame(drawn, shop.metadata.item_ids).set_index("timestamp")
        promoted, others = frame.loc[WEEKS[107]], frame.drop(WEEKS[107]).groupby("item_id")["mean"].mean()
        ratio = promoted["mean"].to_numpy() / others.to_numpy()
        assert (ratio < 2).all()
        assert (ratio > 0.8).all()

    def test_a_scenario_is_told_as_the_plan_is(self):
        shop = weekly(one_week(107, size=0.0))
        model = build_model("analog", shop.metadata).train([shop.latest])
        with pytest.warns(UserWarning, match=r"promo\[s1\] was always 0 and would be 1: how sales answer"):
            outcome = simulate(model, shop.latest, Scenario("first", "promo[s1] = 1 @ 4"), paths=50)
        assert outcome.unseen["first"] == (
            "promo[s1] was always 0 and would be 1: how sales answer to that was never seen",
        )

    def test_an_article_takes_what_promotions_of_others_did_and_is_as_wide(self):
        rng = np.random.default_rng(0)
        table = listed_only(articles=0, regular=6, rate=20.0)
        table["promo"] = table["promo"].where(table["sku"] != "a0", 0.0)
        table["qty"] = rng.poisson(20.0 * (1 + table["promo"] * rng.uniform(0.5, 1.5)))
        response = fitted(daily(table))
        own, deviation = np.diag(response.mean), np.diag(response.deviation)
        assert own[0] == pytest.approx(own[1:].mean(), abs=0.1)
        assert deviation[0] > 3 * deviation[1:].max()

    def test_what_was_seen_is_not_said(self):
        promo = one_week(107) + one_week(30)
        shop = weekly(promo)
        model = build_model("analog", shop.metadata).train([shop.latest])
        next(model.predict([shop.latest], num_samples=5))  # a warning would be an error


class TestBounds:
    def test_a_typing_error_in_a_price_stays_within_ten_times_what_was_seen(self):
        shop = weekly(None)
        model = build_model("var-responding", shop.metadata).train([shop.latest])
        with pytest.warns(UserWarning, match=r"price\[s0\] was between 16 and 20 and would be 1e-37"):
            outcome = simulate(model, shop.latest, Scenario("typo", "price[s0] = 1e-37"), paths=100)
        seen = float(np.nanmax(shop.latest.target[0]))
        assert outcome["typo"].paths[:, :, 0].max() < 20 * seen

    def test_a_trial_is_no_promotion_in_small(self):
        values = np.array([[0.0, 0.0, 0.01], [0.0, 0.0, 0.0]])
        np.testing.assert_array_equal(spans(values, ["promo[a]", "promo[b]"]), 1.0)

    def test_others_go_a_span_beyond_what_was_seen_at_most(self):
        channels = np.array([[0.0, 0.01, 1.0], [1.0, 2.0, 900.0]])
        low, high, span = np.array([0.0, 1.0]), np.array([0.01, 2.0]), np.array([0.01, 1.0])
        within = bounded(channels, ["display[a]", "price[a]"], low, high, span)
        np.testing.assert_allclose(within, [[0.0, 0.01, 0.02], [1.0, 2.0, 900.0]])

    def test_a_fit_that_has_not_settled_says_so(self):
        with pytest.warns(UserWarning, match=r"response: the effects did not settle in 2 steps; that of promo\[a"):
            fitted(daily(listed_only(articles=0, regular=3)), iterations=2)


class TestHardlyAUnit:
    @pytest.mark.parametrize("ahead", [1.0, 0.7, 0.5])
    @pytest.mark.parametrize("name", ["analog", "var-responding"])
    def test_a_markdown_multiplies_what_sells_and_not_what_stands_for_none(self, name, ahead):
        totals, truth = [], 40 * 0.2 * ahead**-2.5
        for seed in range(4):
            rates = [0.2] * 5 + [20.0]
            shop = weekly(None, rates=rates, prices=(1, 1, 1, 0.9, 0.8, 0.7, 0.5), ahead=ahead, seed=seed)
            model = build_model(name, shop.metadata).train([shop.latest])
            drawn = next(model.predict([shop.latest], num_samples=500)).samples
            np.testing.assert_array_equal(drawn, np.floor(drawn))
            totals.append(drawn[:, :, :5].sum((1, 2)).mean())
        # 5 articles and 104 weeks tell a rate of 0.2 to a tenth.
        assert np.mean(totals) == pytest.approx(truth, rel=0.35)

    def test_whole_numbers_have_the_means_of_the_levels_times_the_factor(self):
        levels, rng = np.array([[0.02, 0.6], [3.3, 41.0]]), np.random.default_rng(0)
        drawn = np.floor(levels * 2.7 + rng.random((20000, 2, 2)))
        np.testing.assert_allclose(drawn.mean(0), levels * 2.7, atol=0.02)


@settings(max_examples=60, deadline=None)
@given(arrays(float, array_shapes(min_dims=2, max_dims=3, max_side=8), elements=st.floats(-50, 50)))
def test_paths_raised_to_0_keep_their_means(paths):
    found = raised(paths)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.mean(0), np.maximum(paths.mean(0), 0), atol=1e-9)
    # The order of the paths stays, and so does what is nowhere below 0.
    assert (np.diff(np.take_along_axis(found, paths.argsort(0), 0), axis=0) >= 0).all()
    if (paths >= 0).all():
        np.testing.assert_array_equal(found, paths)


@settings(max_examples=25, deadline=None)
@given(
    rate=st.floats(0.05, 30),
    share=st.floats(0.05, 0.9),
    only=st.integers(0, 2),
    regular=st.integers(1, 2),
    counts=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_what_is_left_of_sales_and_what_they_are_multiplied_by_are_bounded_by_what_was_seen(
    rate, share, only, regular, counts, seed
):
    table = listed_only(rate, only, 60, seed, share, regular, unit=1.0 if counts else 0.3)
    table = table[table.groupby("sku")["qty"].transform("sum") > 0]
    if not len(table):
        return
    data = daily(table, domain="count" if counts else "positive", prediction_length=5, windows=1)
    response = fitted(data, iterations=200)
    entry = as_multivariate(data.train)[0]
    left, sold = response.history(entry).target, np.nanmax(entry.target, axis=1, initial=0)
    factors = response.usual(entry.channels.values[:, : entry.length])
    assert np.isfinite(np.nanmax(left, initial=0))
    np.testing.assert_allclose(
        np.nanmax(left, axis=1, initial=0), np.minimum(np.nanmax(left, axis=1, initial=0), sold / response.least + 1e-6)
    )
    told = factors >= response.least[:, None]
    assert told.any(axis=1).all()
    # What is left has the mean that sales have, over the steps that say something of it.
    for series in np.flatnonzero(np.nan_to_num(entry.target).any(axis=1)):
        known = told[series] & ~np.isnan(entry.target[series])
        assert left[series, known].mean() == pytest.approx(entry.target[series, known].mean(), rel=1e-3)
    for size in (0.0, 1.0, 1e6):
        channels = entry.channels.values.copy()
        channels[:, -5:] = size
        past = entry.with_(channels=type(entry.channels)(channels, entry.channels.names)).until(entry.length - 5, 5)
        drawn = response.factors(past, 5, 10, 50, seed=1)
        assert np.isfinite(drawn).all()
        assert (drawn <= 10.001 * factors.max(axis=1)).all()


def test_what_an_earlier_version_wrote_is_read_without_bounds(tmp_path):
    response = fitted(daily(listed_only(articles=1, regular=2)))
    response.serialize(tmp_path)
    again = Response.deserialize(tmp_path)
    np.testing.assert_array_equal(again.shut, response.shut)
    assert not again.spread
    described = (tmp_path / "response.json").read_text()
    (tmp_path / "response.json").write_text(re.sub(r', "spread": false', "", described))
    assert Response.deserialize(tmp_path).spread
