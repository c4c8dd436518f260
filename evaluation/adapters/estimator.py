"""Any univariate gluonts estimator, trained over the single series."""

from __future__ import annotations

import copy
import math
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor
from gluonts.transform.sampler import InstanceSampler

from ...datasets.entries.assortment import in_places, with_room
from ...datasets.entries.entry import Entry
from ...datasets.entries.gluonts_keys import KNOWN, STATIC, DataEntry, GluontsEntry
from ...datasets.entries.multivariate import as_multivariate
from ...runtime.arguments.kinds import Count, Seed
from ...runtime.display.bars import is_bar_open, is_watched
from ...runtime.plain import PlainObject
from ...runtime.quiet import quiet_lightning
from ...runtime.seeds import seeded
from ...runtime.training.interrupts import interrupts_passed_on
from .fitted import FittedModel
from .model import ForecastModel
from .predictor import GroupedPredictor, field_length
from .quiet import quiet_gluonts
from .single_series import held_out_ends, reads_single_series, single_series

LARGEST_CACHE = 2**25
"""Values of all series together above which their features are not kept; with ten features each they take 1.3 GB."""

MORE = 2
"""Steps of an update over those that a training takes over as many values: new ones are in few of the windows drawn."""

_READ = {
    STATIC["static_real"]: ("num_feat_static_real", "static_dims"),
    STATIC["static_cat"]: ("num_feat_static_cat", "static_cardinalities"),
    KNOWN: ("num_feat_dynamic_real", "dynamic_dims"),
}
"""The attributes by which gluonts' estimators say that they read a field."""


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
        if self.stop_after is not None and held_out is None and weights is None:
            part, watched = held_out_ends(entries, self.prediction_length)
            if part:
                return self._stopped(entries, part, watched)
        rows = single_series(entries)
        from .epoch_log import EpochLog

        # Gluonts' torch models change their options in training, and leave files where they run.
        estimator, log = copy.copy(self.estimator), EpochLog()
        for name, sampler in vars(estimator).items():
            if isinstance(sampler, InstanceSampler):
                # It goes on counting the lengths that it meets, so that a second training would be another one.
                setattr(estimator, name, copy.deepcopy(sampler))
        with (
            tempfile.TemporaryDirectory() as folder,
            seeded(self.seed),
            quiet_lightning(),
            quiet_gluonts(),
            interrupts_passed_on(),
        ):
            if hasattr(estimator, "trainer_kwargs"):
                given = estimator.trainer_kwargs
                estimator.trainer_kwargs = {
                    "logger": False,
                    "enable_progress_bar": is_watched() and not is_bar_open(),
                    "enable_model_summary": False,
                    "default_root_dir": folder,
                    **given,
                    "callbacks": [*given.get("callbacks", ()), log, *self._stops(held_out)],
                }
            begun = {} if weights is None else {"from_predictor": Begun(weights)}
            if begun:
                predictor = estimator.train_model(rows, held_out, **begun, **_cached(estimator, rows)).predictor
            else:
                predictor = estimator.train(rows, held_out, **_cached(estimator, rows))
        item_ids = entries[0].item_ids
        channels = entries[0].channels.names if reads_channels(self.estimator) else ()
        fields = {field: field_length(rows[0], field) for field in _read_fields(self.estimator)}
        # The first category is the number of the series.
        counts = tuple(getattr(self.estimator, "cardinality", ())[1:]) if STATIC["static_cat"] in fields else ()
        found = GroupedPredictor(predictor, self.seed, log.rows, item_ids, channels, fields, counts)
        return found.having_learnt(entries)

    def _stopped(self, entries: list[Entry], part: list[Entry], watched: list[DataEntry]) -> GroupedPredictor:
        """What is trained on a part as long as the rest is forecast better, and then goes on over all of it."""
        found = self.fitted_on(part, watched)
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
    from gluonts.torch.model.estimator import PyTorchLightningEstimator

    fixed = isinstance(estimator, PyTorchLightningEstimator) and type(estimator).__module__.startswith("gluonts.")
    return {"cache_data": True} if fixed and sum(row["target"].size for row in rows) <= LARGEST_CACHE else {}


def grouped(model: Estimator | Predictor) -> Estimator | Predictor:
    """A model of all series together: gluonts' own of single ones is grouped, any other stays as it is.

    Arguments:
        model: an estimator or a predictor.
    """
    if not reads_single_series(model):
        return model
    return GroupedEstimator(model) if isinstance(model, Estimator) else GroupedPredictor(model)


def reads_channels(estimator: Estimator) -> bool:
    """Whether a univariate estimator reads channels known of the future; gluonts' own say how many."""
    told = (getattr(estimator, name, 0) for name in ("num_feat_dynamic_real", "dynamic_dims"))
    return not type(estimator).__module__.startswith("gluonts.") or any(told)


def _read_fields(estimator: Estimator) -> list[str]:
    """The fields without which a gluonts estimator's predictor fails; of others' estimators nothing is known."""
    if not type(estimator).__module__.startswith("gluonts."):
        return []
    return [field for field, names in _READ.items() if any(getattr(estimator, name, 0) for name in names)]


def placed_for(fitted: FittedModel, entries: list[Entry]) -> list[Entry]:
    """Entries with the series of a fitted model in their places, and places for those that are new."""
    seen = list(dict.fromkeys(name for entry in entries for name in entry.item_ids))
    return in_places(entries, with_room(fitted.item_ids, seen)) if seen and fitted.item_ids else entries


def further_epochs(share: float, epochs: int, batches: int) -> tuple[int, int]:
    """The epochs of an update, and the batches of each: `MORE` times those of a training over as many values.

    So all updates of a year together are about twice as long as the part of a training that its values have, however
    many there are: each over a fixed share of the epochs, those of every week would be several trainings.

    Arguments:
        share: of the values that are new, 0 to 1.
        epochs: of a training.
        batches: of each of its epochs.

    Example:
        >>> further_epochs(0.01, 20, 100), further_epochs(0.1, 20, 100)
        ((1, 40), (4, 100))
    """
    steps = max(1, math.ceil(MORE * share * epochs * batches))
    needed = min(math.ceil(steps / batches), epochs)
    return needed, min(math.ceil(steps / needed), batches)


def best_epoch(log: list[PlainObject]) -> int | None:
    """How many epochs there were up to the one with the least loss on what was watched; ``None`` if nothing was."""
    told = [row.get("validation_loss") for row in log]
    losses = [loss if isinstance(loss, float) else math.inf for loss in told]
    return 1 + losses.index(min(losses)) if losses and min(losses) < math.inf else None


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
