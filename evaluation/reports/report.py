"""The report of a backtest: one HTML page that needs nothing else."""

from __future__ import annotations

import base64
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from ...datasets.entries.frequency import step_word
from ...runtime.arguments.kinds import checked
from ...runtime.display.numbers import percent
from ...runtime.whole_files import whole_file
from ..drawing.style import LITERAL
from ..runs import machine
from ..runs.levels import in_order, metric_named
from ..scores.calibration import pit_deviation
from ..scores.intervals import COVERAGES
from ..store.backtest_folder import Backtest, load_backtest
from ..store.which_runs_count import current_runs
from ..tables.score_table import ScoreTable
from ..tables.table import overall_rows, summary, table
from .blocks import blocks_of, explained
from .figures import cost_chart, coverage_chart, fan_chart, pit_chart, step_chart, training_chart

_UNITS = {"count": "pieces", "unit": "share", "positive": "value", "real": "value"}


@dataclass(frozen=True)
class Chart:
    """A picture of the page.

    Arguments:
        source: a ``data:`` address.
        width: in pixels, so that text has one size in all pictures.
        alt: what it shows, for those who cannot see it.
    """

    source: str
    width: int
    alt: str


@dataclass(frozen=True)
class Section:
    """What the page says about one dataset.

    Arguments:
        dataset: its name.
        facts: name and value of what was done.
        tables: heading to models against scores.
        published: CRPS-sum beside published numbers, where data and protocol are those of an exact archive.
        deviation: model to the mean deviation of its PIT histogram from flat.
        sums: fan charts of the sum, a panel a model.
        series: fan charts of single series, model by model, the best model first.
        pits: PIT histograms of the series.
        coverage: observed against nominal coverage.
        steps: CRPS by step, or another score, if one of those computed has a value at each step.
        training: training curves, if anything was trained.
        costs: seconds and memory.
        failures: failed runs with their reasons.
        settings: model to its configuration as JSON.
        best: the model whose charts come first, lowest on `order`.
        order: label of the score by which models are ordered.
    """

    dataset: str
    facts: dict[str, str]
    tables: dict[str, ScoreTable]
    published: ScoreTable | None
    deviation: dict[str, str]
    sums: Chart
    series: dict[str, Chart]
    pits: Chart
    coverage: Chart
    steps: Chart | None
    training: Chart | None
    costs: Chart
    failures: list[dict[str, str]]
    settings: dict[str, str]
    best: str
    order: str


@dataclass(frozen=True)
class _Material:
    """The runs of one dataset that count."""

    found: Backtest
    dataset: str
    runs: pd.DataFrame
    scores: pd.DataFrame

    @property
    def models(self) -> list[str]:
        return list(dict.fromkeys(self.runs["model"]))

    def first_forecasts(self, model: str) -> pd.DataFrame:
        """Forecasts of the smallest seed."""
        runs = self.runs[self.runs["model"] == model]
        return self.found.forecasts(str(runs.sort_values("seed")["run"].iloc[0]))


@checked
def report(folder: str | os.PathLike[str], out: str | os.PathLike[str] | None = None) -> Path:
    """Write the report of a backtest: tables, fan charts, calibration, training curves, seconds and memory.

    Arguments:
        folder: the folder that `backtest(..., out=folder)` wrote.
        out: the HTML file; ``None`` is ``report.html`` in the folder.

    Returns:
        The file.

    Raises:
        FileNotFoundError: there is no backtest in the folder.
        ValueError: no run of it has finished.
    """
    found = load_backtest(folder)
    counting = current_runs(found.runs)
    finished = counting[counting["status"] == "finished"]
    sections = []
    # Text as outlines, so that the page looks the same everywhere; a fixed salt, so that it is the same file.
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "hemline"} | LITERAL):
        for dataset in finished["dataset"].drop_duplicates():
            runs = finished[finished["dataset"] == dataset]
            scores = found.scores[found.scores["run"].isin(runs["run"])]
            failed = counting[(counting["dataset"] == dataset) & (counting["status"] == "failed")]
            sections.append(_section(_Material(found, dataset, runs, scores), failed))
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string((files(__package__) / "templates" / "report.html").read_text("utf-8"))
    page = template.render(
        sections=sections,
        metrics=[metric_named(name) for name in explained(found.scores["metric"])],
        version=machine.versions()["hemline"],
        made=datetime.now().strftime("%Y-%m-%d %H:%M"),
        machine=_machine(finished),
    )
    path = Path(out) if out is not None else Path(folder) / "report.html"
    with whole_file(path) as aside:
        aside.write_text(page, encoding="utf-8")
    return path


def _section(material: _Material, failed: pd.DataFrame) -> Section:
    runs, scores, dataset = material.runs, material.scores, material.dataset
    known = set(scores["metric"])
    order = in_order(known)[0]
    pooled = overall_rows(scores)
    mean = pooled[pooled["metric"] == order].groupby("model")["value"].mean()
    best = str(mean.idxmin()) if mean.notna().any() else material.models[0]
    models = [best, *(model for model in material.models if model != best)]
    beside = table(scores, runs=runs) if "crps_sum" in known else None
    spans = {model: _spans(material, model) for model in material.models}
    return Section(
        dataset=dataset,
        facts=_facts(runs),
        tables={heading: summary(scores, dataset, names, runs=runs) for heading, names in blocks_of(known).items()},
        published=beside if beside and beside.published else None,
        deviation={model: percent(pit_deviation(*span)) for model, span in spans.items()},
        sums=_sum_fans(material, models),
        series={model: _series_fan(material, model) for model in models},
        pits=_chart(pit_chart(spans), f"PIT histograms of {', '.join(material.models)}"),
        coverage=_coverage(material, pooled),
        steps=_steps(material),
        training=_training(material),
        costs=_costs(material),
        failures=[{name: str(row[name]) for name in ("model", "seed", "error")} for _, row in failed.iterrows()],
        settings=_settings(runs),
        best=best,
        order=metric_named(order).label,
    )


