"""What the golden record keeps on disk: predictors, a backtest, kept members, a checkpoint; written once, read ever."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from gluonts.model.predictor import Predictor
from golden_data import STORED, launch, sales, seed_everything
from hemline import forecasting
from hemline.evaluation import backtest, load_backtest
from hemline.forecasting import (
    MAF,
    EnsembleEstimator,
    ForecastEstimator,
    PooledEstimator,
    RandomWalkPredictor,
    Recurrent,
    RespondingEstimator,
    Scaling,
    TrainConfig,
    build_model,
)

SMALL = {"encoder": {"size": 4, "layers": 1}, "head": {"blocks": 1, "hidden": 4, "hidden_layers": 1}, "lags": [1, 2]}
TRAIN = {"train": {"max_epochs": 1, "batches_per_epoch": 2, "batch_size": 8}}
RESPONSE = {"response": {"iterations": 3}}
TINY: dict[str, dict[str, Any]] = {
    "cross-fit": {
        **TRAIN,
        **RESPONSE,
        "network": {"hidden": 8, "embedding": 2},
        "folds": 2,
        "windows": 10,
        "lags": [1, 2],
    },
    "analog": {"model": {"origins": 4}, **RESPONSE},
    "cold-start": {"model": {"model": {"origins": 4}, **RESPONSE}, **RESPONSE},
    "sales-maf": {**SMALL, **TRAIN, **RESPONSE},
    "gru-maf": {**SMALL, **TRAIN},
    "transformer-maf": {**TRAIN, "encoder": {"size": 8, "heads": 2, "layers": 1}, "head": SMALL["head"], "lags": [1]},
    "vec-lstm-copula": {**TRAIN, "encoder": SMALL["encoder"], "head": {"rank": 2}, "lags": [1, 2]},
    "gp-copula": {**TRAIN, "encoder": {"each": SMALL["encoder"]}, "head": {"rank": 2}, "lags": [1, 2]},
    "timegrad": {**TRAIN, "encoder": SMALL["encoder"], "head": {"steps": 3, "layers": 2}, "lags": [1, 2]},
    "deepar": {**TRAIN, "size": 4, "layers": 1, "lags": [1, 2]},
    "deepar-coupled": {"model": {**TRAIN, "size": 4, "layers": 1, "lags": [1, 2]}, "windows": 4},
    "var-responding": RESPONSE,
}
"""Settings under which a stored predictor takes a few kilobytes."""
OTHERS = ("var", "auto-ets", "last-value", "seasonal-naive", "random-walk", "random-walk-independent", "seasonal-walk")
OF_GLUONTS = "gluonts.torch:SimpleFeedForwardEstimator"
FEED_FORWARD = {
    "hidden_dimensions": [4],
    "context_length": 8,
    "num_batches_per_epoch": 2,
    "trainer_kwargs": {"max_epochs": 1},
}


def drawn(predictor: Any, entry: Any, count: int) -> np.ndarray:
    """The paths ``[S, H, D]`` of one forecast, from the same generators whatever was drawn before.

    As the model draws them: what brings them into the domain of the data has laws of its own.
    """
    seed_everything()
    entry = entry.of_domain("real") if hasattr(entry, "of_domain") else entry  # there was none before
    return np.asarray(next(iter(predictor.predict([entry], num_samples=count))).samples)


def load_stored(folder: Path) -> Any:
    """A stored predictor, by the library's own door once it has one."""
    return getattr(forecasting, "load_predictor", Predictor.deserialize)(folder)


def write_predictors(folder: Path) -> None:
    """Train and store one predictor of each kind."""
    data = sales()
    metadata = data.metadata
    models = {name: build_model(name, metadata, TINY.get(name)) for name in (*TINY, *OTHERS)}
    models["ensemble"] = EnsembleEstimator(models["gru-maf"], members=2)
    walk, joint = RandomWalkPredictor(metadata.prediction_length), models["var-responding"]
    models["pool"] = PooledEstimator(
        {"answers": joint, "network": models["sales-maf"], "plain": walk},
        windows=2,
        num_samples=10,
        smallest=0.0,
        shrinkage=100.0,
        domain="count",
        only_totals=["plain"],
    )
    models["responding-walk"] = RespondingEstimator(walk, domain="count")
    models["feed-forward"] = build_model(OF_GLUONTS, metadata, FEED_FORWARD)
    for name, model in models.items():
        entries = [launch(data.train[0])] if name == "cold-start" else data.train
        trained = model.train(entries) if hasattr(model, "train") else model
        (folder / name).mkdir(parents=True)
        trained.serialize(folder / name)


