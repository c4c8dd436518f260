"""The training of a partition: what a worker is sent, what it does, and what it answers."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor

from ....datasets.entries.domain import raised
from ....datasets.entries.entry import Entry
from ....evaluation.adapters.quiet import quiet_backtest
from ....evaluation.execution.jobs import output_to
from ....evaluation.execution.lanes import Ending, Lane, Running, Tell, on_lanes
from ....evaluation.runs.machine import peak_memory
from ....evaluation.scores.multivariate import energy_score
from ....runtime.arguments.naming import in_words
from ....runtime.display.bars import Bar
from ...paths.strength import STRENGTHS, chosen_strength, over_steps
from ...paths.tied import correction, matched
from ...paths.totals import corrected
from ...training.members import trained_member
from ...windows.held_out import held_out_windows

logger = logging.getLogger(__name__)

RETRIES = 2
"""How often a partition is begun anew whose worker died."""


@dataclass(frozen=True)
class Weighed:
    """How a partition was forecast in W held-out windows, with each of the C shares of `STRENGTHS`.

    Arguments:
        energy: ``[C, W]``, mean energy score of its series over each window.
        sums: ``[C, W, S, H]``, paths of the sum of those series that are known at a step.
        truth: ``[W, H]``, what came of it; NaN where none is known.
    """

    energy: np.ndarray
    sums: np.ndarray
    truth: np.ndarray


@dataclass(frozen=True)
class Ended:
    """How the training of a partition ended.

    Arguments:
        weighed: its forecasts of the held-out windows, if there were any.
        seconds: of the clock.
        processor: seconds of processor time.
        memory: peak memory of the process that did it, bytes.
        predictor: what was trained, where it was trained in this process; else it lies in its folder.
        error: why there is none.
    """

    weighed: Weighed | None = None
    seconds: float = 0.0
    processor: float = 0.0
    memory: int = 0
    predictor: Predictor | None = None
    error: Exception | None = None


@dataclass(frozen=True)
class PartitionWork:
    """The training of a partition as the work of a lane: all that a worker sees is the partition's own data.

    Arguments:
        name: of the partition.
        model: its model.
        seed: of its training.
        folder: where its trained models are kept; a worker of another process needs one.
        entries: its training data.
        watched: its data to watch, if any.
        totals: joint paths of its total in the held-out windows ``[W, S, H]``, by which it is weighed; ``None`` where
            it is not.
    """

    name: str
    model: Estimator | Predictor
    seed: int
    folder: Path | None
    entries: list[Entry]
    watched: list[Entry] | None
    totals: np.ndarray | None

    @property
    def time_budget(self) -> float | None:
        """As long as it takes."""
        return None

    def here(self, tell: Tell) -> Ended:
        """Train in this process."""
        began, spent = time.monotonic(), time.process_time()
        try:
            weighed = None if self.totals is None else self._weighed(self.totals)
            predictor = self.trained("whole", self.entries, self.watched)
        except Exception as error:
            return Ended(error=error)
        return Ended(weighed, time.monotonic() - began, time.process_time() - spent, peak_memory(), predictor)

    def away(self) -> Ended:
        """Train in a worker; what it prints stands in the folder."""
        if self.folder is None:
            raise ValueError("directory: expected a folder in which workers keep what they train, got None")
        with output_to(self.folder / "output.txt"), quiet_backtest():
            ended = self.here(lambda step: None)
            if ended.error is None:
                return replace(ended, predictor=None)
            traceback.print_exception(ended.error)
        return Ended(error=ValueError(in_words(ended.error)))

    def trained(self, stage: str, entries: list[Entry], watched: list[Entry] | None) -> Predictor:
        """The trained model of a stage, read where it is kept already."""
        return trained_member(
            self.model, self.seed, None if self.folder is None else self.folder / stage, entries, watched
        )

    def _weighed(self, totals: np.ndarray) -> Weighed:
        span = held_out_windows(self.entries, totals.shape[2], len(totals))
        predictor = self.trained("weighing", span.before, None)
        domain = self.entries[0].domain
        energy, sums = [], []
        for forecast, draws, came in zip(
            predictor.predict(span.pasts, num_samples=totals.shape[1]), totals, span.truth, strict=True
        ):
            paths = np.asarray(forecast.samples, dtype=np.float64)
            paths = paths if domain == "real" else raised(paths)
            paths = paths[matched(paths.sum(-1), draws)]
            moved = [corrected(paths, correction(paths, draws, share)) for share in STRENGTHS]
            energy.append([over_steps(energy_score(each, came)) for each in moved])
            sums.append([np.where(np.isnan(came), 0, each).sum(-1) for each in moved])
        missing = np.isnan(span.truth)
        truth = np.where(missing.all(-1), np.nan, np.where(missing, 0, span.truth).sum(-1))
        return Weighed(np.array(energy).T, np.stack(sums, axis=1), truth)


def train_partitions(works: Sequence[PartitionWork], lanes: Sequence[Lane]) -> list[Ended]:
    """Train partitions on lanes, each as soon as one is free.

    A partition whose worker died is begun anew, and goes on from what is kept. The first that fails ends the others;
    what has been trained is kept in the folders.

    Arguments:
        works: the partitions.
        lanes: where they are trained.

    Returns:
        How each ended, in the order of `works`.

    Raises:
        ValueError: a partition could not be trained, which it names.
    """
    ended: dict[str, Ended] = {}
    lost: dict[str, int] = {}

    def again(one: Running[PartitionWork], future: Ending) -> bool:
        work = one.work
        try:
            found = cast(Ended, future.result())
        except one.lane.lost as error:
            one.lane.kill()
            lost[work.name] = lost.get(work.name, 0) + 1
            if lost[work.name] <= RETRIES:
                logger.warning("partition %s: its worker died, begun anew", work.name)
                return True
            raise ValueError(
                f"partition {work.name!r}: expected a worker that lives, got {lost[work.name]} that were killed by the "
                "system or by a crash; is there memory for it?"
            ) from error
        if found.error is not None:
            raise ValueError(f"partition {work.name!r}: {in_words(found.error)}") from found.error
        ended[work.name] = found
        bar.reach(len(ended))
        logger.info(
            "partition %s: %d series in %.1f s, %.1f s of the processor, peak memory of its process %.2f GiB",
            work.name,
            work.entries[0].dim,
            found.seconds,
            found.processor,
            found.memory / 2**30,
        )
        return False

    with Bar(len(works), "training", unit="partitions") as bar:
        on_lanes(works, lanes, begun=lambda work: True, ended=again)
    return [ended[work.name] for work in works]


def best_strength(weighed: Sequence[Weighed]) -> float:
    """The share of the way to the totals that was best in the held-out windows.

    It is chosen over three levels (`chosen_strength`): the series within their partitions, the partitions' totals
    together, and the total of all.

    Arguments:
        weighed: of the partitions.
    """
    if not weighed:
        return 0.0
    truth = np.stack([each.truth for each in weighed], axis=-1)
    known = ~np.isnan(truth)
    whole = np.where(known.any(-1), np.where(known, truth, 0).sum(-1), np.nan)[..., None]
    scores = []
    for number in range(len(STRENGTHS)):
        sums = np.stack([each.sums[number] for each in weighed], axis=-1)
        series = np.sum([each.energy[number] for each in weighed], axis=0)
        together = over_steps(energy_score(sums, truth))
        scores.append([series, together, over_steps(energy_score(sums.sum(-1, keepdims=True), whole))])
    return chosen_strength(np.array(scores), "series, partitions and total")
