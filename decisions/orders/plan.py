"""Orders for all articles of a forecast, and what is to be expected of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from gluonts.model.forecast import SampleForecast

from ...runtime.arguments.kinds import Number, checked
from .allocation import Limit, UnitCosts, least_cost
from .needs import Needs, Unmet, expected, needs_of
from .per_article import PerArticle, each_of, limit_of


@dataclass(frozen=True, eq=False)
class OrderPlan:
    """Order quantities and what they lead to on the paths of a forecast.

    Arguments:
        item_ids: names of the D articles.
        order: units ``[D]``.
        stock: units ``[D]`` before the order.
        needs: what the order has to cover on each path.
        demand: ``[S, D]``, units from the arrival of the order to the end of the horizon.
        costs: of a unit.
        limits: what the articles share.
        unit_cost: what a unit costs to buy ``[D]``, money; ``None`` where it is not known.
    """

    item_ids: tuple[str, ...]
    order: np.ndarray
    stock: np.ndarray
    needs: Needs = field(repr=False)
    demand: np.ndarray = field(repr=False)
    costs: UnitCosts = field(repr=False)
    limits: tuple[Limit, ...] = field(default=(), repr=False)
    unit_cost: np.ndarray | None = field(default=None, repr=False)

    @property
    def expected_lost(self) -> np.ndarray:
        """Units of each article that are expected to be missing after the order has arrived, ``[D]``."""
        return expected(self.needs.units, self.order)[0]

    @property
    def expected_left(self) -> np.ndarray:
        """Units of each article that are expected to be left over at the end, ``[D]``."""
        return expected(self.needs.units, self.order)[1]

    @property
    def expected_cost(self) -> float:
        """Expected cost of missing and left-over units over all articles, money."""
        return float(self.costs.of(self.needs.units, self.order).sum())

    @property
    def sufficient(self) -> np.ndarray:
        """The probability ``[D]`` that an article lasts from the arrival of the order to the end of the horizon."""
        return np.asarray((self.needs.units <= self.order).mean(0))

    @property
    def all_sufficient(self) -> float:
        """The probability that every article lasts: of all together, from joint paths."""
        return float((self.needs.units <= self.order).all(1).mean())

    @property
    def common_sufficient(self) -> float:
        """The probability that the units of all articles in one stock would last for all of them."""
        return float((self.needs.units.sum(1) <= self.order.sum()).mean())

    def used(self) -> dict[str, tuple[float, float]]:
        """What the orders take of each limit, and what there is."""
        return {limit.name: (float(self.order @ limit.each), limit.most) for limit in self.limits}

    def table(self) -> pd.DataFrame:
        """A row an article.

        Returns:
            ``article``, ``stock`` and ``order`` in units, the mean ``demand`` from the arrival of the order on with
            its quantiles ``q10`` and ``q90``, the probability ``sufficient``, ``expected_lost`` and
            ``expected_left`` in units, ``lost_before`` the order arrives, and ``expected_cost`` in money; what the
            order costs to buy, ``purchase``, where unit costs are known.
        """
        # Quantiles that are values of paths: of counts they are whole.
        low, high = np.quantile(self.demand, [0.1, 0.9], axis=0, method="inverted_cdf")
        bought = {} if self.unit_cost is None else {"purchase": self.order * self.unit_cost}
        return pd.DataFrame(
            {
                "article": list(self.item_ids),
                "stock": self.stock,
                "order": self.order,
                "demand": self.demand.mean(0),
                "q10": low,
                "q90": high,
                "sufficient": self.sufficient,
                "expected_lost": self.expected_lost,
                "expected_left": self.expected_left,
                "lost_before": self.needs.lost_before.mean(0),
                "expected_cost": self.costs.of(self.needs.units, self.order),
                **bought,
            }
        )


@checked
def order_quantities(
    forecast: SampleForecast,
    item_ids: Sequence[str],
    stock: PerArticle,
    *,
    service_level: float | None = None,
    missing: PerArticle | None = None,
    left: PerArticle | None = None,
    lead_time: Number = 0,
    unmet: Unmet = "lost",
    budget: float | None = None,
    unit_cost: PerArticle | None = None,
    capacity: float | None = None,
    unit_size: PerArticle = 1.0,
    pack: PerArticle | None = 1.0,
) -> OrderPlan:
    """How much to order of each article now.

    The order arrives after `lead_time` steps and has to last to the end of the forecast. Every path says how much that
    is (`needs_of`); the quantities are those of least expected cost over the paths (`least_cost`): without a limit the
    newsvendor's quantile of each article, under a budget or a capacity those that make the best of it together.

    Arguments:
        forecast: joint paths, ``samples`` ``[S, H, D]``, units.
        item_ids: names of the D articles.
        stock: units of each article now, what is on its way among them.
        service_level: between 0 and 1: the probability that an article lasts, if no limit binds. Under a limit all
            articles count alike, a unit that is missing `service_level` and one left over ``1 - service_level``.
        missing: in the place of a service level, what a missing unit costs, money: the margin, and goodwill.
        left: with `missing`, what a unit costs that is left over, money: its price less what it still brings.
        lead_time: steps before the order arrives, fewer than H.
        unmet: ``"lost"`` where demand on an empty shelf is lost, ``"waits"`` where it is served later.
        budget: money for all orders together; needs `unit_cost`.
        unit_cost: what a unit costs to buy, money; also without a budget, to say what the order costs.
        capacity: room or production for all orders together, in the units of `unit_size`.
        unit_size: what a unit takes of the capacity.
        pack: units in which an article is ordered; ``None`` for any quantity.

    Returns:
        The plan; ``table()`` has a row an article.

    Raises:
        ValueError: an argument is out of its range, an article has no number, there is neither a service level nor
            costs, or the budget has no unit costs.

    Example:
        >>> paths = np.random.default_rng(0).poisson(10, size=(500, 3, 2))
        >>> drawn = SampleForecast(paths, pd.Period("2024-01-01", "W"))
        >>> plan = order_quantities(drawn, ["coat", "hat"], {"coat": 5, "hat": 40}, service_level=0.9, lead_time=1)
        >>> plan.order.tolist()
        [26.0, 0.0]
    """
    samples = np.asarray(forecast.samples)
    items = tuple(str(item) for item in item_ids)
    if samples.ndim != 3 or samples.shape[-1] != len(items):
        raise ValueError(f"forecast: expected joint paths [S, H, {len(items)}], got {list(samples.shape)}")
    if np.isnan(samples).any():
        name = items[int(np.isnan(samples).any((0, 1)).argmax())]
        raise ValueError(f"forecast: expected paths of every article, got none of {name!r}")
    held = each_of("stock", stock, items)
    costs = _costs(service_level, missing, left, items)
    limits = []
    bought = None if unit_cost is None else each_of("unit_cost", unit_cost, items)
    if budget is not None:
        if bought is None:
            raise ValueError("unit_cost: expected what a unit costs beside a budget, got None")
        limits.append(Limit("budget", bought, limit_of("budget", budget)))
    if capacity is not None:
        limits.append(Limit("capacity", each_of("unit_size", unit_size, items), limit_of("capacity", capacity)))
    packs = None if pack is None else each_of("pack", pack, items, above=True)
    needs = needs_of(samples, held, lead_time, unmet)
    order = least_cost(needs.units, costs, limits, packs)
    demand = np.maximum(samples[:, lead_time:], 0).sum(1, dtype=np.float64)
    return OrderPlan(items, order, held, needs, demand, costs, tuple(limits), bought)


def _costs(
    service_level: float | None, missing: PerArticle | None, left: PerArticle | None, items: tuple[str, ...]
) -> UnitCosts:
    if service_level is not None:
        if missing is not None or left is not None:
            raise ValueError("service_level: expected either it, or missing and left; got both")
        if not 0 < service_level < 1:
            raise ValueError(f"service_level: expected a share between 0 and 1, got {service_level:g}")
        return UnitCosts(np.full(len(items), service_level), np.full(len(items), 1 - service_level))
    if missing is None or left is None:
        raise ValueError("service_level: expected a share such as 0.95, or what a unit costs (missing, left); got none")
    return UnitCosts(each_of("missing", missing, items, above=True), each_of("left", left, items, above=True))
