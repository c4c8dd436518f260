"""Loggers of Lightning, and the curves that they were given."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from lightning.pytorch.loggers import CSVLogger, Logger, MLFlowLogger, TensorBoardLogger

Curves = dict[str, list[tuple[int, float]]]
KINDS = ("csv", "tensorboard", "mlflow")


def a_logger(kind: str, folder: Path, patch: pytest.MonkeyPatch) -> tuple[Logger, Callable[[], Curves]]:
    """A logger of a kind, and what reads (steps, value) of each of its curves; the extra `dev` installs all of them."""
    if kind == "csv":
        return CSVLogger(folder, name=None, version=""), lambda: _of_csv(folder / "metrics.csv")
    if kind == "tensorboard":
        board = TensorBoardLogger(folder, name=None, version="")
        return board, lambda: _of_tensorboard(folder)
    patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    flow = MLFlowLogger("curves", tracking_uri=folder.as_uri())
    return flow, lambda: _of_mlflow(flow)


def _of_csv(path: Path) -> Curves:
    found: Curves = {}
    with path.open() as file:
        for row in csv.DictReader(file):
            for name, value in row.items():
                if name != "step" and value:
                    found.setdefault(name, []).append((int(row["step"]), float(value)))
    return found


def _of_tensorboard(folder: Path) -> Curves:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {name: [(event.step, event.value) for event in events.Scalars(name)] for name in events.Tags()["scalars"]}


def _of_mlflow(logger: MLFlowLogger) -> Curves:
    client, run = logger.experiment, logger.run_id
    assert run is not None
    points = {name: client.get_metric_history(run, name) for name in client.get_run(run).data.metrics}
    return {name: [(point.step, point.value) for point in told] for name, told in points.items()}
