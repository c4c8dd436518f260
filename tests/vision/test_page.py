"""The worked example of docs/vision.md runs, and its other commands have the options that they use."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from hemline.vision.commands.commands import app
from typer.testing import CliRunner

pytest.importorskip("tokenizers", reason="the page words photos, which needs the extra 'vision'")

PAGE = (Path(__file__).parents[2] / "docs" / "vision.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def commands(language: str) -> list[list[str]]:
    lines = [line for kind, text in BLOCKS if kind == language for line in text.replace("\\\n", " ").splitlines()]
    words = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
    return [some[some.index("vision") + 1 :] for some in words if "vision" in some]


def test_the_worked_example_runs_from_photos_to_a_forecasting_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scope: dict = {}
    told = []
    for kind, text in BLOCKS:
        if kind == "python":
            exec(compile(text, "docs/vision.md", "exec"), scope)
        if kind == "console":
            for words in commands("console"):
                done = CliRunner().invoke(app, words, catch_exceptions=False)
                assert done.exit_code == 0, done.output
                told.append(done.output)
    assert "quarantined ./photos/7.png" in told[0]
    assert "| colour |" in told[1]
    assert scope["static"].shape == (3, 5)
    assert scope["static"][:, -1].tolist() == [1, 0, 1]
    assert not np.any(scope["static"][1])


@pytest.mark.parametrize("words", commands("sh"), ids=" ".join)
def test_a_command_behind_a_number_has_the_options_that_it_uses(words: list[str]) -> None:
    path = words[:1] if words[0] in ("embed", "similar", "sort") else words[:2]
    shown = CliRunner().invoke(app, [*path, "--help"], terminal_width=200)
    assert shown.exit_code == 0, shown.output
    for option in [word for word in words if word.startswith("--")]:
        assert option in shown.output
