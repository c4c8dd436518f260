"""`hemline train --partition-by`: workers, an update with new articles, and what the folder remembers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hemline import cli
from hemline.forecasting import load_predictor


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Writes so many weeks of a shop; commands start from its folder."""
    (tmp_path / "shop.toml").write_text(
        'table = "sales.csv"\narticle = "sku"\ndate = "week"\nunits = "sold"\nattributes = ["category"]\n'
        "prediction_length = 4\nwindows = 2\n"
    )
    monkeypatch.chdir(tmp_path)
    cli.mount()

    def write(weeks: int, articles: tuple[str, ...]) -> None:
        dates, generator = pd.date_range("2023-01-02", periods=weeks, freq="W-MON"), np.random.default_rng(0)
        rows = pd.MultiIndex.from_product([articles, dates], names=["sku", "week"]).to_frame(index=False)
        rows["sold"] = generator.poisson(20, len(rows))
        rows["category"] = rows["sku"].str[:-1]
        rows.to_csv(tmp_path / "sales.csv", index=False)

    write(60, ("coat1", "coat2", "hat1", "hat2"))
    return write


TRAIN = "train --dataset shop.toml --model var --whole --out parts --partition-by category --partition-size 5"


def test_partitions_of_a_table_are_trained_forecast_and_updated(table, capfd, tmp_path):
    assert cli.run([*TRAIN.split(), "--workers", "9"]) == 0, capfd.readouterr().err
    model = load_predictor("parts")
    assert model.partitions.names == ("coat", "hat")
    forecast = "forecast --predictor parts --dataset shop.toml --num-samples 5 --out monday.csv"
    assert cli.run(forecast.split()) == 0, capfd.readouterr().err
    assert set(pd.read_csv("monday.csv")["item_id"]) == {"coat1", "coat2", "hat1", "hat2"}
    table(63, ("coat1", "coat2", "hat1", "hat2", "hat3", "scarf1"))
    assert cli.run(["train", "--from", "parts"]) == 0, capfd.readouterr().err
    after = load_predictor("parts")
    assert after.partitions.names == ("coat", "hat", "scarf")
    assert after.partitions.items(1) == ("hat1", "hat2", "hat3")
    assert cli.run([*forecast.split()]) == 0, capfd.readouterr().err
    assert len(pd.read_csv("monday.csv")) == 6 * 4
    again = "train --from parts --partition-by category"
    assert cli.run(again.split()) != 0
    assert "from: expected no --partition-by beside it" in capfd.readouterr().err
