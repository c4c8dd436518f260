"""A page that says how good recommenders are, and needs no other file."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from importlib.resources import files

import matplotlib as mpl
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from ...evaluation.drawing.style import GREY, HUE, LITERAL, png_bytes
from .judge import NEW, Judged, judged_table

_COLOURS = {"sold": HUE, NEW: "#e07b00"}


def reliability_figure(judged: Mapping[str, Judged]) -> Figure | None:
    """Reliability curves of sold and of new articles, a panel for each recommender that gives probabilities.

    Arguments:
        judged: name -> its scores.

    Returns:
        The figure, with both axes logarithmic; ``None`` where no recommender gives any.
    """
    able = {name: each.curves for name, each in judged.items() if each.curves}
    if not able:
        return None
    with mpl.rc_context(LITERAL):
        figure = Figure(figsize=(4.2 * len(able), 4), layout="constrained", dpi=130)
        for axes, (name, curves) in zip(figure.subplots(1, len(able), squeeze=False)[0], able.items(), strict=True):
            ends = [float(part) for curve in curves.values() for part in curve[:, 0]]
            axes.plot([min(ends), max(ends)], [min(ends), max(ends)], color="#bbb", linewidth=1)
            for group, curve in curves.items():
                some = curve[curve[:, 1] > 0]
                axes.plot(some[:, 0], some[:, 1], "o-", color=_COLOURS[group], label=f"{group} articles", markersize=4)
            axes.set(xscale="log", yscale="log", title=name)
            axes.set_xlabel("probability", color=GREY)
            axes.set_ylabel("share bought", color=GREY)
            axes.spines[["top", "right"]].set_visible(False)
            axes.legend(frameon=False, fontsize=8)
    return figure


def judged_page(judged: Mapping[str, Judged], title: str = "What was bought later") -> str:
    """The table and the reliability of some recommenders as one HTML page.

    Arguments:
        judged: name -> its scores.
        title: of the page.
    """
    figure = reliability_figure(judged)
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string((files(__package__) / "templates" / "judged.html").read_text("utf-8"))
    return template.render(
        title=title,
        # The table escapes what it holds.
        table=Markup(judged_table(judged, title)._repr_html_()),
        picture=None if figure is None else base64.b64encode(png_bytes(figure)).decode(),
    )
