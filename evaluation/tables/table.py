"""Tables of scores: models against datasets, mean and standard error over seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

import pandas as pd

from ...datasets.benchmarks.published import BENCHMARKS
from ...runtime.arguments.kinds import checked
from ..runs.levels import in_order, metric_named
from ..runs.metrics import Metric
from ..runs.records import MissingCell, RunRecord, RunsTable
from ..store.which_runs_count import last_asked, left_out_lines, one_a_seed, same_settings
from .published import SOURCES, published_scores
from .score_table import Cell, ScoreTable

_DIRECTION = {"lower": "lower is better", "nominal": "the nearer to its name the better", "none": "for comparison"}


@checked
def table(
    scores: pd.DataFrame,
    metric: str = "crps_sum",
    *,
    runs: RunsTable = None,
    missing: Sequence[MissingCell] = (),
) -> ScoreTable:
    """A table of scores: models by datasets on one metric, the best two of each dataset in bold.

    Of the runs on a dataset, those with the newest data and protocol count, of these those of a model with its newest
    settings, and notes say what was left out. Published numbers are added where the metric is CRPS-sum and the runs
    table says that the data are the exact archive and the protocol is the published one: all its windows, an expanding
    history, one training.

    Arguments:
        scores: the long table of `backtest`.
        metric: a name in `METRICS`, or one with a level behind it (``crps@category``).
        runs: the runs table; ``None`` takes what `backtest` attached to ``scores``.
        missing: the cells of a grid without a finished run, as `Backtest.missing` has them.

    Returns:
        The table; cells without a finished run are marked.

    Raises:
        ValueError: the metric is unknown or not in ``scores``, or ``scores`` is empty.

    Example:
        >>> rows = [("r1", "a", "sales", 0, 0.25), ("r2", "a", "sales", 1, 0.35), ("r3", "b", "sales", 0, 0.4)]
        >>> scores = pd.DataFrame(rows, columns=["run", "model", "dataset", "seed", "value"])
        >>> scores = scores.assign(window=None, item_id=None, step=None, metric="crps")
        >>> print(table(scores, "crps").render("csv"))
        dataset,metric,model,column,mean,standard_error,low,high,seeds,failed,missing,source
        sales,crps,a,sales,0.3,0.04999999999999999,,,2,0,0,
        sales,crps,b,sales,0.4,,,,1,0,0,
    """
    counted, described, left_out = _of_current_runs(scores, runs)
    found = overall_rows(counted)
    values = _of_metric(found, metric)
    datasets = tuple(dict.fromkeys([*found["dataset"], *(cell["dataset"] for cell in [*described, *missing])]))
    lacking = _lacking(described, missing)
    rows = {
        model: tuple(_cell(values, model, dataset, lacking.get((model, dataset), {})) for dataset in datasets)
        for model in _models(found, [*described, *missing])
    }
    published, sources = _published(datasets, described) if metric == "crps_sum" else ({}, ())
    scored = metric_named(metric)
    return ScoreTable(
        title=f"{scored.label}, mean ± standard error over seeds, {_DIRECTION[scored.better]}",
        columns=datasets,
        subjects=tuple((dataset, metric) for dataset in datasets),
        rows=_with_best(rows, [scored] * len(datasets)),
        published=published,
        notes=(*left_out, *missing_lines(missing), *sources),
    )


def summary(
    scores: pd.DataFrame,
    dataset: str | None = None,
    metrics: Sequence[str] | None = None,
    *,
    runs: RunsTable = None,
    missing: Sequence[MissingCell] = (),
) -> ScoreTable:
    """Models against metrics on one dataset, the best two of each metric in bold.

    Arguments:
        scores: the long table of `backtest`.
        dataset: its name; ``None`` where there is only one.
        metrics: names likewise; ``None`` takes all that were computed.
        runs: the runs table; ``None`` takes what `backtest` attached to ``scores``.
        missing: the cells of a grid without a finished run, as `Backtest.missing` has them.

    Returns:
        The table.

    Raises:
        ValueError: the dataset or a metric is not in ``scores``, or there are several datasets and none was chosen.
    """
    counted, described, left_out = _of_current_runs(scores, runs)
    found = overall_rows(counted)
    datasets = list(dict.fromkeys([*found["dataset"], *(record["dataset"] for record in described)]))
    if dataset is None and len(datasets) == 1:
        dataset = datasets[0]
    if dataset is None or dataset not in datasets:
        raise ValueError(f"dataset: expected one of {', '.join(datasets)}, got {dataset!r}")
    if dataset in set(found["dataset"]):  # else every run on it has failed
        found = found[found["dataset"] == dataset]
    chosen = in_order(found["metric"]) if metrics is None else list(metrics)
    values = {name: _of_metric(found, name) for name in chosen}
    missing = [cell for cell in missing if cell["dataset"] == dataset]
    lacking = _lacking(described, missing)
    rows = {
        model: tuple(_cell(values[name], model, dataset, lacking.get((model, dataset), {})) for name in chosen)
        for model in _models(
            found[found["dataset"] == dataset],
            [*(record for record in described if record["dataset"] == dataset), *missing],
        )
    }
    return ScoreTable(
        title=f"Scores on {dataset}, mean ± standard error over seeds",
        columns=tuple(metric_named(name).label for name in chosen),
        subjects=tuple((dataset, name) for name in chosen),
        rows=_with_best(rows, [metric_named(name) for name in chosen]),
        notes=(*left_out, *missing_lines(missing)),
    )


def overall_rows(scores: pd.DataFrame) -> pd.DataFrame:
    """The rows of a long table that are pooled over windows, series and steps.

    Arguments:
        scores: the long table of `backtest`.

    Returns:
        A row for each run and metric.
    """
    return scores[scores[["window", "item_id", "step"]].isna().all(axis=1)]


def scores_that_count(scores: pd.DataFrame, metric: str, runs: RunsTable) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The rows of a metric of those runs that count, and notes on the others.

    Arguments:
        scores: the long table of `backtest`.
        metric: a name in `METRICS`.
        runs: the runs table; ``None`` takes what `backtest` attached to ``scores``.

    Raises:
        ValueError: the metric is unknown or not in ``scores``, or ``scores`` is empty.
    """
    found, _, left_out = _of_current_runs(scores, runs)
    return _of_metric(found, metric), left_out


