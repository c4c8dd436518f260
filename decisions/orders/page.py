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
from ...runtime.whole_files import whole_file
from .plan import OrderPlan

_SHOWN = 20
"""Articles in the picture."""


def write_order(plan: OrderPlan, dates: pd.DatetimeIndex, lead_time: int, out: str | os.PathLike[str]) -> Path:
    """Write an order: ``order.csv``, and the page ``order.html``.

    Arguments:
        plan: the order.
        dates: of the H steps of the forecast.
        lead_time: steps before the order arrives.
        out: folder, made if need be.

    Returns:
        The page.
    """
    folder = Path(out)
    write_frame(plan.table(), folder / "order.csv")
    with whole_file(folder / "order.html") as aside:
        aside.write_text(_page(plan, dates, lead_time), encoding="utf-8")
    return folder / "order.html"


def order_figure(plan: OrderPlan) -> Figure:
    """What stock and order cover of the demand, for the articles with the largest orders.

    Arguments:
        plan: the order.

    Returns:
        The figure: a bar of stock and order an article, and the interval of its demand from arrival on, 80 % of paths.
    """
    table = plan.table()
    left_at_arrival = (plan.demand - plan.needs.units).mean(0)
    chosen = np.argsort(-plan.order, kind="stable")[:_SHOWN][::-1]
    with mpl.rc_context(LITERAL):
        figure = Figure(figsize=(9, 0.9 + 0.32 * len(chosen)), layout="constrained", dpi=130)
        axes = figure.add_subplot()
        places = np.arange(len(chosen))
        stock = np.maximum(left_at_arrival[chosen], 0)
        axes.barh(places, stock, color="#c4c4c4", label="stock at arrival, mean")
        axes.barh(places, plan.order[chosen], left=stock, color=HUE, label="order")
        low, high = table["q10"].to_numpy()[chosen], table["q90"].to_numpy()[chosen]
        axes.hlines(places, low, high, color="#e07b00", linewidth=2, label="demand, 80 % of futures")
        axes.plot(table["demand"].to_numpy()[chosen], places, "D", color="#e07b00", markersize=4)
        axes.set_yticks(places, [str(plan.item_ids[place]) for place in chosen], fontsize=8)
        axes.set_xlabel("units", fontsize=8, color=GREY)
        axes.tick_params(axis="x", labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlim(left=0)
        figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def _page(plan: OrderPlan, dates: pd.DatetimeIndex, lead_time: int) -> str:
    table = plan.table()
    facts = [
        ("Units ordered", f"{plan.order.sum():,.0f} of {np.count_nonzero(plan.order)} articles"),
        ("All articles last", f"with a probability of {plan.all_sufficient:.0%}"),
        ("One common stock would last", f"with a probability of {plan.common_sufficient:.0%}"),
        ("Expected lost", f"{plan.expected_lost.sum():,.1f} units"),
        ("Expected left over", f"{plan.expected_left.sum():,.1f} units"),
    ]
    for name, (used, most) in plan.used().items():
        facts.append((name.capitalize(), f"{used:,.0f} of {most:,.0f} used"))
    numbers = table.set_index("article").astype(float).sort_values("order", ascending=False, kind="stable")
    rows = [
        {
            "article": article,
            "order": f"{row['order']:,.10g}",
            "stock": f"{row['stock']:,.10g}",
            "demand": f"{row['demand']:,.1f}",
            "low": f"{row['q10']:,.0f}",
            "high": f"{row['q90']:,.0f}",
            "sufficient": f"{row['sufficient']:.0%}",
            "risky": row["sufficient"] < 0.5,
            "lost": f"{row['expected_lost']:,.1f}",
            "left": f"{row['expected_left']:,.1f}",
            "before": f"{row['lost_before']:,.1f}",
        }
        for article, row in zip(numbers.index, numbers.to_dict("records"), strict=True)
    ]
    arrival = dates[lead_time]
    sentence = (
        f"Placed now, it arrives for the step of {arrival:%Y-%m-%d} and has to last until the step of "
        f"{dates[-1]:%Y-%m-%d}."
    )
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string((files(__package__) / "templates" / "order.html").read_text("utf-8"))
    return template.render(
        date=f"{dates[0]:%Y-%m-%d}",
        sentence=sentence,
        facts=facts,
        rows=rows,
        before=bool(plan.needs.lost_before.any()),
        last=f"{dates[-1]:%Y-%m-%d}",
        paths=len(plan.demand),
        picture=base64.b64encode(png_bytes(order_figure(plan))).decode(),
    )
