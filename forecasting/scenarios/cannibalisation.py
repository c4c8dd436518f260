"""What a price change of one article does to the sales of the others, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from gluonts.model.predictor import Predictor

from ...datasets.entries.channels import PRICE
from ...datasets.entries.gluonts_keys import GluontsEntry
from ...runtime.arguments.kinds import Within, check_kind
from ...runtime.display.showing import Shown
from .future import BASELINE
from .notation import Change
from .scenario import Scenario
from .simulate import simulate


@dataclass(frozen=True, eq=False, repr=False)
class Cannibalisation(Shown):
    """Effects of a 1 % price change of the column's article on the units of the row's, in per cent.

    Arguments:
        articles: names of the rows and columns.
        mean: ``[N, N]`` per cent; NaN, as its interval, where the row's article sells nothing.
        low: ``[N, N]`` lower end of the 90 % interval.
        high: ``[N, N]`` upper end.
    """

    articles: tuple[str, ...]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def _shown(self) -> dict[str, object]:
        """Articles, and how many of their effects on each other are told from 0."""
        return {"articles": self.articles, "effects told from 0": f"{self.certain().sum()} of {self.mean.size}"}

    def certain(self) -> np.ndarray:
        """Where the interval leaves 0 out, bool ``[N, N]``."""
        return (self.low > 0) | (self.high < 0)


def cannibalisation(
    predictor: Predictor,
    history: GluontsEntry | Iterable[GluontsEntry],
    articles: Sequence[str],
    paths: int = 500,
    seed: int = 0,
    price_change: float = -0.1,
) -> Cannibalisation:
    r"""Simulate a price change of each article in turn and measure what it does to all.

    The change is larger than 1 per cent, since whole units hardly answer to so little; the effect is brought to
    1 per cent as a constant elasticity :math:`\log(\sum_s a_s / \sum_s b_s) / \log(1 + c)`, of units b without and a
    with the change c, over all paths s. The mean of the paths' own logarithms would be far off where paths sell few
    units. The interval holds 90 % of what the paths add to it to first order, ``a_s / mean(a) - b_s / mean(b)``: where
    totals are large that is how far a path's own elasticity lies from the mean, and it stays finite where
    they are small.

    Arguments:
        predictor: a trained predictor with a channel ``price[article]`` of each article.
        history: as `simulate` takes it.
        articles: names of rows and columns.
        paths: joint paths of each future.
        seed: of the draws.
        price_change: the relative change that is simulated, over the whole horizon.

    Returns:
        Means and 90 % intervals over the paths: what the model does not know of the effects is in them as far as
        its paths differ in it.

    Raises:
        ValueError: an article or its price is unknown, or an argument is out of its range.
    """
    check_kind("articles", articles, list[str])
    check_kind("price_change", price_change, Annotated[float, Within(-1, above=True)])
    chosen = [Scenario(f"price of {name}", [Change(PRICE, name, price_change, relative=True)]) for name in articles]
    outcomes = simulate(predictor, history, chosen, paths=paths, seed=seed)
    shape = (len(articles), len(articles))
    mean, low, high = (np.full(shape, np.nan) for _ in range(3))
    for column, scenario in enumerate(chosen):
        for row, article in enumerate(articles):
            before, after = (outcomes[name].units(article).astype(float) for name in (BASELINE, scenario.name))
            if before.sum() <= 0:
                continue
            # Nothing sold has no logarithm; it counts as almost nothing.
            total = max(after.sum() / before.sum(), 0.001)
            added = (after / total - before) / before.mean()
            elasticity = (np.log(total) + added) / np.log1p(price_change)
            mean[row, column] = np.log(total) / np.log1p(price_change)
            low[row, column], high[row, column] = np.quantile(elasticity, (0.05, 0.95))
    return Cannibalisation(tuple(articles), mean, low, high)
