"""Sample paths of each series and step from quantiles, and what pretrained models of single series share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
from gluonts.model.forecast import SampleForecast
from scipy.special import ndtri

from ....datasets.entries.entry import Entry
from ....datasets.entries.gluonts_keys import GluontsEntry
from ....datasets.entries.multivariate import as_multivariate
from ....evaluation.adapters.fitted import PlainModel
from ....runtime.arguments.kinds import Count, Seed, Steps
from ...names import NAMES


def drawn_from_quantiles(
    quantiles: np.ndarray, levels: np.ndarray, count: int, generator: np.random.Generator
) -> np.ndarray:
    r"""Independent draws from distributions that are known by some quantiles.

    The quantile function is linear in the normal score :math:`\Phi^{-1}(u)` between the levels that are known, and goes
    on beyond the outer two as it was between them and their neighbours: a normal distribution is met exactly.
    Quantiles that cross are put in order.

    Arguments:
        quantiles: ``[H, D, Q]``, data units.
        levels: ``[Q]``, rising, within (0, 1); at least 2.
        count: draws S.
        generator: of the draws.

    Returns:
        ``[S, H, D]``, data units.

    Example:
        >>> normal = ndtri(np.array([0.1, 0.5, 0.9]))[None, None]
        >>> drawn = drawn_from_quantiles(normal, np.array([0.1, 0.5, 0.9]), 50_000, np.random.default_rng(0))
        >>> bool(abs(drawn.std() - 1) < 0.01)
        True
    """
    values, knots = np.sort(quantiles, axis=-1), ndtri(levels)
    scores = generator.standard_normal((count, *quantiles.shape[:-1]))
    place = np.clip(np.searchsorted(knots, scores) - 1, 0, len(knots) - 2)
    low = np.take_along_axis(values[None], place[..., None], axis=-1)[..., 0]
    high = np.take_along_axis(values[None], place[..., None] + 1, axis=-1)[..., 0]
    share = (scores - knots[place]) / (knots[place + 1] - knots[place])
    return np.asarray(low + share * (high - low))


class PretrainedPredictor(PlainModel):
    """A pretrained model of single series: it needs no training, and draws each series on its own.

    Its quantiles become paths (`drawn_from_quantiles`), which `couple` ties together by the ranks of past errors.
    Weights are read when a forecast is first asked for, and belong to this object; a stored predictor says where they
    lie and does not hold them.

    Arguments:
        prediction_length: horizon H, in steps.
        weights: a folder, or the name of a model of the Hugging Face hub.
        context_length: the last steps that are read, at most; those that the model takes if ``None``.
        seed: of the draws.
    """

    names = NAMES

    def __init__(
        self, prediction_length: Steps, weights: str, context_length: Count | None = None, seed: Seed = 0
    ) -> None:
        super().__init__(prediction_length=prediction_length)
        if not weights.strip():
            raise ValueError("weights: expected a folder or the name of a model of the hub, got an empty text")
        self.weights, self.context_length, self.seed = weights, context_length, seed
        self._loaded: object = None

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {name: getattr(self, name) for name in ("prediction_length", "weights", "context_length", "seed")}

    def for_run(self, seed: int, directory: Path | None = None) -> Self:
        """This predictor with another seed; weights that were read stay."""
        settings: dict[str, Any] = {**self.settings(), "seed": seed}
        found = type(self)(**settings)
        found._loaded = self._loaded
        return found

    def __getstate__(self) -> dict[str, object]:
        """What travels to another process: not the weights, which it reads itself."""
        return {**self.__dict__, "_loaded": None}

    def predict(
        self, dataset: Iterable[GluontsEntry], num_samples: int = 100, seed: int | None = None
    ) -> Iterator[SampleForecast]:
        """Forecast the horizon after each entry; ``samples`` ``[S, H, D]``, data units, drawn from `seed` if given.

        Raises:
            ValueError: the package is not installed, or there are no such weights.
        """
        seed = self.seed if seed is None else seed
        for number, entry in enumerate(as_multivariate(dataset, "dataset")):
            levels, quantiles = self.quantiles(entry)
            generator = np.random.default_rng([seed, number])
            samples = drawn_from_quantiles(quantiles, levels, num_samples, generator).astype(np.float32)
            yield SampleForecast(samples, entry.forecast_start, entry.item_id)

    @abstractmethod
    def quantiles(self, entry: Entry) -> tuple[np.ndarray, np.ndarray]:
        """Levels ``[Q]`` and quantiles ``[H, D, Q]`` of the horizon after an entry, data units."""


def missing_package(package: str) -> ValueError:
    """The error of a package that is not installed."""
    return ValueError(f"{package}: expected it to be installed, got none; pip install '{package}'")
