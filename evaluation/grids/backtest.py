"""Backtests: models × seeds on the rolling windows of a dataset."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd

from ...datasets.entries.data import ForecastData
from ...runtime.arguments.kinds import checked
from ..execution.jobs import BacktestError, Job, reason, run_jobs
from ..execution.progress import Progress
from ..execution.workers import Here
from ..runs.plan import check_data, check_seeds, make_protocol, plan_runs
from ..runs.records import RunRecord
from ..runs.rows import history_rows
from ..runs.run import Model, Run
from ..runs.windows import History, windows_of
from ..store.store import Store, join_scores


class RunFailedWarning(UserWarning):
    """Some runs of a backtest failed; the others are in the table."""


@checked
def backtest(
    models: Mapping[str, Model],
    data: ForecastData,
    *,
    seeds: Sequence[int] = (0,),
    num_samples: int = 100,
    refit_every: int | None = None,
    history: History = "expanding",
    metrics: str | Sequence[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    stop_on_failure: bool = False,
    quiet: bool = False,
) -> pd.DataFrame:
    """Train models, forecast the test windows of a dataset and score the forecasts.

    A model is trained on ``data.train`` once for all windows, as in the published benchmarks, or anew every few
    windows on all that lies before. Before training and again before forecasting, the generators of Python, numpy
    and torch are seeded, so that the same call gives the same numbers. Models may offer, and need not:

    * ``for_run(seed: int, directory: Path | None)``: a copy with its own seed, that keeps checkpoints in a
      folder and goes on from there;
    * ``configuration() -> dict``: all settings, as JSON can hold them;
    * a predictor's ``training_log``: a list of dicts with epoch, train_loss, validation_loss and seconds.

    A run that fails is recorded with its reason and the rest goes on; at the end a `RunFailedWarning` names the
    failures. An interrupt always stops.

    Arguments:
        models: names to gluonts estimators, predictors, or functions that make one from the `Metadata`.
        data: the dataset; each entry of its ``test`` is a window.
        seeds: seeds, each a run of every model.
        num_samples: sample paths S a window.
        refit_every: windows after which a model is trained anew; ``None`` trains once.
        history: ``"expanding"`` shows a model all that lies before, a number only that many steps, in training as
            before a window.
        metrics: a name from `METRICS`, or several; ``None`` for the usual ones, which are all but the scores
            of rare demand (``mase``, ``rmsse``, ``crps_lead_time``).
        out: a folder that keeps every finished run, so that none is repeated; see `Store`.
        stop_on_failure: whether the first failure ends the backtest.
        quiet: whether to print nothing.

    Returns:
        The long table of this call's runs: ``run, model, dataset, seed, window, item_id, step, metric, value``. Each
        metric stands there pooled over everything (window, item_id and step null), for each window, for each step
        (from 1) and, if it belongs to single series, for each of them. Forecasts point by point lie in ``out``.
        ``.attrs["runs"]`` is the runs table, as a list of dicts.

    Raises:
        ValueError: an argument or the dataset is not what was expected, or a model cannot be told apart from
            another one in ``out``.
        BacktestError: every run failed, or one did and ``stop_on_failure``.

    Example:
        >>> import numpy as np
        >>> from gluonts.model.seasonal_naive import SeasonalNaivePredictor
        >>> from hemline.datasets import Metadata
        >>> target = np.arange(40.0, dtype=np.float32)[None]
        >>> entry = {"start": pd.Period("2024-01-01", "D"), "target": target}
        >>> metadata = Metadata("line", "D", 2, item_ids=("a",))
        >>> data = ForecastData(metadata, train=[entry | {"target": target[:, :38]}], test=[entry])
        >>> class Line(SeasonalNaivePredictor):
        ...     def predict_item(self, item):
        ...         return super().predict_item(item | {"target": item["target"][0]})
        >>> table = backtest({"last": Line(2, season_length=1)}, data, quiet=True)
        >>> table.query("metric == 'nd' and window.isna() and step.isna() and item_id.isna()").value.round(4).item()
        0.039
    """
    protocol = make_protocol(num_samples, refit_every, history, metrics)
    check_data(data, protocol)
    runs = plan_runs(models, data, check_seeds(seeds), protocol, stored=out is not None)
    store = None if out is None else Store(out)
    if store is not None:
        windows = windows_of(data.test, data.metadata.prediction_length)
        store.save_history(runs[0].record()["data_fingerprint"], lambda: history_rows(windows, data.metadata.item_ids))
    jobs = [Job(run.record(), partial(_given, run)) for run in runs]
    with Progress(len(jobs), quiet) as progress:
        ended = run_jobs(jobs, store, [Here()], progress, stop_on_failure=stop_on_failure)
    records, tables = [one.record for one in ended], [one.scores for one in ended if one.scores is not None]
    failures = failure_reasons(records)
    if not tables:
        raise BacktestError(f"all {len(runs)} runs failed: {'; '.join(failures)}")
    if failures:
        warnings.warn(
            f"{len(failures)} of {len(runs)} runs failed: {'; '.join(failures)}",
            RunFailedWarning,
            stacklevel=2,
        )
    scores = join_scores(tables)
    scores.attrs["runs"] = records
    return scores


def _given(run: Run) -> Run:
    return run


def failure_reasons(records: Sequence[RunRecord]) -> list[str]:
    """The failed runs and their errors, a line each.

    Arguments:
        records: the runs table, as a list of dicts.

    Returns:
        A line for each failed run.
    """
    return [reason(record) for record in records if record["status"] == "failed"]
