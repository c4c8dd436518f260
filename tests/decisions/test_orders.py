"""Orders: closed forms, limits that bind, laws of shared stock, and bad input."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from gluonts.model.forecast import SampleForecast
from hemline.decisions import order_quantities, shared_stock
from hemline.decisions.orders.allocation import Limit, UnitCosts, least_cost
from hemline.decisions.orders.needs import needs_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

ITEMS = ("coat", "hat", "scarf")


def forecast(paths: np.ndarray) -> SampleForecast:
    return SampleForecast(paths, pd.Period("2024-01-01", "W"))


def correlated(seed: int, correlation: float, paths: int = 4000, articles: int = 8) -> np.ndarray:
    """Log-normal demand [S, 1, D] whose logarithms have one correlation."""
    rng = np.random.default_rng(seed)
    common, own = rng.normal(size=(paths, 1)), rng.normal(size=(paths, articles))
    mean = np.linspace(3, 5, articles)
    return np.exp(mean + 0.6 * (correlation**0.5 * common + (1 - correlation) ** 0.5 * own))[:, None]


def test_independent_normals_have_the_closed_form():
    mean, deviation = np.array([100.0, 50.0, 20.0]), np.array([20.0, 15.0, 5.0])
    paths = np.random.default_rng(0).normal(mean, deviation, size=(100_000, 3))[:, None]
    missing, left = {"coat": 3.0, "hat": 1.0, "scarf": 8.0}, {"coat": 1.0, "hat": 1.0, "scarf": 2.0}
    plan = order_quantities(forecast(paths), ITEMS, 0, missing=missing, left=left, pack=None)
    ratio = np.array([3 / 4, 1 / 2, 8 / 10])
    np.testing.assert_allclose(plan.order, mean + deviation * norm.ppf(ratio), rtol=0.01)
    # The expected cost at the optimum: (missing + left) times deviation times the density.
    optimum = (np.array([4.0, 2.0, 10.0]) * deviation * norm.pdf(norm.ppf(ratio))).sum()
    assert plan.expected_cost == pytest.approx(optimum, rel=0.01)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000))
def test_whole_packs_under_two_limits_are_the_best_there_are(seed):
    rng = np.random.default_rng(seed)
    needs = rng.poisson(5, size=(15, 3)).astype(float)
    costs = UnitCosts(rng.uniform(1, 5, 3), rng.uniform(0.5, 2, 3))
    limits = [Limit(name, rng.integers(1, 4, 3).astype(float), float(rng.integers(0, 30))) for name in "ab"]
    pack = rng.integers(1, 3, 3).astype(float)
    found = least_cost(needs, costs, limits, pack)
    choices = [np.array(each) * pack for each in product(range(14), repeat=3)]
    allowed = [each for each in choices if all(each @ limit.each <= limit.most for limit in limits)]
    assert any((found == each).all() for each in allowed)
    best = min(costs.of(needs, each).sum() for each in allowed)
    assert costs.of(needs, found).sum() == pytest.approx(best)


def test_many_articles_under_two_limits_cost_hardly_more_than_the_relaxed_optimum():
    from scipy.optimize import linprog

    rng = np.random.default_rng(3)
    needs = rng.poisson(20, size=(200, 120)).astype(float)
    costs = UnitCosts(rng.uniform(1, 5, 120), rng.uniform(0.5, 2, 120))
    limits = [Limit(name, each := rng.uniform(1, 20, 120), float(each.sum() * 16)) for name in "ab"]
    found = least_cost(needs, costs, limits, np.ones(120))
    assert all(0.99 * limit.most < found @ limit.each <= limit.most for limit in limits)
    # The same with fractions of a unit, by linear programming over what is missing and left over on each path.
    levels = np.arange(0, 45)
    cost = np.stack([costs.of(needs, np.full(120, float(level))) for level in levels])
    slopes = np.diff(cost, axis=0).T.ravel()
    takes = np.stack([np.repeat(limit.each, len(levels) - 1) for limit in limits])
    relaxed = linprog(slopes, A_ub=takes, b_ub=[limit.most for limit in limits], bounds=(0, 1)).fun + cost[0].sum()
    assert relaxed <= costs.of(needs, found).sum() <= 1.002 * relaxed


def test_a_budget_binds_where_it_must_and_only_there():
    paths = correlated(0, 0.5, articles=3)
    free = order_quantities(forecast(paths), ITEMS, 0, service_level=0.9)
    cost = {"coat": 4.0, "hat": 2.0, "scarf": 1.0}
    needed = float(free.order @ np.array([4.0, 2.0, 1.0]))
    same = order_quantities(forecast(paths), ITEMS, 0, service_level=0.9, budget=needed, unit_cost=cost)
    assert (same.order == free.order).all()
    bound = order_quantities(forecast(paths), ITEMS, 0, service_level=0.9, budget=0.5 * needed, unit_cost=cost)
    used, most = bound.used()["budget"]
    assert most - 1 <= used <= most
    assert (bound.order <= free.order).all()
    assert bound.expected_cost > free.expected_cost
    nothing = order_quantities(forecast(paths), ITEMS, 0, service_level=0.9, budget=0.0, unit_cost=cost)
    assert not nothing.order.any()


def rules(needs: np.ndarray, costs: UnitCosts, each: np.ndarray, most: float) -> dict[str, np.ndarray]:
    """What a planner does under a budget article by article."""
    ratio = costs.missing / (costs.missing + costs.left)
    wanted = np.array([np.quantile(column, level) for column, level in zip(needs.T, ratio, strict=True)])
    scaled = wanted * min(1.0, most / (wanted @ each))
    levels = np.linspace(0, 1, 2001)
    spent = np.quantile(needs, levels, axis=0) @ each
    same = np.quantile(needs, levels[np.searchsorted(spent, most, side="right") - 1], axis=0)
    order = np.argsort(-costs.missing / each)
    dearest = np.zeros(len(wanted))
    left = most
    for place in order:
        dearest[place] = min(wanted[place], left / each[place])
        left -= dearest[place] * each[place]
    mean = needs.mean(0) * min(1.0, most / (needs.mean(0) @ each))
    return {"scaled": scaled, "same level": same, "dearest first": dearest, "means": mean}


@pytest.mark.parametrize("seed", range(5))
def test_under_a_budget_it_costs_less_than_every_rule_on_fresh_paths(seed):
    rng = np.random.default_rng(seed)
    needs, fresh = correlated(seed, 0.5)[:, 0], correlated(1000 + seed, 0.5, 20_000)[:, 0]
    costs = UnitCosts(rng.uniform(1, 6, 8), rng.uniform(0.5, 3, 8))
    each = rng.uniform(1, 10, 8)
    most = 0.6 * float(needs.mean(0) @ each)
    ours = costs.of(fresh, least_cost(needs, costs, [Limit("budget", each, most)])).sum()
    for name, order in rules(needs, costs, each, most).items():
        assert order @ each <= most * 1.0001, name
        assert ours < costs.of(fresh, order).sum(), name


def test_more_correlation_asks_for_more_shared_stock():
    dear, cheap = np.full(8, 9.0), np.full(8, 0.2)
    stocks = [shared_stock(correlated(0, share)[:, 0], dear, 1.0) for share in (0.0, 0.3, 0.6, 0.9)]
    assert stocks == sorted(stocks)
    assert stocks[-1] > 1.1 * stocks[0]
    less = [shared_stock(correlated(0, share)[:, 0], cheap, 1.0) for share in (0.0, 0.9)]
    assert less[1] < less[0]


def test_shared_stock_of_articles_alike_is_the_quantile_of_their_sum():
    needs = correlated(2, 0.4)[:, 0]
    found = shared_stock(needs, np.full(8, 4.0), 1.0)
    assert found == pytest.approx(np.quantile(needs.sum(1), 0.8), rel=0.002)


def test_shared_stock_serves_the_dearest_first():
    needs = np.array([[10.0, 10.0]] * 4)
    # The second article is not worth a unit that is left over on no path; the first alone is.
    assert shared_stock(needs, np.array([5.0, 1.0]), 1.0) == 20.0
    half = np.array([[10.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]])
    best = min(range(31), key=lambda stock: _cost_of_shared(half, np.array([5.0, 1.0]), 2.0, stock))
    assert shared_stock(half, np.array([5.0, 1.0]), 2.0) == best


def _cost_of_shared(needs: np.ndarray, missing: np.ndarray, left: float, stock: float) -> float:
    total = 0.0
    for path in needs:
        rest = stock
        for place in np.argsort(-missing):
            served = min(rest, path[place])
            rest -= served
            total += missing[place] * (path[place] - served)
        total += left * rest
    return total


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_shared_stock_is_the_cheapest(seed):
    rng = np.random.default_rng(seed)
    needs = rng.poisson(3, size=(12, 3)).astype(float)
    missing, left = rng.uniform(0.5, 6, 3), float(rng.uniform(0.5, 3))
    costs = [_cost_of_shared(needs, missing, left, stock) for stock in range(40)]
    assert _cost_of_shared(needs, missing, left, shared_stock(needs, missing, left)) == pytest.approx(min(costs))


def test_demand_before_the_order_arrives_takes_the_stock():
    paths = np.array([[[6.0], [3.0], [4.0]]])
    lost = needs_of(paths, np.array([4.0]), 1)
    assert (lost.units.item(), lost.lost_before.item()) == (7.0, 2.0)
    waits = needs_of(paths, np.array([4.0]), 1, "waits")
    assert (waits.units.item(), waits.lost_before.item()) == (9.0, 0.0)
    assert needs_of(paths, np.array([20.0]), 1).units.item() == -7.0


def test_probabilities_are_those_of_joint_paths():
    paths = np.array([[[5.0, 5.0, 5.0]], [[5.0, 9.0, 5.0]], [[9.0, 5.0, 1.0]], [[5.0, 5.0, 5.0]]])
    plan = order_quantities(forecast(paths), ITEMS, {"coat": 5, "hat": 5, "scarf": 5}, service_level=0.6)
    assert not plan.order.any()
    assert plan.sufficient.tolist() == [1.0, 1.0, 1.0] or plan.sufficient.tolist() == [0.75, 0.75, 1.0]
    # With the stock alone: each article lasts on three paths, all on two, and one stock of 15 on three.
    assert plan.all_sufficient == 0.5
    assert plan.common_sufficient == 0.75
    assert plan.table()["demand"].tolist() == [6.0, 6.0, 4.0]


BAD = {
    "stock: expected at least 0, got -1 for 'hat'": {"stock": {"coat": 1, "hat": -1, "scarf": 0}},
    "stock: expected a number for every article, got none for 'scarf'": {"stock": {"coat": 1, "hat": 1}},
    "service_level: expected a share between 0 and 1, got 95": {"service_level": 95.0},
    "service_level: expected either it, or missing and left": {"missing": 1.0, "left": 1.0},
    "service_level: expected a share such as 0.95": {"service_level": None},
    "lead_time: expected 0 to 0 steps": {"lead_time": 1},
    "unit_cost: expected what a unit costs beside a budget": {"budget": 100.0},
    "budget: expected at least 0, got -5": {"budget": -5.0, "unit_cost": 1.0},
    "pack: expected more than 0, got 0 for 'coat'": {"pack": 0.0},
    "unmet: expected": {"unmet": "gone"},
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_one_line(message):
    arguments = {"stock": 0, "service_level": 0.9, **BAD[message]}
    stock = arguments.pop("stock")
    with pytest.raises(ValueError, match=message.replace("(", "\\(")) as error:
        order_quantities(forecast(np.ones((5, 1, 3))), ITEMS, stock, **arguments)
    assert "\n" not in str(error.value)


def test_an_article_without_a_forecast_is_refused():
    paths = np.ones((5, 2, 3))
    paths[:, :, 1] = np.nan
    with pytest.raises(ValueError, match="forecast: expected paths of every article, got none of 'hat'"):
        order_quantities(forecast(paths), ITEMS, 0, service_level=0.9)
