"""Markdown plans: the stock that lasts, the best plan there is, limits that bind, and bad input."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pytest
from hemline.datasets import simulated_sales
from hemline.decisions import plan_markdowns
from hemline.decisions.markdowns.baselines import baselines
from hemline.decisions.markdowns.demand import DemandPaths
from hemline.decisions.markdowns.futures import Futures
from hemline.decisions.markdowns.ladder import Schedules, shares_of_price
from hemline.decisions.markdowns.planning import searched_plan
from hemline.decisions.markdowns.search import Search
from hemline.decisions.markdowns.selling import slopes, sold
from hemline.decisions.markdowns.terms import Terms, at_steps, regular
from hemline.forecasting import RespondingEstimator, VARPredictor
from hemline.forecasting.wrappers.ensemble import EnsemblePredictor
from hypothesis import given, settings
from hypothesis import strategies as st

LADDER = (1, 0.85, 0.7, 0.55)
ARTICLES = ("coat", "hat", "scarf")


def terms_of(seed: int, horizon: int = 4, **changed: object) -> Terms:
    rng = np.random.default_rng(seed)
    regular_prices = rng.uniform(20, 80, 3)
    given: dict[str, object] = {
        "item_ids": ARTICLES,
        "stock": rng.uniform(100, 500, 3).round(),
        "prices": regular_prices[:, None] * np.array(LADDER),
        "cost": np.zeros(3),
        "left": rng.uniform(0, 5, 3),
        "kept": rng.uniform(0.8, 1, 3),
        "schedules": (Schedules(range(4), horizon),) * 3,
    }
    return Terms(**{**given, **changed})


def demand_of(seed: int, horizon: int = 4, paths: int = 40) -> DemandPaths:
    """Three articles that are substitutes, with elasticities of each path."""
    rng = np.random.default_rng([seed, 1])
    base = rng.gamma(20, rng.uniform(2, 4, (3, 1, 1)), size=(3, horizon, paths)).astype(np.float32)
    elasticity = rng.uniform(0.2, 0.9, (3, 3, 1)) + 0.1 * rng.normal(size=(3, 3, paths))
    for article in range(3):
        elasticity[article, article] = -rng.uniform(1.8, 3.5) + 0.2 * rng.normal(size=paths)
    return DemandPaths(base, elasticity.astype(np.float32))


@cache
def every_plan(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All 42,875 plans of three articles, four steps and four prices: worth, given away and missing, one by one."""
    terms, demand = terms_of(seed), demand_of(seed)
    schedules = np.array([each for each in product(range(4), repeat=4) if list(each) == sorted(each)])
    cuts = np.log(terms.prices / terms.prices[:, :1])
    units = np.empty((3, 35, 35, 35, 4))
    of_price = [cuts[j][schedules] for j in range(3)]
    for article in range(3):
        left = np.full((35, 35, 35, 40), terms.stock[article])
        for step in range(4):
            effect = [of_price[j][:, step, None] * demand.elasticity[article, j].astype(float) for j in range(3)]
            logs = effect[0][:, None, None] + effect[1][:, None] + effect[2]
            got = np.minimum(demand.base[article, step] * np.exp(logs), left)
            left -= terms.kept[article] * got
            units[article, ..., step] = got.mean(-1)
    worth, spent = -float((terms.left * terms.stock).sum()), 0.0
    axes = [(slice(None), None, None), (None, slice(None), None), (None, None, slice(None))]
    for article, axis in enumerate(axes):
        prices = terms.prices[article][schedules][axis]
        kept = terms.kept[article]
        worth = worth + kept * ((prices + terms.left[article]) * units[article]).sum(-1)
        spent = spent + kept * ((terms.prices[article, 0] - prices) * units[article]).sum(-1)
    gone = terms.kept[:, None, None, None] * units[..., :3].sum(-1)
    return schedules, np.asarray(worth), np.asarray(spent), gone


def test_of_a_stock_no_more_is_sold_than_there_is_and_returns_are_sold_again():
    demand = np.random.default_rng(0).gamma(2, 5, size=(3, 6, 50))
    stock, kept = np.array([10.0, 30.0, 1000.0]), np.array([1.0, 0.7, 0.9])
    units = sold(demand, stock, kept)
    for article, path in product(range(3), range(50)):
        left = stock[article]
        for step in range(6):
            got = min(demand[article, step, path], left)
            assert units[article, step, path] == pytest.approx(got)
            left += -got + (1 - kept[article]) * got
        assert left >= -1e-9


