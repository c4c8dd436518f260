"""A markdown plan as one page that needs no other file, and as tables."""

from __future__ import annotations

import base64
import os
from importlib.resources import files
from pathlib import Path

import matplotlib as mpl
import numpy as np
from jinja2 import Environment, StrictUndefined
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from ...evaluation.drawing.style import GREY, HUE, LITERAL, finish_axes, png_bytes
from ...forecasting.paths.table import write_frame
from ...runtime.whole_files import whole_file
from .baselines import NONE
from .plan import INTERVAL, PLAN, MarkdownPlan

_ORANGE = "#e07b00"
_SIZE = (5.2, 3.0)


def write_plan(plan: MarkdownPlan, out: str | os.PathLike[str]) -> Path:
    """Write a markdown plan: ``plan.csv``, ``rules.csv``, and the page ``plan.html``.

    Arguments:
        plan: the plan.
        out: folder, made if need be.

    Returns:
        The page.
    """
    folder = Path(out)
    write_frame(plan.table(), folder / "plan.csv")
    write_frame(plan.comparison(), folder / "rules.csv")
    with whole_file(folder / "plan.html") as aside:
        aside.write_text(_page(plan), encoding="utf-8")
    return folder / "plan.html"


def gain_figure(plan: MarkdownPlan) -> Figure:
    """The gain of a plan over each rule: its mean, and the interval that holds it on 80 % of the paths.

    Arguments:
        plan: the plan.
    """
    with mpl.rc_context(LITERAL):
        figure = Figure(figsize=_SIZE, layout="constrained", dpi=130)
        axes = figure.subplots()
        rules = [name for name in plan.judged if name != PLAN][::-1]
        for place, rule in enumerate(rules):
            axes.plot(plan.interval(rule), (place, place), color=HUE, linewidth=3, solid_capstyle="butt")
            axes.plot(plan.gain(rule).mean(), place, "o", color=HUE, markersize=7)
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.set_yticks(range(len(rules)), [f"over {rule}" for rule in rules], fontsize=8)
        axes.set_ylim(-0.6, len(rules) - 0.4)
        axes.set_title("Gain of the plan: mean, and 80 % of futures", loc="left", fontsize=9)
        axes.tick_params(axis="x", labelsize=8)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.set_xlabel("money", fontsize=8, color=GREY)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def stock_figure(plan: MarkdownPlan) -> Figure:
    """How the stock of all articles goes down under a plan and without a markdown: means, and 80 % of the paths.

    Arguments:
        plan: the plan.
    """
    with mpl.rc_context(LITERAL):
        figure = Figure(figsize=_SIZE, layout="constrained", dpi=130)
        axes = figure.subplots()
        for name, colour in ((NONE, _ORANGE), (PLAN, HUE)):
            gone = (plan.terms.kept[:, None, None] * plan.judged[name].sold).cumsum(1).sum(0)
            course = plan.terms.stock.sum() - gone
            low, high = np.quantile(course, INTERVAL, axis=-1)
            axes.fill_between(plan.dates, low, high, color=colour, alpha=0.25, linewidth=0)
            axes.plot(plan.dates, course.mean(-1), color=colour, label="the plan" if name == PLAN else name)
        finish_axes(axes, "Stock of all articles after each step", "units")
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False, fontsize=8)
    return figure


def _page(plan: MarkdownPlan) -> str:
    judged, none, terms = plan.judged[PLAN], plan.judged[NONE], plan.terms
    gain, (low, high) = plan.gain(NONE), plan.interval(NONE)
    marked = np.asarray((plan.steps > 0).any(1))
    of_budget = "" if terms.budget is None else f" of {terms.budget:,.0f}"
    facts = [
        ("Marked down", f"{marked.sum():,} of {len(marked):,} articles"),
        ("Gain over no markdown", f"{gain.mean():,.0f}, in 80 % of futures {low:,.0f} to {high:,.0f}"),
        ("Revenue", f"{judged.revenue.mean():,.0f}, without a markdown {none.revenue.mean():,.0f}"),
        (
            "Left over",
            f"{judged.left.sum(0).mean():,.0f} of {terms.stock.sum():,.0f} units, "
            f"without a markdown {none.left.sum(0).mean():,.0f}",
        ),
        ("Given away", f"{judged.given_away.mean():,.0f}{of_budget}"),
    ]
    better = [name for name in plan.judged if name != PLAN and plan.gain(name).mean() < 0]
    rules = [
        {
            "name": row["rule"],
            "numbers": [f"{row[key]:,.0f}" for key in ("worth", "revenue", "given_away", "left")],
            "gain": "" if row["rule"] == PLAN else f"{row['gain']:+,.0f}",
            "interval": "" if row["rule"] == PLAN else f"{row['low']:+,.0f} to {row['high']:+,.0f}",
            "unkept": row["unkept"],
        }
        for row in plan.comparison().to_dict("records")
    ]
    prices, cuts = plan.prices, 1 - plan.prices / terms.prices[:, :1]
    left_over, before = judged.left.mean(-1), none.left.mean(-1)
    order = np.lexsort((-terms.stock, -cuts.sum(1)))
    rows = [
        {
            "article": plan.item_ids[place],
            "stock": f"{terms.stock[place]:,.10g}",
            "left": f"{left_over[place]:,.0f}",
            "before": f"{before[place]:,.0f}",
            "cells": [
                {"price": f"{price:,.2f}", "shade": f"{min(cut, 0.6):.2f}", "cut": f"{cut:.0%}" if cut else ""}
                for price, cut in zip(prices[place], cuts[place], strict=True)
            ],
        }
        for place in order
    ]
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string((files(__package__) / "templates" / "plan.html").read_text("utf-8"))
    return template.render(
        date=f"{plan.dates[0]:%Y-%m-%d}",
        last=f"{plan.dates[-1]:%Y-%m-%d}",
        facts=facts,
        rules=rules,
        better=better,
        unseen=plan.unseen,
        weeks=[f"{date:%d %b}" for date in plan.dates],
        rows=rows,
        paths=len(gain),
        unkept=judged.unkept,
        pictures=[base64.b64encode(png_bytes(draw(plan))).decode() for draw in (gain_figure, stock_figure)],
    )
