"""The one shape in which every dataset leaves this room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from ...runtime.arguments.kinds import Checked, Steps, check_kind
from ...runtime.display.showing import Shown
from ..pictures.vectors import ArticleVectors, read_article_vectors, with_static
from .channels import Channels, kinds_of
from .cuts import of_articles
from .domain import DataDomain
from .entry import Entry
from .frequency import shifted, written_date

Domain = DataDomain


@dataclass(frozen=True, repr=False)
class Metadata(Shown, Checked):
    """Metadata of a dataset: frequency, horizon, names of series and channels.

    Arguments:
        name: the name by which tables and reports call it.
        freq: a current pandas frequency alias (``"B"``, ``"h"``, ``"30min"``, ``"W-MON"``).
        prediction_length: the horizon H, in steps.
        item_ids: the names of the D series, in the order of the rows of every target.
        domain: the values a series can take; ``"unit"`` is the interval [0, 1].
        season: steps of one season, the lag of the seasonal naive forecast.
        covariates: names of the K channels that are known of the future too; one of a single series is written
            ``channel[item_id]``, one that all series share by its bare name (`ChannelName`).
        archive: the published benchmark of which these are the exact numbers (its fingerprints were
            verified), else ``None``. Published scores are shown only beside such a dataset.
        lags: lags that go with the data (for a benchmark, those of the published protocol), in steps; empty:
            the models choose by frequency.
        past_covariates: names of the P channels that are known of the past alone, written as in ``covariates``.
        attributes: what series have in common: for each attribute, such as ``"category"``, their labels by name.
    """

    name: str
    freq: str
    prediction_length: Steps
    item_ids: tuple[str, ...]
    domain: Domain = "real"
    season: Steps = 1
    covariates: tuple[str, ...] = ()
    archive: str | None = None
    lags: tuple[Steps, ...] = ()
    past_covariates: tuple[str, ...] = ()
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def target_dim(self) -> int:
        """The number of series D."""
        return len(self.item_ids)

    def _shown(self) -> dict[str, object]:
        """Name, series, frequency, horizon, domain and channels."""
        known = {"channels": self.covariates, "past channels": self.past_covariates}
        return {
            "name": self.name,
            "series": self.item_ids,
            "freq": self.freq,
            "horizon": self.prediction_length,
            "domain": self.domain,
            **{name: tuple(dict.fromkeys(kinds_of(names))) for name, names in known.items() if names},
            **({"attributes": tuple(self.attributes)} if self.attributes else {}),
        }


@dataclass(frozen=True, repr=False)
class ForecastData(Shown):
    """A dataset: metadata, training entries, and test entries for a backtest.

    Arguments:
        metadata: what the numbers are.
        train: the entries to train on, one as a rule; gluonts dicts are read as such (`Entry.of`).
        test: an entry for each rolling window, oldest first; its target ``[D, T_w]`` **includes** the H steps to
            forecast, as do its channels; `Entry.history` is what lies before them.
        truth: the parameters that made the numbers, for simulated data.
        ahead: where channels are known beyond the last test window, the entry to go on from after the data: all of
            the target, and the channels as far as they are known.
        ended: names of series that are sold no more: they are learnt from, and left out of what is to come.
        facts: further lines of what describes the dataset, by their headings.
        sizes: of a table with sizes, the usual share of each in what is sold of an article before the test windows:
            columns ``item_id``, ``size`` and ``share``; ``None`` for others.
    """

    metadata: Metadata
    train: list[Entry]
    test: list[Entry]
    truth: Any = field(default=None, repr=False)
    ahead: Entry | None = field(default=None, repr=False)
    ended: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    sizes: pd.DataFrame | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_kind("metadata", self.metadata, Metadata)
        common = {"attributes": self.metadata.attributes} if self.metadata.attributes else {}

        def told(entry: Mapping[str, Any]) -> Entry:
            found = Entry.of(entry).of_domain(self.metadata.domain)
            return found.with_(**common) if common else found

        for name in ("train", "test"):
            check_kind(name, getattr(self, name), Sequence[Mapping[str, Any]])
            object.__setattr__(self, name, [told(entry) for entry in getattr(self, name)])
        if self.ahead is not None:
            object.__setattr__(self, "ahead", told(self.ahead))

    def _shown(self) -> dict[str, object]:
        """What the metadata say, the span, the test windows, and how far channels are known."""
        whole = self.whole
        ahead = whole.channels.length - whole.length
        return {
            **self.metadata._shown(),
            "steps": whole.length,
            "first": written_date(whole.start),
            "last": written_date(whole.start, whole.length - 1),
            "windows": len(self.test),
            **({"steps to come": ahead} if ahead > 0 else {}),
            **({"ended": self.ended} if self.ended else {}),
        }

    @property
    def latest(self) -> Entry:
        """The entry with everything that is known, to forecast the time after the data from, without ended series."""
        if not self.ended:
            return self.whole
        (left,) = of_articles([self.whole], np.array([item not in self.ended for item in self.whole.item_ids]))
        return left

    @property
    def whole(self) -> Entry:
        """The entry with everything that is known, ended series too."""
        return (self.test or self.train)[-1] if self.ahead is None else self.ahead

    def history(self, window: int | None = None) -> Entry:
        """The entry to continue: what lies before a test window, or all of the data.

        Arguments:
            window: number of a test window, 0 the first and -1 the last; ``None`` for the time after the data.

        Raises:
            ValueError: there is no such window.

        Example:
            >>> from hemline.datasets import simulated_sales
            >>> data = simulated_sales(articles=2, weeks=104, windows=1)
            >>> data.history(-1).length, data.history().length
            (96, 104)
        """
        if window is None:
            return self.latest
        count = len(self.test)
        check_kind("window", window, int)
        if not -count <= window < count:
            expected = f"0 to {count - 1}" if count else "no number, the dataset has no test windows"
            raise ValueError(f"window: expected {expected}, got {window}")
        return self.test[window].history(self.metadata.prediction_length)

    def with_article_vectors(self, vectors: ArticleVectors | str) -> ForecastData:
        """The dataset with the vectors of its articles as static numbers.

        Arguments:
            vectors: the vectors; the file that ``hemline vision embed`` wrote; or the folder of a recommender, such as
                one of ``fashion-dna``, whose vectors of the articles are then read.

        Returns:
            The dataset with static numbers float32 ``[D, k + 1]`` in every entry, a row a series: the vector,
            and a flag that is 0 where the article has no picture. Static features that were there stay in front.

        Raises:
            ValueError: no item id of the dataset has a vector, or the vectors were learnt from purchases that are
                later than the training span of a dataset with test windows, which would be leakage.
        """
        found = read_article_vectors(vectors) if isinstance(vectors, str) else vectors
        features = found.features(self.metadata.item_ids)
        if not features[:, -1].any():
            raise ValueError(
                f"vectors: expected some of the items {list(self.metadata.item_ids[:3])}…, "
                f"got {list(found.item_ids[:3])}…"
            )
        if found.until and self.test:
            past = self.test[0].history(self.metadata.prediction_length)
            # The first moment of the step, by whichever of its days a table dates it.
            begins = shifted(past.start, past.length).start_time
            if pd.Timestamp(found.until) >= begins:
                raise ValueError(
                    f"vectors: expected those of purchases before {begins:%Y-%m-%d}, when the first test window "
                    f"begins, got {found.encoder} until {found.until}, which would be leakage"
                )
        return replace(
            self,
            train=[Entry.of(with_static(entry, features)) for entry in self.train],
            test=[Entry.of(with_static(entry, features)) for entry in self.test],
            ahead=None if self.ahead is None else Entry.of(with_static(self.ahead, features)),
        )

    def without_covariates(self) -> ForecastData:
        """The same series without any channel: what a model has to do when nothing is known beside the past.

        Returns:
            A dataset whose name ends in ``-alone``.

        Example:
            >>> from hemline.datasets import simulated_sales
            >>> alone = simulated_sales(articles=2, weeks=104, windows=1).without_covariates()
            >>> alone.metadata.covariates, len(alone.train[0].channels)
            ((), 0)
        """
        metadata = replace(self.metadata, name=f"{self.metadata.name}-alone", covariates=(), past_covariates=())
        train, test = (
            [entry.with_(channels=Channels(), past_channels=Channels()) for entry in entries]
            for entries in (self.train, self.test)
        )
        return replace(self, metadata=metadata, train=train, test=test, ahead=None)


def whole_history(data: ForecastData) -> list[Entry]:
    """All that was observed, test windows too, to train on for the time after the data."""
    whole = data.whole
    goes_on = whole.start == data.train[0].start
    return [whole] if goes_on else [*data.train, whole]
