"""Running a grid: its cells are planned here, run on lanes, and read back from their folder."""

from __future__ import annotations

import functools
import os
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor

from ...datasets.entries.data import ForecastData, Metadata
from ...datasets.registry import is_description
from ..adapters.quiet import quiet_backtest
from ..execution.jobs import Job, one_line, run_jobs
from ..execution.progress import Progress
from ..execution.workers import lanes_for
from ..runs.identity import fingerprint
from ..runs.plan import check_data, plan_runs
from ..runs.records import MissingCell, PlannedCell
from ..runs.rows import history_rows
from ..runs.run import Run
from ..runs.windows import windows_of
from ..store.backtest_folder import Backtest, load_backtest
from ..store.store import Store
from ..store.which_runs_count import settings_of
from ..tables.table import missing_lines
from .grid import Grid, Part

Build: TypeAlias = Callable[[str, Metadata, Mapping[str, object]], Estimator | Predictor]

Load: TypeAlias = Callable[[str], ForecastData]


@dataclass(frozen=True)
class GridCell:
    """A model with a seed on a dataset, and the job that it is, or why it cannot be one."""

    model: str
    dataset: str
    seed: int
    job: Job | None
    error: str | None = None

    def record(self) -> PlannedCell:
        """The cell as it stands in the plan."""
        run, settings = (None, None) if self.job is None else (self.job.id, settings_of(self.job.record))
        return {
            "model": self.model,
            "dataset": self.dataset,
            "seed": self.seed,
            "run": run,
            "settings": settings,
            "error": self.error,
        }

    def missing(self) -> MissingCell:
        """The record of a cell that cannot be run."""
        reason = self.error or "not run yet"
        return {"model": self.model, "dataset": self.dataset, "seed": self.seed, "failed": True, "reason": reason}


def run_grid(
    grid: Grid,
    build: Build,
    load: Load,
    *,
    ray: bool = False,
    address: str | None = None,
    quiet: bool = False,
) -> Backtest:
    """Run every cell of a grid that has not finished before.

    A cell runs apart from the others: if its data cannot be had, its model cannot be made, it raises an error, takes
    longer than its time budget or its worker dies again and again, the reason is kept and the rest goes on. Started
    again after an interruption, or after this process was killed, it repeats nothing that has finished, and trainings
    go on from their checkpoints.

    The numbers are the same in this process, in worker processes and on Ray. From a script, call it under
    ``if __name__ == "__main__":``, because worker processes import the script.

    Arguments:
        grid: the grid.
        build: makes a model from its name, the metadata and settings; a function of a module, so that workers can
            import it.
        load: dataset name to dataset; likewise.
        ray: whether to run on Ray, with ``grid.workers`` actors, on this machine if there is no address.
        address: of a Ray cluster, which has to see ``grid.out``; implies ``ray``.
        quiet: whether to print nothing.

    Returns:
        The runs of the grid, read from its folder; ``missing`` says which cells are not among them and why.

    Raises:
        ValueError: no cell has finished, another grid is writing to the folder, or a function cannot be sent to
            workers.
    """
    on_workers = ray or address is not None or grid.workers != 1
    if on_workers:
        _check_sendable(build=build, load=load)
    store = Store(Path(grid.out).absolute())
    with store.alone(), quiet_backtest():
        cells = plan_grid(grid, build, load, store)
        store.save_plan([cell.record() for cell in cells])
        jobs = [cell.job for cell in cells if cell.job is not None]
        progress = Progress(len(cells), quiet)
        unmade = [cell.missing() for cell in cells if cell.job is None]
        progress.unmade(missing_lines(unmade), len(unmade))
        with progress, lanes_for(grid.workers, len(jobs), grid.threads, ray=ray, address=address) as lanes:
            run_jobs(jobs, store, lanes, progress, retries=grid.retries)
    return load_backtest(grid.out)


def plan_grid(grid: Grid, build: Build, load: Load, store: Store | None = None) -> list[GridCell]:
    """The cells of a grid, the first seed of everything before the second.

    Arguments:
        grid: the grid.
        build: makes a model from its name, the metadata and settings.
        load: dataset name to dataset.
        store: a folder that is to keep what a chart shows of the data, or ``None``.

    Returns:
        The cells; those whose data or model cannot be had with the reason.

    Raises:
        ValueError: two datasets have the same name, under which their runs would be taken for those of one.
    """
    numbered = []
    known: dict[str, str] = {}
    for place, part in enumerate(_reachable(part) for part in grid.parts):
        for row, model in enumerate(part.models):
            for turn, cell in enumerate(_cells(grid, part, model, build, load, store)):
                first = known.setdefault(cell.dataset, part.dataset)
                if first != part.dataset:
                    both = f"{first} and {part.dataset}"
                    raise ValueError(f"datasets: expected different names, got two called {cell.dataset!r}: {both}")
                numbered.append(((turn, place, row), cell))
    return [cell for _, cell in sorted(numbered, key=lambda pair: pair[0])]


def _reachable(part: Part) -> Part:
    """The part with its dataset's file by its whole path, for workers and models that are in another folder."""
    return replace(part, dataset=os.path.abspath(part.dataset)) if is_description(part.dataset) else part


def _cells(grid: Grid, part: Part, model: str, build: Build, load: Load, store: Store | None) -> Iterator[GridCell]:
    name = part.dataset  # until it is known how the data are called, as tables name them
    try:
        name = _loaded(load, part.dataset, part.windows)[0].metadata.name
        runs = [make_run(build, load, part, model, seed) for seed in part.seeds]
        check_data(runs[0].data, part.protocol)
    except Exception as error:
        for seed in part.seeds:
            yield GridCell(model, name, seed, None, one_line(error))
        return
    if store is not None:
        metadata = runs[0].data.metadata
        windows = windows_of(runs[0].data.test, metadata.prediction_length)
        store.save_history(runs[0].record()["data_fingerprint"], lambda: history_rows(windows, metadata.item_ids))
    for run in runs:
        make = functools.partial(make_run, build, load, part, model, run.seed)
        yield GridCell(model, name, run.seed, Job(run.record(), make, part.time_budget, grid.threads))


def make_run(build: Build, load: Load, part: Part, model: str, seed: int) -> Run:
    """Make the run of a cell, in whichever process.

    Arguments:
        build: makes a model from its name, the metadata and settings.
        load: dataset name to dataset.
        part: the part of the grid on its dataset.
        model: the model's name.
        seed: the seed.

    Returns:
        The run.

    Raises:
        ValueError: the data or the model cannot be had; whatever ``build`` and ``load`` raise is passed on.
    """
    data, data_fingerprint = _loaded(load, part.dataset, part.windows)
    made = build(model, data.metadata, part.settings.get(model, {}))
    (run,) = plan_runs({model: made}, data, (seed,), part.protocol, stored=True, data_fingerprint=data_fingerprint)
    return run


@functools.lru_cache(maxsize=2)
def _loaded(load: Load, dataset: str, windows: int | None) -> tuple[ForecastData, str]:
    """The dataset with its first windows, and its fingerprint; kept for the next cell of the same worker."""
    data = load(dataset)
    if windows is not None:
        if windows > len(data.test):
            raise ValueError(f"windows: expected at most the {len(data.test)} of {dataset}, got {windows}")
        data = replace(data, test=data.test[:windows])
    return data, fingerprint(data)


def _check_sendable(**functions: Callable[..., object]) -> None:
    for name, function in functions.items():
        try:
            pickle.dumps(function)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            what = getattr(function, "__qualname__", type(function).__name__)
            raise ValueError(
                f"{name}: expected a function of a module, which a worker can import, got {what}"
            ) from error
