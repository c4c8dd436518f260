"""The one shape in which every dataset leaves this room."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

Domain = Literal["real", "positive", "unit", "count"]

Entry = dict[str, Any]


@dataclass(frozen=True)
class Metadata:
    """What is known of a dataset before its numbers are read.

    Arguments:
        name: the name by which tables and reports call it.
        freq: a current pandas frequency alias (``"B"``, ``"h"``, ``"30min"``, ``"W-MON"``).
        prediction_length: the horizon H, in steps.
        item_ids: the names of the D series, in the order of the rows of every target.
        domain: the values a series can take; ``"unit"`` is the interval [0, 1].
        season: steps of one season, the lag of the seasonal naive forecast.
        covariates: names of the K rows of ``feat_dynamic_real``; a channel of one series is written
            ``channel[item_id]``, a channel shared by all series by its bare name.
        archive: the published benchmark of which these are the exact numbers (its fingerprints were
            verified), else ``None``. Published scores are shown only beside such a dataset.
        lags: lags that go with the data (for a benchmark, those of the published protocol), in steps; empty:
            the models choose by frequency.
        past_covariates: names of the rows of ``past_feat_dynamic_real``, written as in ``covariates``.
    """

    name: str
    freq: str
    prediction_length: int
    item_ids: tuple[str, ...]
    domain: Domain = "real"
    season: int = 1
    covariates: tuple[str, ...] = ()
    archive: str | None = None
    lags: tuple[int, ...] = ()
    past_covariates: tuple[str, ...] = ()

    @property
    def target_dim(self) -> int:
        """The number of series D."""
        return len(self.item_ids)


@dataclass(frozen=True)
class ForecastData:
    """A dataset: metadata, training entries, and test entries for a backtest.

    Arguments:
        metadata: what the numbers are.
        train: one multivariate gluonts entry: ``start`` (Period), ``target`` float32 ``[D, T]``, and, where
            there are covariates, ``feat_dynamic_real`` float32 ``[K, T]``. Channels known of the past alone,
            such as ``in_stock``, are rows of ``past_feat_dynamic_real`` float32 ``[P, T]``. The names of the
            rows go with them as ``item_ids``, ``covariates`` and ``past_covariates``.
        test: an entry for each rolling window, oldest first; ``target`` ``[D, T_w]`` **includes** the H steps
            to forecast, as does ``feat_dynamic_real``. So does ``past_feat_dynamic_real``, but a model may
            read it only as far as the steps to forecast begin.
        truth: the parameters that made the numbers, for simulated data.
        ahead: where channels are known beyond the last test window, the entry to go on from after the data: all
            of ``target``, and ``feat_dynamic_real`` as far as it is known.
    """

    metadata: Metadata
    train: list[Entry]
    test: list[Entry]
    truth: Any = field(default=None, repr=False)
    ahead: Entry | None = field(default=None, repr=False)

    @property
    def latest(self) -> Entry:
        """The entry with everything that is known, to forecast the time after the data from."""
        return self.ahead or (self.test or self.train)[-1]

    def without_covariates(self) -> ForecastData:
        """The same series without any channel: what a model has to do when nothing is known beside the past.

        Returns:
            A dataset whose name ends in ``-alone``.

        Example:
            >>> from hemline.datasets import simulated_sales
            >>> alone = simulated_sales(articles=2, weeks=104, windows=1).without_covariates()
            >>> alone.metadata.covariates, "feat_dynamic_real" in alone.train[0]
            ((), False)
        """
        channels = ("feat_dynamic_real", "past_feat_dynamic_real", "covariates", "past_covariates")
        metadata = replace(self.metadata, name=f"{self.metadata.name}-alone", covariates=(), past_covariates=())
        train, test = (
            [{key: value for key, value in entry.items() if key not in channels} for entry in entries]
            for entries in (self.train, self.test)
        )
        return replace(self, metadata=metadata, train=train, test=test, ahead=None)


def history_of(data: ForecastData, window: int | None) -> dict[str, Any]:
    """The entry to continue: all of the data, or what lies before a test window.

    Arguments:
        data: the dataset.
        window: number of a test window, 0 the first; ``None`` for the time after the data.

    Raises:
        ValueError: there is no such window.
    """
    if window is None:
        return data.latest
    if not 0 <= window < len(data.test):
        expected = f"0 to {len(data.test) - 1}" if data.test else "no number, the dataset has no test windows"
        raise ValueError(f"window: expected {expected}, got {window}")
    entry = data.test[window]
    return {**entry, "target": entry["target"][:, : -data.metadata.prediction_length]}


def whole_history(data: ForecastData) -> list[dict[str, Any]]:
    """All that was observed, test windows too, to train on for the time after the data."""
    latest = data.latest
    goes_on = latest["start"] == data.train[0]["start"]
    return [latest] if goes_on else [*data.train, latest]
