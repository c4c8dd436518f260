"""What all tests share: real data where they are at hand, small data made here, no network, no user folders."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

SHORT = {"train": {"max_epochs": 1, "batches_per_epoch": 2, "batch_size": 8}}
FEW = {"response": {"iterations": 3}}
MEMBERS = {
    "cross-fit": {**SHORT, **FEW},
    "deepar": SHORT,
    "density": {**SHORT, **FEW},
    "analog": {"model": {"origins": 4}, **FEW},
    "var": FEW,
    "analog-plain": {"origins": 4},
}
QUICK = {
    "analog": {"model": {"origins": 4}},
    "auto-arima": {"history": 20},
    "auto-ets": {"history": 20},
    "cold-start": {"model": {"model": {"origins": 4}}, **FEW},
    "counts": {},
    "croston": {},
    "tsb": {},
    "deepar-coupled": {"model": SHORT, "windows": 4},
    # So much towards equal weights that every member keeps one.
    "pool": {"models": MEMBERS, "windows": 2, "num_samples": 10, "smallest": 0.0, "shrinkage": 100.0},
    "sales-maf-ensemble": {"model": SHORT, "members": 2},
    "timegrad": {**SHORT, "head": {"steps": 5}},
    "var-responding": {},
}


@pytest.fixture(scope="session")
def trained_shortly() -> Callable[[str, Any], Any]:
    """A function that makes a model by its name for a dataset and trains it for a second at most."""
    from hemline.forecasting import build_model  # here, because the tests of pictures need no models of series

    def trained(name: str, data: Any) -> Any:
        model = build_model(name, data.metadata)
        if not hasattr(model, "train"):
            return model.override(QUICK.get(name, {}))
        return model.override(QUICK.get(name, SHORT)).train(data.train)

    return trained


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory):
    """Keep downloads and plots of the tests out of the user's folders."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEMLINE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("MPLBACKEND", "agg")
        yield


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Here and in processes that a test starts: where others use the cores, threads wait minutes for each other."""
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="session")
def real_series() -> Path:
    """The folder with the benchmark archive."""
    for folder in os.environ.get("HEMLINE_DATA", "").split(":"):
        if folder and (Path(folder) / "exchange_rate_nips.tar.gz").exists():
            return Path(folder)
    pytest.skip("needs HEMLINE_DATA to name a folder with exchange_rate_nips.tar.gz")


@pytest.fixture
def walks() -> list[dict]:
    """One multivariate entry: four correlated random walks over 200 days."""
    generator = np.random.default_rng(0)
    common = generator.normal(size=(1, 200))
    steps = 0.7 * common + 0.3 * generator.normal(size=(4, 200))
    levels = (50 + steps.cumsum(1)).astype(np.float32)
    return [{"start": pd.Period("2024-01-01", "D"), "target": levels, "item_id": "walks"}]


@pytest.fixture
def float64():
    """Double precision as torch's default."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
