"""An order as a reader is told of it: what a page shows, kept as JSON beside it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ...runtime.arguments.kinds import Checked
from ...runtime.arguments.naming import naming
from ...runtime.display.numbers import figure, percent
from ...runtime.plain import made_of, to_plain
from ...runtime.reading.json_files import read_json
from ...runtime.whole_files import whole_file
from .plan import OrderPlan

ORDER = "order.json"


@dataclass(frozen=True)
class Used(Checked):
    """What the orders take of a limit that articles share.

    Arguments:
        name: of the limit, such as ``"budget"``.
        used: how much.
        most: how much there is.
    """

    name: str
    used: float
    most: float


@dataclass(frozen=True)
class Fact:
    """What is expected of an order as a whole.

    Arguments:
        words: what.
        value: how much of it: units, or a share.
        share: whether it is a probability.
    """

    words: str
    value: float
    share: bool = False

    @property
    def told(self) -> str:
        """How much, as people read it."""
        return percent(self.value) if self.share else f"{figure(self.value, 1)} units"


@dataclass(frozen=True)
class OrderLine(Checked):
    """The order of an article, units; expected figures are means over paths.

    Arguments:
        article: which.
        order: how much.
        stock: before the order.
        at_arrival: what is left of the stock when the order arrives.
        demand: from arrival on.
        low: its 10 % quantile.
        high: its 90 % quantile.
        sufficient: the probability that it lasts.
        lost: expected to be missing from then on.
        left: expected to be left over.
        lost_before: expected to be missing before the order arrives.
        purchase: what the order costs, money; ``None`` where no unit cost was given.
    """

    article: str
    order: float
    stock: float
    at_arrival: float
    demand: float
    low: float
    high: float
    sufficient: float
    lost: float
    left: float
    lost_before: float
    purchase: float | None = None


@dataclass(frozen=True)
class OrderReport(Checked):
    """An order of all articles.

    Arguments:
        begins: the first date of the forecast, ISO 8601.
        arrives: the date of the step for which it arrives.
        last: that of the step to the end of which it has to last.
        paths: joint sample paths.
        all_sufficient: the probability that every article lasts.
        common_sufficient: the probability that one common stock would.
        limits: what the articles share.
        lines: the articles, the largest order first.
    """

    begins: str
    arrives: str
    last: str
    paths: int
    all_sufficient: float
    common_sufficient: float
    limits: tuple[Used, ...]
    lines: tuple[OrderLine, ...]

    @classmethod
    def of(cls, plan: OrderPlan, dates: pd.DatetimeIndex, lead_time: int) -> OrderReport:
        """The report of an order.

        Arguments:
            plan: the order.
            dates: of the H steps of the forecast.
            lead_time: steps before the order arrives.
        """
        table = plan.table().sort_values("order", ascending=False, kind="stable")
        left = pd.Series((plan.demand - plan.needs.units).mean(0), index=range(len(plan.item_ids))).clip(lower=0)
        lines = tuple(
            OrderLine(
                article=str(row["article"]),
                order=float(row["order"]),
                stock=float(row["stock"]),
                at_arrival=float(left[place]),
                demand=float(row["demand"]),
                low=float(row["q10"]),
                high=float(row["q90"]),
                sufficient=float(row["sufficient"]),
                lost=float(row["expected_lost"]),
                left=float(row["expected_left"]),
                lost_before=float(row["lost_before"]),
                purchase=float(row["purchase"]) if "purchase" in row else None,
            )
            for place, row in zip(table.index, table.to_dict("records"), strict=True)
        )
        return cls(
            f"{dates[0]:%Y-%m-%d}",
            f"{dates[lead_time]:%Y-%m-%d}",
            f"{dates[-1]:%Y-%m-%d}",
            len(plan.demand),
            plan.all_sufficient,
            plan.common_sufficient,
            tuple(Used(name, used, most) for name, (used, most) in plan.used().items()),
            lines,
        )

    @property
    def units(self) -> float:
        """Units ordered of all articles."""
        return sum(line.order for line in self.lines)

    @property
    def ordered(self) -> int:
        """How many articles are ordered."""
        return sum(line.order > 0 for line in self.lines)

    @property
    def purchase(self) -> float | None:
        """What all orders cost, money; ``None`` where unit costs are not known."""
        costs = [line.purchase for line in self.lines if line.purchase is not None]
        return sum(costs) if costs else None

    @property
    def whole(self) -> bool:
        """Whether articles are counted: all of stock, orders and the intervals of demand are whole units."""
        return all(
            float(units).is_integer() for line in self.lines for units in (line.stock, line.order, line.low, line.high)
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """What is expected of all articles together, in the words of every page and of the command.

        What is missing before the order arrives stands apart, where there is any: no order saves it.
        """
        before = self.lost_before
        missing = (
            (
                Fact("expected to be missing before it arrives, whatever is ordered", before),
                Fact("expected to be missing from then on", self.lost),
            )
            if before
            else (Fact("expected to be missing", self.lost),)
        )
        return (
            Fact("all articles last from its arrival on, with a probability of", self.all_sufficient, share=True),
            Fact("one common stock would last, with a probability of", self.common_sufficient, share=True),
            *missing,
            Fact("expected to be left over", self.left),
        )

    @property
    def lost_before(self) -> float:
        """Units expected to be missing of all articles before the order arrives."""
        return sum(line.lost_before for line in self.lines)

    @property
    def lost(self) -> float:
        """Units expected to be missing of all articles from its arrival on."""
        return sum(line.lost for line in self.lines)

    @property
    def left(self) -> float:
        """Units expected to be left over of all articles."""
        return sum(line.left for line in self.lines)

    def write(self, folder: Path) -> None:
        """Write ``order.json``, whole or not at all."""
        with whole_file(folder / ORDER) as aside:
            aside.write_text(json.dumps(to_plain(self), indent=1, ensure_ascii=False), encoding="utf-8")


def read_order(folder: str | os.PathLike[str]) -> OrderReport:
    """An order that `hemline order` wrote.

    Arguments:
        folder: in which ``order.json`` lies.

    Raises:
        FileNotFoundError: there is none.
        ValueError: the file is none.
    """
    place = Path(folder) / ORDER
    with naming("order", place):
        found = made_of(read_json(place), OrderReport)
        if not all(np.isfinite(line.order) for line in found.lines):
            raise ValueError("order: expected finite numbers of all articles, got others")
        return found
