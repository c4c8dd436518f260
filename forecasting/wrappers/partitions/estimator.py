"""A large assortment as partitions: a joint model each, and a joint model of their totals that ties them."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor

from ....datasets.entries.entry import Entry
from ....datasets.entries.gluonts_keys import GluontsEntry
from ....datasets.entries.multivariate import as_multivariate
from ....datasets.hierarchies.hierarchy import By
from ....evaluation.adapters.fitted import FittedModel
from ....evaluation.adapters.foreign import for_run, updated
from ....evaluation.adapters.model import ForecastModel
from ....evaluation.execution.workers import lanes_for
from ....runtime.arguments.kinds import Count, Seed
from ...training.members import trained_member
from ...windows.held_out import held_out_windows
from ..wrapper import WrappingEstimator
from .assignment import Partitions, partitions_of, totals_entry
from .predictor import PartitionedPredictor, seed_of
from .training import Ended, PartitionWork, best_strength, train_partitions

logger = logging.getLogger(__name__)


class PartitionedEstimator(WrappingEstimator):
    r"""Forecasts a large assortment as partitions: a joint model each, tied by a joint model of the partitions' totals.

    Each partition is trained by itself, so that a worker needs memory for its own partition alone. What partitions have
    in common, such as the weather or a season that comes late, is in the paths of their totals, which one joint model
    draws. Each path of the totals gets the path of every partition whose course is nearest to it (`matched`), so that
    sums over partitions have the spread that their dependence gives them, while the forecast of each series stays. Then
    every partition's path x is moved by a share c of the way to its total t,

    .. math:: x'_d = x_d + c\, (t - \textstyle\sum_e x_e)\, \frac{|x_d|}{\sum_e |x_e|},

    and with c = 1 the totals are those of the joint model, path by path. The share is the one with the best energy
    score in windows held out at the end of the span, as a mean over series, partitions and total, and 0 where that is
    not better than none by a standard error of the windows (`chosen_strength`). In a changed future a
    path keeps its partner and its correction. Effects of one partition on another (a price that takes sales from
    another category) are not forecast.

    The numbers are the same whatever the workers.

    Arguments:
        model: of each partition; a joint one.
        by: the attribute whose labels are partitions, or several that are crossed; ``"correlation"`` for parts of
            series that change together.
        size: the most series of a partition; larger ones are divided by correlation. ``None`` keeps labels whole.
        of_totals: the joint model of the partitions' totals; ``None`` takes `model` for them too.
        strength: c, 0 to 1; ``None`` lets the held-out windows choose, for which each partition is trained twice.
        windows: windows held out at the end, one horizon each; ``None`` as in `held_out_windows`.
        num_samples: paths a window to choose by.
        seed: of models that can be seeded.
        workers: how many partitions are trained at the same time, in processes of their own; ``None`` for one a core.
        ray: whether workers are actors on Ray, on this machine if there is no address.
        address: of a Ray cluster, which has to see `directory`; implies `ray`.
        directory: where trained partitions are kept, so that a killed training goes on behind them.

    Example:
        >>> from hemline.forecasting import RandomWalkPredictor
        >>> PartitionedEstimator(RandomWalkPredictor(7), by="category").prediction_length
        7
    """

    def __init__(
        self,
        model: Estimator | Predictor,
        by: By,
        *,
        size: Count | None = None,
        of_totals: Estimator | Predictor | None = None,
        strength: float | None = None,
        windows: Count | None = None,
        num_samples: Count = 100,
        seed: Seed = 0,
        workers: Count | None = 1,
        ray: bool = False,
        address: str | None = None,
        directory: Path | None = None,
    ) -> None:
        super().__init__(model)
        if strength is not None and not 0 <= strength <= 1:
            raise ValueError(f"strength: expected from 0 to 1, got {strength}")
        self.by: By = by if isinstance(by, str) else tuple(by)
        self.of_totals = None if of_totals is None else self.beside("of_totals", of_totals)
        self.size, self.strength, self.windows, self.num_samples, self.seed = size, strength, windows, num_samples, seed
        self.workers, self.ray, self.address, self.directory = workers, ray, address, directory

    @property
    def imposes_sales(self) -> bool:
        """As the model of the partitions."""
        return isinstance(self.model, ForecastModel) and self.model.imposes_sales

    def train(
        self, training_data: Iterable[GluontsEntry], validation_data: Iterable[GluontsEntry] | None = None
    ) -> PartitionedPredictor:
        """Train the models of all partitions, as many at once as there are workers, and that of their totals.

        Arguments:
            training_data: multivariate gluonts entries (``target`` ``[D, T]``) with names and attributes.
            validation_data: likewise, for the models to watch.

        Returns:
            The predictor.

        Raises:
            ValueError: there is no such attribute, a series has no label, or a partition cannot be trained.
        """
        entries = as_multivariate(training_data)
        watched = None if validation_data is None else as_multivariate(validation_data, "validation_data")
        parts = partitions_of(max(entries, key=lambda entry: entry.length), self.by, self.size)
        pieces = parts.cut(entries)
        seen = [None] * len(parts) if watched is None else parts.cut(watched)
        totals = self._totals(pieces, parts)
        with ExitStack() as stack:
            folder = self._folder(stack)
            lanes = stack.enter_context(lanes_for(self.workers, len(parts), ray=self.ray, address=self.address))
            draws = self._held_out_totals(totals, folder)
            works = [
                PartitionWork(
                    name,
                    self.model,
                    seed_of(self.seed, number + 1),
                    None if folder is None else folder / f"partition-{number}",
                    pieces[number],
                    seen[number],
                    draws.get(name),
                )
                for number, name in enumerate(parts.names)
            ]
            ended = train_partitions(works, lanes)
            strength = self.strength
            if strength is None:
                strength = best_strength([each.weighed for each in ended if each.weighed is not None])
            above = None if watched is None else self._totals([piece or [] for piece in seen], parts)
            of_totals = trained_member(
                self._of_totals, seed_of(self.seed, 0), None if folder is None else folder / "totals", totals, above
            )
            members = [_member(work, each) for work, each in zip(works, ended, strict=True)]
        return self.made(PartitionedPredictor(members, of_totals, parts, strength))

    def update(
        self, fitted: FittedModel, training_data: Iterable[GluontsEntry], directory: Path | None = None
    ) -> PartitionedPredictor:
        """Update all models, one after the other in this process, and keep the share; see `FittedModel.update`.

        Known series stay in their partitions; a new one joins that of its label.

        Raises:
            ValueError: `fitted` is not partitioned.
        """
        if not isinstance(fitted, PartitionedPredictor):
            raise ValueError(f"update: expected a partitioned predictor, got a {type(fitted).__name__}")
        entries = as_multivariate(training_data)
        before = dict(zip(fitted.partitions.names, fitted.members, strict=True))
        parts = fitted.partitions.grown(entries[-1], self.by)
        pieces = parts.cut(entries)
        members = []
        for number, (name, piece) in enumerate(zip(parts.names, pieces, strict=True)):
            model, folder = for_run(self.model, seed_of(self.seed, number + 1)), directory and directory / f"{number}"
            if name in before:
                members.append(updated(model, before[name], piece, folder))
            else:
                members.append(trained_member(self.model, seed_of(self.seed, number + 1), folder, piece, None))
        model = for_run(self._of_totals, seed_of(self.seed, 0))
        totals = updated(model, fitted.totals, self._totals(pieces, parts), directory and directory / "totals")
        return self.made(PartitionedPredictor(members, totals, parts, fitted.strength))

    def for_run(self, seed: int, directory: Path | None = None) -> PartitionedEstimator:
        """This estimator for one run of a backtest; each trained model is kept in a folder of its own."""
        where = {"workers": self.workers, "ray": self.ray, "address": self.address}
        return PartitionedEstimator(**{**self.settings(), **where, "seed": seed}, directory=directory)  # type: ignore[arg-type]

    def settings(self) -> dict[str, object]:
        """The constructor's arguments; where it is trained is none of them."""
        names = ("model", "by", "size", "of_totals", "strength", "windows", "num_samples", "seed")
        return {name: getattr(self, name) for name in names}

    @property
    def _of_totals(self) -> Estimator | Predictor:
        return self.model if self.of_totals is None else self.of_totals

    def _totals(self, pieces: Sequence[Sequence[Entry]], parts: Partitions) -> list[Entry]:
        told = [totals_entry(each, parts.names, self.prediction_length) for each in zip(*pieces, strict=True)]
        return as_multivariate(told)

    def _folder(self, stack: ExitStack) -> Path | None:
        """Where what is trained is kept; workers need a folder."""
        if self.directory is not None or (self.workers == 1 and not self.ray and self.address is None):
            return self.directory
        if self.address is not None:
            raise ValueError(
                f"directory: expected a folder that the workers at {self.address} see as well, got none; "
                "say for_run(seed, directory)"
            )
        return Path(stack.enter_context(tempfile.TemporaryDirectory()))

    def _held_out_totals(self, totals: list[Entry], folder: Path | None) -> dict[str, np.ndarray]:
        """Joint paths ``[W, S, H]`` of each total in the held-out windows; none where the share is given."""
        if self.strength is not None:
            return {}
        logger.info("training the model of the totals to weigh it")
        span = held_out_windows(totals, self.prediction_length, self.windows)
        kept = None if folder is None else folder / "weighing-totals"
        predictor = trained_member(self._of_totals, seed_of(self.seed, 0), kept, span.before, None)
        drawn = predictor.predict(span.pasts, num_samples=self.num_samples)
        paths = np.stack([np.asarray(forecast.samples, dtype=np.float64) for forecast in drawn])
        return {name: paths[..., place] for place, name in enumerate(span.pasts[0].item_ids)}


def _member(work: PartitionWork, ended: Ended) -> Predictor:
    """What was trained here, or lies in the folder of the partition."""
    return ended.predictor or work.trained("whole", work.entries, work.watched)
