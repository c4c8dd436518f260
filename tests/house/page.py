"""How a page of the documentation is run: its blocks of Python and its commands, in their order."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hemline import cli
from typer.testing import CliRunner

DOCS = Path(__file__).parents[2] / "docs"


def run_page(name: str, with_model: Sequence[str] = ()) -> dict[str, Any]:
    """Run a page in the current folder; the names that its Python defines.

    Arguments:
        name: of the file in ``docs``.
        with_model: words added to each command that names a model, such as a file of short settings.

    Raises:
        AssertionError: a command fails, or there is none.
    """
    cli.mount()
    scope: dict[str, Any] = {}
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", (DOCS / name).read_text(), re.DOTALL | re.MULTILINE)
    assert "console" in dict(blocks)
    for kind, text in blocks:
        if kind == "python":
            exec(compile(text, f"docs/{name}", "exec"), scope)
        for line in text.splitlines() if kind == "console" else ():
            words = shlex.split(line.removeprefix("$ hemline "), comments=True)
            words += with_model if "--model" in words else ()
            done = CliRunner().invoke(cli.app, words, catch_exceptions=False)
            assert done.exit_code == 0, done.output
    return scope
