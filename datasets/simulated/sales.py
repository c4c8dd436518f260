"""Simulated weekly article sales: the default dataset, with its true parameters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...runtime.arguments.kinds import Count, Number, Seed, Steps, checked
from ..entries.channels import IN_STOCK, PRICE, PROMO, names_of
from ..entries.data import ForecastData, Metadata
from ..entries.frequency import to_period
from ..entries.splitting import split_windows
from .draws import elasticities, holiday_weeks, markdowns, seasons, shared_shocks, stocked, style_names
from .truth import YEAR, SalesTruth

_FIRST_MONDAY = "2020-01-06"


@checked
def simulated_sales(
    articles: Count = 20,
    weeks: Count = 260,
    seed: Seed = 0,
    prediction_length: Steps = 8,
    windows: Number = 3,
    style_size: Count = 4,
    stockouts: float = 0.02,
) -> ForecastData:
    """Simulate the weekly sales of a fashion assortment whose price effects are known.

    What is drawn, and from what:

    * Articles come in styles (``dress_1 … dress_4``, ``coat_1 …``). Articles of one style are substitutes:
      own-price elasticity uniform in (-3.5, -1.8); an article's elasticities to the prices of the others of its
      style are about equal and add up to 40 to 60 per cent of its own, with the other sign. Levels differ, so
      of the units that a higher price drives away the others may gain far less or more than that share.
      Between styles every effect is zero.
    * Prices: a list price, a slow exogenous drift of a few per cent, and markdowns of 15 to 45 per cent for
      one to three weeks, about a quarter of all weeks. Half of the markdowns are advertised (``promo``), and
      some promotions come without a markdown. None of this reacts to demand, so effects are identifiable
      from the data alone.
    * Demand: level log-uniform in 20 … 150 units, growth within ±10 per cent a year, a season shared by a
      style with small differences of its articles, holidays (two fixed weeks and a moving one), and shocks
      that are AR(1) over weeks, one for the whole assortment and one for each style; they make the series
      dependent even at constant prices.
    * Counts are negative binomial (:class:`SalesTruth` has the law).
    * Stock-outs come as spells of one or two weeks that nothing announces. Sales are then what was left on
      the shelf: at most 70 per cent of the demand. ``in_stock`` is 0 in these weeks; it is known of the past
      only, and no demand moves to another article.

    The same arguments give the same numbers.

    Arguments:
        articles: the number of articles D.
        weeks: the number of weeks T in all, test windows included.
        seed: seed of the numbers.
        prediction_length: the horizon H, in weeks.
        windows: the number of test windows at the end.
        style_size: articles in a style; the last style may have fewer.
        stockouts: share of stocked-out weeks, at least 0 and below 0.5.

    Returns:
        The dataset. Its channels are ``price[article]``, ``promo[article]`` and the shared ``holiday``, those of the
        past alone ``in_stock[article]``; ``truth`` is a :class:`SalesTruth`.

    Raises:
        ValueError: an argument is out of its range.

    Example:
        >>> data = simulated_sales(articles=6, weeks=104, seed=1)
        >>> data.metadata.item_ids
        ('dress_1', 'dress_2', 'dress_3', 'dress_4', 'coat_1', 'coat_2')
        >>> data.train[0].target.shape, data.train[0].channels.values.shape
        ((6, 80), (13, 80))
        >>> [entry.length for entry in data.test]
        [88, 96, 104]
    """
    if weeks < 2:
        raise ValueError(f"weeks: expected at least 2, got {weeks}")
    if not 0 <= stockouts < 0.5:
        raise ValueError(f"stockouts: expected a share of weeks in [0, 0.5), got {stockouts}")

    rng = np.random.default_rng(seed)
    style = np.arange(articles) // style_size
    names, styles = style_names(style)
    list_price = np.round(rng.uniform(15, 90, articles)) - 0.01
    prices, promo = markdowns(rng, list_price, weeks)
    truth = SalesTruth(
        articles=names,
        styles=styles,
        elasticity=elasticities(rng, style),
        level=np.exp(rng.uniform(np.log(20), np.log(150), articles)),
        growth=rng.uniform(-0.1, 0.1, articles),
        season=seasons(rng, style),
        promotion=rng.uniform(0.15, 0.45, articles),
        holiday=rng.uniform(0.1, 0.5, articles),
        holidays=holiday_weeks(rng, weeks),
        list_price=list_price,
        dispersion=rng.uniform(0.01, 0.04, articles),
        shocks=shared_shocks(rng, style, weeks),
        demand=np.empty((weeks, articles)),
    )
    expected = truth.expected_units(prices, promo, np.arange(weeks)) * np.exp(truth.shocks)
    # A gamma mixture of Poisson counts: variance m + dispersion * m**2.
    demand = rng.poisson(rng.gamma(1 / truth.dispersion, truth.dispersion * expected))
    in_stock = stocked(rng, stockouts, weeks, articles)
    units = np.where(in_stock, demand, np.floor(demand * rng.uniform(0, 0.7, in_stock.shape)))

    metadata = Metadata(
        name="simulated_sales",
        freq="W-SUN",
        prediction_length=prediction_length,
        item_ids=names,
        domain="count",
        season=YEAR,
        covariates=(*names_of(PRICE, names), *names_of(PROMO, names), "holiday"),
        past_covariates=names_of(IN_STOCK, names),
    )
    return split_windows(
        metadata,
        to_period(_FIRST_MONDAY, metadata.freq),
        units.T,
        windows,
        known=np.vstack([prices.T, promo.T, truth.holidays]),
        past=in_stock.T,
        truth=replace(truth, demand=demand),
    )
