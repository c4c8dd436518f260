"""`hemline train`: what it refuses before anything is trained."""

import pytest
import typer
from hemline.datasets import get_dataset
from hemline.forecasting import RandomWalkPredictor
from hemline.forecasting.commands import register
from hemline.forecasting.ensemble import EnsemblePredictor
from typer.testing import CliRunner


@pytest.mark.parametrize("predictor", [RandomWalkPredictor(8), EnsemblePredictor([RandomWalkPredictor(8)])])
def test_a_folder_with_a_predictor_of_any_kind_is_not_written_over(predictor, tmp_path):
    predictor.serialize(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    app = typer.Typer()
    register(app, get_dataset)
    done = CliRunner().invoke(app, ["train", "--dataset", "simulated_sales", "--model", "pool", "--out", str(tmp_path)])
    assert str(done.exception).startswith("out: expected a folder without a predictor")
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