def test_slopes_are_those_of_small_changes():
    rng = np.random.default_rng(1)
    demand, worth = rng.gamma(3, 5, size=(3, 5, 20)), rng.uniform(1, 9, (3, 5))
    stock, kept = np.array([30.0, 60.0, 90.0]), np.array([1.0, 0.8, 0.9])
    found = slopes(worth, demand, sold(demand, stock, kept), kept)

    def total(logs: np.ndarray) -> np.ndarray:
        return (worth[..., None] * sold(demand * np.exp(logs), stock, kept)).sum(1)

    for step in range(5):
        moved = np.zeros_like(demand)
        moved[:, step] = 1e-6
        np.testing.assert_allclose((total(moved) - total(-moved)) / 2e-6, found[:, step], atol=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_three_articles_four_weeks_and_four_steps_have_the_best_plan_of_all(seed):
    _, worth, _, _ = every_plan(seed)
    found = searched_plan(demand_of(seed), terms_of(seed)).best
    assert found.worth == pytest.approx(worth.max(), rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_best_plan_within_a_budget_and_with_a_clearance_is_found(seed):
    schedules, worth, spent, gone = every_plan(seed)
    best = np.unravel_index(worth.argmax(), worth.shape)
    budget = 0.5 * float(spent[best])
    allowed = np.where(spent <= budget, worth, -np.inf)
    found = searched_plan(demand_of(seed), terms_of(seed, budget=budget)).best
    assert found.spent <= budget * (1 + 1e-6)
    assert found.worth >= allowed.max() - 0.002 * abs(allowed.max())
    # What each article sells in three steps without a markdown, and half of the way to what it can sell.
    stock = terms_of(seed).stock
    share = float(((gone[:, 0, 0, 0] + gone.max((1, 2, 3))) / 2 / stock).min())
    allowed = np.where((gone >= share * stock[:, None, None, None]).all(0), worth, -np.inf)
    found = searched_plan(demand_of(seed), terms_of(seed, clear=share, clear_steps=3)).best
    assert not found.missing.any()
    assert found.worth == pytest.approx(allowed.max(), rel=2e-3)
    assert len(schedules) == 35


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 3))
def test_prices_never_rise_nor_change_more_often_than_allowed(seed, changes):
    terms = terms_of(seed, schedules=(Schedules((0, 1, 3), 4, changes),) * 3)
    plan = searched_plan(demand_of(seed, paths=10), terms).best.plan
    assert (np.diff(plan, axis=1) >= 0).all()
    assert ((np.diff(plan, axis=1, prepend=0) > 0).sum(1) <= changes).all()
    assert np.isin(plan, (0, 1, 3)).all()


def test_long_horizons_have_schedules_near_the_present_one():
    schedules = Schedules(range(8), 26)
    assert schedules.all is None
    now = np.repeat([0, 2, 5], [10, 10, 6])
    near = schedules.near(now)
    assert all(schedules.allows(each) for each in near)
    assert (near == now).all(1).any()
    assert 100 < len(near) < 1000


def test_the_plan_is_better_than_every_rule_on_the_paths_of_the_search():
    demand, terms = demand_of(7, horizon=6, paths=60), terms_of(7, 6, stock=np.array([900.0, 700.0, 500.0]))
    found = searched_plan(demand, terms)
    assert all(found.best.worth >= rule.worth for rule in found.rules.values())
    # The greedy rule takes each article's best schedule as if prices did nothing to the others.
    alone = DemandPaths(demand.base, demand.elasticity * np.eye(3, dtype=np.float32)[..., None])
    same = searched_plan(alone, terms).best
    np.testing.assert_array_equal(baselines(Search(demand, terms))["greedy per article"].plan, same.plan)


@pytest.fixture(scope="module")
def shop():
    data = simulated_sales(articles=3, weeks=130, prediction_length=6, windows=1, seed=2)
    model = RespondingEstimator(VARPredictor(6), domain="nonnegative").train(data.train)
    mean = data.truth.expected_units(np.tile(data.truth.list_price, (6, 1)), np.zeros((6, 3)), np.arange(124, 130)).sum(
        0
    )
    stock = dict(zip(data.metadata.item_ids, np.round(1.7 * mean).tolist(), strict=True))
    regular_price = dict(zip(data.metadata.item_ids, data.truth.list_price.tolist(), strict=True))
    return data, model, stock, regular_price


