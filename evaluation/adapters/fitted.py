"""What every trained model of ours is: forecasts of all series together, and a folder that is whole or absent."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Self

from gluonts.core import fqname_for
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor

from ...datasets.entries.entry import Entry
from ...datasets.entries.gluonts_keys import GluontsEntry
from ...runtime.names import Names, spelled
from ...runtime.plain import Configured, PlainObject, from_plain
from ...runtime.reading.json_files import read_json
from ...runtime.whole_files import whole_contents
from .finite import only_finite
from .names import NAMES

SIGN = "gluonts-config.json"
"""The file that is written last: a folder that has it holds a whole predictor."""


class FittedModel(Predictor, ABC):
    """A trained model of D series, whose forecasts are joint.

    A class says in `predict` what it forecasts, and in `write` and `read` what it keeps in a folder. Paths that are not
    finite are refused on their way out (`only_finite`).

    Attributes:
        names: the classes that a stored one may name, itself among them.
        item_ids: names of the D series, as trained; none where it takes any.
        covariate_names: names of the channels known of the future that it reads, as trained; none if it reads none.
        training_log: a row an epoch.
    """

    names: ClassVar[Names] = NAMES
    training_log: list[PlainObject]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Have every path of every model looked at on its way out, whoever wrote the model."""
        super().__init_subclass__(**kwargs)
        if "predict" in vars(cls):
            cls.predict = only_finite(cls.predict)  # type: ignore[method-assign]

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Names of the D series; none where the model takes any."""
        return ()

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Names of the channels known of the future that the model reads; none if it reads none."""
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

    @abstractmethod
    def write(self, folder: Path) -> None:
        """Write what `read` reads into an empty folder."""

    @classmethod
    @abstractmethod
    def read(cls, folder: Path, names: Names, device: str) -> Self:
        """Read what `write` wrote.

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
        with whole_contents(Path(path), SIGN) as aside:
            self.write(aside)
            (aside / SIGN).write_text(json.dumps(described))

    @classmethod
    def deserialize(cls, path: Path | str, *, names: Names | None = None, device: str = "cpu") -> Self:
        """Read what `serialize` wrote.

        Arguments:
            path: the folder.
            names: the classes that its files may name; those of `names` if ``None``.
            device: on which paths are drawn, for a model that can choose.
        """
        return cls.read(Path(path), names or cls.names, device)


class PlainModel(Configured, FittedModel):
    """A fitted model without learned state: its settings describe it whole, and it is fitted anew at each forecast."""

    training_log: ClassVar[list[PlainObject]] = []  # type: ignore[misc]

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
