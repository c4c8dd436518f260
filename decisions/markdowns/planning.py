"""Markdown planning: the prices of all articles and steps that are worth the most together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from gluonts.model.predictor import Predictor

from ...datasets.entries.channels import PRICE, rows_of
from ...datasets.entries.entry import Entry
from ...datasets.entries.frequency import dates_of, steps_until, written_date
from ...datasets.entries.gluonts_keys import GluontsEntry
from ...datasets.entries.multivariate import as_multivariate
from ...evaluation.adapters.foreign import item_ids_of
from ...runtime.arguments.kinds import Count, Number, Seed, checked
from ...runtime.display.numbers import percent
from ..orders.per_article import PerArticle, each_of, limit_of
from .baselines import GREEDY, NONE, SAME, baselines
from .budget import within_budget
from .demand import DemandPaths
from .futures import Futures
from .ladder import Ladder, Schedules, shares_of_price
from .plan import PLAN, Judged, MarkdownPlan
from .search import Found, Search
from .terms import Objective, Terms, at_steps, names_of

_SEARCHED = 400
"""Paths on which a plan is searched, at most."""

_ROOM = 2**26
"""Elasticities of all paths in memory: a quarter of a GiB; of more articles fewer paths are searched on."""

_FEWEST = 50
"""Paths on which a plan is searched, at least, if there are so many."""

_FEW = 12
"""Articles up to which the search begins at each of the rules' plans; of more, at the best of these."""


