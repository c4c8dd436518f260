"""The picture of a cannibalisation matrix."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from ...evaluation.drawing.style import ShownFigure, wrapped
from .cannibalisation import Cannibalisation
from .pair_figures import figure_style


def cannibalisation_figure(effects: Cannibalisation, known: int | None = None) -> Figure:
    """The matrix of price effects, numbers and 90 % intervals in the cells.

    Arguments:
        effects: the matrix; some twelve articles can be read.
        known: the number of articles from which those of the matrix were taken; ``None`` where these are all.
    """
    count = len(effects.articles)
    with figure_style():
        labels = [wrapped(article, 22, lines=3) for article in effects.articles]
        longest = max(len(line) for label in labels for line in label.splitlines())
        size = (2.2 + 0.075 * longest + 1.0 * count, 2.2 + 0.06 * longest + 0.75 * count)
        figure = ShownFigure(figsize=size, layout="constrained")
        axes = figure.subplots()
        off_diagonal = effects.mean[~np.eye(count, dtype=bool) & ~np.isnan(effects.mean)]
        limit = max(float(np.abs(off_diagonal).max()) if off_diagonal.size else 1.0, 0.1)
        certain = effects.certain()
        # What no path has an effect on stays blank; what is not told from 0 is grey, whatever its mean.
        modelled = np.eye(count, dtype=bool) | (effects.low != 0) | (effects.high != 0) | (effects.mean != 0)
        axes.imshow(np.where(modelled & ~certain, 0.0, np.nan), cmap=ListedColormap(["#e6e6e6"]), aspect="auto")
        image = axes.imshow(
            np.where(certain, effects.mean, np.nan), cmap="PuOr", vmin=-limit, vmax=limit, aspect="auto"
        )
        for row, column in np.ndindex(count, count):
            mean, low, high = (part[row, column] for part in (effects.mean, effects.low, effects.high))
            if not modelled[row, column]:
                continue
            dark = abs(mean) > 0.6 * limit and certain[row, column]
            axes.text(
                column,
                row,
                "no sales" if np.isnan(mean) else f"{mean:+.2f}\n[{low:+.2f}, {high:+.2f}]",
                ha="center",
                va="center",
                fontsize=7,
                fontweight="bold" if certain[row, column] else "normal",
                color="white" if dark else "black" if certain[row, column] else "0.45",
            )
        axes.set_xticks(range(count), labels, rotation=35, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(count), labels)
        axes.set_xlabel("price of … changes by +1 %")
        axes.set_ylabel("units of … change by (%)")
        part = f" for {count} of {known} articles" if known is not None and known > count else ""
        title = f"Cannibalisation{part}: mean and 90 % interval, grey where it holds 0"
        axes.set_title(wrapped(title, 12 + 10 * count))
        axes.grid(False)
        figure.colorbar(image, ax=axes, label="% of units (own effects beyond the scale)", shrink=0.8, extend="both")
    return figure
