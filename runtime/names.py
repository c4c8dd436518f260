"""Classes by short public names, so that stored files outlive the modules in which the classes stand."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from types import FunctionType

from .reading.current_folder import import_typed

PACKAGE = __name__.partition(".")[0]

ENTRY_POINTS = "hemline.models"
"""The group of entry points by which an installed package makes classes of its own readable."""


def declared() -> dict[str, EntryPoint]:
    """The models of installed packages, by the names of their entry points in the group `ENTRY_POINTS`."""
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def spelled(found: type | FunctionType) -> str:
    """The name by which files refer to a class or function: its short name, or ``module:Class`` for other packages.

    Example:
        >>> spelled(Names), spelled(dict)
        ('Names', 'builtins:dict')
    """
    ours = found.__module__.partition(".")[0] == PACKAGE
    return found.__qualname__ if ours else f"{found.__module__}:{found.__qualname__}"


@dataclass(frozen=True)
class Names:
    """A closed table of the classes that files may name.

    Arguments:
        places: short name -> ``module:Class``. Literal, so that nothing has to be imported for it to be full.
        trusted: classes of other packages, each as ``module:Class``, that the user named; or ``module`` for all that a
            module defines itself.

    Example:
        >>> Names({"Names": f"{__name__}:Names"}).find("Names") is Names
        True
    """

    places: Mapping[str, str]
    trusted: frozenset[str] = field(default_factory=frozenset)

    def with_(self, places: Mapping[str, str]) -> Names:
        """The table extended by the names of another package."""
        return Names({**self.places, **places}, self.trusted)

    def trusting(self, *classes: str) -> Names:
        """The table extended by trusted classes: ``module:Class``, or ``module`` for all classes of it."""
        return Names(self.places, self.trusted | set(classes))

    def knows(self, name: str) -> bool:
        """Whether a file may use a name; nothing is imported."""
        return self._place(name) is not None

    def find(self, name: str) -> type:
        """The class of a name in a file; its module is imported only if the table has it.

        Arguments:
            name: a short name, or ``module:Class`` of a module that an installed package declares (`declared`), or
                of a class that the user trusts. How files of before spelled our classes is read for one
                release: ``hemline.forecasting.scaling:Scaling`` is ``Scaling``.

        Raises:
            ValueError: the table does not have the name, or what has the name is not there.
        """
        place = self._place(name)
        if place is None:
            raise ValueError(
                f"type: expected one of {', '.join(sorted(self.places))}, got {name!r}; a class of your own is read "
                f"where you trust it by name: --trust module:Class, in Python trust=['module:Class']"
            )
        found = imported(place, typed=place in self.trusted)
        if not isinstance(found, type):
            raise ValueError(f"type: expected a class, got {name!r}")
        module = place.partition(":")[0]
        if place not in {*self.trusted, *self.places.values()} and found.__module__ != module:
            raise ValueError(f"type: expected a class that {module} defines itself, got {name!r}")
        return found

    def _place(self, name: str) -> str | None:
        short = name.replace(":", ".").rpartition(".")[2] if name.startswith(f"{PACKAGE}.") else name
        if short in self.places:
            return self.places[short]
        # gluonts writes ``module.Class``.
        spelling = name if ":" in name else ":".join(name.rsplit(".", 1))
        vouched = self.trusted | {place.module for place in declared().values()}
        return spelling if {spelling, spelling.partition(":")[0]} & vouched else None


def imported(place: str, *, typed: bool) -> object:
    """The object at ``module:name``, imported.

    Arguments:
        place: ``module:name``.
        typed: whether the user named it himself, and not a file: then it may lie in the current folder.

    Raises:
        ValueError: nothing of this name can be imported.
    """
    module, _, attribute = place.partition(":")
    try:
        return getattr((import_typed if typed else importlib.import_module)(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"type: cannot import {place!r} ({error}); is the package that defines it here?") from error
