"""Everything that the pages of a studio work with."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path

from ..runtime.run_folder import RunFolder
from ..vision.classify.judging import PROBABILITIES
from ..vision.search.index import PhotoIndex
from .access.people import Person
from .access.rates import Rate
from .database.open import Database
from .database.tables import Fact
from .forecasts.backtests import StoredBacktest
from .forecasts.decided import orders_in, plans_in
from .forecasts.scenarios import Simulations
from .forecasts.shop import Shop
from .jobs.jobs import Jobs
from .labels.answers import Run
from .labels.imports import BroughtFile
from .labels.labelling import Labelling
from .labels.photos import Thumbnails
from .labels.quality import OUT_OF_FOLD, Judge
from .labels.uploads import Kept, Uploads
from .settings import StudioSettings

_WAITING, _WAITING_EACH = 16, 2
"""Files at most whose new labels are to be confirmed, in all and of a person; each may be as large as an upload."""


@dataclass(eq=False)
class Studio:
    """Everything that the pages of a studio work with.

    Arguments:
        settings: how it is run.
        database: what people did.
        labelling: the catalogue and its labels; ``None`` where none was opened.
        runs: classifiers by name, those of the command first, then those that were trained here, the oldest first.
        shops: models of series by name.
        index: the photos of the catalogue by what they look like; ``None`` where there is none.
        backtests: backtests by name.
        planned: run folders in which orders and markdown plans are looked for.
    """

    settings: StudioSettings
    database: Database
    labelling: Labelling | None = None
    runs: dict[str, Run] = field(default_factory=dict)
    shops: dict[str, Shop] = field(default_factory=dict)
    index: PhotoIndex | None = None
    backtests: dict[str, StoredBacktest] = field(default_factory=dict)
    planned: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        self.jobs = Jobs(self.database)
        self.changes, self.logins = Rate(self.settings.changes), Rate(self.settings.logins)
        self.key = secrets.token_bytes(32)
        self._given: set[str] = set()
        self.lock, self.judge = threading.Lock(), Judge()
        self.simulations, self.uploads, self.thumbnails = Simulations(), Uploads(), None
        self.waiting: Kept[BroughtFile] = Kept("file", _WAITING, _WAITING_EACH)
        self.orders, self.plans = orders_in(self.planned), plans_in(self.planned)
        if self.labelling is not None:
            self.thumbnails = Thumbnails(self.labelling, self.settings.folder / "thumbnails")
            for folder in sorted((self.settings.folder / "runs").glob("*"), key=_number):
                if RunFolder(str(folder)).has(PROBABILITIES):
                    self.add_run(str(folder))

    def add_run(self, address: str) -> None:
        """Show a tested run beside the others."""
        run = Run(address, self.opened)
        with self.lock:
            if run.name in self.runs:
                raise ValueError(f"run: expected runs in folders of different names, got {run.name!r} twice")
            # What was trained here is compared with what it began from, also where it is found first at a new start.
            told = sorted((*self.runs.values(), run), key=self._trained_here)
            self.runs = {each.name: each for each in told}

    @property
    def opened(self) -> Labelling:
        """The catalogue.

        Raises:
            ValueError: none was opened.
        """
        if self.labelling is None:
            raise ValueError("labels: expected a catalogue, got a studio that was started without --data")
        return self.labelling

    def run(self, name: str) -> Run:
        """A classifier by its name.

        Raises:
            ValueError: there is none.
        """
        if name not in self.runs:
            raise ValueError(f"run: expected one of {', '.join(self.runs) or 'none'}; got {name[:100]!r}")
        return self.runs[name]

    def shop(self, name: str) -> Shop:
        """A model of series by its name; the first one for an empty name.

        Raises:
            ValueError: there is none.
        """
        if not self.shops or (name and name not in self.shops):
            raise ValueError(f"model: expected one of {', '.join(self.shops) or 'none'}; got {name[:100]!r}")
        return self.shops[name] if name else next(iter(self.shops.values()))

    def backtest(self, run: str) -> StoredBacktest:
        """The backtest of a run by the name of the run, or by its own; the first one for an empty name.

        Raises:
            ValueError: there is none.
        """
        name = run.partition("/")[0]
        if not self.backtests or (name and name not in self.backtests):
            raise ValueError(f"run: expected one of {', '.join(self.backtests) or 'none'}; got {run[:100]!r}")
        return self.backtests[name] if name else next(iter(self.backtests.values()))

    @property
    def looks(self) -> PhotoIndex:
        """The photos of the catalogue by what they look like.

        Raises:
            ValueError: there is no index.
        """
        if self.index is None:
            raise ValueError("looks: expected an index of photos, got a studio that was started without one")
        return self.index

    def text_of(self, item_id: str) -> str:
        """What words are looked for in: item id and title of an article."""
        found = self.opened.rows.get(item_id)
        return item_id if found is None else f"{item_id} {self.opened.source.catalogue.articles[found].text}"

    def new_run(self) -> str:
        """A folder for a run that is trained here, of a name that none has and none was given before."""
        base = next(iter(self.runs))
        with self.lock:
            number = 2
            while (name := f"{base}-{number}") in self.runs or name in self._given or self._runs_at(name).exists():
                number += 1
            self._given.add(name)
        return str(self._runs_at(name))

    def folds(self, run: Run) -> str | None:
        """Where the labels of a run's training side were judged by others; ``None`` where they were not yet."""
        folder = self.folds_at(run)
        return folder if RunFolder(folder).has(OUT_OF_FOLD) else None

    def folds_at(self, run: Run) -> str:
        """Where the labels of a run's training side are judged: another run of its name, or other data, has its own."""
        return str(self.settings.folder / "folds" / run.identity[:32])

    def remember_catalogue(self) -> None:
        """Keep by which catalogue the studio was begun.

        Raises:
            ValueError: it was begun with another one.
        """
        data = self.opened.data
        data = data if "://" in data or not Path(data).exists() else str(Path(data).resolve())
        with self.database.writing() as session:
            known = session.get(Fact, "catalogue")
            if known is None:
                session.add(Fact(name="catalogue", value=data))
            elif known.value != data:
                raise ValueError(
                    f"data: expected {known.value}, with which the studio in {self.settings.folder} was begun, "
                    f"got {data}; take another --out for another catalogue"
                )

    def menu(self, person: Person) -> list[tuple[str, str]]:
        """The parts of the studio that somebody can open: addresses and names."""
        found = [("/labels", "Labels")] if self.runs else []
        found += [("/looks", "Look-alikes")] if self.index is not None else []
        found += [("/forecasts", "Forecasts"), ("/scenarios", "Scenarios")] if self.shops else []
        found += [("/backtests", "Backtests")] if self.backtests else []
        found += [("/orders", "Orders"), ("/plans", "Prices")] if self.planned else []
        found += [("/jobs", "Work")] if self.runs else []
        return [*found, ("/people", "People")] if person.may("admin") else found

    def close(self) -> None:
        """End all work and close the database."""
        self.jobs.close()
        self.uploads.close()
        self.database.close()

    def _trained_here(self, run: Run) -> bool:
        return Path(run.address) == self._runs_at(run.name)

    def _runs_at(self, name: str) -> Path:
        return self.settings.folder / "runs" / name


def _number(folder: Path) -> int:
    tail = folder.name.rpartition("-")[2]
    return int(tail) if tail.isdigit() else 0
