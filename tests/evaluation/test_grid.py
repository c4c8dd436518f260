"""Grids: what a TOML file may say, and what it says on each dataset."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hemline.evaluation import Grid, read_grid
from hemline.evaluation.grids.grid import _KEYS, _ON_A_DATASET
from hemline.evaluation.runs.metrics import USUAL

SMALL = 'out = "runs/g"\ndatasets = ["sales", "rates"]\nmodels = ["a", "b"]\n'


def read(folder: Path, text: str, known: tuple[str, ...] = ("a", "b", "c")) -> Grid:
    path = folder / "grid.toml"
    path.write_text(text)
    return read_grid(path, known)


def test_what_is_left_out_has_its_usual_value(tmp_path: Path) -> None:
    grid = read(tmp_path, SMALL)
    assert (grid.out, grid.workers, grid.threads, grid.retries) == (Path("runs/g"), 1, 1, 2)
    first, second = grid.parts
    assert (first.dataset, second.dataset) == ("sales", "rates")
    assert (first.models, first.seeds, first.windows, first.time_budget, first.settings) == (
        ("a", "b"),
        (0,),
        None,
        None,
        {},
    )
    protocol = first.protocol
    assert (protocol.num_samples, protocol.refit_every, protocol.history) == (100, None, "expanding")
    assert protocol.metrics == USUAL


def test_a_dataset_may_have_values_of_its_own(tmp_path: Path) -> None:
    grid = read(
        tmp_path,
        'seeds = 3\nnum_samples = 50\ntime_budget = 9\nmetrics = ["crps"]\nworkers = "all"\nthreads = 2\nretries = 0\n'
        + SMALL
        + """
        [settings.a]
        head = { blocks = 4, hidden = 20 }
        [on.rates]
        models = ["a"]
        seeds = [0, 7]
        windows = 2
        num_samples = 5
        refit_every = 1
        history = 30
        time_budget = 1.5
        [on.rates.settings.a]
        head = { blocks = 2 }
        lags = [1]
        """,
    )
    assert (grid.workers, grid.threads, grid.retries) == (None, 2, 0)
    sales, rates = grid.parts
    assert (sales.models, sales.seeds, sales.windows, sales.time_budget) == (("a", "b"), (0, 1, 2), None, 9)
    assert (rates.models, rates.seeds, rates.windows, rates.time_budget) == (("a",), (0, 7), 2, 1.5)
    assert (sales.protocol.num_samples, rates.protocol.num_samples) == (50, 5)
    assert (rates.protocol.refit_every, rates.protocol.history, rates.protocol.metrics) == (1, 30, ("crps",))
    assert sales.settings == {"a": {"head": {"blocks": 4, "hidden": 20}}}
    assert rates.settings == {"a": {"head": {"blocks": 2, "hidden": 20}, "lags": [1]}}


def test_a_dataset_may_leave_models_out(tmp_path: Path) -> None:
    grid = read(tmp_path, SMALL + "[on.rates]\nwithout = ['a']\n")
    assert [part.models for part in grid.parts] == [("a", "b"), ("b",)]


def test_any_class_can_be_a_model(tmp_path: Path) -> None:
    assert (
        read(tmp_path, SMALL.replace('"b"', '"gluonts.torch:TiDEEstimator"'))
        .parts[0]
        .models[1]
        .endswith("TiDEEstimator")
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("out = ", "not TOML"),
        (SMALL.replace("out", "into"), "grid: expected some of the keys out, datasets, models, seeds.*, got 'into'"),
        (
            SMALL + "[on.rates]\nwindow = 2",
            r"on\.rates: expected some of the keys models, seeds, windows.*, got 'window'",
        ),
        ('out = "x"\nmodels = ["a"]', "datasets: expected to be given, got none"),
        (SMALL.replace('["sales", "rates"]', '"sales"'), "datasets: expected a list of names, got 'sales'"),
        (SMALL.replace('"rates"', '"sales"'), "datasets: expected different names, got .'sales', 'sales'."),
        (SMALL.replace('"b"', '"d"'), "models: expected some of a, b, c, got 'd'"),
        (SMALL + '[on.rates]\nmodels = ["d"]', r"on\.rates\.models: expected some of a, b, c, got 'd'"),
        (SMALL.replace('"runs/g"', "3"), "out: expected the name of a folder, got 3"),
        ("seeds = 0\n" + SMALL, r"seeds: expected a number from 1, or a list such as \[0, 5, 7\], got 0"),
        ("seeds = [1, 1]\n" + SMALL, r"seeds: expected different numbers, at least 0, got \[1, 1\]"),
        ('seeds = ["x"]\n' + SMALL, "seeds: expected whole numbers, at least 0, got 'x'"),
        ("num_samples = true\n" + SMALL, "num_samples: expected a number from 1, got True"),
        (SMALL + "[on.rates]\nwindows = 0", r"on\.rates\.windows: expected a number from 1, got 0"),
        ("refit_every = 1.5\n" + SMALL, "refit_every: expected a number from 1, got 1.5"),
        ('history = "all"\n' + SMALL, "history: expected a number of steps from 1, or \"expanding\", got 'all'"),
        ('time_budget = "1h"\n' + SMALL, "time_budget: expected a number of seconds above 0, got '1h'"),
        ('metrics = ["mape"]\n' + SMALL, "metrics: expected some of crps_sum.*, got 'mape'"),
        ('workers = "many"\n' + SMALL, "workers: expected a number from 1, or \"all\", got 'many'"),
        ("threads = 0\n" + SMALL, "threads: expected a number from 1, got 0"),
        ("retries = -1\n" + SMALL, "retries: expected a number from 0, got -1"),
        (SMALL + "[on.rates]\nwithout = ['c']", r"on\.rates\.without: expected some of a, b, and not all .*, got 'c'"),
        (SMALL + "[on.rates]\nwithout = ['a', 'b']", r"on\.rates\.without: expected some of a, b, and not all"),
        ("without = ['a']\n" + SMALL, "grid: expected some of the keys .*, got 'without'"),
        (SMALL + "[settings.c]\nx = 1", r"settings\.c: expected a table for some of a, b, got one for 'c'"),
        (SMALL + "[settings]\na = 1", r"settings\.a: expected a table, got 1"),
        (SMALL + "[on.sale]\nseeds = 1", r"on\.sale: expected a table for some of sales, rates, got one for 'sale'"),
        (SMALL + "[on]\nrates = 1", r"on\.rates: expected a table, got 1"),
        (SMALL + "[on.rates.settings]\na = 1", r"on\.rates\.settings\.a: expected a table, got 1"),
        (SMALL + "[on.rates.settings.z]\nx = 1", r"on\.rates\.settings\.z: expected a table for some of a, b"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line_that_names_the_file_and_the_key(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'grid.toml'}: ")
    assert "\n" not in str(caught.value)


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_bytes(b'out = "caf\xe9"')
    with pytest.raises(ValueError, match=r"grid\.toml: not TOML: 'utf-8' codec can't decode"):
        read_grid(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none"):
        read_grid(tmp_path / "none.toml")


def test_the_file_of_the_manual_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "grids.md").read_text()
    (text,) = re.findall(r"^```toml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    grid = read(tmp_path, text, ("gru-maf", "deepar", "seasonal-walk"))
    assert grid.parts[1].settings == {"gru-maf": {"train": {"max_epochs": 20}}}
    for key in (*_KEYS, *_ON_A_DATASET):
        assert re.search(rf"\b{key}\b", page), key