def _of_current_runs(scores: pd.DataFrame, runs: RunsTable) -> tuple[pd.DataFrame, list[RunRecord], tuple[str, ...]]:
    """Rows of the runs that count, the records of these runs, and notes on the others."""
    if scores.empty:
        raise ValueError("scores: expected the long table of a backtest, got an empty one")
    attached = scores.attrs.get("runs") if runs is None else runs
    if attached is None:
        return scores, [], ()
    everything = pd.DataFrame(attached)
    alike = same_settings(everything)
    described = one_a_seed(alike).to_dict("records")
    records = cast("list[RunRecord]", [{str(key): value for key, value in record.items()} for record in described])
    # Two runs with a seed differ in their metrics: of each metric the rows of the last that has it.
    turn = {run: place for place, run in enumerate(alike["run"].loc[last_asked(alike).sort_values().index])}
    counted = scores[scores["run"].isin(alike["run"])]
    turns = counted["run"].map(turn)
    last = turns.groupby([counted[name] for name in ("model", "dataset", "seed", "metric")]).transform("max")
    return counted[turns == last], records, left_out_lines(everything, alike)


def _of_metric(found: pd.DataFrame, metric: str) -> pd.DataFrame:
    metric_named(metric)
    values = found[found["metric"] == metric]
    if values.empty:
        known = ", ".join(dict.fromkeys(found["metric"]))
        raise ValueError(f"metric: {metric!r} was not computed in this backtest, expected one of {known}")
    return values


def _cell(values: pd.DataFrame, model: str, dataset: str, lacking: Mapping[int, bool]) -> Cell:
    failed = sum(lacking.values())
    missing = len(lacking) - failed
    chosen = values.loc[(values["model"] == model) & (values["dataset"] == dataset), "value"].dropna()
    if chosen.empty:
        return Cell(failed=failed, missing=missing)
    error = float(chosen.std(ddof=1)) / math.sqrt(len(chosen)) if len(chosen) > 1 else math.nan
    return Cell(float(chosen.mean()), error, len(chosen), failed, missing)


