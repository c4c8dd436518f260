"""What the articles with a past tell of those without one: how sales answer to prices, and what descriptors mean."""

from __future__ import annotations

import logging

import numpy as np

from ....datasets.entries.domain import Domain
from ....datasets.entries.entry import Entry
from ....runtime.display.numbers import percent
from ...response.fit import fit_response
from ...response.pair_odds import Described
from ...response.response import LogLinear, Response
from ...windows.spec import SeriesSpec
from .cross_effects import came_or_went, wider, with_presence
from .descriptors import Likeness
from .level_regression import explained
from .likeness import learnt_likeness
from .new_paths import at_usual_prices, described
from .sales_levels import levels_and_index

logger = logging.getLogger(__name__)

FEWEST = 3
"""Articles with a past, at least, for new ones to be judged by."""


def judged_by(
    entries: list[Entry],
    known: np.ndarray,
    spec: SeriesSpec,
    response: LogLinear | None,
    domain: Domain,
    seed: int,
    argument: str = "training_data",
) -> tuple[Response | None, Likeness]:
    """Fit the cold-start model: levels, similarities and launch curve.

    Arguments:
        entries: with a value of every known article in each.
        known: bool ``[D]``, which articles have a past.
        spec: the shape of the entries.
        response: how sales answer to channels known of the future; ``None`` lets new articles answer to none.
        domain: the values that sales can take.
        seed: of which articles are judged.
        argument: the name by which errors call the entries.

    Returns:
        The fitted response, and how much descriptors tell.

    Raises:
        ValueError: fewer than `FEWEST` articles have a past, an entry has no value of one, or sales are negative.
    """
    _check(entries, known, spec, argument)
    longest = max(entries, key=lambda entry: entry.length)
    horizon, fitted = spec.prediction_length, None
    if response is not None:
        items = came_or_went(longest, known, horizon)
        apart = Described.of(longest.static_real, longest.static_cat, known)
        told_of = [with_presence(entry, items, known, horizon) for entry in entries]
        fitted = fit_response(told_of, wider(spec, items), response, domain, described=apart)
        longest = max(told_of, key=lambda entry: entry.length)
    sales, told = at_usual_prices(longest, fitted)[known], described(longest, fitted, known)[known]
    likeness = learnt_likeness(sales, told, seed)
    logger.info(
        "%d new articles; of the levels of %d others, each foretold from the rest, descriptors explain %s; "
        "a new one takes the course of %s",
        (~known).sum(),
        known.sum(),
        percent(explained(levels_and_index(sales)[0], told, likeness.ridge)),
        "those that resemble it" if np.isfinite(likeness.course) else "any of them",
    )
    return fitted, likeness


def _check(entries: list[Entry], known: np.ndarray, spec: SeriesSpec, argument: str) -> None:
    new = spec.item_ids[int(np.flatnonzero(~known)[0])]
    if known.sum() < FEWEST:
        raise ValueError(
            f"{argument}: expected at least {FEWEST} articles with a past, to judge {new!r} by, which has none or "
            f"little; got {known.sum()}"
        )
    for number, entry in enumerate(entries):
        require_past(entry, known, spec.item_ids, f"{argument}: entry {number}")
        if np.nanmin(entry.target) < 0:
            series = int(np.argwhere(entry.target < 0)[0][0])
            raise ValueError(
                f"{argument}: expected values of at least 0, to judge {new!r} by, which has no past, got "
                f"{np.nanmin(entry.target):g} in {spec.item_ids[series]!r}"
            )


def require_past(entry: Entry, known: np.ndarray, item_ids: tuple[str, ...], where: str) -> None:
    """Raise where an entry has no value of an article that has a past elsewhere.

    Arguments:
        entry: ``target`` ``[D, T]``.
        known: bool ``[D]``, which articles have a past.
        item_ids: names of the D articles.
        where: what the entry is called.

    Raises:
        ValueError: it has none.
    """
    lost = known & np.isnan(entry.target).all(1)
    if lost.any():
        item = item_ids[int(np.flatnonzero(lost)[0])]
        raise ValueError(
            f"{where}: expected values of {item!r}, which the training data have a past of, got none; an article "
            "is new in all entries or in none"
        )
