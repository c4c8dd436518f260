"""The planner's pages: series by how badly they were forecast, fans, sums over a selection, calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from ..access.doors import Anybody
from ..forecasts.charts import calibration_chart, fan_chart
from ..forecasts.shop import AHEAD, Shop, Window
from .rendering import rendered, studio_of

router = APIRouter(prefix="/forecasts")

_AT_ONCE = 40
_MOST = 200
"""Series at most in a sum: their names stand in an address."""

SVG = "image/svg+xml"
SVG_POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
"""A picture may have a style of its own, and nothing else."""

Model = Annotated[str, Query(max_length=200)]
Name = Annotated[str, Query(max_length=20)]
Series = Annotated[list[str], Query(max_length=_MOST)]


@dataclass(frozen=True)
class SeriesRow:
    """A series in a window: how badly it was forecast, and its total over the horizon."""

    item: str
    window: str
    date: str
    error: float
    sold: float
    median: float
    low: float
    high: float


@router.get("")
def series(
    request: Request,
    person: Anybody,
    model: Model = "",
    window: Name = "",
    words: Annotated[str, Query(max_length=200)] = "",
    category: Annotated[str, Query(max_length=400)] = "",
    page: Annotated[int, Query(ge=1, le=10**6)] = 1,
) -> Response:
    """Series and windows, those that were forecast worst first; of the time after the data the largest."""
    shop = studio_of(request).shop(model)
    names = [shop.require_window(window)] if window else [name for name in shop.windows if name != AHEAD]
    names = names or [AHEAD]
    chosen = _chosen(shop, words, category)
    errors = {name: shop.window(name).errors for name in names}
    pairs = [(name, place) for name in names for place in _places(shop.window(name), chosen)]
    if names == [AHEAD]:
        sizes = shop.window(AHEAD).paths.mean(0).sum(0)
        pairs.sort(key=lambda pair: -sizes[pair[1]])
    else:
        pairs.sort(key=lambda pair: -np.nan_to_num(errors[pair[0]][pair[1]], nan=-1.0))
    pages = max(1, -(-len(pairs) // _AT_ONCE))
    page = min(page, pages)
    rows = [_row(shop.window(name), place) for name, place in pairs[(page - 1) * _AT_ONCE : page * _AT_ONCE]]
    return rendered(
        request,
        "series.html",
        shop=shop,
        window=window,
        windows=[(name, _date(shop.window(name))) for name in shop.windows],
        words=words,
        category=category,
        attributes={
            name: sorted(set(labels.values())) for name, labels in shop.data.metadata.attributes.items() if labels
        },
        rows=rows,
        count=len(pairs),
        page=page,
        pages=pages,
        ahead=AHEAD,
    )


def _chosen(shop: Shop, words: str, category: str) -> frozenset[str] | None:
    found = None
    if category:
        name, _, label = category.partition("=")
        found = shop.label(name, label)
    if words:
        wanted = words.casefold()
        named = frozenset(item for item in shop.data.metadata.item_ids if wanted in item.casefold())
        found = named if found is None else found & named
    return found


def _places(window: Window, chosen: frozenset[str] | None) -> list[int]:
    return [place for place, item in enumerate(window.item_ids) if chosen is None or item in chosen]


def _date(window: Window) -> str:
    return f"{window.dates[0]:%Y-%m-%d}"


def _row(window: Window, place: int) -> SeriesRow:
    totals = window.totals([place]).sum(axis=1)
    low, median, high = (float(value) for value in np.quantile(totals, (0.1, 0.5, 0.9)))
    sold = float(np.nansum(window.observed[:, place])) if window.name != AHEAD else float("nan")
    error = float(window.errors[place])
    return SeriesRow(window.item_ids[place], window.name, _date(window), error, sold, median, low, high)


@router.get("/series")
def one(request: Request, person: Anybody, series: Series, model: Model = "", window: Name = "") -> Response:
    """The fan of a series, or of the sum of several, with its numbers step by step."""
    shop = studio_of(request).shop(model)
    shown = shop.window(shop.require_window(window))
    places = shown.places(series)
    totals = shown.totals(places)
    quantiles = np.quantile(totals, (0.1, 0.5, 0.9), axis=0)
    observed = shown.observed[:, places].sum(axis=1)
    steps = [
        (f"{date:%Y-%m-%d}", *(float(value) for value in quantiles[:, step]), float(observed[step]))
        for step, date in enumerate(shown.dates)
    ]
    whole = [float(value) for value in np.quantile(totals.sum(axis=1), (0.1, 0.5, 0.9))]
    apart = shown.paths[:, :, places].sum(axis=1, dtype=np.float64)
    alone = np.quantile(apart, (0.1, 0.9), axis=0).sum(axis=1)
    return rendered(
        request,
        "one.html",
        shop=shop,
        shown=shown,
        series=[shown.item_ids[place] for place in places],
        windows=[(name, _date(shop.window(name))) for name in shop.windows],
        steps=steps,
        whole=whole,
        alone=[float(value) for value in alone],
        sold=float(observed.sum()),
        ahead=AHEAD,
    )


@router.get("/fan.svg")
def fan(request: Request, person: Anybody, series: Series, model: Model = "", window: Name = "") -> Response:
    """The fan as a picture."""
    shop = studio_of(request).shop(model)
    return Response(fan_chart(shop.window(shop.require_window(window)), series), headers=SVG_POLICY, media_type=SVG)


@router.get("/calibration")
def calibration(request: Request, person: Anybody, model: Model = "") -> Response:
    """How often intervals held what came."""
    shop = studio_of(request).shop(model)
    shares, _ = shop.calibration
    query = {"model": shop.name}
    return rendered(
        request,
        "calibration.html",
        shop=shop,
        name=shop.name,
        back=("/forecasts", query),
        picture=("/forecasts/calibration.svg", query),
        shares=shares,
        windows=len(shop.past()),
    )


@router.get("/calibration.svg")
def calibration_picture(request: Request, person: Anybody, model: Model = "") -> Response:
    """The PIT histogram as a picture."""
    shop = studio_of(request).shop(model)
    return Response(calibration_chart(shop.name, shop.calibration[1]), headers=SVG_POLICY, media_type=SVG)
