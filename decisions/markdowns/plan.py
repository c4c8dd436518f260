"""Markdown plans: prices for all articles and steps, what is expected of them, and of simpler rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from ...runtime.display.showing import Shown
from .baselines import NONE
from .terms import Terms, at_steps

PLAN = "plan"

INTERVAL = (0.1, 0.9)
"""Quantiles over paths between which a gain is said to lie: 80 % of futures."""


@dataclass(frozen=True, eq=False)
class Judged:
    """A plan, and what comes of it on joint paths that it was not chosen by.

    Arguments:
        plan: ``[D, H]``, steps of the ladder.
        sold: ``[D, H, S]``, units.
        terms: stock, prices, costs and limits.
    """

    plan: np.ndarray
    sold: np.ndarray = field(repr=False)
    terms: Terms = field(repr=False)

    @cached_property
    def left(self) -> np.ndarray:
        """Units left over at the end, ``[D, S]``."""
        return self.terms.stock[:, None] - self.terms.kept[:, None] * self.sold.sum(1)

    @cached_property
    def revenue(self) -> np.ndarray:
        """Money that comes in, ``[S]``, what is paid back for returns taken off."""
        prices = at_steps(self.terms.prices, self.plan) * self.terms.kept[:, None]
        return np.einsum("dh,dhs->s", prices, self.sold)

    @cached_property
    def given_away(self) -> np.ndarray:
        """What the units sold bring less than at their regular prices, ``[S]``, money."""
        return np.einsum("dh,dhs->s", at_steps(self.terms.given_away, self.plan), self.sold)

    @cached_property
    def worth(self) -> np.ndarray:
        """What was asked to be as large as possible, ``[S]``, money."""
        worth = np.einsum("dh,dhs->s", at_steps(self.terms.worth, self.plan), self.sold)
        return worth - float(self.terms.idle.sum())

    @property
    def unkept(self) -> tuple[str, ...]:
        """The limits that it is not expected to keep, by the names of their arguments.

        Expected is what is beyond two standard errors of the mean over paths.
        """
        terms, error = self.terms, 2 / self.sold.shape[-1] ** 0.5
        gone, found = terms.cleared(self.sold), []
        if (gone.mean(-1) + error * gone.std(-1) + 1e-9 < terms.clear * terms.stock).any():
            found.append("clear")
        if terms.over_budget(float(self.given_away.mean() - error * self.given_away.std())):
            found.append("budget")
        return tuple(found)


@dataclass(frozen=True, eq=False, repr=False)
class MarkdownPlan(Shown):
    """A markdown plan beside simpler rules, all on the same paths, which none of them was chosen by.

    Arguments:
        item_ids: names of the D articles.
        dates: of the H steps.
        terms: stock, prices, costs and limits.
        judged: the plan, called ``"plan"``, and the rules, by name.
        unseen: in words, the prices of the plan that are beyond all that the model has seen.
    """

    item_ids: tuple[str, ...]
    dates: pd.DatetimeIndex
    terms: Terms
    judged: Mapping[str, Judged]
    unseen: tuple[str, ...] = ()

    def _shown(self) -> dict[str, object]:
        """Articles, steps, how many are marked down, and the gain over no markdown."""
        low, high = self.interval(NONE)
        return {
            "articles": self.item_ids,
            "steps": len(self.dates),
            "marked down": int((self.steps > 0).any(1).sum()),
            "gain over no markdown": f"{self.gain(NONE).mean():,.0f} ({low:,.0f} to {high:,.0f})",
        }

    @property
    def steps(self) -> np.ndarray:
        """Steps of the ladder, ``[D, H]``."""
        return self.judged[PLAN].plan

    @property
    def prices(self) -> np.ndarray:
        """Prices ``[D, H]``, money."""
        return at_steps(self.terms.prices, self.steps)

    def gain(self, rule: str) -> np.ndarray:
        """What the plan is worth more than a rule on every path, ``[S]``, money.

        Raises:
            ValueError: there is no such rule.
        """
        if rule not in self.judged or rule == PLAN:
            known = [name for name in self.judged if name != PLAN]
            raise ValueError(f"rule: expected one of {', '.join(known)}; got {rule!r}")
        return self.judged[PLAN].worth - self.judged[rule].worth

    def interval(self, rule: str) -> tuple[float, float]:
        """The interval in which 80 % of the paths have the gain over a rule, money."""
        low, high = np.quantile(self.gain(rule), INTERVAL)
        return float(low), float(high)

    def table(self) -> pd.DataFrame:
        """A row an article and step.

        Returns:
            ``article`` and ``date``, the ``price`` in money, the ``cut`` as a share of the regular price, the mean of
            the units ``sold`` with its quantiles ``q10`` and ``q90``, and the mean of what is ``left`` after the step.
        """
        found, terms = self.judged[PLAN], self.terms
        low, high = np.quantile(found.sold, INTERVAL, axis=-1)
        left = terms.stock[:, None] - terms.kept[:, None] * found.sold.mean(-1).cumsum(1)
        regular = terms.prices[:, :1]
        return pd.DataFrame(
            {
                "article": np.repeat(list(self.item_ids), len(self.dates)),
                "date": np.tile(self.dates, len(self.item_ids)),
                "price": self.prices.ravel().round(2),
                "cut": (1 - self.prices / regular).ravel().round(4),
                "sold": found.sold.mean(-1).ravel(),
                "q10": low.ravel(),
                "q90": high.ravel(),
                "left": left.ravel(),
            }
        )

    def comparison(self) -> pd.DataFrame:
        """A row for the plan and for each rule.

        Returns:
            Means over paths: what it is ``worth``, the ``revenue`` and what is ``given_away``, in money, units ``left``
            over; the ``gain`` of the plan over it with the interval ``low`` to ``high`` that holds it on 80 % of the
            paths, the standard error ``error`` of its mean, and the limits that are ``unkept``.
        """
        rows = []
        for name, found in self.judged.items():
            gain = self.judged[PLAN].worth - found.worth
            low, high = np.quantile(gain, INTERVAL)
            rows.append(
                {
                    "rule": name,
                    "worth": found.worth.mean(),
                    "revenue": found.revenue.mean(),
                    "given_away": found.given_away.mean(),
                    "left": found.left.sum(0).mean(),
                    "gain": gain.mean(),
                    "low": low,
                    "high": high,
                    "error": gain.std(ddof=1) / len(gain) ** 0.5 if len(gain) > 1 else np.nan,
                    "unkept": ", ".join(found.unkept),
                }
            )
        return pd.DataFrame(rows)
