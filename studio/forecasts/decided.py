"""Orders and markdown plans that lie in run folders, read when a page asks for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from ...decisions.markdowns.report import PRICES, PlanReport, read_plan
from ...decisions.orders.report import ORDER, OrderReport, read_order

Report = TypeVar("Report")

_REMEMBERED = 16


class Decided(Generic[Report]):
    """Reports of one kind in run folders, and in the folders that lie right in them.

    Arguments:
        places: the run folders.
        file: by which a folder is known to hold a report.
        read: reads the report of a folder.
    """

    def __init__(self, places: Sequence[Path], file: str, read: Callable[[Path], Report]) -> None:
        self.places: tuple[Path, ...] = tuple(places)
        self.file = file
        self._read: Callable[[Path], Report] = read
        self._lock = threading.Lock()
        self._kept: dict[Path, tuple[tuple[int, int], Report]] = {}

    def found(self) -> dict[str, Path]:
        """The folders that hold a report now, by the name under which pages show them, the newest first."""
        named: dict[str, Path] = {}
        for place in self.places:
            below = [(f"{place.name}/{folder.name}", folder) for folder in sorted(place.glob("*/"))]
            for name, folder in [(place.name, place), *below]:
                # A second folder of a name is called by the folder above it too.
                if (folder / self.file).is_file() and named.setdefault(name, folder) != folder:
                    named[f"{folder.parent.name}/{name}"] = folder
        return dict(sorted(named.items(), key=lambda each: -(each[1] / self.file).stat().st_mtime))

    def shown(self, name: str) -> tuple[str, Report]:
        """A report with its name; without one the newest that can be read.

        Raises:
            ValueError: there is none of this name, its file is none, or none can be read.
        """
        if name:
            return name, self.report(name)
        said = ValueError("name: expected a folder with a report, got none")
        for each in self.found():
            try:
                return each, self.report(each)
            except ValueError as error:
                said = error
        raise said

    def report(self, name: str) -> Report:
        """A report by its name; read anew where its file was written since.

        Raises:
            ValueError: there is none of this name, or its file is none.
        """
        known = self.found()
        if name not in known:
            raise ValueError(f"name: expected one of {', '.join(known) or 'none'}; got {name[:100]!r}")
        folder = known[name]
        told = (folder / self.file).stat()
        stamp = (told.st_mtime_ns, told.st_size)
        with self._lock:
            kept = self._kept.get(folder)
            if kept is not None and kept[0] == stamp:
                return kept[1]
        report = self._read(folder)
        with self._lock:
            self._kept[folder] = (stamp, report)
            while len(self._kept) > _REMEMBERED:
                del self._kept[next(iter(self._kept))]
        return report


def orders_in(places: Sequence[Path]) -> Decided[OrderReport]:
    """The orders in run folders."""
    return Decided(places, ORDER, read_order)


def plans_in(places: Sequence[Path]) -> Decided[PlanReport]:
    """The markdown plans in run folders."""
    return Decided(places, PRICES, read_plan)


def holds_decision(folder: Path) -> bool:
    """Whether an order or a markdown plan lies in a folder."""
    return any((folder / file).is_file() for file in (ORDER, PRICES))
