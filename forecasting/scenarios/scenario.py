"""Changed futures as plain data: built in Python, read from TOML, printed in words."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...runtime.arguments.kinds import Checked
from ...runtime.texts import toml_value
from ...runtime.toml_files import check_keys, read_toml
from .future import BASELINE
from .notation import Change, parse_change


@dataclass(frozen=True, init=False)
class Scenario(Checked):
    """A future that differs from the planned one by some changes.

    Changes apply in their order. A scenario without changes is the planned future itself.

    Arguments:
        name: by which results call it; ``"baseline"`` is taken.
        changes: in the notation of `parse_change`, or `Change` objects.

    Example:
        >>> scenario = Scenario("markdown", ["price[coat] = -20% @ 2:4", "drop scarf"])
        >>> print(scenario.words())
        markdown: price of coat is 20 % lower in steps 2 to 4; scarf cannot be sold in all steps
    """

    name: str
    changes: tuple[Change, ...]

    def __init__(self, name: str, changes: str | Iterable[str | Change] = ()) -> None:
        if not name.strip() or name == BASELINE:
            raise ValueError(f"name: expected a name of its own for the scenario, got {name!r}")
        given = [changes] if isinstance(changes, str) else changes
        parsed = tuple(parse_change(change) if isinstance(change, str) else change for change in given)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "changes", parsed)

    def words(self) -> str:
        """The scenario as a person would say it."""
        return f"{self.name}: " + ("; ".join(change.words() for change in self.changes) or "nothing changes")

    def to_toml(self) -> str:
        """The scenario as `read_scenarios` reads it.

        Example:
            >>> print(Scenario("markdown", "price[coat] = -20% @ 2:4").to_toml())
            [[scenario]]
            name = "markdown"
            changes = ["price[coat] = -20% @ 2:4"]
        """
        changes = toml_value([str(change) for change in self.changes])
        return f"[[scenario]]\nname = {toml_value(self.name)}\nchanges = {changes}"


def read_scenarios(path: str | os.PathLike[str]) -> tuple[Scenario, ...]:
    """Read scenarios from a TOML file.

    The file holds a table ``[[scenario]]`` for each, with its ``name`` and its list of ``changes``.

    Arguments:
        path: the file.

    Returns:
        The scenarios, in the order of the file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not TOML, a key is unknown or missing, or a change cannot be read; the message names
            file, scenario and key.
    """
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"scenario: expected a TOML file, got {source}, which is none")
    described = read_toml(source, f"scenario: {source}")
    check_keys(f"scenario: {source}", described, ["scenario"], ["scenario"])
    tables = described["scenario"]
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ValueError(f"scenario: expected tables [[scenario]] in {source}, got {type(tables).__name__}")
    return tuple(_scenario(table, f"scenario {number} of {source}") for number, table in enumerate(tables, start=1))


def _scenario(table: Mapping[str, Any], where: str) -> Scenario:
    check_keys(f"scenario: {where}", table, ["name", "changes"], ["name", "changes"])
    name, changes = table["name"], table["changes"]
    if not isinstance(name, str) or not isinstance(changes, list) or not all(isinstance(c, str) for c in changes):
        raise ValueError(f'scenario: expected name = "..." and changes = ["..."] in {where}, got {dict(table)}')
    try:
        return Scenario(name, changes)
    except ValueError as error:
        raise ValueError(f"{error} ({where})") from error
