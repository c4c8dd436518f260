"""What every model of ours is before its training: settings, a seed, and what it can do."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar

from gluonts.model.estimator import Estimator

from ...datasets.entries.entry import Entry
from ...datasets.entries.gluonts_keys import GluontsEntry
from ...runtime.display.showing import Shown, given_settings
from ...runtime.plain import Configured, Space
from .door import keeping_encoding, keeping_encoding_in_rungs
from .fitted import FittedModel

Fitted = TypeVar("Fitted", bound=FittedModel)


class ForecastModel(Shown, Configured, Estimator):
    """A model of D series, to be trained on a dataset.

    How to implement a model: write two classes, as ``examples/own_package/drift_model.py`` does.

    1. A `ForecastModel`, made from its settings alone. `settings` gives them back by the names of the constructor's
       arguments; `configuration`, `override` and the identity of a backtest run come from that. ``freq`` and
       ``prediction_length`` are given by the dataset where the constructor has them, everything else has a default.
       `train` returns a fitted model; it draws from ``seed``, or from what `for_run` puts in the place of it.
    2. A `FittedModel`: `predict` yields joint sample paths ``[S, H, D]`` for each entry, the same for the same seed;
       `write` and `read` keep it in a folder. One that its settings describe whole is a `PlainModel`, which has both.
       One that needs no training is a `PlainModel` alone.

    A package that declares the model as an entry point of the group ``hemline.models`` has it wherever a model is
    named: on the command line, in grids, in `build_model`, and in stored predictors.

    What a model can do it says by three properties, all of which are false unless a class says otherwise:
    `reads_channels`, `imposes_sales` and `others_answer`.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Have every fitted model know how the words of its training data became numbers, whoever wrote the model."""
        super().__init_subclass__(**kwargs)
        for name in ("train", "update"):
            if name in vars(cls):
                setattr(cls, name, keeping_encoding(vars(cls)[name]))
        for name in {"train_in_rungs"} & set(vars(cls)):
            setattr(cls, name, keeping_encoding_in_rungs(vars(cls)[name]))

    def _shown(self) -> dict[str, object]:
        """The settings that differ from the defaults."""
        return given_settings(type(self), self.settings())

    @property
    def reads_channels(self) -> bool:
        """Whether the model reads prices, promotions and other channels known of the future."""
        return False

    @property
    def imposes_sales(self) -> bool:
        """Whether a scenario can set what a series sells."""
        return False

    @property
    def others_answer(self) -> bool:
        """Whether the other series read at a step what was sold, or set, at those before."""
        return False

    def search_space(self) -> Space:
        """The settings that `tune` searches unless it is told others; see `Space`."""
        return {}

    @abstractmethod
    def train(
        self,
        training_data: Iterable[GluontsEntry],
        validation_data: Iterable[GluontsEntry] | None = None,
    ) -> FittedModel:
        """Train on a dataset.

        Arguments:
            training_data: multivariate gluonts entries (``target`` ``[D, T]``), or univariate ones, which are grouped.
            validation_data: likewise, to watch; ``None`` for none.

        Returns:
            The fitted model.
        """

    def train_in_rungs(self, training_data: Iterable[GluontsEntry], share: float) -> Iterator[tuple[FittedModel, bool]]:
        """Train with a pause after a share of the epochs, so that a pool may drop a model before it has taken them all.

        What comes in the end is what `train` returns, to the last digit; a model without epochs has no pause. What came
        before is no longer to be asked for forecasts then.

        Arguments:
            training_data: as for `train`.
            share: of the epochs before the pause, 0 to 1.

        Yields:
            The fitted model and whether it is the whole one, which is the last.
        """
        yield self.train(training_data), True

    def made(self, fitted: Fitted) -> Fitted:
        """A fitted model that knows this one, so that it can be updated; `train` and `update` return it."""
        fitted.trained_by = self
        return fitted

    def on_part(self, entries: list[Entry], part: list[Entry]) -> Self:
        """This model with what it would take from all of the data, such as lags, for a training on a part of them.

        So what a pool weighs on the part is what it then trains on all. Unless a class says otherwise it takes nothing.

        Arguments:
            entries: all of the data, as `as_multivariate` reads them.
            part: those before the windows that are held out.
        """
        return self

    def goes_on_from(self, entries: list[Entry], part: list[Entry]) -> bool:
        """Whether an update with all of the data makes of a training on a part what a training on all would be.

        It does unless the part was too short for something, such as a lag of a year.

        Arguments:
            entries: all of the data, as `as_multivariate` reads them.
            part: what `on_part` was trained on.
        """
        return True

    def update(
        self, fitted: FittedModel, training_data: Iterable[GluontsEntry], directory: Path | None = None
    ) -> FittedModel:
        """The fitted model after further training on data that go on; see `FittedModel.update`.

        Unless a class says otherwise it is trained anew.

        Arguments:
            fitted: what a training or an update of this model returned.
            training_data: all of the data, what was trained on before among them.
            directory: folder for checkpoints.
        """
        return self.train(training_data)

    def for_run(self, seed: int, directory: Path | None = None) -> Self:
        """This model for one run of a backtest.

        Arguments:
            seed: of weights, windows and draws.
            directory: folder for checkpoints, from which a killed run goes on; a model that keeps none leaves it.
        """
        return self.override({"seed": seed})
