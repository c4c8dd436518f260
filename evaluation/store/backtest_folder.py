"""A backtest read from its folder, and what a grid's plan says is missing of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pandas as pd

from ...runtime.arguments.kinds import checked
from ...runtime.display.showing import Shown
from ...runtime.reading.json_files import read_json
from ...runtime.reading.parquet_files import read_parquet
from ...runtime.reading.places import plain_name
from ..runs.records import MissingCell, Plan, RunRecord
from .store import PLAN, Store
from .which_runs_count import last_asked, settings_of


@dataclass(frozen=True, repr=False)
class Backtest(Shown):
    """A backtest read from its folder.

    Arguments:
        folder: where it lies.
        scores: the long table of all finished runs.
        runs: the runs table, failed ones included.
        missing: the cells of a grid without a finished run: model, dataset, seed, failed (or not run yet) and reason.
    """

    folder: Path
    scores: pd.DataFrame
    runs: pd.DataFrame
    missing: tuple[MissingCell, ...] = ()

    def _shown(self) -> dict[str, object]:
        """Folder, models, datasets, seeds and metrics, finished runs and missing cells."""
        told = {f"{name}s": tuple(self.scores[name].unique()) for name in ("model", "dataset", "seed", "metric")}
        return {
            "folder": str(self.folder),
            **told,
            "finished": self.scores["run"].nunique(),
            "missing": len(self.missing),
        }

    def forecasts(self, run: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Stored forecasts of a run, some columns or all: see `rows.forecast_rows`."""
        path = self.folder / "runs" / plain_name(run, "run") / "forecasts.parquet"
        return read_parquet(path, columns)

    def training(self, run: str) -> pd.DataFrame:
        """The training log of a run: a row an epoch, none for what is not trained."""
        return read_parquet(self.folder / "runs" / plain_name(run, "run") / "training.parquet")

    def history(self, data_fingerprint: str) -> pd.DataFrame:
        """Observations around the windows of a dataset: see `rows.history_rows`."""
        return read_parquet(self.folder / "datasets" / f"{plain_name(data_fingerprint, 'data_fingerprint')}.parquet")


@checked
def load_backtest(folder: str | os.PathLike[str]) -> Backtest:
    """Read the folder that `backtest(..., out=folder)` or ``hemline backtest --out`` wrote.

    Arguments:
        folder: the folder.

    Returns:
        The backtest.

    Raises:
        FileNotFoundError: there is no such folder, or no backtest in it.
        ValueError: no run of it has finished.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder; expected one written by 'hemline backtest --out'")
    store = Store(folder)
    if (folder / "runs").is_dir() or (folder / PLAN).exists():
        scores, runs = store.tables()
    elif (folder / "runs.parquet").exists():
        scores, runs = read_parquet(folder / "scores.parquet"), read_parquet(folder / "runs.parquet")
    else:
        raise FileNotFoundError(f"{folder}: no backtest in this folder; 'hemline backtest --out' writes one")
    missing: list[MissingCell] = []
    if (folder / PLAN).exists():
        plan = cast("Plan", read_json(folder / PLAN))
        runs = planned_runs(plan, runs)
        order = {run: place for place, run in enumerate(runs.get("run", ()))}
        scores = scores[scores["run"].isin(list(order))]
        scores = scores.sort_values("run", key=lambda names: names.map(order), kind="stable", ignore_index=True)
        missing = missing_cells(plan, runs)
    found = Backtest(folder, scores, runs, tuple(missing))
    if found.scores.empty:
        known = [cell["reason"] for cell in missing] or ([] if runs.empty else list(runs["error"].dropna()))
        reasons = "; ".join(sorted(set(known))) or "none was started"
        raise ValueError(f"{folder}: no run of this backtest has finished ({reasons})")
    return found


def planned_runs(plan: Plan, runs: pd.DataFrame) -> pd.DataFrame:
    """The runs table in the order of a grid's plan, without what the plan has superseded.

    Other seeds of the settings that the plan has stay; runs of its seeds with other metrics do not.

    Arguments:
        plan: what `Store.save_plan` wrote.
        runs: the runs table.

    Returns:
        Its rows, less the runs of a model on a dataset that were last asked for before the plan was written and have
        none of the settings with which it is planned there, or a seed that is: see `standing.settings_of`. Where the
        plan's model or data could not be had, all of these are superseded.
    """
    if runs.empty:
        return runs
    order = {cell["run"]: place for place, cell in enumerate(plan["cells"]) if cell["run"] is not None}
    settings = pd.Series(
        [settings_of(cast("RunRecord", record)) for record in runs.to_dict("records")], index=runs.index
    )
    known = dict(zip(runs["run"], settings, strict=True))
    planned: dict[tuple[str, str], dict[str, set[int]]] = {}
    for cell in plan["cells"]:
        seeds = planned.setdefault((cell["model"], cell["dataset"]), {})
        found = cell.get("settings") or known.get(cell["run"])  # older plans name runs alone
        if found is not None:
            seeds.setdefault(found, set()).add(cell["seed"])
    rows = zip(runs["model"], runs["dataset"], settings, runs["seed"], strict=True)
    other = [(name, data) in planned and seed in planned[name, data].get(own, {seed}) for name, data, own, seed in rows]
    superseded = pd.Series(other, index=runs.index) & ~runs["run"].isin(list(order))
    superseded &= last_asked(runs) < plan["written"]
    kept = runs[~superseded]
    return kept.sort_values("run", key=lambda names: names.map(order).fillna(len(order)), kind="stable")


def missing_cells(plan: Plan, runs: pd.DataFrame) -> list[MissingCell]:
    """The cells of a grid without a finished run, and why.

    Arguments:
        plan: what `Store.save_plan` wrote.
        runs: the runs table.

    Returns:
        For each model, dataset, seed, failed (``False`` if it was not run yet) and reason.
    """
    errors: dict[str | None, str | None] = {}
    if not runs.empty:
        status = dict(zip(runs["run"], runs["status"], strict=True))
        reasons = dict(zip(runs["run"], runs["error"], strict=True))
        errors = {run: None if status[run] == "finished" else reasons[run] for run in status}
    missing: list[MissingCell] = []
    for cell in plan["cells"]:
        if cell["run"] in errors and errors[cell["run"]] is None:
            continue
        reason = cell["error"] or errors.get(cell["run"])
        missing.append(
            {
                "model": cell["model"],
                "dataset": cell["dataset"],
                "seed": cell["seed"],
                "failed": reason is not None,
                "reason": reason or "not run yet",
            }
        )
    return missing
