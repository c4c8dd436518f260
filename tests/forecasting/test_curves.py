"""The user's loggers hold the curves of a training: each loss, what is watched, the learning rate, a point an epoch."""

from __future__ import annotations

import pytest
from curves import KINDS, a_logger
from hemline.datasets import simulated_sales
from hemline.evaluation import backtest
from hemline.forecasting import MAF, DeepAREstimator, GRUMAFEstimator, RandomWalkPredictor, Recurrent, TrainConfig
from hemline.forecasting.models.cross_fit import CrossFitEstimator
from hemline.forecasting.wrappers.ensemble import EnsembleEstimator
from hemline.forecasting.wrappers.pool import PooledEstimator

DATA = simulated_sales(articles=3, weeks=60, seed=0)
H = DATA.metadata.prediction_length
SHORT = {"max_epochs": 2, "batches_per_epoch": 3, "batch_size": 4}


def flow(logger, **options):
    train = TrainConfig(**SHORT, trainer={"logger": logger, "accelerator": "cpu"}, **options)
    return GRUMAFEstimator("W", H, encoder=Recurrent("gru", size=4), head=MAF(blocks=1, hidden=4), train=train)


def cross_fit(logger):
    train = TrainConfig(**SHORT, patience=5, trainer={"logger": logger, "accelerator": "cpu"})
    return CrossFitEstimator("W", H, folds=2, windows=4, train=train)


@pytest.mark.parametrize("kind", KINDS)
def test_a_flow_tells_its_curves(tmp_path, monkeypatch, kind):
    logger, curves = a_logger(kind, tmp_path, monkeypatch)
    log = flow(logger, validation_span=H).train(DATA.train).training_log
    told = curves()
    assert set(told) == {"epoch", "train_loss", "validation_loss", "learning_rate"}
    assert [step for step, _ in told["train_loss"]] == [3, 6]
    assert [value for _, value in told["epoch"]] == [0, 1]
    # The rate of an epoch's first step, of a cosine over six.
    assert [value for _, value in told["learning_rate"]] == pytest.approx([1e-3, 5e-4])
    for name in ("train_loss", "validation_loss"):
        assert [value for _, value in told[name]] == pytest.approx([row[name] for row in log], rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_each_network_of_a_cross_fit_has_a_curve_of_what_it_watches(tmp_path, monkeypatch, kind):
    logger, curves = a_logger(kind, tmp_path, monkeypatch)
    log = cross_fit(logger).train(DATA.train).training_log
    told = curves()
    blocks = [f"fold-{number}/validation_loss" for number in (0, 1)]
    assert set(told) == {"epoch", "train_loss", "validation_loss", "learning_rate", *blocks}
    assert [step for step, _ in told["train_loss"]] == [3, 6]
    for name in ("train_loss", "validation_loss"):
        assert [value for _, value in told[name]] == pytest.approx([row[name] for row in log], rel=1e-6)
    both = zip(*([value for _, value in told[name]] for name in blocks), strict=True)
    assert [sum(pair) / 2 for pair in both] == pytest.approx([row["validation_loss"] for row in log], rel=1e-6)


def test_members_of_models_made_of_models_are_told_apart(tmp_path, monkeypatch):
    logger, curves = a_logger("csv", tmp_path, monkeypatch)
    EnsembleEstimator(flow(logger), members=2).train(DATA.train)
    walk = RandomWalkPredictor(H)
    PooledEstimator({"flow": flow(logger), "walk": walk}, num_samples=4, windows=1).train(DATA.train)
    named = {name.rpartition("/")[0] for name in curves()}
    assert named == {"", "member-0", "member-1", "weighing-flow", "whole-flow"}


def test_runs_of_a_backtest_are_told_apart(tmp_path, monkeypatch):
    logger, curves = a_logger("csv", tmp_path, monkeypatch)
    backtest({"flow": flow(logger)}, DATA, seeds=(0, 1), num_samples=4, quiet=True)
    assert {name for name in curves() if name.endswith("train_loss")} == {
        f"flow/seed-{seed}/fit-0/train_loss" for seed in (0, 1)
    }


@pytest.mark.parametrize("named", [False, True])
def test_a_model_of_gluonts_tells_the_same(tmp_path, monkeypatch, named):
    logger, curves = a_logger("csv", tmp_path, monkeypatch)
    train = TrainConfig(**SHORT, schedule="constant", trainer={"logger": logger, "accelerator": "cpu"})
    model = DeepAREstimator("W", H, size=4, layers=1, train=train)
    (EnsembleEstimator(model, members=2) if named else model).train(DATA.train)
    told, prefix = curves(), "member-0/" if named else ""
    assert len(told[f"{prefix}train_loss"]) == 2
    assert [value for _, value in told[f"{prefix}learning_rate"]] == pytest.approx([1e-3, 1e-3])


def test_what_is_no_logger_is_refused():
    with pytest.raises(ValueError, match="logger: expected loggers of lightning"):
        flow("csv").train(DATA.train)
