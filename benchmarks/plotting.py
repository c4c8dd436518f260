"""Plots of benchmark results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt


def lines(
    path: Path, x: Sequence[float], curves: Mapping[str, Sequence[float]], xlabel: str, ylabel: str, title: str
) -> None:
    """Draw curves over x on logarithmic axes."""
    figure, axes = plt.subplots(figsize=(5, 3.4), layout="constrained")
    for (name, values), marker in zip(curves.items(), "osd^v", strict=False):
        axes.plot(x, values, marker=marker, label=name)
    axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel, title=title)
    axes.set_xticks(list(x), [f"{value:g}" for value in x], rotation=45)
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    plt.close(figure)