def backtest_models() -> dict[str, Any]:
    """The models of the stored backtest: naive rows, what learns in a moment, and a tiny network."""
    metadata = sales().metadata
    names = ("last-value", "seasonal-naive", "random-walk", "var", "gru-maf", "cross-fit")
    return {name: build_model(name, metadata, TINY.get(name)) for name in names}


def write_backtest(folder: Path) -> None:
    """Run and store the backtest."""
    backtest(backtest_models(), sales(), num_samples=20, out=folder, quiet=True)


def rerun_backtest() -> Iterator[tuple[str, Any]]:
    """The stored backtest, asked for once more in a copy: its scores, its runs, and how many were run anew."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "backtest"
        shutil.copytree(STORED / "backtest", copy)
        before = load_backtest(copy)
        yield "stored/backtest/runs", dict(zip(before.runs["model"], before.runs["run"], strict=True))
        pooled = before.scores[before.scores[["window", "item_id", "step"]].isna().all(axis=1)]
        for model, rows in pooled.groupby("model"):
            metrics = dict(zip(rows["metric"], rows["value"], strict=True))
            yield f"stored/backtest/{model}", {metric: float(value) for metric, value in metrics.items()}
        written = {path: path.stat().st_mtime_ns for path in copy.glob("runs/*/scores.parquet")}
        again = backtest(backtest_models(), sales(), num_samples=20, out=copy, quiet=True)
        now = {path: path.stat().st_mtime_ns for path in copy.glob("runs/*/scores.parquet")}
        yield "stored/backtest/run anew", sum(written.get(path) != when for path, when in now.items())
        yield "stored/backtest/same scores", bool(again["value"].equals(before.scores["value"]))


def network(checkpoints: Path, epochs: int) -> ForecastEstimator:
    """A tiny network that keeps its checkpoints in a folder."""
    data = sales().metadata
    training = TrainConfig(max_epochs=epochs, batches_per_epoch=2, batch_size=8, checkpoints=str(checkpoints))
    parts = {"encoder": Recurrent("gru", size=4, layers=1), "head": MAF(blocks=1, hidden=4), "lags": (1, 2)}
    return ForecastEstimator(data.freq, data.prediction_length, scaling=Scaling(), train=training, **parts)


def members(folder: Path) -> EnsembleEstimator:
    """Two tiny networks that are kept in a folder as soon as each is trained."""
    return EnsembleEstimator(build_model("gru-maf", sales().metadata, TINY["gru-maf"]), members=2).for_run(0, folder)


def write_training(folder: Path) -> None:
    """Train the members and one epoch of the network; beside them, their logs, whose seconds tell them from others."""
    logs = {
        "members": members(folder / "members").train(sales().train).training_log,
        "network": network(folder / "network", 1).train(sales().train).training_log,
    }
    (folder / "logs.json").write_text(json.dumps(logs))


def kept_training() -> Iterator[tuple[str, Any]]:
    """The kept members, and the checkpoint of the first epoch, taken up in a copy."""
    logs, past = json.loads((STORED / "training" / "logs.json").read_text()), sales().train
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "training"
        shutil.copytree(STORED / "training", copy)
        trainings = {"members": members(copy / "members"), "network": network(copy / "network", 2)}
        for name, estimator in trainings.items():
            try:
                log = estimator.train(past).training_log
            except ValueError:
                yield f"stored/training/{name}", "refused"
                continue
            taken_up = log[: len(logs[name])] == logs[name]
            yield f"stored/training/{name}", f"{len(log)} epochs, {'taken up' if taken_up else 'trained anew'}"
