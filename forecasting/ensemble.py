"""Several trainings of one model, each drawing its share of the paths."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from gluonts.model.estimator import Estimator
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor

from .configuration import Configured
from .grouping import Entry, as_multivariate


class EnsembleEstimator(Configured, Estimator):
    """Trains a model several times from other seeds; the forecast is the mixture of theirs.

    Small data leave much of a network to the chance of its seed. A mixture averages that out, and its spread holds
    what the trainings do not agree on (Lakshminarayanan et al. 2017, arXiv 1612.01474).

    Arguments:
        model: an estimator of joint forecasts with a method ``for_run(seed, directory)``.
        members: how often it is trained.
        seed: the members have the seeds ``members * seed`` and on.

    Raises:
        ValueError: there are fewer than two members, or the model cannot be seeded.

    Example:
        >>> from hemline.forecasting import GRUMAFEstimator
        >>> EnsembleEstimator(GRUMAFEstimator("D", 7), members=5).members
        5
    """

    def __init__(self, model: Estimator, *, members: int = 3, seed: int = 0) -> None:
        super().__init__()
        if members < 2:
            raise ValueError(f"members: expected at least 2, got {members}")
        if not hasattr(model, "for_run"):
            raise ValueError(f"model: expected an estimator with for_run(seed), got {type(model).__name__}")
        self.model, self.members, self.seed = model, members, seed
        self._directory: Path | None = None

    def train(
        self, training_data: Iterable[Entry], validation_data: Iterable[Entry] | None = None
    ) -> EnsemblePredictor:
        """Train the members, one after the other.

        Arguments:
            training_data: multivariate gluonts entries (``target`` ``[D, T]``), or univariate ones.
            validation_data: likewise, for the members to watch.

        Returns:
            The predictor.
        """
        entries = as_multivariate(training_data)
        held_out = None if validation_data is None else as_multivariate(validation_data, "validation_data")
        model: Any = self.model
        trained = []
        for number in range(self.members):
            folder = None if self._directory is None else self._directory / f"member-{number}"
            trained.append(model.for_run(self.members * self.seed + number, folder).train(entries, held_out))
        return EnsemblePredictor(trained)

    def for_run(self, seed: int, directory: Path | None = None) -> EnsembleEstimator:
        """This estimator for one run of a backtest; each member keeps its checkpoints in a folder of its own."""
        model: Any = self.model
        run = EnsembleEstimator(model.for_run(seed), members=self.members, seed=seed)
        run._directory = None if directory is None else Path(directory)
        return run

    def settings(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"model": self.model, "members": self.members, "seed": self.seed}


class EnsemblePredictor(Predictor):
    """Draws an equal share of the paths from each of several predictors.

    Arguments:
        members: predictors of the same problem; their ``predict`` takes ``num_samples`` and ``seed``.
    """

    def __init__(self, members: list[Any]) -> None:
        super().__init__(prediction_length=members[0].prediction_length)
        self.members = members

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Names of the D series."""
        return self.members[0].item_ids

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Names of the K channels."""
        return self.members[0].covariate_names

    @property
    def training_log(self) -> list[dict[str, Any]]:
        """The epochs of all members, one training behind the other."""
        rows = [row for member in self.members for row in member.training_log]
        return [{**row, "epoch": number} for number, row in enumerate(rows)]

    def predict(
        self, dataset: Iterable[Entry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon that follows each entry.

        Arguments:
            dataset: as the members take it.
            num_samples: paths S an entry; where they do not divide evenly the first members draw one more.
            seed: of the draws, another one for each member; the seed of each one's training if ``None``.

        Returns:
            A `SampleForecast` with ``samples`` ``[S, H, D]`` for each entry, member by member.

        Raises:
            ValueError: there are fewer paths than members.
        """
        count = len(self.members)
        if num_samples < count:
            raise ValueError(f"num_samples: expected at least a path for each of {count} members, got {num_samples}")
        entries = as_multivariate(dataset, "dataset")
        shares = [len(part) for part in np.array_split(np.arange(num_samples), count)]
        drawn = [
            member.predict(entries, num_samples=share, seed=None if seed is None else count * seed + number)
            for number, (member, share) in enumerate(zip(self.members, shares, strict=True))
        ]
        for forecasts in zip(*drawn, strict=True):
            samples = np.concatenate([forecast.samples for forecast in forecasts])
            yield SampleForecast(samples, start_date=forecasts[0].start_date, item_id=forecasts[0].item_id)

    def serialize(self, path: Path) -> None:
        """Write the predictor into `path`, each member into a folder of it."""
        super().serialize(Path(path))
        for number, member in enumerate(self.members):
            inner = Path(path) / f"member-{number}"
            inner.mkdir(parents=True, exist_ok=True)
            member.serialize(inner)
        (Path(path) / "ensemble.json").write_text(json.dumps({"members": len(self.members)}))

    @classmethod
    def deserialize(cls, path: Path, **kwargs: Any) -> EnsemblePredictor:
        """Read what `serialize` wrote."""
        count = json.loads((Path(path) / "ensemble.json").read_text())["members"]
        return cls([Predictor.deserialize(Path(path) / f"member-{number}", **kwargs) for number in range(count)])
