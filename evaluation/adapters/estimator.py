"""Any univariate gluonts estimator, trained over the single series."""

from __future__ import annotations

import copy
import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor
from gluonts.transform.sampler import InstanceSampler

from ...datasets.entries.assortment import in_places, with_room
from ...datasets.entries.entry import Entry
from ...datasets.entries.gluonts_keys import STATIC, DataEntry, GluontsEntry
from ...datasets.entries.multivariate import as_multivariate
from ...runtime.arguments.kinds import Count, Seed
from ...runtime.display.bars import is_bar_open, is_watched
from ...runtime.plain import PlainObject
from ...runtime.quiet import quiet_lightning
from ...runtime.seeds import seeded
from ...runtime.training.further import best_epoch, further_epochs
from ...runtime.training.interrupts import interrupts_passed_on
from .fitted import FittedModel
from .gluonts.windows import is_of_gluonts, with_quick_windows
from .model import ForecastModel
from .predictor import GroupedPredictor, field_length
from .quiet import quiet_gluonts
from .single_series import held_out_ends, read_fields, reads_channels, reads_single_series, single_series

LARGEST_CACHE = 2**25
"""Values of all series together above which their features are not kept; with ten features each they take 1.3 GB."""


class GroupedEstimator(ForecastModel):
    """Trains a univariate gluonts estimator over the single series and groups what it forecasts.

    The paths of different series are independent; `CoupledEstimator` gives them the dependence of the past.

    Arguments:
        estimator: any gluonts estimator of single series; it stays as it is. The number of a series stands in
            ``feat_static_cat``, before its categories; its own and the shared covariates stand in
            ``feat_dynamic_real``, or all, if they have no names.
        seed: of the weights, the windows and the draws.
        stop_after: of a network of gluonts, epochs without a better loss on the end of the span after which training
            stops. That end is held out until then; the best weights then go on over the whole span, as in an update.
            ``None`` takes all epochs, on the whole span.

    Raises:
        ValueError: there is `stop_after`, and the estimator is none that Lightning trains.

    Example:
        >>> from gluonts.torch import PatchTSTEstimator
        >>> GroupedEstimator(PatchTSTEstimator(prediction_length=7, context_length=14, patch_len=7)).prediction_length
        7
    """

    def __init__(self, estimator: Estimator, *, seed: Seed = 0, stop_after: Count | None = None) -> None:
        super().__init__(lead_time=estimator.lead_time)
        if stop_after is not None and not hasattr(estimator, "trainer_kwargs"):
            raise ValueError(
                "stop_after: expected an estimator that Lightning trains, for its epochs, got "
                f"{type(estimator).__name__}"
            )
        self.estimator, self.seed, self.stop_after = estimator, seed, stop_after

    @property
    def reads_channels(self) -> bool:
        """Whether the univariate estimator reads channels known of the future."""
        return reads_channels(self.estimator)

    @property
    def prediction_length(self) -> int:
        """The horizon H, in steps."""
        return self.estimator.prediction_length

    def train(
        self, training_data: Iterable[GluontsEntry], validation_data: Iterable[GluontsEntry] | None = None
    ) -> GroupedPredictor:
        """Train on a multivariate dataset, or on univariate entries, which are grouped.

        Arguments:
            training_data: multivariate gluonts entries (``target`` ``[D, T]``), or univariate ones.
            validation_data: likewise, for the estimator to watch; ``None`` for none.

        Returns:
            The predictor, whose forecasts are joint with independent series.
        """
        entries = as_multivariate(training_data)
        held_out = None
        if validation_data is not None:
            held_out = single_series(as_multivariate(validation_data, "validation_data"))
        return self.made(self.fitted_on(entries, held_out))

    def update(
        self, fitted: FittedModel, training_data: Iterable[GluontsEntry], directory: Path | None = None
    ) -> GroupedPredictor:
        """Train a network of gluonts further on data that go on, as its share of new values says; any other model anew.

        Gluonts' training cannot be resumed, so `directory` stays unused.
        """
        if not isinstance(fitted, GroupedPredictor) or not hasattr(fitted.predictor, "network"):
            return self.train(training_data)
        entries = placed_for(fitted, as_multivariate(training_data))
        further = self._further(fitted.share_of_new(entries), entries[0].length, best_epoch(fitted.training_log))
        found = further.fitted_on(entries, None, fitted.predictor.network.state_dict())
        return self.made(gone_on(found, fitted, self.seed))

    def _further(self, share: float, seed: int, epochs: int | None = None) -> GroupedEstimator:
        """The estimator of a further training, as long as the share of new values says.

        Arguments:
            share: of the values that are new.
            seed: added to that of the training.
            epochs: of the training before, where it was stopped; those that it may take if ``None``.
        """
        given = getattr(self.estimator, "trainer_kwargs", {})
        estimator: Any = copy.copy(self.estimator)
        epochs, batches = further_epochs(share, epochs or given.get("max_epochs", 100), estimator.num_batches_per_epoch)
        estimator.trainer_kwargs, estimator.num_batches_per_epoch = {**given, "max_epochs": epochs}, batches
        return GroupedEstimator(estimator, seed=self.seed + seed)

    def fitted_on(
        self,
        entries: list[Entry],
        held_out: list[DataEntry] | None,
        weights: Mapping[str, object] | None = None,
    ) -> GroupedPredictor:
        """Train over the single series of entries.

        Arguments:
            entries: as `as_multivariate` reads them; series that are absent are left out.
            held_out: single series to watch, if any.
            weights: those that a network of gluonts starts from; drawn if ``None``.
        """
        *_, (found, _) = self._rungs(entries, held_out, weights)
        return found

    def train_in_rungs(
        self, training_data: Iterable[GluontsEntry], share: float
    ) -> Iterator[tuple[GroupedPredictor, bool]]:
        """The predictor after a share of the epochs of a network of gluonts, then the whole one.

        See `ForecastModel.train_in_rungs`.
        """
        for found, whole in self.rungs_on(as_multivariate(training_data), share):
            yield self.made(found), whole

    def rungs_on(self, entries: list[Entry], share: float) -> Iterator[tuple[GroupedPredictor, bool]]:
        """Train over the single series of entries, with a pause after a share of the epochs.

        Arguments:
            entries: as `as_multivariate` reads them.
            share: of the epochs, 0 to 1.
        """
        epochs = getattr(self.estimator, "trainer_kwargs", {}).get("max_epochs")
        return self._rungs(entries, None, None, math.ceil(share * epochs) if epochs else None)

    def _rungs(
        self,
        entries: list[Entry],
        held_out: list[DataEntry] | None,
        weights: Mapping[str, object] | None,
        epochs: int | None = None,
    ) -> Iterator[tuple[GroupedPredictor, bool]]:
        """What is trained, after so many epochs and in the end; with `stop_after` on a part first, then over all."""
        if self.stop_after is not None and held_out is None and weights is None:
            part, watched = held_out_ends(entries, self.prediction_length)
            if part:
                for found, whole in self._fits(part, watched, None, epochs):
                    yield self._over_all(entries, found) if whole else found, whole
                return
        yield from self._fits(entries, held_out, weights, epochs)

    def _fits(
        self,
        entries: list[Entry],
        held_out: list[DataEntry] | None,
        weights: Mapping[str, object] | None,
        epochs: int | None,
    ) -> Iterator[tuple[GroupedPredictor, bool]]:
        from ...runtime.training.pausing import Pause
        from .gluonts.epoch_log import EpochLog

        # Gluonts' torch models change their options in training, and leave files where they run.
        rows, estimator, log = single_series(entries), with_quick_windows(self.estimator), EpochLog()
        pause = Pause(epochs) if epochs else None
        for name, sampler in vars(estimator).items():
            if isinstance(sampler, InstanceSampler):
                # It goes on counting the lengths that it meets, so that a second training would be another one.
                setattr(estimator, name, copy.deepcopy(sampler))
        with tempfile.TemporaryDirectory() as folder:
            if hasattr(estimator, "trainer_kwargs"):
                given = estimator.trainer_kwargs
                ours = [log, *self._stops(held_out), *([pause] if pause else [])]
                estimator.trainer_kwargs = {
                    "logger": False,
                    "enable_progress_bar": is_watched() and not is_bar_open(),
                    "enable_model_summary": False,
                    "default_root_dir": folder,
                    **given,
                    "callbacks": [*given.get("callbacks", ()), *ours],
                }
            with self._quietly():
                begun = {} if weights is None else {"from_predictor": Begun(weights)}
                if begun:
                    predictor = estimator.train_model(rows, held_out, **begun, **_cached(estimator, rows)).predictor
                else:
                    predictor = estimator.train(rows, held_out, **_cached(estimator, rows))
            if pause is not None and pause.paused:
                yield self._found(predictor, log.rows, entries, rows), False
                with self._quietly():
                    pause.go_on()
            yield self._found(predictor, log.rows, entries, rows), True

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """A training with our seed that leaves the process as it was, and says nothing that is not for users."""
        with seeded(self.seed), quiet_lightning(), quiet_gluonts(), interrupts_passed_on():
            yield

    def _found(
        self, predictor: Predictor, log: list[PlainObject], entries: list[Entry], rows: list[DataEntry]
    ) -> GroupedPredictor:
        item_ids = entries[0].item_ids
        channels = entries[0].channels.names if reads_channels(self.estimator) else ()
        fields = {field: field_length(rows[0], field) for field in read_fields(self.estimator)}
        # The first category is the number of the series.
        counts = tuple(getattr(self.estimator, "cardinality", ())[1:]) if STATIC["static_cat"] in fields else ()
        found = GroupedPredictor(predictor, self.seed, list(log), item_ids, channels, fields, counts)
        return found.having_learnt(entries)

    def _over_all(self, entries: list[Entry], found: GroupedPredictor) -> GroupedPredictor:
        """What was trained on a part as long as the rest was forecast better, gone on over all of it."""
        further = self._further(found.share_of_new(entries), 0, best_epoch(found.training_log))
        whole = further.fitted_on(entries, None, found.predictor.network.state_dict())
        return gone_on(whole, found, self.seed)

    def _stops(self, watched: list[DataEntry] | None) -> list[Any]:
        """What stops a training of Lightning early, if anything does."""
        if self.stop_after is None or watched is None:
            return []
        from lightning.pytorch.callbacks import EarlyStopping

        return [EarlyStopping("val_loss", patience=self.stop_after, verbose=False)]

    def for_run(self, seed: int, directory: Path | None = None) -> GroupedEstimator:
        """This estimator with another seed; gluonts' training cannot be resumed, so `directory` stays unused.

        Callbacks of Lightning's trainer are copies: one that stops a training remembers what the last one came to.
        """
        estimator, given = self.estimator, getattr(self.estimator, "trainer_kwargs", {})
        if given.get("callbacks"):
            estimator = copy.copy(estimator)
            estimator.trainer_kwargs = {**given, "callbacks": copy.deepcopy(given["callbacks"])}
        return GroupedEstimator(estimator, seed=seed, stop_after=self.stop_after)

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        # One that takes all epochs is what it was before there were others, and so are runs that are known by settings.
        stops = {} if self.stop_after is None else {"stop_after": self.stop_after}
        return {"estimator": self.estimator, "seed": self.seed, **stops}


