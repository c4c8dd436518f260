"""Prediction changes nothing that another thread or the caller can see."""

import random
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import torch
from gluonts.model.predictor import Predictor
from hemline.datasets import simulated_sales
from hemline.forecasting import MODELS
from torch.distributions import Distribution

SALES = simulated_sales(articles=3, weeks=120, windows=1)
HISTORY = SALES.train[-1] | {"feat_dynamic_real": SALES.test[-1]["feat_dynamic_real"]}


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
        np.geterr(),
        list(warnings.filters),
    )


@pytest.fixture
def impatient():
    """Threads that take turns far more often than they would."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("name", MODELS)
def test_twelve_predictions_in_four_threads_are_as_one_alone(name, trained_shortly, impatient):
    if name.startswith("auto-"):
        pytest.importorskip("statsforecast", reason="needs the extra `classical`")
    model = trained_shortly(name, SALES)

    def ask(seed: int) -> np.ndarray:
        return next(iter(model.predict([HISTORY], num_samples=20, seed=seed))).samples

    alone = {seed: ask(seed) for seed in range(3)}
    together, before = Barrier(4), state()

    def ask_at_once(number: int) -> np.ndarray:
        together.wait(timeout=60)
        return ask(number % 3)

    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(ask_at_once, range(12)))
    assert state() == before
    for number, paths in enumerate(drawn):
        assert np.isfinite(paths).all()
        np.testing.assert_array_equal(paths, alone[number % 3])


def test_a_training_and_forecasts_of_other_libraries_do_not_disturb_each_other(trained_shortly, impatient):
    other = trained_shortly("deepar", SALES)

    def trained(_: int) -> dict[str, torch.Tensor]:
        return trained_shortly("gru-maf", SALES).forecaster.state_dict()

    def ask(_: int) -> np.ndarray:
        return next(iter(other.predict([HISTORY], num_samples=20, seed=1))).samples

    weights, paths, before = trained(0), ask(0), state()
    with ThreadPoolExecutor(4) as pool:
        asked, trainings = pool.map(ask, range(6)), pool.map(trained, range(3))
        for again in asked:
            np.testing.assert_array_equal(again, paths)
        for again in trainings:
            assert all(torch.equal(again[name], weight) for name, weight in weights.items())
    assert state() == before


class Remembering(Predictor):
    """Another predictor, and what it has handed out as it was then."""

    def __init__(self, predictor):
        super().__init__(prediction_length=predictor.prediction_length)
        self.predictor, self.handed_out = predictor, []

    def predict(self, dataset, **kwargs):
        for forecast in self.predictor.predict(dataset, **kwargs):
            self.handed_out.append((forecast, forecast.samples.copy()))
            yield forecast


@pytest.mark.parametrize("name", ["deepar-coupled", "var-responding", "cold-start"])
def test_a_wrapper_leaves_the_forecasts_of_its_model_as_they_are(name, trained_shortly, monkeypatch):
    model = trained_shortly(name, SALES)
    beneath = Remembering(model.predictor)
    monkeypatch.setattr(model, "predictor", beneath)
    drawn = next(iter(model.predict([HISTORY], num_samples=20)))
    ((handed_out, samples),) = beneath.handed_out
    assert drawn is not handed_out
    np.testing.assert_array_equal(handed_out.samples, samples)
    assert (drawn.start_date, drawn.item_id) == (handed_out.start_date, handed_out.item_id)
