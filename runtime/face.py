"""A package's public names, each imported when it is first asked for."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable
from importlib.util import resolve_name
from pathlib import Path


def lazy_face(package: str, file: str) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """The ``__getattr__``, ``__dir__`` and ``__all__`` of a package, from its stub ``__init__.pyi``.

    The stub imports every name that can be asked for, and lists in ``__all__`` those that are public; the others are
    kept for code that was written before.

    Type checkers and editors read the same stub, so that every name stands in one place. Importing the package imports
    none of its modules: what needs a score does not wait for matplotlib.

    Arguments:
        package: ``__name__`` of the package.
        file: its ``__file__``.

    Returns:
        The three, in this order.
    """
    places: dict[str, tuple[str, str]] = {}
    public: list[str] = []
    for node in ast.parse(Path(file).with_suffix(".pyi").read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            places |= {alias.asname or alias.name: (module, alias.name) for alias in node.names}
        elif isinstance(node, ast.Assign):
            public = ast.literal_eval(node.value)

    def get(name: str) -> object:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, attribute = places[name]
        found = getattr(importlib.import_module(module), attribute)
        # A submodule of the same name is set by its import: the public name goes before it.
        setattr(sys.modules[package], name, found)
        return found

    return get, lambda: public, public
