"""What to order, what it costs, and which price each week: orders and markdown plans of run folders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from ...decisions.markdowns.report import PriceLine
from ...decisions.orders.report import OrderLine
from ..access.doors import Anybody
from ..forecasts.charts import order_chart, plan_chart
from .forecasts import SVG, SVG_POLICY
from .rendering import rendered, studio_of

router = APIRouter()

Name = Annotated[str, Query(max_length=300)]
Words = Annotated[str, Query(max_length=200)]
Page = Annotated[int, Query(ge=1, le=10**6)]

_AT_ONCE = 60

Line = TypeVar("Line", OrderLine, PriceLine)


@router.get("/orders")
def order(request: Request, person: Anybody, name: Name = "", words: Words = "", page: Page = 1) -> Response:
    """An order: how much of each article, what it costs, and what is to be expected of it."""
    found = studio_of(request).orders
    names = list(found.found())
    if not names:
        return rendered(request, "undecided.html", what="order", places=found.places)
    name, report = found.shown(name)
    lines, pages = _shown(report.lines, words, page)
    return rendered(
        request,
        "order.html",
        names=names,
        name=name,
        report=report,
        words=words,
        lines=lines,
        page=min(page, pages),
        pages=pages,
        before=report.lost_before > 0,
    )


@router.get("/plans")
def plan(request: Request, person: Anybody, name: Name = "", words: Words = "", page: Page = 1) -> Response:
    """A markdown plan: which price each week, and what is to be expected of it and of simpler rules."""
    found = studio_of(request).plans
    names = list(found.found())
    if not names:
        return rendered(request, "undecided.html", what="plan", places=found.places)
    name, report = found.shown(name)
    lines, pages = _shown(report.lines, words, page)
    return rendered(
        request,
        "plan.html",
        names=names,
        name=name,
        report=report,
        words=words,
        lines=lines,
        page=min(page, pages),
        pages=pages,
    )


@router.get("/orders/order.svg")
def order_picture(request: Request, person: Anybody, name: Name) -> Response:
    """Stock, order and demand of the articles with the largest orders."""
    return Response(order_chart(studio_of(request).orders.report(name)), headers=SVG_POLICY, media_type=SVG)


@router.get("/plans/{which}.svg")
def plan_picture(request: Request, person: Anybody, which: Literal["gain", "stock"], name: Name) -> Response:
    """What the plan gains over simpler rules, or how the stock goes down."""
    return Response(plan_chart(studio_of(request).plans.report(name), which), headers=SVG_POLICY, media_type=SVG)


def _shown(lines: Sequence[Line], words: str, page: int) -> tuple[Sequence[Line], int]:
    """The lines of a page whose article has some words in its name, and the number of pages."""
    wanted = words.casefold()
    chosen = [line for line in lines if wanted in line.article.casefold()] if wanted else lines
    pages = max(1, -(-len(chosen) // _AT_ONCE))
    page = min(page, pages)
    return chosen[(page - 1) * _AT_ONCE : page * _AT_ONCE], pages
