"""What all tests share: real data where they are at hand, small data made here, no network, no user folders."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch


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
