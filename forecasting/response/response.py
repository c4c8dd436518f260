"""How sales answer to prices and promotions: log-linear, of every article to every article's channels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from ...datasets.entries.channels import PRICE, Channels, kinds_of
from ...datasets.entries.domain import Domain
from ...datasets.entries.entry import Entry
from ...runtime.reading.json_files import read_json
from .effect_draws import drawn_sums


@dataclass(frozen=True)
class LogLinear:
    r"""A log-linear response of sales to prices and promotions, fitted before the network, which models the rest.

    .. math:: \log \mu_{ti} = b_{ti} + \sum_k \theta_{ik} x_{tk}

    Channels called ``price`` enter by their logarithm, so that their coefficients are elasticities; the others are
    divided by their span on the training data. The level b is a random walk, so that seasons, trends and shocks
    are not taken for an effect of prices; the variance around the mean is that of negative binomial counts, or
    proportional to the square of the mean where the data are no counts. The posterior of the coefficients (Laplace)
    goes into the sample paths: each path draws its own, those of an article's own and of shared channels with their
    covariance.

    A coefficient is judged beside its kind (`EffectPrior`): what an article's own price does is drawn towards what
    the others' own prices do to them, and an article whose price never moved takes that. The channels of another
    article have an effect in few of all pairs, so that most are drawn to 0 and those that stand out are left; a pair
    stands out by what the data show in both directions.

    It is a direct path from what a shop sets to what it sells. A network that reads prices among its inputs has
    no reason to separate the few weeks in which one article was marked down from all else that happened in them.

    Arguments:
        prior: how large the effect of another article's channel, or of a shared one, is expected to be; it counts as
            one effect beside those that the data show.
        own_prior: that of an article's own channels.
        iterations: reweighted least-squares steps, at most.

    Example:
        >>> LogLinear(prior=0.3).own_prior
        3.0
    """

    prior: float = 0.5
    own_prior: float = 3.0
    iterations: int = 50

    def __post_init__(self) -> None:
        for name in ("prior", "own_prior", "iterations"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")


@dataclass(frozen=True, eq=False)
class Response:
    """A fitted response.

    Arguments:
        mean: ``[D, K]`` coefficients: elasticities of prices, log-changes over the span of other channels.
        deviation: ``[D, K]`` their posterior standard deviations.
        direct: bool ``[D, K]``, the channels of an article itself and those shared by all. An article is marked down
            and advertised in the same weeks, so that the data know what both do together far better than what each
            does: their effects are drawn with their covariance, all others on their own.
        root: ``[D, k, k]`` the lower Cholesky factor of that covariance, for the direct channels in their order; 0
            beyond the last of them.
        centre: ``[K]`` means of the channels, on the scale on which they enter.
        span: ``[K]`` what they are divided by; 1 for prices.
        names: of the K channels.
        domain: the values that sales can take.
    """

    mean: np.ndarray
    deviation: np.ndarray
    direct: np.ndarray
    root: np.ndarray
    centre: np.ndarray
    span: np.ndarray
    names: tuple[str, ...]
    domain: Domain

    _ARRAYS = ("mean", "deviation", "direct", "root", "centre", "span")

    @property
    def series(self) -> int:
        """The number of series D."""
        return len(self.mean)

    def inputs(self, covariates: np.ndarray) -> np.ndarray:
        """Channels ``[K, T]`` on the scale on which they enter, around their training mean; ``[T, K]``.

        Raises:
            ValueError: a price is not above 0.
        """
        return (logged(covariates, self.names).T - self.centre) / self.span

    def usual(self, covariates: np.ndarray) -> np.ndarray:
        """What channels ``[K, T]`` multiply sales by, with the mean coefficients; ``[D, T]``."""
        return np.exp(self.inputs(covariates) @ self.mean.T).T

    def training(self, entries: Sequence[Entry], seed: int) -> list[Entry]:
        """Training entries without what the covariates explain; counts are spread over [y, y + 1) before.

        Arguments:
            entries: with the K channels over the target at least.
            seed: of the spread.
        """
        generator = np.random.default_rng(seed)
        counts = self.domain == "count"
        return [self._deflated(entry, generator.random(entry.target.shape) if counts else 0.0) for entry in entries]

    def history(self, entry: Entry) -> Entry:
        """An entry to forecast without what the covariates explain; counts are read as y + 1/2."""
        return self._deflated(entry, 0.5 if self.domain == "count" else 0.0)

    def _deflated(self, entry: Entry, noise: np.ndarray | float) -> Entry:
        factor = self.usual(entry.channels.values[:, : entry.length])
        left = ((entry.target + noise) / factor).astype(np.float32)
        return entry.with_(target=left, channels=Channels(), planned=None)

    def serialize(self, path: Path) -> None:
        """Write the response into the folder `path`."""
        numbers = {name: getattr(self, name) for name in self._ARRAYS}
        save_file(numbers, Path(path) / "response.safetensors")
        described = {"names": self.names, "domain": self.domain}
        (Path(path) / "response.json").write_text(json.dumps(described))

    @classmethod
    def deserialize(cls, path: Path) -> Response:
        """Read what `serialize` wrote."""
        described = read_json(Path(path) / "response.json")
        numbers = load_file(Path(path) / "response.safetensors")
        return cls(**numbers, names=tuple(described["names"]), domain=described["domain"])

    def factors(self, entry: Entry, horizon: int, context: int, paths: int, seed: int) -> np.ndarray:
        """What the covariates multiply the sales of the horizon by, with coefficients drawn for each path.

        A drawn coefficient counts from the mean of the channel over the context, where the level was seen. An article's
        own effects and those of shared channels are drawn one by one, all others as their sum (`drawn_sums`).

        Arguments:
            entry: with the K channels over the horizon too. With a changed future, the entry of the planned one as
                ``planned``, as `simulate` says it: a path has the same coefficients in both.
            horizon: steps H.
            context: steps before it.
            paths: S.
            seed: of the coefficients. It gives an article's own effects whatever the covariates are; those of others'
                channels where the planned future is the same.

        Returns:
            float32 ``[S, H, D]``.
        """
        ahead, moved = self._horizon(entry, horizon, context)
        planned = self._horizon(entry.planned, horizon, context)[1] if entry.planned is not None else moved
        usual = self.mean @ ahead.T
        sums = drawn_sums(np.where(self.direct, 0.0, self.deviation), planned, moved, paths, seed)
        # Numbers of their own, apart from those of the sums and of their channels.
        generator = np.random.default_rng([seed, 0, 1])
        logs = np.empty((paths, horizon, self.series), dtype=np.float32)
        for series, others in enumerate(sums):
            direct = np.flatnonzero(self.direct[series])
            root = self.root[series, : len(direct), : len(direct)]
            drawn = generator.standard_normal((paths, len(direct))) @ root.T
            logs[:, :, series] = usual[series] + drawn @ moved[:, direct].T + others
        return np.exp(logs)

    def _horizon(self, entry: Entry, horizon: int, context: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs ``[H, K]`` of the horizon, and how far they are from their mean over the context."""
        length = entry.length
        inputs = self.inputs(entry.channels.values[:, : length + horizon])
        return inputs[length:], inputs[length:] - inputs[max(0, length - context) : length].mean(0)


def logged(covariates: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Channels ``[K, T]`` with prices as logarithms, float64.

    Raises:
        ValueError: a price is not above 0.
    """
    values = np.asarray(covariates, dtype=float).copy()
    for row, (name, kind) in enumerate(zip(names, kinds_of(names), strict=True)):
        if kind == PRICE:
            if not (values[row] > 0).all():
                step = int(np.argmin(values[row] > 0))
                raise ValueError(f"{name}: expected prices above 0, got {values[row, step]:g} at step {step}")
            values[row] = np.log(values[row])
    return values
