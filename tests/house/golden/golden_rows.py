"""The rows of the golden record: what is computed, part by part, each row a name and a number or a digest."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from golden_commands import classifier, commands, vision
from golden_data import DESCRIBED, STORED, UNTRAINED, launch, sales, seed_everything, short, window
from golden_digests import Rows, of_array, of_frame, of_settings
from golden_predictors import drawn, kept_training, load_stored, rerun_backtest
from hemline import evaluation
from hemline.datasets import get_dataset, simulated_sales
from hemline.evaluation import backtest, crps, crps_sum, energy_score
from hemline.evaluation.runs.metrics import USUAL
from hemline.forecasting import (
    MAF,
    MODELS,
    Copula,
    Diffusion,
    ForecastEstimator,
    Gaussian,
    GaussianProcess,
    LowRankGaussian,
    NegativeBinomial,
    RealNVP,
    Recurrent,
    Scaling,
    Scenario,
    SharedWeights,
    StudentT,
    TrainConfig,
    Transformer,
    build_model,
    simulate,
)

PATHS = 30


def of_forecasts(name: str, samples: np.ndarray, observed: np.ndarray) -> Rows:
    """Paths ``[W, S, H, D]`` and their scores against what happened ``[W, H, D]``."""
    yield from of_array(name, samples)
    yield f"{name}/crps_sum", float(crps_sum(samples, observed))
    yield f"{name}/crps", float(np.nanmean(crps(samples, observed)))
    yield f"{name}/energy_score", float(np.nanmean(energy_score(samples, observed)))


def of_backtest(name: str, scores: pd.DataFrame, run: dict[str, Any]) -> Rows:
    """The identity of a run and every metric, pooled and by window."""
    for key in ("run", "configuration_hash", "data_fingerprint"):
        yield f"{name}/{key}", run[key]
    own = scores[scores["run"] == run["run"]]
    pooled = own[own["item_id"].isna() & own["step"].isna()]
    for metric, values in pooled.groupby("metric", sort=False)["value"]:
        yield f"{name}/{metric}", [float(value) for value in values]
    yield from of_frame(f"{name}/scores", own.drop(columns="run"))


def identity() -> Rows:
    """What is the same on every machine: settings of all models, the stored data, the metrics, names of runs."""
    yield "identity/models", list(MODELS)
    yield "identity/metrics", list(USUAL)
    for metadata in DESCRIBED:
        for name in MODELS:
            model = build_model(name, metadata)
            if hasattr(model, "configuration"):
                yield f"identity/{metadata.name}/{name}", of_settings(model.configuration())
    data = sales()
    told = ", ".join(f"{each.name}={getattr(data.metadata, each.name)!r}" for each in fields(data.metadata))
    yield "identity/sales/metadata", f"Metadata({told})"
    for number in range(2):
        past, observed = window(data, number)
        yield from of_array(f"identity/sales/past-{number}", past["target"])
        yield from of_array(f"identity/sales/channels-{number}", past["feat_dynamic_real"])
        yield from of_array(f"identity/sales/observed-{number}", observed)
    models = {name: build_model(name, data.metadata) for name in ("last-value", "seasonal-naive", "random-walk")}
    scores = backtest(models, data, seeds=(0, 1), num_samples=PATHS, quiet=True)
    for run in scores.attrs["runs"]:
        yield from of_backtest(f"identity/{run['model']}-{run['seed']}", scores, run)


def named() -> Rows:
    """Every named model: a backtest, and beside it the paths, the losses and changed futures of one training."""
    data = simulated_sales(articles=4, weeks=110, seed=3, windows=2)
    (first, last), cut = data.metadata.item_ids[::3], [window(data, number) for number in range(2)]
    changes = {"price": f"price[{first}] = -30% @ 2:", "drop": f"drop {last}"}
    for name in MODELS:
        seed_everything()
        models = {name: build_model(name, data.metadata, short(name))}
        scores = backtest(models, data, num_samples=PATHS, quiet=True)
        yield from of_backtest(f"named/{name}/backtest", scores, scores.attrs["runs"][0])
        predictor, row = models[name], f"named/{name}/alone"
        if name not in UNTRAINED:
            predictor = predictor.train(data.train)
            losses = [log["train_loss"] for log in getattr(predictor, "training_log", [])]
            yield f"{row}/losses", losses
        samples = np.stack([drawn(predictor, past, PATHS) for past, _ in cut])
        yield from of_forecasts(row, samples, np.stack([observed for _, observed in cut]))
        for key, change in changes.items():
            seed_everything()
            try:
                outcomes = simulate(predictor, cut[0][0], Scenario(key, change), paths=PATHS, seed=1)
            except ValueError:
                yield f"{row}/{key}", "refused"
                continue
            for outcome in (outcomes["baseline"], outcomes[key]):
                yield from of_array(f"{row}/{key}/{outcome.name}", outcome.paths)
            question = f"units[{first}] @ 2: > 100"
            yield f"{row}/{key}/question", outcomes[key].probability(question)
            yield f"{row}/{key}/units", float(outcomes[key].difference().units(first).mean())
            if outcomes[key].money is not None:
                yield f"{row}/{key}/revenue", float(outcomes[key].revenue().mean())


def compositions() -> Rows:
    """Every head, every encoder, levels, changes and ranks, with and without a held-out span."""
    data, small = sales(), Recurrent("gru", size=8, layers=1)
    shared = SharedWeights(Recurrent("lstm", size=8, layers=1), embedding=2, sample=3)
    heads = {
        "maf": MAF(blocks=2, hidden=8),
        "maf-norm": MAF(blocks=2, hidden=8, batch_norm=True),
        "real-nvp": RealNVP(),
        "student-t": StudentT(),
        "gaussian": Gaussian(),
        "low-rank": LowRankGaussian(rank=2),
        "negative-binomial": NegativeBinomial(),
        "diffusion": Diffusion(steps=4, layers=2),
    }
    units = {
        "level": Scaling("level", domain="count"),
        "change": Scaling("change", domain="count"),
        "season": Scaling("change", lag=52, prior=4),
    }
    cases = {f"{head}-level": (small, heads[head], units["level"]) for head in heads}
    cases |= {f"maf-{key}": (small, heads["maf"], units[key]) for key in ("change", "season")}
    cases |= {
        "lstm": (Recurrent("lstm", size=8), heads["gaussian"], units["level"]),
        "transformer": (Transformer(size=8, heads=2, layers=1), heads["maf"], units["level"]),
        "shared": (shared, GaussianProcess(rank=2), units["level"]),
        "shared-ranks": (shared, GaussianProcess(rank=2), Copula(window=20)),
        "ranks": (small, heads["low-rank"], Copula(Scaling("change"), window=20)),
    }
    metadata, (past, observed) = data.metadata, window(data, 1)
    for name, (encoder, head, scaling) in cases.items():
        seed_everything()
        training = TrainConfig(max_epochs=3, batches_per_epoch=2, batch_size=8, validation_span=8, patience=1)
        parts = {"encoder": encoder, "head": head, "scaling": scaling, "lags": (1, 2, 4)}
        estimator = ForecastEstimator(metadata.freq, metadata.prediction_length, train=training, **parts)
        yield f"compositions/{name}/configuration", of_settings(estimator.configuration())
        predictor = estimator.train(data.train)
        log = [[row["train_loss"], row["validation_loss"]] for row in predictor.training_log]
        yield f"compositions/{name}/losses", log
        yield from of_forecasts(f"compositions/{name}", drawn(predictor, past, PATHS)[None], observed[None])


def exchange() -> Rows:
    """Five models on the exact Exchange archive; no row where no folder of ``HEMLINE_DATA`` has it."""
    folders = [Path(folder) for folder in os.environ.get("HEMLINE_DATA", "").split(os.pathsep) if folder]
    found = next((folder for folder in folders if (folder / "exchange_rate_nips.tar.gz").exists()), None)
    if found is None:
        return
    data = get_dataset("exchange_rate_nips", found)
    few = {"train": {"max_epochs": 1, "batches_per_epoch": 10}}
    for name in ("random-walk", "last-value", "analog", "gru-maf", "deepar"):
        seed_everything()
        settings = few if name in ("gru-maf", "deepar") else None
        models = {name: build_model(name, data.metadata, settings)}
        scores = backtest(models, data, num_samples=PATHS, quiet=True)
        yield from of_backtest(f"exchange/{name}", scores, scores.attrs["runs"][0])


def scores() -> Rows:
    """Every public score of the same paths, as functions of arrays."""
    generator = np.random.default_rng(5)
    samples, observed = generator.normal(size=(3, 12, 6, 4)), generator.normal(size=(3, 6, 4))
    observed[1, 2, 3] = np.nan
    for name in ("crps", "crps_sum", "weighted_quantile_loss", "energy_score", "variogram_score"):
        yield from of_array(f"scores/{name}", np.asarray(getattr(evaluation, name)(samples, observed)))
    yield from of_array("scores/trajectory", np.asarray(evaluation.trajectory_energy_score(samples, observed)))


def stored() -> Rows:
    """What an older version wrote, read by this one: predictors, a backtest, kept members, a checkpoint."""
    data = sales()
    past, _ = window(data, 1)
    for folder in sorted((STORED / "predictors").iterdir()):
        seed_everything()
        entry = launch(past) if folder.name == "cold-start" else past
        yield from of_array(f"stored/{folder.name}", drawn(load_stored(folder), entry, 20), 40)
    yield from rerun_backtest()
    yield from kept_training()


PARTS: dict[str, Callable[[], Rows]] = {
    part.__name__: part
    for part in (identity, scores, named, compositions, exchange, stored, classifier, commands, vision)
}
"""The parts by name."""


def rows_of(part: str) -> dict[str, Any]:
    """The rows of a part, as JSON gives them back.

    Raises:
        ValueError: two rows have one name.
    """
    found: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seed_everything()
        for name, value in PARTS[part]():
            if name in found:
                raise ValueError(f"rows: expected a name of its own for each, got {name} twice")
            found[name] = json.loads(json.dumps(value))
    return found
