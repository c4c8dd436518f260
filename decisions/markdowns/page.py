"""A markdown plan as one page that needs no other file, and as tables."""

from __future__ import annotations

import base64
import os
from importlib.resources import files
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from jinja2 import Environment, StrictUndefined
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from ...evaluation.drawing.style import GREY, HUE, LITERAL, finish_axes, png_bytes
from ...forecasting.paths.table import write_frame
from ...runtime.display.numbers import percent
from ...runtime.whole_files import whole_file
from .plan import PLAN, MarkdownPlan
from .report import PlanReport

_ORANGE = "#e07b00"
_SIZE = (5.2, 3.0)


def write_plan(plan: MarkdownPlan, out: str | os.PathLike[str]) -> Path:
    """Write a markdown plan: ``plan.csv``, ``rules.csv``, ``prices.json``, which `read_plan` reads, and ``plan.html``.

    Arguments:
        plan: the plan.
        out: folder, made if need be.

    Returns:
        The page.
    """
    folder, report = Path(out), PlanReport.of(plan)
    write_frame(plan.table(), folder / "plan.csv")
    write_frame(plan.comparison(), folder / "rules.csv")
    report.write(folder)
    with whole_file(folder / "plan.html") as aside:
        aside.write_text(_page(report), encoding="utf-8")
    return folder / "plan.html"


def gain_figure(report: PlanReport) -> Figure:
    """The gain of a plan over each rule: its mean, and the interval that holds it on 80 % of the paths.

    Arguments:
        report: the plan.
    """
    with mpl.rc_context(LITERAL):
        figure = Figure(figsize=_SIZE, layout="constrained", dpi=130)
        axes = figure.subplots()
        rules = [each for each in report.rules if each.rule != PLAN][::-1]
        for place, each in enumerate(rules):
            axes.plot((each.low, each.high), (place, place), color=HUE, linewidth=3, solid_capstyle="butt")
            axes.plot(each.gain, place, "o", color=HUE, markersize=7)
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.set_yticks(range(len(rules)), [f"over {each.rule}" for each in rules], fontsize=8)
        axes.set_ylim(-0.6, len(rules) - 0.4)
        axes.set_title("Gain of the plan: mean, and 80 % of futures", loc="left", fontsize=9)
        axes.tick_params(axis="x", labelsize=8)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.set_xlabel("money", fontsize=8, color=GREY)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def stock_figure(report: PlanReport) -> Figure:
    """How the stock of all articles goes down under a plan and without a markdown: means, and 80 % of the paths.

    Arguments:
        report: the plan.
    """
    dates = pd.DatetimeIndex(report.dates)
    with mpl.rc_context(LITERAL):
        figure = Figure(figsize=_SIZE, layout="constrained", dpi=130)
        axes = figure.subplots()
        for each, colour in zip(report.courses, (_ORANGE, HUE), strict=True):
            axes.fill_between(dates, each.low, each.high, color=colour, alpha=0.25, linewidth=0)
            axes.plot(dates, each.mean, color=colour, label="the plan" if each.rule == PLAN else each.rule)
        finish_axes(axes, "Stock of all articles after each step", "units")
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False, fontsize=8)
    return figure


def _page(report: PlanReport) -> str:
    plan, none = report.planned, report.without
    of_budget = "" if report.budget is None else f" of {report.budget:,.0f}"
    facts = [
        ("Marked down", f"{report.marked_down:,} of {len(report.lines):,} articles"),
        ("Gain over no markdown", f"{none.gain:,.0f}, in 80 % of futures {none.low:,.0f} to {none.high:,.0f}"),
        ("Revenue", f"{plan.revenue:,.0f}, without a markdown {none.revenue:,.0f}"),
        ("Left over", f"{plan.left:,.0f} of {report.stock:,.0f} units, without a markdown {none.left:,.0f}"),
        ("Given away", f"{plan.given_away:,.0f}{of_budget}"),
    ]
    rules = [
        {
            "name": each.rule,
            "numbers": [f"{value:,.0f}" for value in (each.worth, each.revenue, each.given_away, each.left)],
            "gain": "" if each.rule == PLAN else f"{each.gain:+,.0f}",
            "interval": "" if each.rule == PLAN else f"{each.low:+,.0f} to {each.high:+,.0f}",
            "unkept": each.unkept,
        }
        for each in report.rules
    ]
    rows = [
        {
            "article": line.article,
            "stock": f"{line.stock:,.10g}",
            "left": f"{line.left:,.0f}",
            "before": f"{line.without:,.0f}",
            "cells": [
                {"price": f"{price:,.2f}", "shade": f"{min(cut, 0.6):.2f}", "cut": percent(cut) if cut > 1e-9 else ""}
                for price, cut in zip(line.prices, line.cuts, strict=True)
            ],
        }
        for line in report.lines
    ]
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string((files(__package__) / "templates" / "plan.html").read_text("utf-8"))
    return template.render(
        date=report.dates[0],
        last=report.dates[-1],
        facts=facts,
        rules=rules,
        better=report.better,
        unseen=report.unseen,
        weeks=[f"{date:%d %b}" for date in pd.DatetimeIndex(report.dates)],
        rows=rows,
        paths=report.paths,
        unkept=report.unkept,
        pictures=[base64.b64encode(png_bytes(draw(report))).decode() for draw in (gain_figure, stock_figure)],
    )
