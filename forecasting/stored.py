"""What the commands read and write: predictors in folders, forecasts as tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from gluonts.model.forecast import SampleForecast
from gluonts.model.predictor import Predictor

from ..datasets import ForecastData
from ..datasets.frequency import dates_of
from ..datasets.registry import is_description

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
_DATASET = "dataset.json"


def holds_predictor(path: Path) -> bool:
    """Whether a predictor of any kind was serialized into a folder."""
    return (path / "gluonts-config.json").is_file()


def load_predictor(path: Path) -> Predictor:
    """Read a predictor that was serialized into a folder.

    Raises:
        FileNotFoundError: the folder holds none.
    """
    if not holds_predictor(path):
        raise FileNotFoundError(f"predictor: expected a folder that `hemline train` wrote, got {path}")
    return Predictor.deserialize(path)


def remember_dataset(path: Path, dataset: str) -> None:
    """Note beside a predictor which dataset it was trained on: its name, or the full path of its TOML file."""
    name = str(Path(dataset).resolve()) if is_description(dataset) else dataset
    (path / _DATASET).write_text(json.dumps({"name": name}))


def remembered_dataset(path: Path) -> str:
    """The dataset that a predictor was trained on.

    Raises:
        ValueError: the folder does not say.
    """
    note = path / _DATASET
    if not note.is_file():
        raise ValueError(f"dataset: {path} does not say what the predictor was trained on; pass --dataset NAME")
    return str(json.loads(note.read_text())["name"])


def forecast_frame(drawn: SampleForecast, item_ids: tuple[str, ...]) -> pd.DataFrame:
    """A forecast as a long table.

    Arguments:
        drawn: ``samples`` ``[S, H, D]``.
        item_ids: names of the D series.

    Returns:
        A row a series and step: ``item_id, timestamp, mean`` and the quantiles ``q05`` to ``q95``.

    Example:
        >>> from hemline.datasets import simulated_sales
        >>> from hemline.forecasting import SeasonalNaivePredictor
        >>> data = simulated_sales(articles=2, weeks=104, windows=0)
        >>> drawn = next(SeasonalNaivePredictor(8, season_length=52).predict([data.latest]))
        >>> forecast_frame(drawn, data.metadata.item_ids).columns.tolist()
        ['item_id', 'timestamp', 'mean', 'q05', 'q10', 'q25', 'q50', 'q75', 'q90', 'q95']
    """
    # In single precision the mean of whole numbers has digits that none of them has.
    samples = np.asarray(drawn.samples, dtype=np.float64)
    _, horizon, dim = samples.shape
    columns = {
        "item_id": np.repeat(np.asarray(item_ids, dtype=object), horizon),
        "timestamp": np.tile(dates_of(drawn.start_date, horizon).to_numpy(), dim),
        "mean": samples.mean(0).T.ravel(),
    }
    for level, values in zip(QUANTILES, np.quantile(samples, QUANTILES, axis=0), strict=True):
        columns[f"q{round(100 * level):02d}"] = values.T.ravel()
    return pd.DataFrame(columns)


def history_of(data: ForecastData, window: int | None) -> dict[str, Any]:
    """The entry to continue: all of the data, or what lies before a test window.

    Arguments:
        data: the dataset.
        window: number of a test window, 0 the first; ``None`` for the time after the data.

    Raises:
        ValueError: there is no such window.
    """
    if window is None:
        return data.latest
    if not 0 <= window < len(data.test):
        expected = f"0 to {len(data.test) - 1}" if data.test else "no number, the dataset has no test windows"
        raise ValueError(f"window: expected {expected}, got {window}")
    entry = data.test[window]
    return {**entry, "target": entry["target"][:, : -data.metadata.prediction_length]}


def whole_history(data: ForecastData) -> list[dict[str, Any]]:
    """All that was observed, test windows too, to train on for the time after the data."""
    latest = data.latest
    goes_on = latest["start"] == data.train[0]["start"]
    return [latest] if goes_on else [*data.train, latest]
