"""The parameters behind simulated sales, and what follows from them exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...runtime.display.showing import Shown

YEAR = 52
"""Weeks in a year of the simulator: the season repeats exactly."""


@dataclass(frozen=True, eq=False, repr=False)
class SalesTruth(Shown):
    r"""The law of demand from which simulated sales were drawn.

    The expected demand of article ``i`` in week ``t``, in units, is

    .. math::
        \mu_{ti} = \ell_i \exp\Bigl(g_i t / 52 + s_{t \bmod 52,\, i} + h_t \beta_i + p_{ti} \gamma_i
                   + \sum_j E_{ij} \log(P_{tj} / L_j) \Bigr)

    with level :math:`\ell`, growth :math:`g`, season :math:`s`, holiday :math:`h`, promotion :math:`p`, price
    :math:`P`, list price :math:`L` and elasticities :math:`E`. Demand is negative binomial with mean
    :math:`\mu_{ti} \exp(\varepsilon_{ti})` and variance :math:`m + \alpha_i m^2` around a mean of :math:`m`;
    the shocks :math:`\varepsilon` are shared within and between style groups and have
    :math:`E[\exp \varepsilon] = 1`.

    Arguments:
        articles: names of the D articles.
        styles: the style group of each article, ``[D]``, by name.
        elasticity: ``[D, D]``; row ``i``, column ``j``: per cent of change of the demand of ``i`` for one per
            cent of change of the price of ``j``. Zero between different styles.
        level: expected weekly units at list price, without season, promotion and holiday, ``[D]``.
        growth: change of the log demand in a year, ``[D]``.
        season: change of the log demand by week of the year, ``[52, D]``; its mean over the year is 0.
        promotion: change of the log demand in a promoted week, ``[D]``.
        holiday: change of the log demand in a holiday week, ``[D]``.
        holidays: whether each simulated week is a holiday week, ``[T]``, 0 or 1.
        list_price: regular price, ``[D]``, money a unit.
        dispersion: the negative binomial :math:`\alpha`, ``[D]``.
        shocks: the realised :math:`\varepsilon`, ``[T, D]``.
        demand: the demand before stock-outs, ``[T, D]``, units.
    """

    articles: tuple[str, ...]
    styles: tuple[str, ...]
    elasticity: np.ndarray
    level: np.ndarray
    growth: np.ndarray
    season: np.ndarray
    promotion: np.ndarray
    holiday: np.ndarray
    holidays: np.ndarray
    list_price: np.ndarray
    dispersion: np.ndarray
    shocks: np.ndarray
    demand: np.ndarray

    def _shown(self) -> dict[str, object]:
        """Articles, styles and weeks."""
        return {"articles": self.articles, "styles": tuple(dict.fromkeys(self.styles)), "weeks": len(self.holidays)}

    def expected_units(self, prices: np.ndarray, promo: np.ndarray, weeks: np.ndarray) -> np.ndarray:
        """Expected demand under given prices and promotions, every article in stock.

        The expectation is over the shocks and the counts. The ratio of two such expectations is the planted
        effect of a scenario, whatever the shocks of the past were.

        Arguments:
            prices: ``[T, D]`` (or ``[..., T, D]``), money a unit, positive.
            promo: 1 where an article is promoted, else 0, of the shape of ``prices``.
            weeks: the T weeks, counted from 0 at the first simulated one.

        Returns:
            Units a week, of the shape of ``prices``.

        Raises:
            ValueError: a shape does not fit, a price is not positive, or a week was not simulated.

        Example:
            >>> from hemline.datasets import simulated_sales
            >>> truth = simulated_sales(articles=4, weeks=104).truth
            >>> prices, promo = np.tile(truth.list_price, (2, 1)), np.zeros((2, 4))
            >>> usual = truth.expected_units(prices, promo, weeks=np.array([102, 103]))
            >>> cut = prices * np.array([0.8, 1, 1, 1])
            >>> changed = truth.expected_units(cut, promo, weeks=np.array([102, 103]))
            >>> bool(np.all(changed[:, 0] > usual[:, 0]) and np.all(changed[:, 1:] < usual[:, 1:]))
            True
        """
        prices, promo, weeks = np.asarray(prices, float), np.asarray(promo, float), np.asarray(weeks, int)
        shape = (len(weeks), len(self.articles))
        for name, values in (("prices", prices), ("promo", promo)):
            if values.shape[-2:] != shape:
                raise ValueError(f"{name}: expected the last axes to be (weeks, articles) {shape}, got {values.shape}")
        if not np.all(prices > 0):
            column = int(np.argwhere(~(prices > 0))[0][-1])
            raise ValueError(f"prices: expected positive prices, got one that is not for {self.articles[column]!r}")
        if weeks.size and not 0 <= weeks.min() <= weeks.max() < len(self.holidays):
            raise ValueError(
                f"weeks: expected weeks from 0 to {len(self.holidays) - 1}, got {weeks.min()} to {weeks.max()}"
            )
        log_units = (
            np.log(self.level)
            + self.growth * weeks[:, None] / YEAR
            + self.season[weeks % YEAR]
            + self.holidays[weeks, None] * self.holiday
            + promo * self.promotion
            + np.log(prices / self.list_price) @ self.elasticity.T
        )
        return np.exp(log_units)

    def price_effect(self, article: str, of: str, change: float) -> float:
        """The relative change of one article's demand when the price of one article changes.

        Arguments:
            article: whose demand is asked for.
            of: whose price changes.
            change: relative change of that price; -0.2 is 20 per cent off.

        Returns:
            The relative change of the expected units; 0.1 is 10 per cent more.

        Raises:
            ValueError: an article is unknown, or the price would not stay positive.

        Example:
            >>> from hemline.datasets import simulated_sales
            >>> truth = simulated_sales(articles=4, weeks=104).truth
            >>> truth.price_effect("dress_1", of="dress_1", change=-0.2) > 0
            True
            >>> truth.price_effect("dress_2", of="dress_1", change=-0.2) < 0
            True
        """
        for argument, name in (("article", article), ("of", of)):
            if name not in self.articles:
                raise ValueError(f"{argument}: expected one of {', '.join(self.articles)}; got {name!r}")
        if change <= -1:
            raise ValueError(f"change: expected more than -1, a price stays positive, got {change}")
        exponent = self.elasticity[self.articles.index(article), self.articles.index(of)]
        return float((1 + change) ** exponent - 1)

    def substitutes(self) -> list[tuple[str, str]]:
        """The ordered pairs of different articles of one style, whose cross-elasticity is positive.

        Returns:
            Pairs ``(article, of)`` in the order of :meth:`price_effect`.
        """
        return [
            (article, of)
            for i, article in enumerate(self.articles)
            for j, of in enumerate(self.articles)
            if i != j and self.styles[i] == self.styles[j]
        ]
