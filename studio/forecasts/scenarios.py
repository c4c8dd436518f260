"""Changed futures of a shop: built of a form, simulated, and kept for later."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ...datasets.entries.channels import PRICE, PROMO, ChannelName
from ...evaluation.adapters.fitted import FittedModel
from ...evaluation.adapters.model import ForecastModel
from ...forecasting.scenarios.beyond import require_sensible
from ...forecasting.scenarios.future import BASELINE
from ...forecasting.scenarios.notation import SALES, Change, parse_change
from ...forecasting.scenarios.outcome import Outcome, Simulation
from ...forecasting.scenarios.scenario import Scenario
from ...forecasting.scenarios.simulate import futures_of, simulate
from .shop import Shop

What = Literal["price", "promotion", "no promotion", "stock-out"]

WHATS: tuple[What, ...] = get_args(What)
PATHS = 300
NAME = "scenario"
_REMEMBERED = 16
_LONGEST = 2000


@dataclass(frozen=True)
class Built:
    """A change as a form has it.

    Arguments:
        what: a price, a promotion or none, or that an article cannot be sold.
        article: of which.
        value: per cent by which the price is higher or lower; of no meaning for the others.
        first: the first step that is changed, from 1.
        last: the last one; 0 for the end of the horizon.
    """

    what: str
    article: str
    value: float = -20.0
    first: int = 1
    last: int = 0

    def change(self) -> Change:
        """The change in the notation of scenarios.

        Raises:
            ValueError: it is none.
        """
        if self.what not in WHATS:
            raise ValueError(f"what: expected one of {', '.join(WHATS)}; got {self.what[:30]!r}")
        last = self.last or None
        if self.what == "price":
            if not -95 <= self.value <= 200:
                raise ValueError(f"value: expected -95 to 200 per cent, got {self.value:g}")
            return Change(PRICE, self.article, self.value / 100, relative=True, first=self.first, last=last)
        if self.what != "stock-out":
            return Change(PROMO, self.article, float(self.what == "promotion"), first=self.first, last=last)
        return Change(SALES, self.article, 0.0, first=self.first, last=last)


def whats_of(shop: Shop) -> tuple[What, ...]:
    """What can be changed in the futures of a shop: that an article sells out, where its model takes sales as set."""
    kinds = {ChannelName.parse(name).kind for name in shop.data.metadata.covariates}
    needs = {"price": PRICE, "promotion": PROMO, "no promotion": PROMO}
    model = shop.predictor.trained_by if isinstance(shop.predictor, FittedModel) else None
    imposes = not isinstance(model, ForecastModel) or model.imposes_sales
    return tuple(what for what in WHATS if (needs[what] in kinds if what in needs else imposes))


def read_changes(text: str) -> tuple[Change, ...]:
    """Changes in the short notation, one a line.

    Raises:
        ValueError: one cannot be read, or the text is longer than 2,000 characters.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"changes: expected at most {_LONGEST} characters, got {len(text)}")
    return tuple(parse_change(line) for line in text.splitlines() if line.strip())


class Simulations:
    """Simulated futures, the latest of which are kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str, tuple[Change, ...]], Simulation] = OrderedDict()

    def of(self, shop: Shop, window: str, changes: tuple[Change, ...]) -> Simulation:
        """The planned future of a window and a changed one, from the same noise.

        Arguments:
            shop: the model.
            window: the name of one.
            changes: what changes.

        Raises:
            ValueError: a change is of what the model does not know, or together they are a slip of the pen.
        """
        key = (shop.name, window, changes)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        history = shop.history(window)
        scenario = Scenario(NAME, changes)
        told = futures_of(shop.predictor, history, (scenario,))
        require_sensible(told.planned, told.futures[NAME], changes, told.item_ids, told.channels, history.target)
        found = simulate(shop.predictor, history, scenario, paths=PATHS, seed=0)
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > _REMEMBERED:
                self._kept.popitem(last=False)
        return found


@dataclass(frozen=True)
class Effect:
    """What a scenario does to an article over the horizon, in pieces.

    Arguments:
        article: which.
        baseline: the mean without the changes.
        change: the mean change.
        interval: within which 90 % of the paths change.
    """

    article: str
    baseline: float
    change: float
    interval: tuple[float, float]


def effects(simulation: Simulation, most: int = 12) -> list[Effect]:
    """The articles whose sales a scenario changes most, the largest change first.

    Arguments:
        simulation: of one scenario.
        most: how many.
    """
    before: Outcome = simulation[BASELINE]
    after: Outcome = simulation[NAME]
    difference = (after.paths.astype(np.float64) - before.paths).sum(axis=1)
    mean, units = difference.mean(axis=0), before.paths.sum(axis=1, dtype=np.float64).mean(axis=0)
    low, high = np.quantile(difference, (0.05, 0.95), axis=0)
    order = [place for place in np.argsort(-np.abs(mean), kind="stable")[:most] if mean[place] != 0]
    return [
        Effect(
            before.item_ids[place],
            float(units[place]),
            float(mean[place]),
            (float(low[place]), float(high[place])),
        )
        for place in order
    ]