def _models(found: pd.DataFrame, described: Sequence[RunRecord | MissingCell]) -> list[str]:
    """Names of models in their order, those of which every run failed included."""
    return list(dict.fromkeys([*(record["model"] for record in described), *found["model"]]))


def _lacking(described: Sequence[RunRecord], missing: Sequence[MissingCell]) -> dict[tuple[str, str], dict[int, bool]]:
    """Of each model and dataset the seeds without a finished run, and whether they failed."""
    found: dict[tuple[str, str], dict[int, bool]] = {}
    for record in described:
        if record["status"] == "failed":
            found.setdefault((record["model"], record["dataset"]), {})[record["seed"]] = True
    for cell in missing:
        found.setdefault((cell["model"], cell["dataset"]), {})[cell["seed"]] = cell["failed"]
    return found


def missing_lines(missing: Sequence[MissingCell]) -> tuple[str, ...]:
    """Which cells are missing and why, a line for those of a dataset with the same reason.

    Arguments:
        missing: the cells of a grid without a finished run, as `Backtest.missing` has them.

    Returns:
        The lines.

    Example:
        >>> cell = {"model": "gru-maf", "dataset": "sales", "reason": "not run yet"}
        >>> missing_lines([cell | {"seed": 0}, cell | {"seed": 2}])
        ('Missing: gru-maf on sales, seeds 0, 2: not run yet',)
    """
    seeds: dict[tuple[str, str, str], list[int]] = {}
    for cell in missing:
        seeds.setdefault((cell["dataset"], cell["reason"], cell["model"]), []).append(cell["seed"])
    models: dict[tuple[str, str, tuple[int, ...]], list[str]] = {}
    for (dataset, reason, model), numbers in seeds.items():
        models.setdefault((dataset, reason, tuple(numbers)), []).append(model)
    return tuple(
        f"Missing: {', '.join(names)} on {dataset}, seed{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}: "
        f"{reason}"
        for (dataset, reason, numbers), names in models.items()
    )


FAR = 0.05
"""How far from its name a coverage may be and still count among the best."""


def _with_best(rows: dict[str, tuple[Cell, ...]], metrics: Sequence[Metric]) -> dict[str, tuple[Cell, ...]]:
    """Mark the best two of a column, of three models or fewer the best; no coverage that is far from its name."""
    marked = {
        model: [replace(cell, share=metric.better == "nominal") for cell, metric in zip(cells, metrics, strict=True)]
        for model, cells in rows.items()
    }
    for column, metric in enumerate(metrics):
        if metric.better == "none":
            continue
        distance = {
            model: abs(cells[column].mean - metric.nominal) if metric.better == "nominal" else cells[column].mean
            for model, cells in rows.items()
            if cells[column].seeds
        }
        most = 2 if len(distance) > 3 else min(1, len(distance) - 1)
        for model in sorted(distance, key=lambda name: distance[name])[:most]:
            if metric.better == "nominal" and distance[model] > FAR:
                break
            marked[model][column] = replace(marked[model][column], best=True)
    return {model: tuple(cells) for model, cells in marked.items()}


def _published(
    datasets: Sequence[str], described: Sequence[RunRecord]
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Published numbers for those columns of which every run has the data and the protocol of an exact archive."""
    others = {record["dataset"] for record in described if not _as_published(record)}
    archives = {record["dataset"]: record["archive"] for record in described if record["dataset"] not in others}
    found = published_scores(archives.values())
    rows = {
        model: tuple(
            next(
                (
                    f"{row.value} [{row.source}]"
                    for row in found
                    if row.model == model and row.archive == archives.get(dataset)
                ),
                "–",
            )
            for dataset in datasets
        )
        for model in dict.fromkeys(row.model for row in found)
    }
    used = dict.fromkeys(row.source for row in found)
    return rows, tuple(f"[{key}] {SOURCES[key]}" for key in used)


def _as_published(record: RunRecord) -> bool:
    """Whether a run is on an exact archive, over all its windows, with an expanding history and one training."""
    benchmark = BENCHMARKS.get(str(record.get("archive")))
    return (
        benchmark is not None
        and record["windows"] == benchmark.windows
        and record["history"] == "expanding"
        and bool(pd.isna(record["refit_every"]))
    )
