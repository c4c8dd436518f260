"""The page on new articles runs, from photos to a launch."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from hemline import cli
from typer.testing import CliRunner

pytest.importorskip("tokenizers", reason="the page reads photos, which needs the extra 'vision'")

PAGE = (Path(__file__).parents[2] / "docs" / "new_articles.md").read_text()


def test_the_page_runs_from_photos_to_a_launch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cli.mount()
    scope: dict = {}
    for kind, text in re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
        if kind == "python":
            exec(compile(text, "docs/new_articles.md", "exec"), scope)
        for line in text.splitlines() if kind == "console" else ():
            words = shlex.split(line.removeprefix("$ hemline "), comments=True)
            done = CliRunner().invoke(cli.app, words, catch_exceptions=False)
            assert done.exit_code == 0, done.output
    new = scope["new"]
    assert new.index.tolist() == [f"i{number}" for number in range(50, 60)]
    assert np.corrcoef(np.log(new["mean"]), np.log(new["planted"]))[0, 1] > 0.8
    assert (tmp_path / "runs" / "introduction" / "pair.png").exists()
