"""The page on the next Monday runs, from the first training to an update and back into a folder."""

import pandas as pd
import pytest
from hemline import cli
from hemline.forecasting import load_predictor
from page import run_page
from typer.testing import CliRunner


@pytest.mark.filterwarnings("ignore:.*left out:UserWarning")
def test_the_page_runs_from_monday_to_monday(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short.toml").write_text("[train]\nmax_epochs = 1\nbatches_per_epoch = 2\n[response]\niterations = 3\n")
    scope = run_page("next_monday.md", ["--config", "short.toml"])
    first, second = (pd.read_csv(name) for name in ("monday.csv", "next-monday.csv"))
    assert pd.Timestamp(second["timestamp"].min()) - pd.Timestamp(first["timestamp"].min()) == pd.Timedelta(weeks=1)
    by_hand = load_predictor("runs/shop-by-hand")
    assert by_hand.trained_by is not None
    assert set(scope["data"].latest.item_ids) <= set(by_hand.item_ids)
    done = CliRunner().invoke(cli.app, ["train", "--from", "runs/shop", "--model", "var"])
    assert "from: expected no --model" in str(done.exception)
    done = CliRunner().invoke(cli.app, ["train", "--dataset", "shop/shop.toml"])
    assert "expected --dataset, --model and --out, or --from" in str(done.exception)
