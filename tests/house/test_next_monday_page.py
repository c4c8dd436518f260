"""The page on the next Monday runs, from the first training to an update and back into a folder."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from hemline import cli
from hemline.forecasting import load_predictor
from typer.testing import CliRunner

PAGE = (Path(__file__).parents[2] / "docs" / "next_monday.md").read_text()


@pytest.mark.filterwarnings("ignore:.*left out:UserWarning")
def test_the_page_runs_from_monday_to_monday(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cli.mount()
    (tmp_path / "short.toml").write_text("[train]\nmax_epochs = 1\nbatches_per_epoch = 2\n[response]\niterations = 3\n")
    scope: dict = {}
    for kind, text in re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
        if kind == "python":
            exec(compile(text, "docs/next_monday.md", "exec"), scope)
        for line in text.splitlines() if kind == "console" else ():
            words = shlex.split(line.removeprefix("$ hemline "), comments=True)
            if "--model" in words:
                words += ["--config", "short.toml"]
            done = CliRunner().invoke(cli.app, words, catch_exceptions=False)
            assert done.exit_code == 0, done.output
    first, second = (pd.read_csv(name) for name in ("monday.csv", "next-monday.csv"))
    assert pd.Timestamp(second["timestamp"].min()) - pd.Timestamp(first["timestamp"].min()) == pd.Timedelta(weeks=1)
    by_hand = load_predictor("runs/shop-by-hand")
    assert by_hand.trained_by is not None
    assert set(scope["data"].latest.item_ids) <= set(by_hand.item_ids)
    done = CliRunner().invoke(cli.app, ["train", "--from", "runs/shop", "--model", "var"])
    assert "from: expected no --model" in str(done.exception)
    done = CliRunner().invoke(cli.app, ["train", "--dataset", "shop/shop.toml"])
    assert "expected --dataset, --model and --out, or --from" in str(done.exception)
