"""The tutorial of scenarios: its example runs, and its numbers are of the sizes that it tells."""

import os
import re
import subprocess
import sys
from pathlib import Path

from hemline.forecasting import parse_change, read_scenarios

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "scenarios.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


def test_the_article_pair_runs_and_shows_both_models_side_by_side(tmp_path):
    command = [sys.executable, ROOT / "examples" / "article_pair.py", "--fast", "--out", tmp_path / "pair"]
    environment = {**os.environ, "MPLBACKEND": "agg"}
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert result.returncode == 0, result.stderr
    rows = {line.split()[0]: line.split() for line in result.stdout.splitlines() if line.strip().startswith(("d", "c"))}
    planted, joint, deepar = (float(rows["dress_3"][place].rstrip("%")) for place in (1, 2, -1))
    assert planted < 0
    assert joint < 0
    assert deepar == 0
    assert (tmp_path / "pair" / "pair.html").is_file()
    assert (tmp_path / "pair" / "cannibalisation.png").is_file()


def test_the_blocks_of_the_tutorial_run():
    scope: dict = {"__name__": "tutorial"}
    for text in blocks("python"):
        short = text.replace("data.metadata)", 'data.metadata, {"train": {"max_epochs": 1, "batches_per_epoch": 2}})')
        exec(compile(short.replace("paths=1000", "paths=50"), "scenarios.md", "exec"), scope)
    assert scope["markdown"].paths.shape == (50, 8, 8)


def test_the_notation_and_the_file_of_the_tutorial_are_read(tmp_path):
    rows = re.findall(r"^\| `(.+?)` \|", PAGE.read_text(), re.MULTILINE)
    assert len(rows) == 6
    for change in rows:
        parse_change(change)
    (tmp_path / "scenario.toml").write_text(blocks("toml")[0])
    assert read_scenarios(tmp_path / "scenario.toml")[0].name == "markdown"
