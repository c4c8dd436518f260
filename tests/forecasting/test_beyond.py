"""Changes beyond all that was seen: what is refused as a slip of the pen, and what is told."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hemline.datasets import simulated_sales
from hemline.forecasting import Change, ForecastEstimator, Scenario, TrainConfig, parse_change, simulate
from hemline.forecasting.scenarios.beyond import require_sensible
from hemline.forecasting.scenarios.future import Future

DATA = simulated_sales(articles=3, weeks=100, seed=1, windows=1)
HISTORY = DATA.history(0)


@pytest.fixture(scope="module")
def predictor():
    training = TrainConfig(max_epochs=1, batches_per_epoch=2, batch_size=4)
    return ForecastEstimator("W-SUN", 8, lags=(1,), train=training).train(DATA.train)


def beyond(changes, target, covariates=None, names=(), horizon=2):
    """What the bound on changes says of them; ``None`` where it lets them pass."""
    planned = Future(covariates, np.full((len(target), horizon), np.nan))
    items, told = tuple("ab"[: len(target)]), [parse_change(change) for change in changes]
    future = planned
    for change in told:
        future = future.changed(change, items, names)
    try:
        require_sensible(planned, future, told, items, names, target)
    except ValueError as error:
        return str(error)
    return None


def test_a_slip_of_the_pen_is_measured_by_what_a_row_was():
    sales = np.array([[3.0, np.nan, 5.0], [0.0, 0.0, 0.0]])
    assert beyond(["sales[a] = 5000"], sales) is None
    said = "sales[a]: expected a value within 1,000 times of those so far, 3 to 5, got 5001 by 'sales[a] = 5001'"
    assert beyond(["sales[a] = 5001"], sales) == said
    # What never sold is measured by the others.
    assert beyond(["sales[b] = 5000"], sales) is None
    assert "got 5001 by 'sales[b] = 5001'" in beyond(["sales[b] = 5001"], sales)
    # Shares: nothing here is near 1.
    shares = np.array([[0.003, 0.001, 0.005]])
    assert beyond(["sales[a] = 4.9"], shares) is None
    assert "got 6 by" in beyond(["sales[a] = 6"], shares)
    price = np.array([[0.004, 0.005, 0.004, 0.004, 0.005]])
    told = {"covariates": price, "names": ("price[a]",)}
    assert beyond(["price[a] = 4"], shares, **told) is None
    assert "got 6 by" in beyond(["price[a] = 6"], shares, **told)
    assert "got 1e-06 by" in beyond(["price[a] = 0.000001"], shares, **told)


def test_changes_that_are_sensible_alone_are_not_together():
    price = np.full((1, 5), 10.0)
    told = {"target": np.ones((1, 3)), "covariates": price, "names": ("price[a]",)}
    assert beyond(["price[a] = +1100%"] * 2, **told) is None
    said = beyond(["price[a] = +1100%"] * 3, **told)
    assert said.count("'price[a] = +1100%'") == 3
    # What was meant in the end counts.
    assert beyond([*["price[a] = +1100%"] * 3, "price[a] = 12"], **told) is None


def test_a_promotion_that_never_was_is_measured_by_the_others():
    promo = np.array([[0, 0, 0, 0, 0], [0, 1.0, 0, 0, 0]])
    told = {"target": np.ones((2, 3)), "covariates": promo, "names": ("promo[a]", "promo[b]")}
    assert beyond(["promo[a] = 1"], **told) is None
    assert beyond(["weather = 0.5"], np.ones((1, 3)), np.zeros((1, 5)), ("weather",)) is None


@pytest.mark.parametrize("change", ["price[dress_1] = 1e39", "sales[dress_1] = 1e300", "price[dress_1] = +1e200%"])
def test_what_no_network_can_hold_is_refused_by_its_change(predictor, change):
    changes = [change, change]
    with pytest.raises(ValueError, match=r"dress_1\]: expected values up to 3.4e\+38, got '(price|sales)\[dress_1"):
        simulate(predictor, HISTORY, Scenario("s", changes), paths=2)


def test_sales_that_were_never_seen_are_told_and_warned_of(predictor):
    with pytest.warns(
        UserWarning, match=r"sales: sales\[dress_1\] was between .* and would be 1e\+30: how the sales of"
    ):
        outcomes = simulate(predictor, HISTORY, Scenario("s", "sales[dress_1] = 1e30 @ 3"), paths=2)
    assert [each.partition(" was")[0] for each in outcomes.unseen["s"]] == ["sales[dress_1]"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sold_out = simulate(predictor, HISTORY, Scenario("s", "sales[dress_1] = 0 @ 3"), paths=2)
    assert sold_out.unseen["s"] == ()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change("price", "a", 19.123456789012), "price[a] = 19.123456789012"),
        (Change("price", "a", 1e30), "price[a] = 1e+30"),
        (Change("price", "a", 12345678901.0), "price[a] = 12345678901"),
        (Change("price", "a", 5.0), "price[a] = 5"),
        (Change("price", "a", -0.2, relative=True), "price[a] = -20%"),
        (Change("price", "a", 0.07, relative=True), "price[a] = +7%"),
        (Change("price", "a", -0.999999999999, relative=True), "price[a] = -99.9999999999%"),
    ],
)
def test_a_change_is_written_exactly_and_no_longer_than_it_takes(change, text):
    assert str(change) == text
    assert parse_change(text) == change


@pytest.mark.parametrize("relative", [False, True])
def test_every_change_is_read_back_as_it_was(relative):
    generator = np.random.default_rng(0)
    for value in (10 ** generator.uniform(-12, 12, 500)) * generator.uniform(0.1, 1, 500):
        change = Change("price", "a", float(value), relative)
        assert parse_change(str(change)) == change


def test_words_of_a_change_hide_no_digit_that_matters():
    told = ["price[a] = -99.996%", "price[a] = +0.001%", "price[a] = -5.5%", "price[a] = 1234567.5"]
    words = [parse_change(text).words().removesuffix(" in all steps").removeprefix("price of a is ") for text in told]
    assert words == ["99.996 % lower", "0.001 % higher", "5.5 % lower", "1234567.5"]
