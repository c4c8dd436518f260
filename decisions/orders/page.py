"""An order as one page that needs no other file, and as a table."""

from __future__ import annotations

import base64
import os
from importlib.resources import files
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined
from matplotlib.figure import Figure

from ...evaluation.drawing.style import GREY, HUE, LITERAL, png_bytes
from ...forecasting.paths.table import write_frame
from ...runtime.display.numbers import figure, percent
from ...runtime.whole_files import whole_file
from .plan import OrderPlan
from .report import OrderReport

_SHOWN = 20
"""Articles in the picture."""


def write_order(plan: OrderPlan, dates: pd.DatetimeIndex, lead_time: int, out: str | os.PathLike[str]) -> Path:
    """Write an order: ``order.csv``, ``order.json``, which `read_order` reads, and the page ``order.html``.

    Arguments:
        plan: the order.
        dates: of the H steps of the forecast.
        lead_time: steps before the order arrives.
        out: folder, made if need be.

    Returns:
        The page.
    """
    folder, report = Path(out), OrderReport.of(plan, dates, lead_time)
    write_frame(plan.table(), folder / "order.csv")
    report.write(folder)
    with whole_file(folder / "order.html") as aside:
        aside.write_text(_page(report), encoding="utf-8")
    return folder / "order.html"


def order_figure(report: OrderReport) -> Figure:
    """What stock and order cover of the demand, for the articles with the largest orders.

    Arguments:
        report: the order.

    Returns:
        The figure: a bar of stock and order an article, and the interval of its demand from arrival on, 80 % of paths.
    """
    lines = report.lines[:_SHOWN][::-1]
    with mpl.rc_context(LITERAL):
        figure = Figure(figsize=(9, 0.9 + 0.32 * len(lines)), layout="constrained", dpi=130)
        axes = figure.add_subplot()
        places, stock = np.arange(len(lines)), [line.at_arrival for line in lines]
        axes.barh(places, stock, color="#c4c4c4", label="stock at arrival, mean")
        axes.barh(places, [line.order for line in lines], left=stock, color=HUE, label="order")
        ends = [line.low for line in lines], [line.high for line in lines]
        axes.hlines(places, *ends, color="#e07b00", linewidth=2, label="demand, 80 % of futures")
        axes.plot([line.demand for line in lines], places, "D", color="#e07b00", markersize=4)
        axes.set_yticks(places, [line.article for line in lines], fontsize=8)
        axes.set_xlabel("units", fontsize=8, color=GREY)
        axes.tick_params(axis="x", labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlim(left=0)
        figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def _page(report: OrderReport) -> str:
    digits = 0 if report.whole else 1
    facts = [("units ordered", f"{figure(report.units, digits)} of {report.ordered:,} articles")]
    if report.purchase is not None:
        facts.append(("cost of the order", f"{report.purchase:,.2f}"))
    facts += [(fact.words, fact.told) for fact in report.facts]
    facts += [(limit.name, f"{figure(limit.used)} of {figure(limit.most)} used") for limit in report.limits]
    rows = [
        {
            "article": line.article,
            "order": figure(line.order, digits),
            "stock": figure(line.stock, digits),
            "demand": figure(line.demand, digits),
            "low": figure(line.low, digits),
            "high": figure(line.high, digits),
            "sufficient": percent(line.sufficient),
            "risky": line.sufficient < 0.5,
            "lost": figure(line.lost, 1),
            "left": figure(line.left, 1),
            "before": figure(line.lost_before, 1),
        }
        for line in report.lines
    ]
    sentence = (
        f"Placed now, it arrives for the step of {report.arrives} and has to last until the step of {report.last}."
    )
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string((files(__package__) / "templates" / "order.html").read_text("utf-8"))
    return template.render(
        date=report.begins,
        sentence=sentence,
        facts=[(words[0].upper() + words[1:], told) for words, told in facts],
        rows=rows,
        before=report.lost_before > 0,
        last=report.last,
        paths=report.paths,
        picture=base64.b64encode(png_bytes(order_figure(report))).decode(),
    )
