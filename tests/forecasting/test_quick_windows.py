"""Windows of gluonts' own networks: the same values as gluonts cuts, in less time."""

import copy

import numpy as np
import pandas as pd
import pytest
from gluonts.torch import DeepAREstimator, PatchTSTEstimator, TemporalFusionTransformerEstimator
from gluonts.transform import ExpectedNumInstanceSampler, InstanceSplitter
from hemline.evaluation.adapters import estimator as adapter
from hemline.evaluation.adapters.estimator import GroupedEstimator
from hemline.evaluation.adapters.gluonts.windows import TrainingWindows, with_quick_windows


def sales(series=3, length=60):
    """Noise with a start, as one entry."""
    return [{"start": pd.Period("2024-01-01", "D"), "target": np.random.default_rng(0).normal(5, 1, (series, length))}]


@pytest.mark.parametrize(("lead_time", "output_NTC"), [(0, True), (2, True), (0, False)])
def test_windows_are_those_of_gluonts_value_by_value(lead_time, output_NTC):
    rng = np.random.default_rng(0)
    entry = {
        "start": pd.Period("2024-01-01", "D"),
        "target": rng.normal(size=30).astype(np.float32),
        "time_feat": rng.normal(size=(3, 40)),
        "static": np.array([1.0]),
    }
    settings = {
        "target_field": "target",
        "is_pad_field": "is_pad",
        "start_field": "start",
        "forecast_start_field": "forecast_start",
        "instance_sampler": ExpectedNumInstanceSampler(num_instances=20, min_instances=25, min_future=7),
        "past_length": 12,
        "future_length": 5,
        "time_series_fields": ["time_feat"],
        "dummy_value": -3.0,
        "lead_time": lead_time,
        "output_NTC": output_NTC,
    }
    found = []
    for kind in (InstanceSplitter, TrainingWindows):
        np.random.seed(1)
        splitter = kind(**{**settings, "instance_sampler": copy.deepcopy(settings["instance_sampler"])})
        found.append(list(splitter.flatmap_transform(entry, is_train=True)))
    theirs, ours = found
    assert len(ours) == len(theirs) >= 25
    assert any(window["past_is_pad"].any() for window in ours)
    for expected, got in zip(theirs, ours, strict=True):
        del expected["forecast_start"]
        assert set(got) == set(expected)
        for name, value in expected.items():
            assert np.array_equal(got[name], value), name
            assert np.asarray(got[name]).dtype == np.asarray(value).dtype, name


@pytest.mark.parametrize(
    "model",
    [
        DeepAREstimator("D", 4, context_length=6, num_batches_per_epoch=3, trainer_kwargs={"max_epochs": 2}),
        PatchTSTEstimator(4, 8, 4, num_batches_per_epoch=3, trainer_kwargs={"max_epochs": 2}),
        TemporalFusionTransformerEstimator("D", 4, num_batches_per_epoch=2, trainer_kwargs={"max_epochs": 1}),
    ],
    ids=["deepar", "patch-tst", "tft"],
)
def test_a_training_is_the_one_with_windows_of_gluonts(model, monkeypatch):
    data = sales()
    found = []
    for windows in (with_quick_windows, copy.copy):
        monkeypatch.setattr(adapter, "with_quick_windows", windows)
        predictor = GroupedEstimator(model).train(data)
        found.append(next(iter(predictor.predict(data, num_samples=5))).samples)
    assert np.array_equal(*found)


class Own(DeepAREstimator):
    """Somebody's change of a network of gluonts."""


def test_a_changed_network_keeps_its_own_windows_and_so_does_a_predictor():
    kinds = {}
    for name, model in (("own", Own("D", 4)), ("theirs", DeepAREstimator("D", 4))):
        quick, module = with_quick_windows(model), model.create_lightning_module()
        for mode in ("training", "validation", "test"):
            kinds[name, mode] = type(quick._create_instance_splitter(module, mode))
        assert "_create_instance_splitter" not in vars(model)
    assert {each for each, kind in kinds.items() if kind is TrainingWindows} == {
        ("theirs", "training"),
        ("theirs", "validation"),
    }
