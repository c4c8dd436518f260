"""Pictures of a pair of articles under a scenario."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.ticker import MaxNLocator

from ...datasets.entries.entry import Entry
from ...datasets.entries.frequency import dates_of, shifted, step_word
from ...datasets.entries.gluonts_keys import GluontsEntry
from ...evaluation.drawing.style import ShownFigure, single_points, wrapped
from ...runtime.display.numbers import percent
from .outcome import Outcome, Simulation

# Dark blue and light orange stay apart in grey, and line styles tell them apart without any colour.
BASELINE_LOOK: dict[str, Any] = {"color": "#1f4e8c", "linestyle": "-"}

SCENARIO_LOOK: dict[str, Any] = {"color": "#e07b00", "linestyle": "--"}

PAST_STEPS = 26

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "legend.frameon": False,
    "figure.dpi": 130,
    "text.parse_math": False,  # an article may be called tee $5
}


def pair_figure(
    simulation: Simulation, scenario: str, first: str, second: str, actual: GluontsEntry | None = None
) -> Figure:
    """Six panels on what a scenario does to two articles.

    Fans of both; the joint distribution of their totals over the horizon; the distribution of the change of the
    second; revenue; and the correlation of their forecast errors.

    Arguments:
        simulation: the outcomes.
        scenario: the name of one.
        first: an article, usually the one that is changed.
        second: another article.
        actual: an entry that goes on over the horizon, of which that is drawn as what happened.

    Returns:
        The figure; `Figure.savefig` writes it.

    Raises:
        ValueError: the scenario or an article is unknown.
    """
    before, after = simulation.baseline, chosen_outcome(simulation, scenario)
    with figure_style():
        figure = ShownFigure(figsize=(12, 13.5), layout="constrained")
        grid = figure.add_gridspec(3, 2)
        for place, article in enumerate((first, second)):
            _fan(figure.add_subplot(grid[0, place]), simulation, after, article, actual)
        _totals(figure, grid[1, 0], before, after, first, second)
        _change(figure.add_subplot(grid[1, 1]), after, second)
        _revenue(figure.add_subplot(grid[2, 0]), before, after, first, second)
        _correlation(figure.add_subplot(grid[2, 1]), before, after, first, second)
    return figure


def chosen_outcome(simulation: Simulation, scenario: str) -> Outcome:
    """The outcome of a scenario.

    Raises:
        ValueError: there is none of this name.
    """
    if scenario not in simulation:
        raise ValueError(f"scenario: expected one of {', '.join(simulation)}; got {scenario!r}")
    return simulation[scenario]


@contextmanager
def figure_style() -> Iterator[None]:
    """The look of the pictures of a pair."""
    with mpl.rc_context(STYLE):
        yield


def _fan(axes: Axes, simulation: Simulation, after: Outcome, article: str, actual: GluontsEntry | None) -> None:
    before, dates = simulation.baseline, date2num(simulation.baseline.dates)
    column = before.column(article)
    past = simulation.history.target[column, -PAST_STEPS:]
    sold_on = date2num(dates_of(shifted(before.start, -len(past)), len(past)))
    axes.plot(sold_on, past, color="0.25", lw=1.2, label="sold")
    if (alone := single_points(past)).any():
        axes.plot(sold_on[alone], past[alone], ".", color="0.25", markersize=4)
    if (happened := _happened(actual, before, article)) is not None:
        axes.plot(dates[: len(happened)], happened, "o", color="0.25", markersize=4, label="what happened", zorder=4)
    # A fan opens from what was sold last, where that is known.
    joined = [] if np.isnan(past[-1:]).all() else [past[-1]]
    along = np.concatenate([sold_on[-1:][: len(joined)], dates])
    for outcome, look in ((before, BASELINE_LOOK), (after, SCENARIO_LOOK)):
        drawn = outcome.quantile((0.05, 0.25, 0.5, 0.75, 0.95))[:, :, column]
        low, quarter, middle, three, high = (np.concatenate([joined, line]) for line in drawn)
        axes.fill_between(along, low, high, color=look["color"], alpha=0.14, lw=0)
        axes.fill_between(along, quarter, three, color=look["color"], alpha=0.25, lw=0)
        axes.plot(along, middle, lw=1.8, label=wrapped(f"{outcome.name}: median, 50 % and 90 %", 40), **look)
    # Room for the legend above the curves; what does not go below 0 begins there.
    bottom, top = axes.get_ylim()
    bottom = bottom if axes.dataLim.ymin < 0 else 0
    axes.set_ylim(bottom, top + 0.3 * (top - bottom))
    half = (dates[1] - dates[0]) / 2 if len(dates) > 1 else 0.5
    for date in dates[_touched(simulation, after.name, article)]:
        axes.axvspan(date - half, date + half, color="0.5", alpha=0.12, lw=0, zorder=0)
    axes.xaxis_date()
    axes.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    axes.set_ylabel(f"pieces per {step_word(before.start.freqstr)}")
    axes.set_title(wrapped(f"{article}: sold and forecast, the changed steps shaded"))
    axes.legend(loc="upper left")


def _happened(actual: GluontsEntry | None, before: Outcome, article: str) -> np.ndarray | None:
    """What an entry holds of an article from the start of a forecast on, as far as the horizon."""
    if actual is None:
        return None
    entry = Entry.of(actual)
    begin = (before.start.ordinal - entry.start.ordinal) // before.start.freq.n
    return np.asarray(entry.target[entry.item_ids.index(article), begin : begin + before.paths.shape[1]])


def _touched(simulation: Simulation, name: str, article: str) -> np.ndarray:
    """The steps of the horizon in which a scenario changes a channel of an article, or one that all share."""
    touched = np.zeros(simulation.baseline.paths.shape[1], dtype=bool)
    for scenario in simulation.scenarios:
        for change in scenario.changes:
            if scenario.name == name and change.article in (article, None):
                touched[change.steps(len(touched))] = True
    return touched


def _totals(figure: Figure, cell: SubplotSpec, before: Outcome, after: Outcome, first: str, second: str) -> None:
    inner = cell.subgridspec(2, 2, width_ratios=(4, 1), height_ratios=(1, 4), wspace=0.05, hspace=0.05)
    axes = figure.add_subplot(inner[1, 0])
    top, right = figure.add_subplot(inner[0, 0], sharex=axes), figure.add_subplot(inner[1, 1], sharey=axes)
    totals = np.array([[outcome.units(article) for article in (first, second)] for outcome in (before, after)])
    limits = np.array([_bulk(totals[:, place]) for place in (0, 1)])
    beyond = ((totals < limits[:, :1]) | (totals > limits[:, 1:])).any(1).sum()
    drawn = zip((before, after), totals, (BASELINE_LOOK, SCENARIO_LOOK), "ox", strict=True)
    for outcome, (across, up), look, marker in drawn:
        shown = slice(0, 600)
        axes.scatter(across[shown], up[shown], s=9, marker=marker, color=look["color"], alpha=0.35, lw=0.8)
        axes.scatter(
            across.mean(),
            up.mean(),
            marker="P",
            s=120,
            ec="white",
            color=look["color"],
            label=wrapped(outcome.name, 30),
            zorder=3,
        )
        top.hist(across, bins=30, range=limits[0], histtype="step", lw=1.4, density=True, **look)
        right.hist(
            up, bins=30, range=limits[1], histtype="step", lw=1.4, density=True, orientation="horizontal", **look
        )
    for side in (top, right):
        side.axis("off")
    axes.set_xlabel(wrapped(f"{first}: pieces over the horizon", 45))
    axes.set_ylabel(wrapped(f"{second}: pieces over the horizon", 36))
    axes.set(xlim=limits[0], ylim=limits[1])
    axes.locator_params(axis="x", nbins=6)
    outside = f"; {beyond} of {totals[:, 0].size} lie further out" if beyond else ""
    top.set_title(wrapped(f"Joint distribution of the totals (a point a path{outside})"))
    axes.legend(title="mean of", loc="best")


def _bulk(values: np.ndarray) -> tuple[float, float]:
    """Limits that hold nearly all values: a single far one would leave the others a corner of the panel."""
    low, high = np.quantile(values, (0.005, 0.995))
    room = 0.3 * (high - low)
    least, most = max(values.min(), low - room), min(values.max(), high + room)
    margin = 0.05 * (most - least) or 1.0
    return least - margin, most + margin


def _change(axes: Axes, after: Outcome, article: str) -> None:
    change = after.difference().units(article)
    (low, high), middle = np.quantile(change, (0.05, 0.95)), change.mean()
    axes.hist(change, bins=_edges(change).tolist(), color=SCENARIO_LOOK["color"], alpha=0.55, edgecolor="white", lw=0.3)
    axes.axvline(0, color="black", lw=1)
    for value, style in ((low, ":"), (middle, "-"), (high, ":")):
        axes.axvline(value, color="0.2", linestyle=style, lw=1.5)
    axes.set_xlabel(wrapped(f"{article}: change of pieces over the horizon"))
    axes.set_ylabel("paths")
    changed = f"Change of {article}: {middle:+,.0f} [{low:+,.0f}, {high:+,.0f}] pieces"
    axes.set_title(wrapped(f"{changed}, fewer on {percent((change < 0).mean())} of the paths"))


def _edges(values: np.ndarray, most: int = 40) -> np.ndarray:
    """Edges of the bars of a histogram: around whole numbers where all are, one broad bar where all are the same."""
    values = values.astype(float)
    low, high = values.min(), values.max()
    size = max(1.0, 0.04 * abs(low))
    if high - low <= 1e-6 * size:
        return np.array([low - size / 2, high + size / 2])
    if not (values == np.rint(values)).all():
        return np.linspace(low, high, most + 1)
    width = np.ceil((high - low + 1) / most)
    return low - 0.5 + width * np.arange(np.ceil((high - low + 1) / width) + 1)


def _revenue(axes: Axes, before: Outcome, after: Outcome, first: str, second: str) -> None:
    axes.set_title("Revenue over the horizon: mean and 90 % interval")
    if before.money is None:
        axes.axis("off")
        axes.text(0, 0.5, "The model knows no prices.")
        return
    groups = [(first, [first]), (second, [second]), ("both", [first, second])]
    names = [name for name, _ in groups]
    for shift, outcome, look, hatch in ((-0.2, before, BASELINE_LOOK, ""), (0.2, after, SCENARIO_LOOK, "///")):
        sums = np.stack([np.sum([outcome.revenue(article) for article in articles], axis=0) for _, articles in groups])
        low, high = np.quantile(sums, (0.05, 0.95), axis=1)
        mean = sums.mean(1)
        place = np.arange(len(groups)) + shift
        axes.bar(
            place,
            mean,
            0.36,
            color=look["color"],
            alpha=0.75,
            hatch=hatch,
            edgecolor="white",
            label=wrapped(outcome.name, 40),
        )
        axes.errorbar(
            place, mean, np.stack([mean - low, high - mean]).clip(0), fmt="none", ecolor="0.15", capsize=4, lw=1.2
        )
    change = after.difference()
    gains = [np.sum([change.revenue(article) for article in articles], axis=0) for _, articles in groups]
    labels = [
        f"{wrapped(name, 18, lines=3)}\n{gain.mean():+,.0f}\n"
        f"[{np.quantile(gain, 0.05):+,.0f}, {np.quantile(gain, 0.95):+,.0f}]"
        for name, gain in zip(names, gains, strict=True)
    ]
    axes.set_xticks(range(len(groups)), labels)
    axes.set_ylabel("money (pieces × price)")
    axes.legend(loc="upper left")
    axes.margins(y=0.2)


def _correlation(axes: Axes, before: Outcome, after: Outcome, first: str, second: str) -> None:
    """Correlation of the two articles' deviations from their means, a step and in total."""
    steps = np.arange(1, before.paths.shape[1] + 1)
    for shift, outcome, look, marker in ((-0.08, before, BASELINE_LOOK, "o"), (0.08, after, SCENARIO_LOOK, "s")):
        pairs = [(outcome.units(first, slice(s - 1, s)), outcome.units(second, slice(s - 1, s))) for s in steps]
        values = np.array([_correlate(*pair) for pair in pairs])
        # Fisher: arctanh of a correlation of S paths has a standard error of 1 / sqrt(S - 3).
        width = 1.645 / np.sqrt(max(len(outcome.paths) - 3, 1))
        low, high = np.tanh(np.arctanh(values) - width), np.tanh(np.arctanh(values) + width)
        total = _correlate(outcome.units(first), outcome.units(second))
        axes.errorbar(
            steps + shift,
            values,
            np.stack([values - low, high - values]),
            marker=marker,
            capsize=3,
            label=wrapped(f"{outcome.name} (totals: {total:+.2f})", 40),
            **look,
        )
    axes.axhline(0, color="black", lw=0.8)
    axes.set_ylim(-1, 1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlim(0.5, len(steps) + 0.5)
    axes.set_xlabel("step of the horizon")
    axes.set_ylabel("correlation")
    axes.set_title(wrapped(f"Correlation of the forecast errors of {first} and {second}"))
    axes.legend(loc="lower left")


def _correlate(first: np.ndarray, second: np.ndarray) -> float:
    if len(first) < 3 or first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.clip(np.corrcoef(first, second)[0, 1], -0.9999, 0.9999))
