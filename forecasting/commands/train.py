"""`hemline train`, `hemline forecast`, and the commands that have a file of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...runtime.arguments.naming import check_place, check_there, naming
from ...runtime.devices import torch_device
from ...runtime.toml_files import read_toml
from ..registry.named import build_model, model_names
from .models import register as register_models
from .options import Device, Trust, numbers_of
from .simulate import load_remembered
from .simulate import register as register_simulate

if TYPE_CHECKING:
    from ...datasets.entries.data import ForecastData
    from ..registry.builders import Model
    from ..wrappers.partitions.estimator import PartitionedEstimator


def register(app: typer.Typer, load: Callable[..., ForecastData]) -> None:
    """Add the commands to `app`.

    Arguments:
        app: the root command.
        load: dataset name to dataset.
    """
    register_simulate(app, load)
    register_models(app, load)

    @app.command()
    def train(
        dataset: Annotated[
            str | None,
            typer.Option(help="Name that `hemline data list` shows, or the TOML file of a table; that of --from."),
        ] = None,
        model: Annotated[str | None, typer.Option(help=f"One of {', '.join(model_names())}; not with --from.")] = None,
        out: Annotated[
            Path | None, typer.Option(help="Folder for the predictor and its checkpoints; that of --from.")
        ] = None,
        before: Annotated[
            Path | None,
            typer.Option("--from", help="Folder of a trained model that is to go on, with the weeks that have come."),
        ] = None,
        seed: Annotated[int, typer.Option(min=0, help="Seed of weights, windows and draws; not with --from.")] = 0,
        epochs: Annotated[int | None, typer.Option(help="Epochs; the shipped setting if left out.")] = None,
        config: Annotated[
            Path | None, typer.Option(help="TOML file of settings, as `hemline models describe` prints it.")
        ] = None,
        whole: Annotated[
            bool, typer.Option("--whole", help="Learn from the test windows too, to forecast the time after the data.")
        ] = False,
        partition_by: Annotated[
            str | None,
            typer.Option(
                help="Attribute of the articles, as in category: a model for each label, tied by one of their totals; "
                "or correlation. Labels are crossed with commas."
            ),
        ] = None,
        partition_size: Annotated[
            int | None,
            typer.Option(min=1, help="The most articles of a partition; larger ones are divided by correlation."),
        ] = None,
        workers: Annotated[int | None, typer.Option(min=1, help="Partitions trained at the same time.")] = None,
        ray: Annotated[bool, typer.Option("--ray", help="Workers on Ray, on this machine.")] = False,
        address: Annotated[
            str | None, typer.Option(help="Address of a Ray cluster for the workers, which sees the same folders.")
        ] = None,
        trust: Trust = None,
    ) -> None:
        """Train a model and keep the predictor; a killed training goes on where it stopped.

        Example: hemline train --dataset simulated_sales --model gru-maf --out runs/sales

        A large assortment is trained in partitions: hemline train --dataset shop.toml --model analog --partition-by
        category --workers 4 --out runs/shop

        With --from a trained model goes on with the weeks that have come since: hemline train --from runs/shop
        """
        if before is not None:
            if model is not None or config is not None or epochs is not None or seed:
                raise ValueError("from: expected no --model, --config, --epochs or --seed beside it, which stay")
            if partition_by is not None:
                raise ValueError("from: expected no --partition-by beside it; a trained model keeps its partitions")
            _no_partitions(partition_size, workers, ray, address)
            _update(before, dataset, out or before, load, whole, trust or ())
            return
        if trust:
            raise ValueError("trust: expected with --from only, whose folder may name a class")
        if dataset is None or model is None or out is None:
            raise ValueError(
                "train: expected --dataset, --model and --out, or --from and the folder of a trained model"
            )
        if partition_by is None:
            _no_partitions(partition_size, workers, ray, address)
        if address is not None:
            from ...evaluation.execution.workers import require_cluster

            require_cluster(address)
        check_place("out", out, folder=True)
        overrides = dict(read_settings(config)) if config else {}
        with naming("dataset", dataset):
            data = load(dataset)
        from ...datasets.entries.data import whole_history
        from ...evaluation.adapters.foreign import needs_training
        from ...evaluation.adapters.predictor_folder import Trained, holds_predictor, remember_training, store_predictor
        from ...runtime.locks import only_one

        with naming("model", model) if config is None else naming("config", config):
            if epochs is not None:
                overrides["train"] = {**table_of(overrides, "train"), "max_epochs": epochs}
            built = build_model(model, data.metadata, overrides)
        if partition_by is not None:
            with naming("partition-by", partition_by):
                built = partitioned(built, data, partition_by, partition_size)
                built.workers, built.ray, built.address = workers or 1, ray, address
        if not needs_training(built):
            raise ValueError(f"model: {model!r} learns nothing and needs no training; use it in `hemline backtest`")
        with only_one(out / ".lock", f"out: expected a folder that no other training is writing to, got {out}"):
            if holds_predictor(out):
                raise ValueError(f"out: expected a folder without a predictor, got {out}, which has one")
            typer.echo(f"Training {model} on {dataset}: {data.metadata.target_dim} series")
            with naming("model", model) if config is None else naming("config", config):
                predictor = built.for_run(seed, out / "checkpoints").train(whole_history(data) if whole else data.train)
            remember_training(out, Trained(dataset, model, overrides, seed, whole, partition_by, partition_size))
            store_predictor(predictor, out)
        typer.echo(f"The predictor lies in {out}")

    @app.command()
    def forecast(
        predictor: Annotated[Path, typer.Option(help="Folder that `hemline train` wrote.")],
        dataset: Annotated[str, typer.Option(help="Name of a dataset, or the TOML file of a table.")],
        out: Annotated[Path, typer.Option(help="File to write, .csv, .parquet or .xlsx.")],
        window: Annotated[
            int | None,
            typer.Option(help="Forecast this test window (0 is the first), not the time after the data."),
        ] = None,
        num_samples: Annotated[int, typer.Option(help="Sample paths.")] = 100,
        quantiles: Annotated[
            str | None, typer.Option(help="Probabilities of the columns to write, as in 0.1,0.5,0.9.")
        ] = None,
        levels: Annotated[
            str | None, typer.Option(help="Prediction intervals to write, per cent, as in 80,95.")
        ] = None,
        device: Device = "auto",
        trust: Trust = None,
    ) -> None:
        """Forecast the steps after the end of a dataset, or one of its test windows.

        After the end of a table with covariates it takes rows of dates to come, with covariates and without target.

        Example: hemline forecast --predictor runs/sales --dataset simulated_sales --window 0 --out sales.csv
        """
        check_place("out", out, folder=False)
        check_there("predictor", predictor, folder=True)
        probabilities, percents = numbers_of("quantiles", quantiles), numbers_of("levels", levels) or ()
        torch_device(device)
        from ...evaluation.adapters.foreign import read_for
        from ..models.stored import load_predictor
        from ..paths.table import check_ending, forecast_frame, write_frame

        check_ending(out)
        with naming("predictor", predictor):
            trained = load_predictor(predictor, device=device, trust=trust or ())
        with naming("dataset", dataset):
            data = read_for(trained, load, dataset)
        with naming("window", window):
            entry = data.history(window)
        with naming("predictor", predictor):
            drawn = next(iter(trained.predict([entry], num_samples=num_samples)))
        frame = forecast_frame(drawn, entry.item_ids, quantiles=probabilities, levels=percents)
        write_frame(frame, out)
        first, last = frame["timestamp"].min(), frame["timestamp"].max()
        if data.ended and window is None:
            typer.echo(
                f"{len(data.ended)} series have ended and are left out: {', '.join(data.ended[:5])}"
                + (" …" if len(data.ended) > 5 else "")
            )
        typer.echo(f"{len(frame)} rows, {first:%Y-%m-%d} to {last:%Y-%m-%d}, in {out}")


def _update(
    before: Path,
    dataset: str | None,
    out: Path,
    load: Callable[..., ForecastData],
    whole: bool,
    trust: Sequence[str] = (),
) -> None:
    """Let a trained model go on with the data as they are now."""
    check_place("out", out, folder=True)
    check_there("from", before, folder=True)
    from ...datasets.entries.data import whole_history
    from ...datasets.entries.frequency import written_date
    from ...evaluation.adapters.foreign import for_run, read_for, updated
    from ...evaluation.adapters.predictor_folder import (
        holds_predictor,
        remember_training,
        remembered_training,
        store_predictor,
    )
    from ...runtime.locks import only_one
    from ..models.stored import load_predictor
    from ..names import NAMES

    with naming("from", before):
        fitted, trained = load_predictor(before, trust=trust), remembered_training(before)
    if ":" in trained.model and not NAMES.trusting(*trust).knows(trained.model):
        raise ValueError(
            f"from: {before} names {trained.model!r}, which is code; if you trust it, say so: --trust {trained.model}"
        )
    with naming("dataset", dataset or trained.dataset):
        data = read_for(fitted, load, dataset) if dataset else load_remembered(before, fitted, load)
    trained = replace(trained, dataset=dataset or trained.dataset, whole=whole or trained.whole)
    with only_one(out / ".lock", f"out: expected a folder that no other training is writing to, got {out}"):
        if out != before and holds_predictor(out):
            raise ValueError(f"out: expected a folder without a predictor, got {out}, which has one")
        entries = whole_history(data) if trained.whole else data.train
        until = written_date(entries[-1].start, entries[-1].length - 1)
        typer.echo(f"Updating {trained.model} with {trained.dataset}: {data.metadata.target_dim} series until {until}")
        with naming("from", before):
            built = build_model(trained.model, data.metadata, trained.settings)
            if trained.partition_by is not None:
                built = partitioned(built, data, trained.partition_by, trained.partition_size)
            model = for_run(built, trained.seed)
            predictor = updated(model, fitted, entries, out / "checkpoints" / f"until-{until}")
        remember_training(out, trained)
        store_predictor(predictor, out)
    typer.echo(f"The predictor lies in {out}")


def partitioned(model: Model, data: ForecastData, by: str, size: int | None) -> PartitionedEstimator:
    """The model of each partition as one of all of them.

    Arguments:
        model: of a partition.
        data: whose articles have the attributes.
        by: an attribute, several with commas between, or ``"correlation"``.
        size: the most articles of a partition.

    Raises:
        ValueError: the articles have no such attribute, or there is no label for one of them.
    """
    from ..wrappers.partitions.assignment import partitions_of
    from ..wrappers.partitions.estimator import PartitionedEstimator

    parts = [part.strip() for part in by.split(",")]
    levels = parts[0] if len(parts) == 1 else tuple(parts)
    partitions_of(data.whole, levels, size)
    return PartitionedEstimator(model, levels, size=size)


def _no_partitions(size: int | None, workers: int | None, ray: bool, address: str | None) -> None:
    given = {"partition-size": size, "workers": workers, "ray": ray or None, "address": address}
    for name, value in given.items():
        if value is not None:
            raise ValueError(f"{name}: expected with --partition-by only, got {value}")


def read_settings(path: Path) -> Mapping[str, object]:
    """Read settings from a TOML file.

    Raises:
        ValueError: the file is not TOML.
    """
    with naming("config", path):
        return read_toml(path, f"config: {path}")


def table_of(settings: Mapping[str, object], key: str) -> Mapping[str, object]:
    """The table that settings have under a key; an empty one where they have none.

    Raises:
        ValueError: it is no table.
    """
    table = settings.get(key, {})
    if not isinstance(table, Mapping):
        raise ValueError(f"{key}: expected a table, got {table!r}")
    return table
