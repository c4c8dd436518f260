"""Models of any origin: what is asked of each, and what is assumed of one that does not say.

A `FittedModel` says all of it. Other predictors of joint forecasts, of users or of gluonts, say some of it or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor

from ...datasets.entries.data import ForecastData
from ...datasets.entries.entry import Entry
from ...runtime.plain import PlainObject


def for_run(model: Estimator | Predictor, seed: int, directory: Path | None = None) -> Estimator | Predictor:
    """The model with the seed of one run of a backtest, as it is if it cannot be seeded.

    Arguments:
        model: an estimator or a predictor.
        seed: of weights, windows and draws.
        directory: folder for checkpoints, from which a killed run goes on.
    """
    return model.for_run(seed, directory) if can_be_seeded(model) else model


def updated(
    model: Estimator | Predictor, fitted: Predictor, entries: list[Entry], directory: Path | None = None
) -> Predictor:
    """The fitted model after an update by its estimator; retrained where the estimator has no updates.

    Arguments:
        model: an estimator, or a predictor that needs no training.
        fitted: what its training, or its last update, returned.
        entries: all of the data.
        directory: folder for checkpoints.
    """
    if not needs_training(model):
        return model
    if not hasattr(model, "update"):
        return model.train(entries)
    return model.update(fitted, entries, directory)


def in_rungs(model: Estimator, entries: list[Entry], share: float) -> Iterator[tuple[Predictor, bool]]:
    """What a training makes of an estimator, after a share of its epochs and in the end, and whether that is the end.

    Arguments:
        model: an estimator; see `ForecastModel.train_in_rungs`, without which it has no pause.
        entries: the training data.
        share: of the epochs before the pause.
    """
    places = [_place(model, name) for name in ("train_in_rungs", "train")]
    # Whoever writes another `train` has not told how it pauses.
    if issubclass(*places):
        yield from model.train_in_rungs(entries, share)
    else:
        yield model.train(entries), True


def _place(model: object, name: str) -> type:
    """The class that defines a method of a model; ``object`` if none does."""
    return next((each for each in type(model).__mro__ if name in vars(each)), object)


def can_be_seeded(model: Estimator | Predictor) -> bool:
    """Whether a model has ``for_run(seed, directory)``."""
    return hasattr(model, "for_run")


def needs_training(model: object) -> bool:
    """Whether a model is trained before it forecasts: an estimator, not a predictor."""
    return hasattr(model, "train")


def forecasts(model: object) -> bool:
    """Whether a model forecasts as it is: a predictor."""
    return hasattr(model, "predict")


def is_model(made: object) -> bool:
    """Whether an object is an estimator or a predictor instance."""
    return not isinstance(made, type) and (needs_training(made) or forecasts(made))


def horizon_of(model: Estimator | Predictor, otherwise: int) -> int:
    """The prediction length of a model; ``None`` if it has none."""
    return int(getattr(model, "prediction_length", otherwise))


def reads_channels(model: Estimator | Predictor) -> bool:
    """Whether a model says that it reads channels known of the future."""
    return bool(getattr(model, "reads_channels", False))


def item_ids_of(predictor: Predictor) -> tuple[str, ...]:
    """Names of the series that a predictor was trained on; none if it takes any, or does not say."""
    return tuple(getattr(predictor, "item_ids", ()))


def channels_of(predictor: Predictor) -> tuple[str, ...] | None:
    """Names of the channels that a predictor reads; ``None`` if it does not say."""
    names = getattr(predictor, "covariate_names", None)
    return None if names is None else tuple(names)


def training_log_of(predictor: Predictor) -> list[PlainObject]:
    """A row an epoch of the training; none of a predictor that keeps no log."""
    return list(getattr(predictor, "training_log", None) or [])


def read_for(predictor: Predictor, load: Callable[..., ForecastData], name: str) -> ForecastData:
    """A dataset whose categories and texts are read as those of a predictor's training were.

    Arguments:
        predictor: of any kind.
        load: dataset name, and ``encoding``, to dataset.
        name: of the dataset.
    """
    encoding = getattr(predictor, "encoding", None)
    return load(name) if encoding is None else load(name, encoding=encoding)
