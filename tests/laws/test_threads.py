"""Prediction changes nothing that another thread or the caller can see."""

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hemline.datasets import simulated_sales
from hemline.forecasting import MODELS, build_model
from torch.distributions import Distribution

SALES = simulated_sales(articles=3, weeks=120, windows=1)
FEW = {"max_epochs": 1, "batches_per_epoch": 2}
SHORT = {
    "pool": {"models": {name: {"train": FEW} for name in ("cross-fit", "deepar", "density")}, "windows": 1},
    "sales-maf-ensemble": {"model": {"train": FEW}, "members": 2},
    "deepar-coupled": {"model": {"train": FEW}, "windows": 5},
    "timegrad": {"train": FEW, "head": {"steps": 5}},
}
WITHOUT = ("analog", "cold-start", "var", "auto-", "last-value", "seasonal-", "random-walk")


def state() -> tuple:
    """What a call could leave changed of the process."""
    numpy = np.random.get_state()
    return (
        torch.get_rng_state().tolist(),
        (numpy[1].tolist(), numpy[2:]),
        random.getstate(),
        torch.get_default_dtype(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        Distribution._validate_args,
    )


# Python's filters of warnings are of the whole process up to 3.13, so that one thread's context can end another's.
@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence for multidimensional indexing")
@pytest.mark.parametrize("name", MODELS)
def test_twelve_predictions_in_four_threads_are_as_one_alone(name):
    if name.startswith("auto-"):
        pytest.importorskip("statsforecast", reason="needs the extra `classical`")
    model = build_model(name, SALES.metadata, SHORT.get(name, {} if name.startswith(WITHOUT) else {"train": FEW}))
    model = model.train(SALES.train) if hasattr(model, "train") else model

    def ask(seed: int) -> np.ndarray:
        return next(iter(model.predict([SALES.train[-1] | WEEKS], num_samples=20, seed=seed))).samples

    alone = {seed: ask(seed) for seed in range(3)}
    before = state()
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(ask, [number % 3 for number in range(12)]))
    assert state() == before
    for number, paths in enumerate(drawn):
        assert np.isfinite(paths).all()
        np.testing.assert_array_equal(paths, alone[number % 3])


WEEKS = {"feat_dynamic_real": SALES.test[-1]["feat_dynamic_real"]}