def _cached(estimator: Estimator, rows: list[DataEntry]) -> dict[str, bool]:
    """What tells gluonts' own torch models to compute the features of a series once, and not for each of its windows.

    A transformation of somebody else's may draw at random, and is done anew each time.
    """
    small = sum(row["target"].size for row in rows) <= LARGEST_CACHE
    return {"cache_data": True} if small and is_of_gluonts(estimator) else {}


def grouped(model: Estimator | Predictor) -> Estimator | Predictor:
    """A model of all series together: gluonts' own of single ones is grouped, any other stays as it is.

    Arguments:
        model: an estimator or a predictor.
    """
    if not reads_single_series(model):
        return model
    return GroupedEstimator(model) if isinstance(model, Estimator) else GroupedPredictor(model)


def placed_for(fitted: FittedModel, entries: list[Entry]) -> list[Entry]:
    """Entries with the series of a fitted model in their places, and places for those that are new."""
    seen = list(dict.fromkeys(name for entry in entries for name in entry.item_ids))
    return in_places(entries, with_room(fitted.item_ids, seen)) if seen and fitted.item_ids else entries


def gone_on(found: GroupedPredictor, before: GroupedPredictor, seed: int) -> GroupedPredictor:
    """What a further training returned, with the seed of the first one.

    It keeps the log of a training that was stopped, which says how long the next one is to be.
    """
    found.seed = seed
    if best_epoch(before.training_log) is not None:
        rows = [*before.training_log, *found.training_log]
        found.training_log = [{**row, "epoch": number} for number, row in enumerate(rows)]
    return found


class Begun:
    """The weights from which a training of gluonts begins, where it asks a predictor for its network."""

    def __init__(self, weights: Mapping[str, object]) -> None:
        self.weights, self.network = weights, self

    def state_dict(self) -> Mapping[str, object]:
        """The weights by name."""
        return self.weights
