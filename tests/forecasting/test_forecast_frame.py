"""A forecast as a table: its columns, its libraries, its files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest
from gluonts.model.forecast import SampleForecast
from hemline import cli
from hemline.datasets import from_frame
from hemline.forecasting import SeasonalNaivePredictor, forecast_frame
from typer.testing import CliRunner

PATHS = np.random.default_rng(0).normal(size=(50, 3, 2))
DRAWN = SampleForecast(PATHS, start_date=pd.Period("2024-05-01", "D"))
ITEMS = ("coat", "hat")


def test_the_columns_are_the_quantiles_and_intervals_that_were_asked_for():
    usual = forecast_frame(DRAWN, ITEMS)
    assert [name for name in usual if name[0] == "q"] == ["q05", "q10", "q25", "q50", "q75", "q90", "q95"]
    frame = forecast_frame(DRAWN, ITEMS, quantiles=[0.9, 0.975, 0.0], levels=[80, 99.5])
    assert frame.columns.tolist() == [
        "item_id",
        "timestamp",
        "mean",
        "q90",
        "q97.5",
        "q00",
        "lo80",
        "hi80",
        "lo99.5",
        "hi99.5",
    ]
    assert frame["lo80"].equals(usual["q10"])
    assert frame["hi80"].equals(usual["q90"])
    np.testing.assert_array_equal(frame["q97.5"], np.quantile(PATHS, 0.975, axis=0).T.ravel())
    np.testing.assert_allclose(frame["hi99.5"], np.quantile(PATHS, 0.9975, axis=0).T.ravel(), rtol=1e-12)
    assert forecast_frame(DRAWN, ITEMS, levels=[95]).columns.tolist()[3:] == ["lo95", "hi95"]
    assert forecast_frame(DRAWN, ITEMS, quantiles=[]).columns.tolist() == ["item_id", "timestamp", "mean"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"quantiles": [0.5, 5]}, "quantiles: expected probabilities from 0 to 1, got 5"),
        ({"quantiles": [0.5, 0.5]}, "quantiles: expected each probability once, got 0.5 twice"),
        ({"quantiles": [float("nan")]}, "quantiles: expected probabilities from 0 to 1, got nan"),
        ({"levels": [0.8, 100]}, "levels: expected per cent between 0 and 100, such as 80 or 95, got 100"),
        ({"levels": [80, 80.0]}, r"levels: expected each level once, got 80\.0 twice"),
        ({"library": "excel"}, "library: expected 'pandas', 'polars', .* got 'excel'"),
    ],
)
def test_a_column_or_library_that_cannot_be_is_one_line(asked, message):
    with pytest.raises(ValueError, match=message):
        forecast_frame(DRAWN, ITEMS, **asked)


@pytest.mark.parametrize(("library", "kind"), [("polars", polars.DataFrame), ("pyarrow", pa.Table)])
def test_a_forecast_goes_out_to_the_library_of_the_table(library, kind):
    out = forecast_frame(DRAWN, ITEMS, library=library)
    assert isinstance(out, kind)
    back = out.to_pandas()
    expected = forecast_frame(DRAWN, ITEMS)
    assert (back["timestamp"].to_numpy() == expected["timestamp"].to_numpy()).all()
    pd.testing.assert_frame_equal(back.drop(columns="timestamp"), expected.drop(columns="timestamp"))


@pytest.fixture(scope="module")
def command_line():
    cli.mount()
    return cli.app


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".xlsx"])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_a_forecast_is_written_into_a_file_of_each_kind(tmp_path, command_line, ending, zone):
    # A text has one zone where all offsets are one: before the clocks are changed.
    days = pd.date_range("2024-02-01", periods=21, tz=zone)
    table = pd.DataFrame({"day": days.astype(str), "coat": np.arange(21.0)})
    table.to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "a.toml").write_text('table = "a.csv"\ntimestamp = "day"\nprediction_length = 2\n')
    SeasonalNaivePredictor(2).serialize(tmp_path / "model")
    words = ["forecast", "--predictor", tmp_path / "model", "--dataset", tmp_path / "a.toml", "--levels", "80,95"]
    out = tmp_path / "out" / f"f{ending}"
    done = CliRunner().invoke(command_line, [*map(str, words), "--quantiles", "0.5", "--out", str(out)])
    assert done.exit_code == 0, done.output
    read = {".csv": pd.read_csv, ".parquet": pd.read_parquet, ".xlsx": pd.read_excel}[ending]
    frame = read(out)
    assert frame.columns.tolist() == ["item_id", "timestamp", "mean", "q50", "lo80", "hi80", "lo95", "hi95"]
    dates = pd.to_datetime(frame["timestamp"])
    data = from_frame(tmp_path / "a.csv", timestamp="day", prediction_length=2)
    drawn = next(iter(SeasonalNaivePredictor(2).predict([data.latest])))
    assert list(dates) == list(forecast_frame(drawn, ("coat",))["timestamp"])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--levels", "80;95"], "levels: expected numbers with commas between, as in 80,95; got '80;95'"),
        (["--quantiles", "90"], "quantiles: expected probabilities from 0 to 1, got 90.0"),
        (["--out", "f.doc"], "out: expected a .csv, .parquet or .xlsx file, got 'f.doc'"),
    ],
)
def test_an_option_that_cannot_be_is_one_line(tmp_path, command_line, more, message):
    SeasonalNaivePredictor(2).serialize(tmp_path / "model")
    words = [
        "forecast",
        "--predictor",
        str(tmp_path / "model"),
        "--dataset",
        "simulated_sales",
        "--out",
        str(tmp_path / "f.csv"),
    ]
    done = CliRunner().invoke(command_line, [*words, *more])
    assert done.exit_code == 1
    assert message in str(done.exception) or message in done.output
