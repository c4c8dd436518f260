"""A markdown plan as a reader is told of it: what a page shows, kept as JSON beside it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...runtime.arguments.kinds import Checked
from ...runtime.arguments.naming import naming
from ...runtime.plain import made_of, to_plain
from ...runtime.reading.json_files import read_json
from ...runtime.whole_files import whole_file
from .baselines import NONE
from .plan import INTERVAL, PLAN, MarkdownPlan

PRICES = "prices.json"


@dataclass(frozen=True)
class RuleLine(Checked):
    """What is expected of the plan or of a simpler rule, means over paths, in money but for units left over.

    Arguments:
        rule: its name; ``"plan"`` is the plan.
        worth: what was asked to be as large as possible.
        revenue: money that comes in.
        given_away: what the units sold bring less than at their regular prices.
        left: units left over.
        gain: what the plan is worth more than it.
        low: of the gain, the 10 % quantile over paths.
        high: the 90 % quantile.
        unkept: limits that it is not expected to keep.
    """

    rule: str
    worth: float
    revenue: float
    given_away: float
    left: float
    gain: float
    low: float
    high: float
    unkept: str


@dataclass(frozen=True)
class Course(Checked):
    """How the stock of all articles goes down under the plan or a rule, units after each of the H steps.

    Arguments:
        rule: its name.
        mean: over paths.
        low: the 10 % quantile.
        high: the 90 % quantile.
    """

    rule: str
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class PriceLine(Checked):
    """The prices of an article.

    Arguments:
        article: which.
        stock: units at the start.
        regular: its regular price in the first step, money.
        prices: of each step, money.
        sold: units of each step, means over paths.
        left: units left over, mean over paths.
        without: units left over without a markdown, mean over paths.
    """

    article: str
    stock: float
    regular: float
    prices: tuple[float, ...]
    sold: tuple[float, ...]
    left: float
    without: float

    @property
    def cuts(self) -> tuple[float, ...]:
        """What each price is below the regular one, as a share of it."""
        return tuple(1 - price / self.regular for price in self.prices)


@dataclass(frozen=True)
class PlanReport(Checked):
    """Prices of all articles and steps.

    Arguments:
        dates: of the H steps, ISO 8601.
        paths: joint sample paths on which all rules were judged.
        budget: money that may be given away; ``None`` without a limit.
        unkept: limits that the plan is not expected to keep.
        unseen: in words, prices beyond all that the model has seen.
        rules: the plan and simpler rules.
        courses: the stock of all articles, under the plan and without a markdown.
        lines: the articles, the deepest markdowns first.
    """

    dates: tuple[str, ...]
    paths: int
    budget: float | None
    unkept: tuple[str, ...]
    unseen: tuple[str, ...]
    rules: tuple[RuleLine, ...]
    courses: tuple[Course, ...]
    lines: tuple[PriceLine, ...]

    def __post_init__(self) -> None:
        for line in self.lines:
            if len(line.prices) != len(self.dates) or len(line.sold) != len(self.dates) or not line.regular > 0:
                raise ValueError(
                    f"lines: expected {len(self.dates)} prices of {line.article!r} below a regular one above 0, "
                    f"got {len(line.prices)} below {line.regular:g}"
                )
        if not {PLAN, NONE} <= {rule.rule for rule in self.rules}:
            raise ValueError(
                f"rules: expected {PLAN!r} and {NONE!r} among them, got {[one.rule for one in self.rules]}"
            )

    @classmethod
    def of(cls, plan: MarkdownPlan) -> PlanReport:
        """The report of a plan."""
        judged, none, terms = plan.judged[PLAN], plan.judged[NONE], plan.terms
        left, without = judged.left.mean(-1), none.left.mean(-1)
        prices, sold, regular = plan.prices, judged.sold.mean(-1), terms.prices[:, 0]
        order = np.lexsort((-terms.stock, -(1 - prices / regular[:, None]).sum(1)))
        courses = []
        for name in (NONE, PLAN):
            gone = (terms.kept[:, None, None] * plan.judged[name].sold).cumsum(1).sum(0)
            course = terms.stock.sum() - gone
            low, high = np.quantile(course, INTERVAL, axis=-1)
            courses.append(Course(name, _numbers(course.mean(-1)), _numbers(low), _numbers(high)))
        fields = ("rule", "worth", "revenue", "given_away", "left", "gain", "low", "high", "unkept")
        rules = [RuleLine(**{name: row[name] for name in fields}) for row in plan.comparison().to_dict("records")]
        return cls(
            tuple(f"{date:%Y-%m-%d}" for date in plan.dates),
            judged.sold.shape[-1],
            terms.budget,
            judged.unkept,
            plan.unseen,
            tuple(rules),
            tuple(courses),
            tuple(
                PriceLine(
                    plan.item_ids[place],
                    float(terms.stock[place]),
                    float(regular[place]),
                    _numbers(prices[place]),
                    _numbers(sold[place]),
                    float(left[place]),
                    float(without[place]),
                )
                for place in order
            ),
        )

    def rule(self, name: str) -> RuleLine:
        """The plan or a rule by its name."""
        return next(each for each in self.rules if each.rule == name)

    @property
    def planned(self) -> RuleLine:
        """The plan."""
        return self.rule(PLAN)

    @property
    def without(self) -> RuleLine:
        """No markdown."""
        return self.rule(NONE)

    @property
    def better(self) -> tuple[str, ...]:
        """Rules that are expected to be worth more than the plan, on paths by which neither was chosen."""
        return tuple(each.rule for each in self.rules if each.rule != PLAN and each.gain < 0)

    @property
    def marked_down(self) -> int:
        """How many articles are marked down."""
        return sum(max(line.cuts) > 1e-9 for line in self.lines)

    @property
    def stock(self) -> float:
        """Units of all articles at the start."""
        return sum(line.stock for line in self.lines)

    def write(self, folder: Path) -> None:
        """Write ``prices.json``, whole or not at all."""
        with whole_file(folder / PRICES) as aside:
            aside.write_text(json.dumps(to_plain(self), ensure_ascii=False), encoding="utf-8")


def read_plan(folder: str | os.PathLike[str]) -> PlanReport:
    """A markdown plan that `hemline plan` wrote.

    Arguments:
        folder: in which ``prices.json`` lies.

    Raises:
        FileNotFoundError: there is none.
        ValueError: the file is none.
    """
    place = Path(folder) / PRICES
    with naming("plan", place):
        return made_of(read_json(place), PlanReport)


def _numbers(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