@checked
def plan_markdowns(
    predictor: Predictor,
    history: GluontsEntry | Iterable[GluontsEntry],
    stock: PerArticle,
    ladder: Ladder,
    *,
    objective: Objective = "revenue",
    price: PerArticle | None = None,
    unit_cost: PerArticle | None = None,
    left: PerArticle = 0.0,
    returns: PerArticle = 0.0,
    changes: Number | None = 2,
    margin: float | None = None,
    budget: float | None = None,
    clear: float | None = None,
    clear_by: str | int | None = None,
    paths: Count = 1000,
    seed: Seed = 0,
) -> MarkdownPlan:
    """Markdown plan: a price of the ladder for each article and step, so that the stock is worth the most.

    Worth is what is expected of joint paths under common random numbers: sales are the demand of a path as far as the
    stock lasts, and a price changes the demand of the other articles too, as the model says it. The plan is searched on
    some paths and judged on others, beside "no markdown", "same cut for all" and "greedy per article", which sets each
    article's prices as if they did nothing to the others.

    A model with a log-linear response tells what prices do path by path. Of any other the price of one article after
    the other is changed in a simulation, and the best of what a search on these effects finds is chosen by simulation.

    Arguments:
        predictor: a trained model with a channel ``price[article]`` of every article.
        history: one entry of all series; its channels reach over the horizon. What is planned there stays, but for
            prices.
        stock: units of each article before the first step.
        ladder: shares of the regular price that fall from step to step, such as ``(1, 0.9, 0.8, 0.7)``, for all
            articles or for each by its name. A price never goes up again.
        objective: ``"revenue"``, or ``"margin"``: revenue less what the units sold have cost.
        price: the regular price, money; the planned one of the first step if ``None``.
        unit_cost: what a unit has cost, money; needed for a margin.
        left: what a unit costs that is left over at the end, money; below 0 what it still brings.
        returns: share of the units sold that come back, below 1: their price is paid back, and they are on the shelf
            in the next step.
        changes: how often the price of an article may change; ``None`` for any number.
        margin: the least share of each price that is left above the unit cost.
        budget: what may be given away in all, expected: regular prices less those asked for, of the units sold.
        clear: share of its stock that each article is expected to have sold by `clear_by`.
        clear_by: a date within the horizon, or a number of steps; its end if ``None``.
        paths: joint paths on which the plan is judged.
        seed: of the paths.

    Returns:
        The plan; ``table()`` has a row an article and step, ``comparison()`` one a rule.

    Raises:
        ValueError: an argument is out of its range, the model does not know an article or its price, or no plan keeps
            the limits; the message names the one.

    Example:
        >>> from hemline.datasets import simulated_sales
        >>> from hemline.forecasting import RespondingEstimator, VARPredictor
        >>> data = simulated_sales(articles=2, weeks=110, prediction_length=4, windows=1)
        >>> model = RespondingEstimator(VARPredictor(4), domain="count").train(data.train)
        >>> plan = plan_markdowns(model, data.history(0), 400, (1, 0.8, 0.6), paths=50)
        >>> plan.prices.shape, list(plan.judged)
        ((2, 4), ['plan', 'no markdown', 'same cut for all', 'greedy per article'])
    """
    given = [history] if isinstance(history, Mapping) else list(history)
    entries = as_multivariate(given, "history", unseen=True)
    if len(entries) != 1:
        raise ValueError(f"history: expected one entry of all series, got {len(entries)}")
    entry = entries[0]
    prices = _regular_prices(predictor, entry, price)
    items, horizon = entry.item_ids, int(predictor.prediction_length)
    if objective == "margin" and unit_cost is None:
        raise ValueError("unit_cost: expected what a unit has cost for a margin, got None")
    cost = np.zeros(len(items)) if unit_cost is None else each_of("unit_cost", unit_cost, items)
    on_ladder = _rounded(prices[:, None] * shares_of_price(ladder, items))
    steps = _allowed(on_ladder, cost, margin, unit_cost is not None, items)
    share, last = _clearance(entry, horizon, clear, clear_by)
    terms = Terms(
        item_ids=items,
        stock=each_of("stock", stock, items),
        prices=on_ladder,
        cost=cost if objective == "margin" else np.zeros(len(items)),
        left=each_of("left", left, items, least=-np.inf),
        kept=1 - each_of("returns", returns, items, most=0.99),
        schedules=tuple(Schedules(each, horizon, changes) for each in steps),
        budget=None if budget is None else limit_of("budget", budget),
        clear=share,
        clear_steps=last,
    )
    futures = Futures(predictor, entry, terms)
    searched = min(paths, _SEARCHED, max(_FEWEST, _ROOM // len(items) ** 2))
    demand, by_path = futures.demand(searched, seed)
    found = searched_plan(demand, terms)
    _require_kept(terms, found.free, found.best, written_date(entry.forecast_start, max(last - 1, 0)))
    plans = {PLAN: found.best.plan, **{name: each.plan for name, each in found.rules.items()}}
    if not by_path:
        plans[PLAN] = _simulated_best(futures, demand, plans, searched, seed)
    # Paths on which nothing was chosen: otherwise the plan would be credited with their luck.
    order = [NONE, SAME, GREEDY, PLAN]
    drawn, unseen = futures.drawn({name: plans[name] for name in order}, paths, (seed + 1) % 2**63)
    judged = {name: Judged(plans[name], terms.sold(drawn[name].astype(np.float64)), terms) for name in plans}
    return MarkdownPlan(items, dates_of(entry.forecast_start, horizon), terms, judged, unseen)


@dataclass(frozen=True, eq=False)
class Searched:
    """What a search has found, on its own paths.

    Arguments:
        rules: the plan of each rule, by name.
        free: the best plan without a budget.
        best: the best plan.
    """

    rules: Mapping[str, Found]
    free: Found
    best: Found


def searched_plan(demand: DemandPaths, terms: Terms) -> Searched:
    """The rules' plans and the best one, on the paths of a search."""
    search = Search(demand, terms)
    rules = baselines(search)
    starts = sorted(rules.values(), key=lambda found: -found.score(terms))
    few = len(terms.stock) <= _FEW
    free = max(
        (search.best_from(start.plan) for start in (starts if few else starts[:1])),
        key=lambda each: each.score(terms),
    )
    best = free if terms.budget is None else within_budget(search, free, terms.budget)
    return Searched(rules, free, best)


def _simulated_best(
    futures: Futures, demand: DemandPaths, plans: Mapping[str, np.ndarray], paths: int, seed: int
) -> np.ndarray:
    """The best plan by simulation: of the rules, the one found, and one that a search around that one finds."""
    terms = futures.terms
    drawn = futures.drawn(plans, paths, seed)[0]
    cuts = np.nan_to_num(np.log(terms.prices / terms.prices[:, :1]))
    around = demand.like(at_steps(cuts, plans[PLAN]), drawn[PLAN])
    again = searched_plan(around, terms).best.plan
    drawn["again"] = futures.drawn({"again": again}, paths, seed)[0]["again"]
    told = {**plans, "again": again}

    def score(name: str) -> tuple[bool, float, float]:
        judged = Judged(told[name], terms.sold(drawn[name]), terms)
        missing = float(terms.missing(judged.sold.mean(-1)).sum())
        return not terms.over_budget(float(judged.given_away.mean())), -missing, float(judged.worth.mean())

    return told[max(told, key=score)]


def _regular_prices(predictor: Predictor, entry: Entry, price: PerArticle | None) -> np.ndarray:
    """The regular price of each article ``[D]``.

    Raises:
        ValueError: the model does not know an article, or there is no price of one.
    """
    if not entry.item_ids:
        raise ValueError("history: expected series with names, got none")
    known = item_ids_of(predictor)
    stranger = next((item for item in entry.item_ids if known and item not in known), None)
    if stranger is not None:
        raise ValueError(f"predictor: expected a model of every article, got one that was not trained on {stranger!r}")
    rows = rows_of(entry.channels.names, PRICE, entry.item_ids)
    if rows is None:
        has = set(entry.channels.names)
        item = next(item for item in entry.item_ids if f"{PRICE}[{item}]" not in has)
        raise ValueError(f"history: expected a channel {PRICE}[article] for every article, got none for {item!r}")
    if price is not None:
        return each_of("price", price, entry.item_ids, above=True)
    return np.asarray(entry.channels.values[rows, entry.length], dtype=np.float64)


def _rounded(prices: np.ndarray) -> np.ndarray:
    """Prices ``[D, L]`` in whole hundredths, where the steps of a ladder stay apart."""
    told = np.round(prices, 2)
    apart = ~(np.diff(told, axis=1) >= 0).any(1, keepdims=True) & (np.nanmin(told, axis=1, keepdims=True) > 0)
    return np.where(apart, told, prices)


def _allowed(
    prices: np.ndarray, cost: np.ndarray, margin: float | None, known: bool, items: tuple[str, ...]
) -> list[list[int]]:
    """The steps of each ladder that leave the margin."""
    least = np.zeros(len(prices))
    if margin is not None:
        if not known:
            raise ValueError("unit_cost: expected what a unit has cost beside a margin, got None")
        if not 0 <= margin < 1:
            raise ValueError(f"margin: expected a share from 0 and below 1, got {margin:g}")
        least = cost / (1 - margin)
        below = prices[:, 0] < least * (1 - 1e-9)
        if below.any():
            place = int(below.argmax())
            raise ValueError(
                f"margin: expected a regular price of at least {least[place]:.2f} for {items[place]!r}, which leaves "
                f"{percent(margin)} above its cost, got {prices[place, 0]:.2f}"
            )
    return [np.flatnonzero(row >= low * (1 - 1e-9)).tolist() for row, low in zip(prices, least, strict=True)]


def _clearance(entry: Entry, horizon: int, clear: float | None, clear_by: str | int | None) -> tuple[float, int]:
    """The share that is to be sold, and the number of steps until then."""
    if clear is None:
        if clear_by is not None:
            raise ValueError("clear: expected the share of the stock to be sold by 'clear_by', got None")
        return 0.0, 0
    if not 0 < clear <= 1:
        raise ValueError(f"clear: expected a share of the stock above 0 and at most 1, got {clear:g}")
    if clear_by is None:
        return float(clear), horizon
    try:
        steps = steps_until(entry.forecast_start, horizon, clear_by)
    except ValueError:
        steps = 0
    if steps < 1:
        raise ValueError(
            f"clear_by: expected a date from {written_date(entry.forecast_start)} to "
            f"{written_date(entry.forecast_start, horizon - 1)}, or 1 to {horizon} steps; got {clear_by!r}"
        )
    return float(clear), steps


def _require_kept(terms: Terms, free: Found, found: Found, date: str) -> None:
    """Raise where the best plan does not keep a limit: none does, as far as a search can say.

    Arguments:
        terms: with the limits.
        free: the best plan without a budget.
        found: the plan.
        date: of the clearance.

    Raises:
        ValueError: with the limit, an article, and what could be reached.
    """
    if free.missing.any():
        short = free.missing / np.maximum(terms.stock, 1)
        place = int(short.argmax())
        got = float(terms.cleared(free.units)[place] / terms.stock[place])
        more = f", and less than asked for of {np.count_nonzero(short) - 1} more" if np.count_nonzero(short) > 1 else ""
        raise ValueError(
            f"clear: expected prices at which {percent(terms.clear, 1)} of the stock of {terms.item_ids[place]!r} is "
            f"sold by {date}, got {percent(got, 1)} at best within ladder, changes and margin{more}"
        )
    if found.missing.any() or terms.over_budget(found.spent):
        raise ValueError(
            f"budget: expected about {free.spent:,.0f} to clear {names_of(terms.item_ids, found.missing > 0)} as asked "
            f"for, got {terms.budget or 0:,.0f}; give more, or clear less"
        )