def test_what_the_search_reads_is_what_the_model_draws(shop):
    """Every price moves, so that the model draws the same effects: paths agree one by one."""
    data, model, _, price = shop
    entry = data.history(0).of_domain("real")
    items = data.metadata.item_ids
    terms = terms_of(0, 6, item_ids=items, prices=np.array(list(price.values()))[:, None] * np.array(LADDER))
    futures = Futures(model, entry, terms)
    demand, by_path = futures.demand(30, seed=3)
    plan = np.array([[1] * 6, [0, 0, 2, 2, 3, 3], [2] * 6])
    cuts = np.log(terms.prices / terms.prices[:, :1])
    drawn = futures.drawn({"plan": plan}, 30, seed=3)[0]["plan"]
    assert by_path
    np.testing.assert_allclose(demand.at(at_steps(cuts, plan)), drawn, rtol=2e-4)
    # A mixture has the effects of its members, path by path.
    mixed = EnsemblePredictor([model, model], [0.5, 0.5])
    futures = Futures(mixed, entry, terms)
    demand, by_path = futures.demand(30, seed=3)
    assert by_path
    drawn = futures.drawn({"plan": plan}, 30, seed=3)[0]["plan"]
    np.testing.assert_allclose(demand.at(at_steps(cuts, plan)), drawn, rtol=2e-4)


def test_a_model_of_which_no_response_is_known_is_asked_by_simulation(shop, monkeypatch):
    data, model, stock, price = shop
    told = plan_markdowns(model, data.history(0), stock, LADDER, price=price, paths=200)
    monkeypatch.setattr(type(model), "price_effects", lambda *_: None)
    asked = plan_markdowns(model, data.history(0), stock, LADDER, price=price, paths=200)
    assert told.gain("no markdown").mean() > 0
    assert asked.gain("no markdown").mean() >= 0.9 * told.gain("no markdown").mean()


def test_a_plan_is_judged_on_paths_on_which_nothing_was_chosen(shop):
    data, model, stock, price = shop
    plan = plan_markdowns(model, data.history(0), stock, LADDER, price=price, paths=150, seed=5)
    futures = Futures(model, data.history(0), plan.terms)
    again = futures.drawn({"plan": plan.steps}, 150, seed=6)[0]["plan"]
    np.testing.assert_allclose(plan.judged["plan"].sold, plan.terms.sold(again.astype(float)), rtol=1e-6)
    rows = plan.comparison().set_index("rule")
    prices = plan.prices[..., None]
    assert rows.loc["plan", "worth"] == pytest.approx((prices * plan.judged["plan"].sold).sum((0, 1)).mean())
    low, high = plan.interval("no markdown")
    inside = (plan.gain("no markdown") >= low) & (plan.gain("no markdown") <= high)
    assert inside.mean() == pytest.approx(0.8, abs=0.02)
    assert list(plan.table().columns) == ["article", "date", "price", "cut", "sold", "q10", "q90", "left"]
    assert len(plan.table()) == 18


def test_margin_returns_and_leftovers_count(shop):
    data, model, stock, price = shop
    cost = {item: 0.5 * value for item, value in price.items()}
    ask = {"price": price, "unit_cost": cost, "paths": 150}
    plan = plan_markdowns(model, data.history(0), stock, LADDER, objective="margin", margin=0.3, returns=0.2, **ask)
    assert (plan.prices * 0.7 >= np.array(list(cost.values()))[:, None] * (1 - 1e-9)).all()
    judged = plan.judged["plan"]
    money = ((plan.prices - np.array(list(cost.values()))[:, None])[..., None] * judged.sold * 0.8).sum((0, 1))
    np.testing.assert_allclose(judged.worth, money)
    np.testing.assert_allclose(judged.left, plan.terms.stock[:, None] - 0.8 * judged.sold.sum(1))
    dear = plan_markdowns(model, data.history(0), stock, LADDER, left=60.0, **ask)
    cheap = plan_markdowns(model, data.history(0), stock, LADDER, left=-10.0, **ask)
    assert dear.judged["plan"].left.sum(0).mean() < cheap.judged["plan"].left.sum(0).mean()


def test_fewer_articles_than_the_budget_would_need_are_marked_down(shop):
    data, model, stock, price = shop
    free = plan_markdowns(model, data.history(0), stock, LADDER, price=price, paths=150)
    spent = free.judged["plan"].given_away.mean()
    tight = plan_markdowns(model, data.history(0), stock, LADDER, price=price, paths=150, budget=0.4 * spent)
    assert tight.judged["plan"].given_away.mean() <= 0.45 * spent
    assert 0 < tight.gain("no markdown").mean() < free.gain("no markdown").mean()
    nothing = plan_markdowns(model, data.history(0), stock, LADDER, price=price, paths=50, budget=0.0)
    assert not nothing.steps.any()