def _facts(runs: pd.DataFrame) -> dict[str, str]:
    one: Any = runs.iloc[-1]
    seeds = runs.groupby("model")["seed"].nunique()
    refit = "once, before the first window" if pd.isna(one.refit_every) else f"every {one.refit_every:.0f} windows"
    return {
        "series": f"{one.target_dim}",
        "step": f"{step_word(str(one.freq))} ({one.freq})",
        "horizon": f"{one.prediction_length} steps",
        "windows": f"{one.windows}",
        "sample paths": f"{one.num_samples}",
        "seeds": f"{seeds.min()}" if seeds.min() == seeds.max() else f"{seeds.min()} to {seeds.max()}",
        "trained": refit,
        "history": "all earlier data" if one.history == "expanding" else f"{one.history} steps",
    }


def _settings(runs: pd.DataFrame) -> dict[str, str]:
    return {
        str(row.model): json.dumps(json.loads(str(row.configuration)), indent=2)
        for row in runs.drop_duplicates("model").itertuples()
    }


def _machine(runs: pd.DataFrame) -> str:
    devices = ", ".join(sorted(set(runs["device"])))
    versions: Mapping[str, str] = json.loads(runs["versions"].iloc[-1])
    return f"{devices}; " + ", ".join(f"{name} {version}" for name, version in versions.items())


def _spans(material: _Material, model: str) -> tuple[np.ndarray, np.ndarray]:
    """PIT spans of the single series, all seeds together."""
    lower, upper = [], []
    for run in material.runs.loc[material.runs["model"] == model, "run"]:
        rows = material.found.forecasts(str(run), ["item_id", "pit_lower", "pit_upper"])
        rows = rows[rows["item_id"].notna()]
        lower.append(rows["pit_lower"].to_numpy())
        upper.append(rows["pit_upper"].to_numpy())
    return np.concatenate(lower), np.concatenate(upper)


def _sum_fans(material: _Material, models: Sequence[str]) -> Chart:
    history = _history(material)
    known = history[history["item_id"].isna()]
    panels = {}
    for model in models:
        rows = material.first_forecasts(model)
        panels[model] = (rows[rows["item_id"].isna()], known)
    figure = fan_chart(panels, _unit(material), columns=1, windows=6, align=True)
    return _chart(figure, f"Forecasts of the sum of the series by {', '.join(models)}, with what happened")


def _series_fan(material: _Material, model: str) -> Chart:
    rows, history = material.first_forecasts(model), _history(material)
    chosen = _chosen(history)
    panels = {
        f"series {item}" if item.isdecimal() else item: (
            rows[rows["item_id"] == item],
            history[history["item_id"] == item],
        )
        for item in chosen
    }
    figure = fan_chart(panels, _unit(material), columns=1 if len(panels) == 1 else 2, windows=3)
    return _chart(figure, f"Forecasts by {model} of the series {', '.join(chosen)}, with what happened")


def _chosen(history: pd.DataFrame, most: int = 6) -> list[str]:
    """Up to six series, from the largest to the smallest at even ranks."""
    size = history[history["item_id"].notna()].groupby("item_id")["value"].agg(lambda values: values.abs().mean())
    ranked = size.dropna().sort_values(ascending=False, kind="stable").index
    places = np.unique(np.linspace(0, len(ranked) - 1, min(most, len(ranked))).round().astype(int))
    return [str(ranked[place]) for place in places]


def _history(material: _Material) -> pd.DataFrame:
    return material.found.history(str(material.runs["data_fingerprint"].iloc[-1]))


def _unit(material: _Material) -> str:
    domain, freq = material.runs[["domain", "freq"]].iloc[-1]
    return f"{_UNITS[domain]} per {step_word(str(freq))}" if domain == "count" else _UNITS[domain]


def _coverage(material: _Material, pooled: pd.DataFrame) -> Chart:
    mean = pooled.groupby(["model", "metric"])["value"].mean()
    names = [f"coverage_{coverage * 100:.0f}" for coverage in COVERAGES]
    found = {model: [float(mean.get((model, name), np.nan)) for name in names] for model in material.models}
    return _chart(coverage_chart(found), "Share of observations inside the intervals against their nominal share")


def _steps(material: _Material) -> Chart | None:
    rows = material.scores[material.scores["step"].notna()]
    if rows.empty:
        return None
    known = in_order(rows["metric"])
    metric = "crps" if "crps" in known else known[0]
    by_step = rows[rows["metric"] == metric].pivot_table(index="step", columns="model", values="value")
    by_step = by_step.reindex(columns=material.models)
    return _chart(
        step_chart(by_step, metric), f"{metric_named(metric).label} of each model at each step of the horizon"
    )


def _training(material: _Material) -> Chart | None:
    logs: dict[str, list[pd.DataFrame]] = {}
    for row in material.runs.itertuples():
        log = material.found.training(str(row.run))
        if len(log):
            logs.setdefault(str(row.model), []).append(log[log["fit"] == 0])
    return _chart(training_chart(logs), f"Training curves of {', '.join(logs)}") if logs else None


def _costs(material: _Material) -> Chart:
    columns = {"seconds_train": "train", "seconds_predict": "predict", "peak_memory_bytes": "memory"}
    costs = material.runs.groupby("model", sort=False)[list(columns)].mean().rename(columns=columns)
    return _chart(cost_chart(costs), "Seconds of training and forecasting and peak memory of each model")


def _chart(figure: Figure, alt: str) -> Chart:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    source = "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()
    return Chart(source, round(96 * figure.get_figwidth()), alt)
