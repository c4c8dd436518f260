"""What every trained model of ours is: forecasts of all series together, and a folder that is whole or absent."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar

import numpy as np
from gluonts.core import fqname_for
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor

from ...datasets.encodings.encoding import Encoding
from ...datasets.entries.channels import kinds_of
from ...datasets.entries.entry import Entry
from ...datasets.entries.gluonts_keys import GluontsEntry
from ...runtime.display.showing import Shown, given_settings
from ...runtime.names import Names, spelled
from ...runtime.plain import Configured, PlainObject, Space, from_plain, made_of, object_in, to_plain, without_types
from ...runtime.reading.json_files import read_json
from ...runtime.whole_files import whole_contents
from .door import at_the_door
from .foreign import training_log_of
from .names import NAMES

SIGN = "gluonts-config.json"
"""The file that is written last: a folder that has it holds a whole predictor."""


Whole = TypeVar("Whole", bound="FittedModel")


class Trains(Protocol):
    """Protocol of a model that can update its fitted models."""

    def update(
        self, fitted: FittedModel, training_data: Iterable[GluontsEntry], directory: Path | None = None
    ) -> FittedModel:
        """The fitted model after further training on data that go on."""


class FittedModel(Shown, Predictor, ABC):
    """A trained model of D series, whose forecasts are joint.

    A class says in `predict` what it forecasts, and in `write` and `read` what it keeps in a folder. Paths that are not
    finite are refused on their way out, and all are brought into the domain of the data (`at_the_door`).

    Attributes:
        names: the classes that a stored one may name, itself among them.
        trained_by: the model before its training, by which `update` goes on; ``None`` where it is not known.
        learnt: how many values it has learnt from, those that are missing left out; ``None`` where it is not known.
        encoding: how the categories and texts of its training data became numbers, by which later tables are to be
            read (``get_dataset(..., encoding=...)``); ``None`` where there were none.
        training_log: a row an epoch.
    """

    names: ClassVar[Names] = NAMES
    trained_by: Trains | None = None
    learnt: int | None = None
    encoding: Encoding | None = None
    training_log: list[PlainObject]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Have every path of every model looked at on its way out, whoever wrote the model."""
        super().__init_subclass__(**kwargs)
        if "predict" in vars(cls):
            cls.predict = at_the_door(cls.predict)  # type: ignore[method-assign]

    def _shown(self) -> dict[str, object]:
        """Horizon, series and channels as trained, what trained it, epochs and the last losses."""
        log = training_log_of(self)
        losses = (
            {name.replace("_", " "): log[-1].get(name) for name in ("train_loss", "validation_loss")} if log else {}
        )
        return {
            "horizon": self.prediction_length,
            **({"series": self.item_ids} if self.item_ids else {}),
            **({"channels": tuple(dict.fromkeys(kinds_of(self.covariate_names)))} if self.covariate_names else {}),
            **({} if self.trained_by is None else {"trained by": type(self.trained_by).__name__}),
            **({"epochs": len(log)} if log else {}),
            **{name: round(loss, 4) for name, loss in losses.items() if isinstance(loss, float)},
        }

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Names of the D series, as trained; none where the model takes any."""
        return ()

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Names of the channels known of the future that the model reads, as trained; none if it reads none."""
        return ()

    @abstractmethod
    def predict(
        self, dataset: Iterable[GluontsEntry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon that follows each entry.

        Arguments:
            dataset: multivariate entries, ``target`` ``[D, T]``, with the channels known of the future over the
                horizon too; or univariate ones, which are grouped. An entry with a changed future holds that of the
                planned one as ``planned``.
            num_samples: paths S an entry.
            seed: of the draws; that of the training if ``None``. The same seed gives the same paths.

        Returns:
            A forecast an entry, ``samples`` ``[S, H, D]``, data units.
        """

    def price_effects(self, entry: Entry, num_samples: int, seed: int) -> np.ndarray | None:
        """What prices do to the paths that `predict` draws, where that is a constant elasticity on each path.

        A search over many plans reads it once, rather than to draw the paths of every plan. By default it is not known.

        Arguments:
            entry: as for `predict`, with the planned prices.
            num_samples: paths S.
            seed: of the draws.

        Returns:
            ``[D, D, S]``, of the row's series to the price of the column's; ``None`` where it is not known.
        """
        return None

    def update(self, training_data: Iterable[GluontsEntry], directory: Path | None = None) -> FittedModel:
        """The model after further training on data that go on, from where it stands.

        What learns by epochs goes on for some, at a smaller rate; what is estimated at once is estimated anew. Series
        are known by name: those that are gone keep their places, and new ones get some.

        Arguments:
            training_data: all of the data, what was trained on before among them.
            directory: folder for checkpoints, from which a killed update goes on; one of its own for these data.

        Returns:
            Another fitted model; this one stays as it is.

        Raises:
            ValueError: the settings of the training are not known.
        """
        if self.trained_by is None:
            raise ValueError(
                f"update: expected a model that knows the settings of its training, got a {type(self).__name__} that "
                "does not; train it again, or give its folder to `hemline train --from`"
            )
        return self.trained_by.update(self, training_data, directory)

    def having_learnt(self, entries: Iterable[Entry]) -> Self:
        """This model, that it may know how many values it has learnt from."""
        self.learnt = values_of(entries)
        return self

    def share_of_new(self, entries: Iterable[Entry]) -> float:
        """The share of the values that it has not learnt from, 0 to 1; a tenth where it does not know.

        Arguments:
            entries: all of the data, what was trained on before among them.
        """
        there = values_of(entries)
        return 0.1 if self.learnt is None else max(there - self.learnt, 0) / max(there, 1)

    @abstractmethod
    def write(self, folder: Path) -> None:
        """Write the fitted model into an empty folder, in the form that `read` expects."""

    @classmethod
    @abstractmethod
    def read(cls, folder: Path, names: Names, device: str) -> Self:
        """The fitted model that `write` stored in a folder.

        Arguments:
            folder: the folder.
            names: the classes that its files may name.
            device: on which paths are drawn, for a model that can choose.
        """

    def serialize(self, path: Path | str) -> None:
        """Write the predictor into a folder, which is made if need be.

        It is written aside and moved file by file, the sign of a whole one last: a killed process leaves none. What
        else lies in the folder stays.
        """
        # The key ``type`` is gluonts' own, so that its `Predictor.deserialize` finds the class as well.
        described = {
            "model": self.__version__,
            "gluonts": version("gluonts"),
            "type": fqname_for(type(self)),
            "name": spelled(type(self)),
        }
        if (settings := self.settings_of_training()) is not None:
            described["trained_by"] = settings
        if self.learnt is not None:
            described["learnt"] = self.learnt
        if self.encoding is not None:
            described["encoding"] = without_types(to_plain(self.encoding))
        with whole_contents(Path(path), SIGN) as aside:
            self.write(aside)
            (aside / SIGN).write_text(json.dumps(described))

    def settings_of_training(self) -> PlainObject | None:
        """The settings of the model that trained this one, as a folder keeps them; ``None`` where it has none."""
        if not isinstance(self.trained_by, Configured):
            return None
        settings = self.trained_by.configuration()
        try:
            json.dumps(settings)
        except TypeError:
            return None
        return settings

    @classmethod
    def deserialize(cls, path: Path | str, *, names: Names | None = None, device: str = "cpu") -> Self:
        """The fitted model that `serialize` stored in a folder.

        Arguments:
            path: the folder.
            names: the classes that its files may name; those of `names` if ``None``.
            device: on which paths are drawn, for a model that can choose.
        """
        return restored(cls, Path(path), names or cls.names, device)


def restored(kind: type[Whole], folder: Path, names: Names, device: str) -> Whole:
    """A fitted model from the folder that `FittedModel.serialize` wrote, with the model that trained it.

    Arguments:
        kind: its class.
        folder: the folder.
        names: the classes that its files may name.
        device: on which paths are drawn, for a model that can choose.
    """
    fitted = kind.read(folder, names, device)
    described = read_json(folder / SIGN) if (folder / SIGN).is_file() else {}
    settings, learnt = described.get("trained_by"), described.get("learnt")
    if isinstance(learnt, int):
        fitted.learnt = learnt
    if described.get("encoding") is not None:
        fitted.encoding = made_of(object_in(described, "encoding"), Encoding)
    if fitted.trained_by is None and settings is not None:
        try:
            found: Any = from_plain(settings, names, allowed=Configured)
        except (ValueError, TypeError, ModuleNotFoundError):
            return fitted  # parts of other libraries, of which nobody says that files may name them
        fitted.trained_by = found
    return fitted


def values_of(entries: Iterable[Entry]) -> int:
    """How many values entries have, those that are missing left out."""
    return sum(int((~np.isnan(entry.target)).sum()) for entry in entries)


class PlainModel(Configured, FittedModel):
    """A fitted model without learned state: its settings describe it whole, and it is fitted anew at each forecast."""

    training_log: ClassVar[list[PlainObject]] = []  # type: ignore[misc]

    def _shown(self) -> dict[str, object]:
        """The settings that differ from the defaults."""
        return given_settings(type(self), self.settings())

    def search_space(self) -> Space:
        """The settings that `tune` searches unless it is told others; see `ForecastModel.search_space`."""
        return {}

    def update(self, training_data: Iterable[GluontsEntry], directory: Path | None = None) -> FittedModel:
        """The model estimated anew where a training made it; else as it is, since it learns at each forecast."""
        return self if self.trained_by is None else super().update(training_data, directory)

    def require_steps(self, entries: Sequence[Entry], argument: str) -> None:
        """Refuse data that have no entry long enough to be forecast after; by default every entry is.

        Arguments:
            entries: multivariate, ``target`` ``[D, T]``.
            argument: the name by which the error calls them.

        Raises:
            ValueError: no entry is long enough.
        """

    def write(self, folder: Path) -> None:
        """Write the settings as JSON."""
        (folder / "predictor.json").write_text(json.dumps(self.configuration()))

    @classmethod
    def read(cls, folder: Path, names: Names, device: str) -> Self:
        """Make the model from its settings, also as gluonts wrote them for earlier versions."""
        data = read_json(folder / "predictor.json")
        if "__kind__" in data and str(data.get("class")).rpartition(".")[2] == cls.__name__:
            return cls(**{name: _from_gluonts(value) for name, value in data["kwargs"].items()})
        found = from_plain(data, names, allowed=cls)
        if not isinstance(found, cls):
            raise ValueError(f"predictor: expected a {cls.__name__} in {folder}, got {data.get('type')!r}")
        return found


def _from_gluonts(value: Any) -> Any:
    """Plain data as gluonts' JSON has them, where tuples are objects."""
    if isinstance(value, list):
        return [_from_gluonts(item) for item in value]
    if isinstance(value, dict) and value.get("class") == "builtins.tuple":
        return tuple(_from_gluonts(value["args"][0]))
    if isinstance(value, dict):
        raise ValueError(f"predictor: expected numbers and lists as settings, got {value}")
    return value
