"""The current folder as a place of code: only while a module is imported that the user named himself."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from types import ModuleType


def leave_current_folder() -> None:
    """Take the current folder off the path of modules where ``python -m`` has put it, first of all."""
    try:
        here = os.getcwd()
    except OSError:  # it was removed: the command says so
        here = ""
    if sys.path and sys.path[0] in ("", here):
        del sys.path[0]


def import_typed(module: str) -> ModuleType:
    """A module as a user typed it, from the current folder too if no installed one has the name.

    Outside of this import nothing that lies in the current folder is run, whatever it is called.

    Raises:
        ImportError: there is none, or it cannot be imported.
        ValueError: the name is empty.
    """
    if importlib.util.find_spec(module.partition(".")[0]) is not None:
        return importlib.import_module(module)
    folder = os.getcwd()
    sys.path.append(folder)
    try:
        return importlib.import_module(module)
    finally:
        # Another thread may have put the same there: one of them is taken off, the last.
        del sys.path[len(sys.path) - 1 - sys.path[::-1].index(folder)]
