"""Backtests: runs by their scores, the worst windows first, fans against what came, calibration."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from ...evaluation.runs.metrics import METRICS
from ..access.doors import Anybody
from ..forecasts.backtests import SUM, StoredRun
from ..forecasts.charts import calibration_chart, stored_fan
from .forecasts import SVG, SVG_POLICY
from .rendering import rendered, studio_of

router = APIRouter(prefix="/backtests")

Run = Annotated[str, Query(max_length=600)]
Name = Annotated[str, Query(max_length=20)]
Series = Annotated[str, Query(max_length=300)]
Words = Annotated[str, Query(max_length=200)]

_AT_ONCE = 40


@router.get("")
def windows(request: Request, person: Anybody, run: Run = "") -> Response:
    """The runs of a backtest by their scores, and the windows of one, those that it forecast worst first."""
    backtest = studio_of(request).backtest(run)
    shown = backtest.run(run or backtest.name)
    order = sorted(shown.past(), key=lambda each: -np.nan_to_num(each.error, nan=-1.0))
    return rendered(
        request,
        "backtest.html",
        backtest=backtest,
        run=shown,
        labels=[METRICS[name].label for name in backtest.metrics],
        windows=[
            (each.name, f"{each.dates[0]:%Y-%m-%d}", each.error, float(each.errors[-1]), _held(shown, each.name))
            for each in order
        ],
    )


def _held(run: StoredRun, name: str) -> float:
    """The share of all series and steps of a window that the 80 % interval held."""
    window = run.window(name)
    counts = [window.inside(place) for place in range(len(window.item_ids))]
    known = sum(of for _, of in counts)
    return sum(held for held, _ in counts) / known if known else float("nan")


@router.get("/window")
def window(
    request: Request,
    person: Anybody,
    run: Run,
    window: Name = "",
    words: Words = "",
    page: Annotated[int, Query(ge=1, le=10**6)] = 1,
) -> Response:
    """The series of a window, those that were forecast worst first."""
    backtest = studio_of(request).backtest(run)
    shown = backtest.run(run)
    chosen = shown.window(shown.require_window(window))
    wanted = words.casefold()
    places = [place for place, item in enumerate(chosen.item_ids) if wanted in item.casefold()]
    places.sort(key=lambda place: -np.nan_to_num(chosen.errors[place], nan=-1.0))
    pages = max(1, -(-len(places) // _AT_ONCE))
    page = min(page, pages)
    rows = [
        (
            chosen.item_ids[place],
            float(np.nansum(chosen.observed[:, place])),
            float(chosen.mean[:, place].sum()),
            chosen.inside(place),
            float(chosen.errors[place]),
        )
        for place in places[(page - 1) * _AT_ONCE : page * _AT_ONCE]
    ]
    return rendered(
        request,
        "backtest_window.html",
        backtest=backtest,
        run=shown,
        window=chosen,
        date=f"{chosen.dates[0]:%Y-%m-%d}",
        rows=rows,
        words=words,
        page=page,
        pages=pages,
    )


@router.get("/series")
def one(request: Request, person: Anybody, run: Run, window: Name = "", series: Series = SUM) -> Response:
    """The fan of a series, or of the sum of all, against what came, with its numbers step by step."""
    backtest = studio_of(request).backtest(run)
    shown = backtest.run(run)
    chosen = shown.window(shown.require_window(window))
    place = chosen.place(series)
    steps = [
        (f"{date:%Y-%m-%d}", *(float(chosen.quantiles[level, step, place]) for level in (1, 3, 5)), float(came))
        for step, (date, came) in enumerate(zip(chosen.dates, chosen.observed[:, place], strict=True))
    ]
    return rendered(
        request,
        "backtest_series.html",
        backtest=backtest,
        run=shown,
        window=chosen,
        series=series,
        windows=[(each.name, f"{each.dates[0]:%Y-%m-%d}") for each in shown.past()],
        steps=steps,
        inside=chosen.inside(place),
        error=float(chosen.errors[place]),
    )


@router.get("/fan.svg")
def fan(request: Request, person: Anybody, run: Run, window: Name = "", series: Series = SUM) -> Response:
    """The fan as a picture."""
    shown = studio_of(request).backtest(run).run(run)
    name = shown.require_window(window)
    shown.window(name).place(series)
    return Response(stored_fan(shown, name, series), headers=SVG_POLICY, media_type=SVG)


@router.get("/calibration")
def calibration(request: Request, person: Anybody, run: Run) -> Response:
    """How often intervals held what came."""
    backtest = studio_of(request).backtest(run)
    shown = backtest.run(run)
    shares, _ = shown.calibration
    query = {"run": shown.name}
    return rendered(
        request,
        "calibration.html",
        shop=None,
        name=shown.model,
        back=("/backtests", query),
        picture=("/backtests/calibration.svg", query),
        shares=shares,
        windows=len(shown.past()),
    )


@router.get("/calibration.svg")
def calibration_picture(request: Request, person: Anybody, run: Run) -> Response:
    """The PIT histogram as a picture."""
    shown = studio_of(request).backtest(run).run(run)
    return Response(calibration_chart(shown.model, shown.calibration[1]), headers=SVG_POLICY, media_type=SVG)
