"""The records of a backtest's folder, as its JSON files hold them: of runs, and of the cells that a grid planned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypedDict

import pandas as pd


class RunRecord(TypedDict, total=False):
    """A row of the runs table. Keys of the end of a run are not there before it, nor any that an older version lacked.

    ``status`` is ``"running"``, ``"finished"`` or ``"failed"``, and ``error`` says why it failed. ``refit_every`` is
    ``None`` where a model was trained once, ``archive`` where the data are no published ones. ``started`` and ``asked``
    are ISO 8601 moments in UTC.
    """

    run: str
    model: str
    dataset: str
    seed: int
    status: str
    error: str | None
    configuration: str
    configuration_hash: str
    data_fingerprint: str
    archive: str | None
    domain: str
    freq: str
    prediction_length: int
    target_dim: int
    windows: int
    num_samples: int
    history: str
    refit_every: int | None
    device: str
    versions: str
    started: str
    asked: str
    threads: int
    seconds_train: float
    seconds_predict: float
    seconds_score: float
    peak_memory_bytes: int


class PlannedCell(TypedDict):
    """A cell of a grid: its run and settings (``None`` if it could not be made), and why it could not."""

    model: str
    dataset: str
    seed: int
    run: str | None
    settings: str | None
    error: str | None


class Plan(TypedDict):
    """The cells of a grid, and when they were planned."""

    written: str
    cells: Sequence[PlannedCell]


class MissingCell(TypedDict):
    """A cell of a grid without a finished run: whether it failed, or was not run yet, and the reason."""

    model: str
    dataset: str
    seed: int
    failed: bool
    reason: str


RunsTable: TypeAlias = pd.DataFrame | Sequence[RunRecord] | None
"""The runs of a long table of scores; ``None`` for those that `backtest` attached to it."""
