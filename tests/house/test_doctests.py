"""Every example in a docstring runs and prints what it says."""

import doctest
import importlib
import pkgutil

import hemline
import pytest

MODULES = [
    module.name
    for module in pkgutil.walk_packages(hemline.__path__, "hemline.")
    if module.name.split(".")[1]
    in {"datasets", "decisions", "evaluation", "forecasting", "recommendation", "runtime", "studio", "vision"}
    and not module.name.endswith(".migrations.env")  # a script that Alembic runs
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name):
    module = importlib.import_module(name)
    outcome = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert outcome.failed == 0
