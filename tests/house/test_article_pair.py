"""The tutorial of scenarios: its example runs, and its numbers are of the sizes that it tells."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


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
