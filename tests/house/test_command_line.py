"""What the command line says beside its results."""

import subprocess
import sys

import pytest

WARNS = """
import warnings
from hemline import cli

cli.mount = lambda: None
cli.app = lambda: warnings.warn("two\\n lines")
cli.main()
"""


@pytest.mark.parametrize(
    ("options", "said"), [([], "warning: two lines\n"), (["--debug"], "<string>:6: UserWarning: two\n lines\n")]
)
def test_a_warning_is_one_line_and_has_its_place_when_debugging(options, said):
    done = subprocess.run([sys.executable, "-c", WARNS, *options], capture_output=True, text=True, check=True)
    assert done.stderr == said
