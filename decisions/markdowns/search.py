"""The plan of prices that is worth the most over joint paths: one article after the other, then pairs of them."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from .demand import DemandPaths
from .selling import slopes, sold
from .terms import Terms, at_steps

logger = logging.getLogger(__name__)

_BESIDE = 16
"""Other articles whose answer to a price is calculated anew for each try; that of further ones by its slope."""

_TRIES = (4, 600, 24)
"""Schedules of an article that are calculated anew in a round: at least, over the number of articles, and at most."""

_ROUNDS = 12

_GAIN = 1e-7
"""Share of the worth of all sales that a step has to add."""

_ENOUGH = 2e-4
"""Share that a round over many articles has to add, for another one to follow."""

_PAIRED = 40
"""Articles up to which pairs of them are changed together."""

_PARTNERS = 2
"""Of each article, those that its price moves the most, with which it is changed together."""

_OF_A_PAIR = 10
"""Schedules of each of a pair, the best ones, that are tried with those of the other."""


Effects = list[tuple[np.ndarray, np.ndarray, np.ndarray]]
"""For each article its schedules ``[C, H]``, and of each the score and what is given away, ``[C]``, money."""


@dataclass(frozen=True, eq=False)
class Found:
    """A plan and what is expected of it on the paths of a search.

    Arguments:
        plan: ``[D, H]``, steps of the ladder.
        units: expected to be sold, ``[D, H]``.
        worth: expected, money.
        spent: what is expected to be given away, money.
        missing: units ``[D]`` that are missing for the clearance.
    """

    plan: np.ndarray
    units: np.ndarray
    worth: float
    spent: float
    missing: np.ndarray

    def score(self, terms: Terms, price: float = 0.0) -> float:
        """The worth, less `price` for each money unit given away, far below it where a limit is not kept."""
        return self.worth - price * self.spent - float((penalty(terms) * self.missing).sum())


def penalty(terms: Terms) -> np.ndarray:
    """What a unit counts that is missing for the clearance, ``[D]``: more than all that a price could bring."""
    return 20.0 * terms.prices[:, 0]


class Search:
    """Coordinate ascent over the schedules of articles.

    The worth of an article's schedules is calculated on all paths, given what the others ask for; what the schedule
    does to the others is told by the slopes of their worth, and for the best few schedules calculated anew. A round
    goes over all articles; a worse result than before the round is thrown away.

    Arguments:
        demand: the paths.
        terms: stock, prices, costs and limits.
    """

    def __init__(self, demand: DemandPaths, terms: Terms) -> None:
        self.demand, self.terms = demand, terms
        articles, self.horizon, _ = demand.base.shape
        self.cuts = np.nan_to_num(np.log(terms.prices / terms.prices[:, :1]))
        usual = np.abs(demand.elasticity.mean(-1))
        np.fill_diagonal(usual, 0.0)
        size = usual * (demand.base.mean(-1).sum(1) * terms.prices[:, 0])[:, None]
        order = np.argsort(-size, axis=0, kind="stable")[:_BESIDE]
        self.beside = [column[size[column, j] > 0] for j, column in enumerate(order.T)]
        """For each article those that its price moves the most."""
        least, of_all, most = _TRIES
        self.tries = max(least, min(most, of_all // articles))

    def judged(self, plan: np.ndarray) -> Found:
        """What is expected of a plan ``[D, H]``."""
        demand = self.demand.at(at_steps(self.cuts, plan))
        return self._found(plan, self.terms.sold(demand).mean(-1, dtype=np.float64))

    def _found(self, plan: np.ndarray, units: np.ndarray) -> Found:
        terms = self.terms
        worth = float((at_steps(terms.worth, plan) * units).sum() - terms.idle.sum())
        spent = float((at_steps(terms.given_away, plan) * units).sum())
        return Found(plan.copy(), units, worth, spent, terms.missing(units))

    def best_from(self, start: np.ndarray, price: float = 0.0, most: float = np.inf) -> Found:
        """The plan that rounds from a start lead to.

        Arguments:
            start: ``[D, H]``.
            price: of a money unit that is given away.
            most: what may be given away, expected; where it is finite the price only says which schedules are tried.
        """
        best = self.judged(start)
        for number in range(_ROUNDS):
            found = self._round(best, price, most, pairs=False)
            if len(start) <= _PAIRED and not self._better(found, best, price, most):
                found = self._round(best, price, most, pairs=True)
            if not self._better(found, best, price, most):
                break
            logger.info("prices: round %d, worth %.6g", number + 1, found.worth)
            best = found
        return best

    def _better(self, new: Found, old: Found, price: float, most: float) -> bool:
        if (new.spent <= most) != (old.spent <= most):
            return new.spent <= most
        share = _GAIN if len(old.plan) <= _PAIRED or old.missing.any() else _ENOUGH
        least = share * abs(float((self.terms.prices[:, 0] * old.units.sum(1)).sum()))
        price = price if most == np.inf else 0.0
        return new.score(self.terms, price) > old.score(self.terms, price) + least

    def _round(self, start: Found, price: float, most: float, pairs: bool) -> Found:
        state = _State(self, start, price)
        for article in np.argsort(-start.units.sum(1) * self.terms.prices[:, 0], kind="stable"):
            if pairs:
                for other in self.beside[article][:_PARTNERS]:
                    state.improve_pair(int(article), int(other), most)
            else:
                state.improve(int(article), most)
        return self.judged(state.plan)

    def effects(self, plan: np.ndarray, *, others: bool = True) -> Effects:
        """For each article its schedules, and what each would change beside the plan: score and what is given away.

        Arguments:
            plan: ``[D, H]``.
            others: whether what a schedule does to other articles counts, as slopes tell it.
        """
        state = _State(self, self.judged(plan), 0.0)
        spending = state.slopes_of(at_steps(self.terms.given_away, plan)) if others else state.slopes
        found = []
        for article, schedules in enumerate(self.terms.schedules):
            chosen = schedules.near(plan[article])
            units = state.units_of(article, chosen)
            score = state.scores(article, chosen, units)
            spent = (self.terms.given_away[article][chosen] * units).sum(1)
            if others:
                moved = self.cuts[article][chosen] - self.cuts[article][plan[article]]
                score = score + moved @ state.on_others(article, state.slopes)
                spent = spent + moved @ state.on_others(article, spending)
            now = int((chosen == plan[article]).all(1).argmax())
            found.append((chosen, score - score[now], spent - spent[now]))
        return found


class _State:
    """A plan in the middle of a round, with the demand that it leads to.

    Arguments:
        search: the search.
        found: the plan at the start of the round.
        price: of a money unit that is given away.
    """

    def __init__(self, search: Search, found: Found, price: float) -> None:
        self.search, self.price, terms = search, price, search.terms
        self.terms = terms
        self.plan, self.units, self.spent = found.plan.copy(), found.units.copy(), found.spent
        self.value = terms.worth - price * terms.given_away
        """What a unit sold counts at each step of the ladder ``[D, L]``, where schedules are ranked."""
        self.penalty = penalty(terms)
        demand = search.demand
        self.logs = np.zeros_like(demand.base) + demand.logs(at_steps(search.cuts, self.plan))
        self.demand = demand.base * np.exp(self.logs)
        self.slopes = self.slopes_of(self._weights(self.units))

    def _weights(self, units: np.ndarray, rows: slice | np.ndarray = slice(None)) -> np.ndarray:
        """What a unit sold counts in each step ``[n, H]``, for the clearance too where it is missed."""
        weights = at_steps(self.value, self.plan)[rows].copy()
        short = self.terms.missing(self.units) > 0
        extra = np.where(short, self.penalty, 0.0) * self.terms.kept
        weights[:, : self.terms.clear_steps] += extra[rows][:, None]
        return weights

    def slopes_of(self, weights: np.ndarray, rows: slice | np.ndarray = slice(None)) -> np.ndarray:
        """Slopes ``[n, H, S]`` of what sales count by the logarithm of the demand."""
        demand, kept = self.demand[rows], self.terms.kept[rows]
        return slopes(weights, demand, sold(demand, self.terms.stock[rows], kept), kept)

    def units_of(self, article: int, chosen: np.ndarray) -> np.ndarray:
        """Units ``[C, H]`` that an article is expected to sell with each of its schedules ``[C, H]``."""
        search = self.search
        own, cuts = search.demand.elasticity[article, article], search.cuts[article]
        others = self.logs[article] - cuts[self.plan[article]][:, None] * own
        by_step = search.demand.base[article] * np.exp(others + cuts[:, None, None].astype(own.dtype) * own)
        demand = by_step[chosen, np.arange(search.horizon)]
        of_all = np.full(len(chosen), self.terms.stock[article]), np.full(len(chosen), self.terms.kept[article])
        return sold(demand, *of_all).mean(-1, dtype=np.float64)

    def scores(self, article: int, chosen: np.ndarray, units: np.ndarray) -> np.ndarray:
        """What an article's units ``[C, H]`` count with each of its schedules, ``[C]``."""
        terms = self.terms
        cleared = units[:, : terms.clear_steps].sum(1) * terms.kept[article]
        short = np.maximum(terms.clear * terms.stock[article] - cleared, 0)
        return (self.value[article][chosen] * units).sum(1) - self.penalty[article] * short

    def on_others(self, article: int, of: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """What a step up of the logarithm of an article's price does to all others by their slopes, ``[H]``.

        Arguments:
            article: whose price it is.
            of: slopes ``[D, H, S]``.
            rows: those of the others that count; ``None`` for all.
        """
        elasticity = self.search.demand.elasticity[:, article]
        told = (elasticity[:, None] * of).mean(-1, dtype=np.float64)
        told[article] = 0.0
        return np.asarray((told if rows is None else told[rows]).sum(0))

    def improve(self, article: int, most: float) -> None:
        """Give an article the best of its schedules."""
        search, now = self.search, self.plan[article]
        chosen = self.terms.schedules[article].near(now)
        own = self.scores(article, chosen, self.units_of(article, chosen))
        moved = search.cuts[article][chosen] - search.cuts[article][now]
        guess = own + moved @ self.on_others(article, self.slopes)
        tried = chosen[np.argsort(-guess, kind="stable")[: search.tries]]
        self._take_best([article], tried[:, None], most)

    def improve_pair(self, one: int, two: int, most: float) -> None:
        """Give two articles the best pair of their schedules, among the best few of each."""
        best = []
        for article in (one, two):
            search, now = self.search, self.plan[article]
            chosen = self.terms.schedules[article].near(now)
            own = self.scores(article, chosen, self.units_of(article, chosen))
            moved = search.cuts[article][chosen] - search.cuts[article][now]
            guess = own + moved @ self.on_others(article, self.slopes)
            best.append(chosen[np.argsort(-guess, kind="stable")[:_OF_A_PAIR]])
        pairs = np.stack([np.repeat(best[0], len(best[1]), axis=0), np.tile(best[1], (len(best[0]), 1))], axis=1)
        self._take_best([one, two], pairs, most)

    def _take_best(self, articles: list[int], tried: np.ndarray, most: float) -> None:
        """Take the best of some schedules ``[C, n, H]`` of n articles, if it is better than the present ones."""
        search, terms = self.search, self.terms
        rows = np.unique(np.concatenate([articles, *(search.beside[article] for article in articles)])).astype(int)
        elasticity = search.demand.elasticity[np.ix_(rows, np.array(articles))]  # [R, n, S]
        now = self.plan[articles]
        cuts = np.stack([search.cuts[article] for article in articles])
        moved = np.stack([cuts[k][tried[:, k]] - cuts[k][now[k]] for k in range(len(articles))], axis=1)
        extra = np.einsum("cnh,rns->crhs", moved.astype(np.float32), elasticity, optimize=True)
        # What articles further away have done to these since.
        self.demand[rows] = search.demand.base[rows] * np.exp(self.logs[rows])
        demand = self.demand[rows] * np.exp(extra)
        stock = np.broadcast_to(terms.stock[rows], demand.shape[:2])
        kept = np.broadcast_to(terms.kept[rows], demand.shape[:2])
        units = sold(demand, stock, kept).mean(-1, dtype=np.float64)  # [C, R, H]
        plans = np.repeat(self.plan[None, rows], len(tried), axis=0)
        for k, article in enumerate(articles):
            plans[:, int(np.flatnonzero(rows == article)[0])] = tried[:, k]
        places = np.arange(len(rows))[:, None]
        value = self.value if most == np.inf else terms.worth
        score = (value[rows][places, plans] * units).sum((1, 2))
        cleared = units[:, :, : terms.clear_steps].sum(-1) * terms.kept[rows]
        score -= (self.penalty[rows] * np.maximum(terms.clear * terms.stock[rows] - cleared, 0)).sum(1)
        spent = (terms.given_away[rows][places, plans] * units).sum((1, 2))
        far = np.setdiff1d(np.arange(len(self.plan)), rows)
        if len(far):
            slope = sum(moved[:, k] @ self.on_others(article, self.slopes, far) for k, article in enumerate(articles))
            score = score + slope
        same = (tried == now).all((1, 2))
        before = self.spent - float((at_steps(terms.given_away, self.plan)[rows] * self.units[rows]).sum())
        within = before + spent <= most
        if same.any():
            least = score[same][0] + _GAIN * abs(score[same][0])
            if before + spent[same][0] > most:
                least = -np.inf
            within &= score > least
        if not within.any():
            return
        best = int(np.flatnonzero(within)[np.argmax(score[within])])
        if same[best]:
            return
        self.plan[articles] = tried[best]
        step = np.einsum("nh,rns->rhs", moved[best].astype(np.float32), search.demand.elasticity[:, articles])
        self.logs += step
        self.demand[rows] = search.demand.base[rows] * np.exp(self.logs[rows])
        self.units[rows], self.spent = units[best], before + float(spent[best])
        self.slopes[rows] = self.slopes_of(self._weights(self.units, rows), rows)
