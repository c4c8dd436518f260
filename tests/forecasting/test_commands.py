"""`hemline train`, what it refuses before anything is trained, and `hemline models`."""

import tomllib

import pytest
import typer
from hemline.datasets import get_dataset
from hemline.forecasting import MODELS, GRUMAFEstimator, RandomWalkPredictor, build_model, load_predictor
from hemline.forecasting.commands.train import register
from hemline.forecasting.wrappers.ensemble import EnsemblePredictor
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


@pytest.fixture
def said(monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    app = typer.Typer()
    register(app, get_dataset)
    return lambda *words: CliRunner().invoke(app, list(words), catch_exceptions=False).stdout


def test_every_model_is_listed_in_words(said):
    listed = said("models", "list")
    assert all(f" {name} " in listed and model.about in listed for name, model in MODELS.items())


def test_what_is_described_trains_the_same_model(said, tmp_path):
    described = said("models", "describe", "sales-maf")
    assert described.startswith("# sales-maf on simulated_sales: GRU-MAF")
    short = described.replace("max_epochs = 20", "max_epochs = 1").replace("epoch = 100", "epoch = 2")
    (tmp_path / "own.toml").write_text(short.replace("iterations = 50", "iterations = 1"))
    command = ["train", "--dataset", "simulated_sales", "--model", "sales-maf", "--config", str(tmp_path / "own.toml")]
    said(*command, "--out", str(tmp_path / "run"))
    assert [row["epoch"] for row in load_predictor(tmp_path / "run").training_log] == [0]


def test_nested_settings_of_a_class_of_ours_are_those_of_its_name(said, tmp_path):
    (tmp_path / "own.toml").write_text("train = { batches_per_epoch = 2 }\nsize = 8\nlags = [1, 2]\n")
    command = ["train", "--dataset", "simulated_sales", "--model", "hemline.forecasting:DeepAREstimator"]
    said(*command, "--epochs", "1", "--config", str(tmp_path / "own.toml"), "--out", str(tmp_path / "run"))
    assert [row["epoch"] for row in load_predictor(tmp_path / "run").training_log] == [0]
    metadata, settings = get_dataset("simulated_sales").metadata, {"train": {"max_epochs": 3}, "lags": [1, 2]}
    by_class = build_model("hemline.forecasting:GRUMAFEstimator", metadata, settings)
    plain = GRUMAFEstimator(metadata.freq, metadata.prediction_length)
    assert by_class.configuration() == plain.override(settings).configuration()
    with pytest.raises(ValueError, match=r"GRUMAFEstimator\.train: expected one of the settings .*, got 'epochs'"):
        build_model("hemline.forecasting:GRUMAFEstimator", metadata, {"train": {"epochs": 3}})


def test_a_model_without_settings_says_so(said):
    assert said("models", "describe", "seasonal-naive").endswith("\n# It has no settings.\n")


def test_what_is_described_of_a_class_are_its_arguments(said):
    name, metadata = "gluonts.torch:TiDEEstimator", get_dataset("simulated_sales").metadata
    settings = tomllib.loads(said("models", "describe", name))
    assert settings["patience"] == 10
    again = build_model(name, metadata, {**settings, "patience": 3})
    assert again.estimator.lr == settings["lr"]
