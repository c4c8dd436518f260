from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import DATASETS
from hemline.datasets.benchmarks.load import load_benchmark
from hemline.datasets.benchmarks.published import BENCHMARKS
from hemline.datasets.commands import app
from typer.testing import CliRunner


def run(*arguments: str) -> str:
    """The output of a command; errors come out as they were raised."""
    result = CliRunner(env={"COLUMNS": "160"}).invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def listed(tiny, monkeypatch):
    card = replace(DATASETS["exchange_rate_nips"], name="tiny", load=lambda path: load_benchmark(tiny, path))
    monkeypatch.setitem(DATASETS, "tiny", card)
    monkeypatch.setitem(BENCHMARKS, "tiny", tiny)
    monkeypatch.setattr("hemline.datasets.benchmarks.download.sleep", lambda seconds: None)
    return tiny


def test_list_shows_every_dataset_and_where_it_is(listed, tmp_path, monkeypatch, archive_bytes):
    rows = {line.split("│")[1].strip(): line for line in run("list").splitlines() if line.startswith("│")}
    assert set(DATASETS) <= set(rows)
    assert "built in" in rows["simulated_sales"]
    assert "download" in rows["tiny"]
    assert "not found" in rows["dominicks_oj"]
    (tmp_path / "tiny.tar.gz").write_bytes(archive_bytes)
    monkeypatch.setenv("HEMLINE_DATA", str(tmp_path))
    assert any("tiny" in line and "here" in line for line in run("list").splitlines())


def test_fetch_downloads_once_and_prints_the_path(listed, server, cache):
    assert run("fetch", "tiny").strip() == str(cache / "tiny.tar.gz")
    assert run("fetch", "tiny").strip() == str(cache / "tiny.tar.gz")
    assert len(server.ranges) == 1
    assert any("tiny" in line and "cached" in line for line in run("list").splitlines())


def test_fetch_of_what_cannot_be_had_is_an_error(listed, server, cache):
    server.close()
    with pytest.raises(FileNotFoundError, match="tiny was not found"):
        run("fetch", "tiny")
    with pytest.raises(FileNotFoundError, match="taxi_manhattan was not found"):
        run("fetch", "taxi_manhattan")
    with pytest.raises(ValueError, match="name: expected one of"):
        run("fetch", "m5")
    assert "built in" in run("fetch", "simulated_sales")
    assert not cache.exists()


def test_describe_prints_what_is_known_of_a_dataset():
    text = run("describe", "simulated_sales", "--series", "2")
    for fact in ("260, of them 236 for training", "W-SUN", "2020-01-12, 2024-12-29", "count", "0.00 %", "price (20)"):
        assert fact in text
    assert "series (2 of 20)" in text
    assert "dress_2" in text
    assert "dress_3" not in text


def test_describe_warns_of_a_copy_that_is_not_the_published_one(listed, tmp_path, monkeypatch, published):
    files = {f"tiny/{name}": content.replace(b"30.0", b"30.5") for name, content in published.members.items()}
    (tmp_path / "tiny.tar.gz").write_bytes(published.tar_gz(files))
    monkeypatch.setenv("HEMLINE_DATA", str(tmp_path))
    assert "warning:" in run("describe", "tiny")


def test_describe_reads_a_file(tmp_path):
    path = tmp_path / "sales.csv"
    dates = pd.date_range("2024-01-01", periods=10)
    frame = pd.DataFrame({"day": dates, "sku": "coat", "units": [0.0] * 5 + [1.0] * 5}).drop(index=7)
    frame.to_csv(path, index=False)
    text = run("describe", str(path), "--timestamp", "day", "--item", "sku", "--target", "units")
    for fact in ("10, of them 10 for training", "2024-01-01, 2024-01-10", "10.00 %", "50.00 %", "not set"):
        assert fact in text


def test_describe_says_the_first_and_last_date_of_a_weekly_file(tmp_path):
    weeks = pd.date_range("2023-01-02", "2025-06-23", freq="W-MON")
    pd.DataFrame({"week": weeks, "units": 1.0}).to_csv(tmp_path / "weekly.csv", index=False)
    assert "2023-01-02, 2025-06-23" in run("describe", str(tmp_path / "weekly.csv"), "--timestamp", "week")


def test_describe_says_how_far_the_channels_of_the_weeks_to_come_are_known(tmp_path):
    weeks = pd.date_range("2024-01-07", periods=12, freq="W-SUN")
    table = pd.DataFrame({"week": weeks, "sku": "coat", "units": [3.0] * 10 + [np.nan] * 2, "eur": 5.0})
    table.to_csv(tmp_path / "sales.csv", index=False)
    keys = {"table": "sales.csv", "article": "sku", "date": "week", "units": "units", "price": "eur"}
    lines = [f'{key} = "{value}"' for key, value in keys.items()] + ["prediction_length = 2"]
    (tmp_path / "shop.toml").write_text("\n".join(lines))
    assert "2 steps, to 2024-03-24" in run("describe", str(tmp_path / "shop.toml"))


def test_describe_asks_for_what_it_needs(tmp_path):
    (tmp_path / "sales.csv").write_text("day,units\n2024-01-01,1\n")
    with pytest.raises(ValueError, match="--timestamp: a file needs the name of its column of dates"):
        run("describe", str(tmp_path / "sales.csv"))
    with pytest.raises(ValueError, match=r"expected a file or one of simulated_sales, .* got 'absent\.csv'"):
        run("describe", "absent.csv")


def test_describe_shows_names_as_they_are_written(tmp_path):
    path = tmp_path / "[red]w.csv"
    names = ("shirt [white]", "tag [/b]", ":star:")
    path.write_text("day,item,units\n" + "".join(f"2024-01-0{day},{name},1\n" for day in (1, 2) for name in names))
    output = run("describe", str(path), "--timestamp", "day", "--item", "item", "--target", "units")
    assert all(name in output for name in ("[red]w", *names))