WRONG = {
    "negative stock": ({"stock": -3.0}, "stock: expected at least 0, got -3 for 'dress_1'"),
    "stock of some": (
        {"stock": {"dress_1": 3.0}},
        "stock: expected a number for every article, got none for 'dress_2'",
    ),
    "a ladder that rises": ({"ladder": (1, 0.8, 0.9)}, "ladder: expected steps that fall.*got 0.9 after 0.8"),
    "a ladder above 1": ({"ladder": (1.2, 0.8)}, "ladder: expected shares of the price above 0 and at most 1, got 1.2"),
    "no ladder": ({"ladder": ()}, "ladder: expected shares.*got no step"),
    "a ladder of some": ({"ladder": {"dress_1": (1, 0.8)}}, "ladder: expected steps for every article.*'dress_2'"),
    "an unknown aim": ({"objective": "fame"}, "objective: expected 'revenue' or 'margin', got"),
    "a margin without costs": ({"margin": 0.3}, "unit_cost: expected what a unit has cost beside a margin"),
    "a margin of all": ({"margin": 1.0, "unit_cost": 1.0}, "margin: expected a share from 0 and below 1, got 1"),
    "a margin that no price has": (
        {"margin": 0.5, "unit_cost": 90.0},
        "margin: expected a regular price of at least 180",
    ),
    "an objective without costs": ({"objective": "margin"}, "unit_cost: expected what a unit has cost for a margin"),
    "no price": ({"price": 0.0}, "price: expected more than 0, got 0 for 'dress_1'"),
    "all come back": ({"returns": 1.0}, "returns: expected at least 0 and at most 0.99, got 1 for 'dress_1'"),
    "a negative budget": ({"budget": -1.0}, "budget: expected at least 0, got -1"),
    "a clearance of more than all": ({"clear": 1.5}, "clear: expected a share of the stock"),
    "a date without a clearance": ({"clear_by": 3}, "clear: expected the share of the stock"),
    "a date of another year": ({"clear": 0.5, "clear_by": "2019-01-01"}, "clear_by: expected a date from"),
    "a word for a date": ({"clear": 0.5, "clear_by": "soon"}, "clear_by: expected a date from"),
    "steps beyond the horizon": ({"clear": 0.5, "clear_by": 7}, "clear_by: expected.*1 to 6 steps; got 7"),
    "a stock that never clears": (
        {"clear": 0.9, "stock": 1e6},
        r"clear: expected prices at which 90.0 % of the stock",
    ),
    "changes below 0": ({"changes": -1}, "changes: expected"),
}


@pytest.mark.parametrize("title", WRONG)
def test_bad_input_is_one_line(shop, title):
    data, model, stock, price = shop
    changed, message = WRONG[title]
    asked = {"stock": stock, "ladder": LADDER, "price": price, "paths": 20, **changed}
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        plan_markdowns(model, data.history(0), **asked)
    assert "\n" not in str(caught.value)


def test_a_budget_that_cannot_clear_says_so(shop):
    data, model, stock, price = shop
    with pytest.raises(ValueError, match=r"^budget: expected about [\d,]+ to clear 'dress_\d'.*got 10;"):
        plan_markdowns(
            model,
            data.history(0),
            stock,
            LADDER,
            price=price,
            paths=50,
            clear=0.8,
            clear_by=6,
            budget=10.0,
            changes=None,
        )


def test_a_model_of_other_articles_is_refused(shop):
    data, _, stock, price = shop
    other = simulated_sales(articles=2, weeks=110, prediction_length=6, windows=1)
    model = RespondingEstimator(VARPredictor(6)).train(other.train)
    with pytest.raises(ValueError, match=r"predictor: expected a model of every article.*'dress_3'"):
        plan_markdowns(model, data.history(0), stock, LADDER, price=price)


def test_ladders_of_articles_may_differ():
    told = shares_of_price({"coat": (1, 0.9), "hat": (0.8, 0.6)}, ["coat", "hat"])
    np.testing.assert_array_equal(told, [[1, 0.9, np.nan], [1, 0.8, 0.6]])
    assert not regular(terms_of(0), 4).any()
