"""The grids that ship: every cell has a name that is known, a model that is made, and trains."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hemline.datasets import get_dataset
from hemline.evaluation import Grid, read_grid, run_grid
from hemline.evaluation.grids.grid import Part
from hemline.evaluation.grids.run_grid import plan_grid
from hemline.forecasting import MODELS, build_model

ROOT = Path(__file__).parents[2]
RESULTS = [
    "exchange_rate_nips",
    "dominicks_oj",
    "taxi_manhattan",
    "wiki2_daily",
    "pems_sf_daily",
    "pems_sf_267d",
    "electricity_ecl203",
    "solar_florida",
]


@pytest.fixture
def results(real_series: Path) -> Grid:
    return read_grid(ROOT / "docs" / "results.toml", list(MODELS))


def shortened(part: Part) -> Part:
    """A part on one window with few paths, whose trainings have one epoch of two batches."""
    settings = {
        model: dict(part.settings.get(model, {})) | short_training(model, part.dataset) for model in part.models
    }
    protocol = replace(part.protocol, num_samples=8)
    return replace(part, settings=settings, windows=1, seeds=(0,), protocol=protocol, time_budget=300.0)


def short_training(model: str, dataset: str) -> dict[str, Any]:
    gluonts = {"num_batches_per_epoch": 2, "trainer_kwargs": {"max_epochs": 1}}
    if model.startswith("gluonts.torch:"):
        return gluonts
    train = {"max_epochs": 1, "batches_per_epoch": 2}
    members = {name: {"train": train} for name in ("cross-fit", "deepar", "density")}
    pool = {"models": members, "windows": 1, "num_samples": 8}
    wide = {**pool, "models": {**members, "patch-tst": {"model": {"estimator": gluonts}, "windows": 4}}}
    for settings in ({"train": train}, {"model": {"train": train}, "windows": 4}, {"origins": 4}, wide, pool):
        try:
            build_model(model, get_dataset(dataset).metadata, settings)
        except ValueError:
            continue
        return settings
    return {}


def test_the_example_is_made_of_cells_that_can_run(tmp_path: Path) -> None:
    grid = read_grid(ROOT / "examples" / "grid.toml", list(MODELS))
    cells = plan_grid(grid, build_model, get_dataset)
    assert [cell.error for cell in cells] == [None] * 10
    (part,) = grid.parts
    found = run_grid(replace(grid, out=tmp_path, parts=(shortened(part),)), build_model, get_dataset, quiet=True)
    assert not found.missing
    assert set(found.scores["model"]) == set(part.models)


@pytest.mark.filterwarnings("ignore:pems_sf_daily. 5 of 5 test windows repeat")
def test_the_results_grid_has_the_seven_sets_traffic_twice_and_all_its_cells_can_be_made(results: Grid) -> None:
    assert {part.dataset for part in results.parts} == set(RESULTS)
    cells = plan_grid(results, build_model, get_dataset)
    assert {cell.error for cell in cells} == {None}
    assert len(cells) == 3 * sum(len(part.models) for part in results.parts)
    assert min(len(part.models) for part in results.parts) >= 21
    assert len({cell.job.id for cell in cells if cell.job}) == len(cells)


@pytest.mark.slow
@pytest.mark.parametrize("dataset", RESULTS)
def test_every_cell_of_the_results_grid_trains(results: Grid, dataset: str, tmp_path: Path) -> None:
    parts = tuple(shortened(part) for part in results.parts if part.dataset == dataset)
    workers = min(2, os.cpu_count() or 1)
    found = run_grid(replace(results, out=tmp_path, parts=parts, workers=workers), build_model, get_dataset)
    assert not found.missing
    assert set(found.scores["model"]) == set(parts[0].models)
