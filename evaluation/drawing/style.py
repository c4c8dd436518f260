"""The look of every figure: colours, axes, legends and PNG bytes."""

from __future__ import annotations

import io
import textwrap
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

INK, GREY, HUE = "#1a1a1a", "#6b6b6b", "#1f5a96"

BANDS: tuple[str, ...] = ("#d3e1f0", "#a3c1de", "#6c9cc9")
"""Fills of the 95, 80 and 50 % intervals: one hue, each darker than the one around it, so that a grey print
keeps their order."""

LITERAL: dict[Any, Any] = {"text.parse_math": False}
"""Settings of matplotlib under which a name is drawn as it is, its dollars too."""


def finish_axes(axes: Axes, title: str, unit: str = "") -> None:
    """Title, unit, readable dates and numbers, no frame that is not needed."""
    axes.set_title(title, loc="left", fontsize=9, color=INK)
    if unit:
        axes.set_ylabel(unit, fontsize=8, color=GREY)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#b5b5b5")
    axes.tick_params(labelsize=8, colors=GREY, labelcolor=INK)
    axes.grid(axis="y", color="#ececec", linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
    locator = AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.xaxis.get_offset_text().set(fontsize=8, color=GREY)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    low, high = axes.get_ylim()
    # Room beneath what is never below 0 would read as if it could be.
    if low < 0 <= axes.dataLim.ymin:
        axes.set_ylim(bottom=0)
    if max(abs(low), abs(high)) >= 1e4:
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
    axes.margins(x=0.01)


def legend_below(figure: Figure, axes: Axes) -> None:
    """One legend for all panels, beneath them, each entry once."""
    handles, labels = axes.get_legend_handles_labels()
    entries = dict(zip(labels, handles, strict=True))
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=5, frameon=False, fontsize=8)


class ShownFigure(Figure):
    """A figure that a notebook shows as the last line of a cell, whether or not pyplot was ever imported there."""

    def _repr_png_(self) -> bytes:
        return png_bytes(self)


def png_bytes(figure: Figure) -> bytes:
    """A figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def svg_bytes(figure: Figure) -> bytes:
    """A figure as the bytes of an SVG file, in which texts are texts: they can be read aloud, chosen and printed."""
    buffer = io.BytesIO()
    with rc_context({"svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def single_points(values: np.ndarray) -> np.ndarray:
    """Values with a gap on both sides, which no line would show."""
    missing = np.concatenate([[True], np.isnan(values), [True]])
    return ~missing[1:-1] & missing[:-2] & missing[2:]


def wrapped(text: str, width: int = 54, lines: int | None = None) -> str:
    """A text in lines no longer than there is room, by default than a panel is wide, whatever articles are called."""
    return textwrap.fill(text, width, max_lines=lines, placeholder=" …")
