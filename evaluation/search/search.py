"""A search for the settings of a model, which never sees a test window and repeats no trial."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...datasets.entries.data import ForecastData
from ...runtime.arguments.kinds import Count, Seed, checked
from ...runtime.arguments.naming import naming
from ...runtime.display.showing import Shown
from ...runtime.plain import Plain, Space, to_plain
from ...runtime.whole_files import whole_file
from ..adapters.fitted import PlainModel
from ..adapters.model import ForecastModel
from ..execution.jobs import Ended, Job, one_line, run_jobs
from ..execution.lanes import Lane
from ..execution.progress import Progress
from ..execution.workers import Here, WorkerProcess
from ..runs.identity import describe, digest, fingerprint
from ..runs.metrics import METRICS
from ..runs.plan import check_data, make_protocol
from ..runs.run import Protocol, Run
from ..store.store import Store
from ..tables.table import overall_rows
from .held_out import validation_data
from .space import Point, Ranges, every_point, nested, own_point, read_space, settings_toml
from .study import opened_study

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

BEST = "best.toml"


@dataclass(frozen=True, eq=False, repr=False)
class Search(Shown):
    """What a search has found.

    Arguments:
        metric: by what it was judged; lower is better.
        trials: a row a trial: number, value, error, and each setting.
        settings: those of the best trial, by their places.
        value: what the best trial came to.
        model: the model with them, to be trained on all of the training data.
    """

    metric: str
    trials: pd.DataFrame
    settings: dict[str, Plain]
    value: float
    model: ForecastModel | PlainModel

    def _shown(self) -> dict[str, object]:
        finished = self.trials["value"].notna().sum()
        best = [f"{name}={value}" for name, value in self.settings.items()]
        return {"trials": f"{len(self.trials)}, {finished} finished", self.metric: self.value, "best": ", ".join(best)}


@checked
def tune(
    model: ForecastModel | PlainModel,
    data: ForecastData,
    space: Space | None = None,
    trials: Count = 30,
    *,
    metric: str = "crps_sum",
    windows: Count = 3,
    num_samples: Count = 100,
    seed: Seed = 0,
    workers: Count = 1,
    out: str | os.PathLike[str] | None = None,
    quiet: bool = False,
) -> Search:
    """Search for the settings of a model that forecast the end of the training data best.

    A trial trains the model without the last windows of ``data.train`` and forecasts them; ``data.test`` is not read.
    The first one has the settings that the model has, the others those that a tree-structured Parzen estimator proposes
    (Bergstra et al. 2011; Watanabe 2023, arXiv 2304.11127; optuna). A search that was killed goes on in its folder: no
    trial that has ended is run again, and the trainings that were cut off go on from their checkpoints.

    Arguments:
        model: with the settings that are not searched.
        data: the dataset.
        space: settings by their places (``"train.learning_rate"``), each with a list of choices or a mapping of
            ``low``, ``high``, and, where they are wanted, ``log`` and ``step``; ``None`` for those of the model itself.
        trials: how many there are in all, those of before in the folder among them.
        metric: one of `METRICS` of which lower is better.
        windows: horizons at the end of the training data that are held out and forecast.
        num_samples: sample paths S a window.
        seed: of the proposals, and of each training and forecast.
        workers: processes that run trials at the same time; their order is then that in which they end.
        out: folder that keeps the trials (``trials.db``, SQLite) and their scores; ``None`` keeps nothing.
        quiet: whether to print nothing.

    Returns:
        The trials, the best settings, and the model with them.

    Raises:
        ValueError: an argument is not what was expected, the training data are too short, the search in the folder was
            another one, no trial has finished, or optuna is not installed (extra ``tune``).

    Example:
        >>> from hemline.datasets import simulated_sales
        >>> from hemline.forecasting import VARPredictor
        >>> data = simulated_sales(articles=2, weeks=104)
        >>> found = tune(VARPredictor(8), data, {"max_lags": [1, 2]}, 2, windows=1, num_samples=20, quiet=True)
        >>> len(found.trials), found.settings["max_lags"] in (1, 2)
        (2, True)
    """
    if metric not in METRICS or METRICS[metric].better != "lower":
        lower = [name for name in METRICS if METRICS[name].better == "lower"]
        raise ValueError(f"metric: expected one of {', '.join(lower)}, got {metric!r}")
    if space is None:
        space = model.search_space()
        if not space:
            raise ValueError(f"space: expected settings to search, {type(model).__name__} has none of its own")
    ranges = read_space(space, model)
    protocol = make_protocol(num_samples, None, "expanding", metric)
    held_out = validation_data(data, windows)
    check_data(held_out, protocol)
    with ExitStack() as stack:
        store = None if out is None else Store(Path(out).absolute())
        if store is not None:
            stack.enter_context(store.alone())
        study = stack.enter_context(opened_study(store))
        search = _Trials(study, model, held_out, ranges, protocol, seed, trials, workers)
        with naming("out", out):
            search.take_up(str(out))
            ended = len(search.over())
        progress = stack.enter_context(Progress(trials, quiet))
        progress.ended = ended
        run_jobs(search.jobs(), store, _lanes(workers), progress, told=search.tell)
        found = search.result(metric)
    if store is not None:
        with whole_file(store.folder / BEST) as aside:
            aside.write_text(settings_toml(found.settings), encoding="utf-8")
    return found


def _lanes(workers: int) -> Sequence[Lane]:
    return [Here()] if workers == 1 else [WorkerProcess() for _ in range(workers)]


class _Trials:
    """The trials of a search: which is next, and what came of each."""

    def __init__(
        self,
        study: Study,
        model: ForecastModel | PlainModel,
        data: ForecastData,
        ranges: Ranges,
        protocol: Protocol,
        seed: int,
        count: int,
        workers: int,
    ) -> None:
        self.study, self.model, self.data, self.ranges = study, model, data, ranges
        self.protocol, self.seed, self.count, self.workers = protocol, seed, count, workers
        self.fingerprint = fingerprint(data)
        self.running: dict[str, Trial] = {}

    def take_up(self, folder: str) -> None:
        """Go on with the search in the study, or begin it.

        Raises:
            ValueError: it was another one.
        """
        from optuna.trial import TrialState

        identity = {
            "model": digest(describe(self.model)),
            "data": self.fingerprint,
            "space": digest(to_plain(self.ranges)),
            "protocol": digest(to_plain(self.protocol)),
            "seed": self.seed,
        }
        before = self.study.user_attrs.get("identity")
        if before is None:
            if (own := own_point(self.ranges, self.model)) is not None:
                self.study.enqueue_trial(own)
            # Last: it is the sign of a search that was begun.
            self.study.set_user_attr("identity", identity)
        elif before != identity:
            other = [name for name, value in identity.items() if before.get(name) != value]
            raise ValueError(f"out: expected the search that was begun in {folder}, got one of another {other[0]}")
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            # It was cut off: the same settings are tried, whose training goes on where it stopped.
            self.study.tell(trial.number, state=TrialState.FAIL)
            if trial.params.keys() == self.ranges.keys():
                self.study.enqueue_trial(trial.params)

    def over(self) -> list[FrozenTrial]:
        """The trials that have come to their end, in their order; none that was cut off or proposed twice."""
        told = self.study.get_trials(deepcopy=False)
        return [trial for trial in told if trial.value is not None or "error" in trial.user_attrs]

    def jobs(self) -> Iterator[Job]:
        """The next trials, each proposed when it is asked for."""
        while len(self.over()) + len(self.running) < self.count:
            trial = self._asked()
            if trial is None:
                return
            settings = self.settings(trial.params)
            said = ", ".join(
                f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
                for name, value in settings.items()
            )
            try:
                model = self.model.override(nested(settings))
            except (ValueError, TypeError) as error:
                self._fail(trial, one_line(error))
                continue
            name = f"{type(model).__name__}({said})"
            run = Run(name, model, describe(model), self.data, self.fingerprint, self.seed, self.protocol)
            self.running[run.id] = trial
            yield Job(run.record(), partial(_given, run))

    def tell(self, ended: Ended) -> None:
        """Take in how a trial ended."""
        trial = self.running.pop(str(ended.record["run"]))
        if ended.scores is None:
            self._fail(trial, str(ended.record["error"]))
            return
        value = float(overall_rows(ended.scores)["value"].iloc[0])
        if math.isnan(value):
            self._fail(trial, f"{self.protocol.metrics[0]} is not defined on these windows")
        else:
            self.study.tell(trial, value)

    def settings(self, point: Point) -> dict[str, Plain]:
        """The settings of a point, by their places."""
        return {name: each.value(point[name]) for name, each in self.ranges.items()}

    def result(self, metric: str) -> Search:
        """What was found.

        Raises:
            ValueError: no trial has finished.
        """
        rows = [
            {
                "trial": number,
                "value": trial.value,
                "error": trial.user_attrs.get("error"),
                **self.settings(trial.params),
            }
            for number, trial in enumerate(self.over())
        ]
        table = pd.DataFrame(rows, columns=["trial", "value", "error", *self.ranges])
        table["value"] = table["value"].astype(float)
        if table["value"].isna().all():
            raise ValueError(f"tune: no trial has finished ({'; '.join(sorted(set(table['error'].dropna())))})")
        best = self.settings(self.over()[int(np.nanargmin(table["value"]))].params)
        return Search(metric, table, best, float(table["value"].min()), self.model.override(nested(best)))

    def _asked(self) -> Trial | None:
        """The next trial; ``None`` where every point has been tried."""
        from optuna.samplers import TPESampler
        from optuna.trial import TrialState

        tried = [trial.params for trial in [*self.over(), *self.running.values()]]
        # A sampler of its own for each, so that a search that goes on proposes what an unbroken one does.
        number = (self.seed + 1) * 1_000_003 + len(tried)
        self.study.sampler = TPESampler(seed=number % 2**32, constant_liar=self.workers > 1)
        ranges = {name: each.distribution() for name, each in self.ranges.items()}
        trial = self.study.ask(ranges)
        if trial.params not in tried:
            return trial
        self.study.tell(trial, state=TrialState.FAIL)
        left = every_point(self.ranges)
        if left is None:
            return self._asked()
        unseen = [point for point in left if point not in tried]
        if not unseen:
            return None
        self.study.enqueue_trial(random.Random(number).choice(unseen))
        return self.study.ask(ranges)

    def _fail(self, trial: Trial, reason: str) -> None:
        from optuna.trial import TrialState

        trial.set_user_attr("error", reason)
        self.study.tell(trial, state=TrialState.FAIL)


def _given(run: Run) -> Run:
    return run
