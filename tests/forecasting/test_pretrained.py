"""Pretrained rows: the packages' real classes with tiny random weights, coupled, in a pool, stored; and bad input."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from hemline.datasets import simulated_sales
from hemline.evaluation import backtest
from hemline.forecasting import PooledEstimator, RandomWalkPredictor, RespondingEstimator, Scenario, couple, simulate
from hemline.forecasting.models.pretrained.chronos import ChronosPredictor
from hemline.forecasting.models.pretrained.quantile_paths import drawn_from_quantiles
from hemline.forecasting.models.pretrained.timesfm import TimesFMPredictor
from hemline.forecasting.models.stored import load_predictor
from scipy.stats import norm

HORIZON = 4
LEVELS = [round(0.1 * number, 1) for number in range(1, 10)]


@pytest.fixture(scope="module")
def data():
    return simulated_sales(articles=3, weeks=112, prediction_length=HORIZON, windows=1, seed=1)


@pytest.fixture(scope="module")
def chronos_2(tmp_path_factory):
    """A Chronos-2 of 16 numbers a step."""
    pytest.importorskip("chronos")
    from chronos.chronos2 import Chronos2Model
    from chronos.chronos2.config import Chronos2CoreConfig

    torch.manual_seed(0)
    forecasting = {"context_length": 64, "output_patch_size": 8, "input_patch_size": 8, "input_patch_stride": 8}
    forecasting |= {"quantiles": LEVELS, "use_reg_token": True, "use_arcsinh": True, "max_output_patches": 2}
    config = Chronos2CoreConfig(d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, initializer_factor=1.0)
    config.chronos_config, config.chronos_pipeline_class = forecasting, "Chronos2Pipeline"
    config.architectures = ["Chronos2Model"]
    folder = tmp_path_factory.mktemp("chronos2")
    Chronos2Model(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def chronos_bolt(tmp_path_factory):
    """A Chronos-Bolt of 16 numbers a step."""
    pytest.importorskip("chronos")
    from chronos.chronos_bolt import ChronosBoltModelForForecasting
    from transformers import T5Config

    torch.manual_seed(0)
    config = T5Config(d_model=16, d_kv=8, d_ff=32, num_layers=1, num_decoder_layers=1, num_heads=2, vocab_size=2)
    config.decoder_start_token_id, config.pad_token_id = 0, 0
    config.chronos_config = {"context_length": 64, "prediction_length": 8, "input_patch_size": 8}
    config.chronos_config |= {"input_patch_stride": 8, "quantiles": LEVELS, "use_reg_token": True}
    config.chronos_pipeline_class = "ChronosBoltPipeline"
    config.architectures = ["ChronosBoltModelForForecasting"]
    folder = tmp_path_factory.mktemp("bolt")
    ChronosBoltModelForForecasting(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def timesfm_25(tmp_path_factory):
    """TimesFM 2.5 of 16 numbers a step and one layer; the package fixes the size in its class."""
    timesfm = pytest.importorskip("timesfm")
    from timesfm.configs import ResidualBlockConfig, StackedTransformersConfig, TransformerConfig
    from timesfm.timesfm_2p5 import timesfm_2p5_base, timesfm_2p5_torch

    def block(size: int, out: int, bias: bool = False) -> ResidualBlockConfig:
        return ResidualBlockConfig(size, 16, out, bias, "swish")

    transformer = TransformerConfig(16, 16, 2, "rms", "rms", "rms", False, True, "swish", True)
    tiny = timesfm_2p5_base.TimesFM_2p5_200M_Definition(
        tokenizer=block(64, 16, bias=True),
        stacked_transformers=StackedTransformersConfig(1, transformer),
        output_projection_point=block(16, 1280),
        output_projection_quantiles=block(16, 10240),
    )
    folder = tmp_path_factory.mktemp("timesfm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timesfm_2p5_torch.TimesFM_2p5_200M_torch_module, "config", tiny)
        torch.manual_seed(0)
        timesfm.TimesFM_2p5_200M_torch(torch_compile=False)._save_pretrained(str(folder))
        yield str(folder)


def test_normal_quantiles_give_normal_draws_tails_too():
    levels = np.array([0.1, 0.3, 0.5, 0.9])
    quantiles = np.stack([norm.ppf(levels, 3, 2), norm.ppf(levels, -1, 0.5)])[None]
    drawn = drawn_from_quantiles(quantiles, levels, 200_000, np.random.default_rng(0))
    for series, (mean, deviation) in enumerate(((3, 2), (-1, 0.5))):
        found = np.quantile(drawn[:, 0, series], [0.001, 0.05, 0.5, 0.95, 0.999])
        np.testing.assert_allclose(found, norm.ppf([0.001, 0.05, 0.5, 0.95, 0.999], mean, deviation), atol=0.1)


def test_crossing_quantiles_are_put_in_order():
    drawn = drawn_from_quantiles(
        np.array([[[2.0, 1.0, 3.0]]]), np.array([0.1, 0.5, 0.9]), 2000, np.random.default_rng(0)
    )
    assert np.quantile(drawn, 0.5) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(
    ("kind", "weights"),
    [(ChronosPredictor, "chronos_2"), (ChronosPredictor, "chronos_bolt"), (TimesFMPredictor, "timesfm_25")],
)
def test_the_real_class_with_tiny_weights_is_a_row(kind, weights, data, request, tmp_path):
    model = kind(HORIZON, request.getfixturevalue(weights), context_length=64)
    (forecast,) = model.predict([data.history(0)], num_samples=30, seed=2)
    assert forecast.samples.shape == (30, HORIZON, 3)
    assert (forecast.samples >= 0).all()
    assert (forecast.samples % 1 == 0).all()
    (again,) = model.predict([data.history(0)], num_samples=30, seed=2)
    np.testing.assert_array_equal(forecast.samples, again.samples)
    # Stored, and sent to another process: it says where its weights lie.
    model.serialize(tmp_path / "stored")
    for other in (load_predictor(tmp_path / "stored"), pickle.loads(pickle.dumps(model))):
        (same,) = other.predict([data.history(0)], num_samples=30, seed=2)
        np.testing.assert_array_equal(forecast.samples, same.samples)
    scores = backtest({"pretrained": model}, data, num_samples=20, metrics="crps", quiet=True)
    assert np.isfinite(scores["value"]).all()
    # Ranks of past errors tie the paths of the series; the marginals stay.
    coupled = couple(model, data.train, windows=6, num_samples=20)
    entry = data.history(0).of_domain("real")
    (tied,), (alone,) = (each.predict([entry], num_samples=30, seed=2) for each in (coupled, model))
    np.testing.assert_array_equal(np.sort(tied.samples, 0), np.sort(alone.samples, 0))


def test_gaps_are_taken(data, chronos_2, timesfm_25):
    entry = data.history(0)
    target = entry.target.copy()
    target[0, 40:60] = np.nan
    target[1, :30] = np.nan
    for model in (ChronosPredictor(HORIZON, chronos_2), TimesFMPredictor(HORIZON, timesfm_25, 64)):
        (forecast,) = model.predict([entry.with_(target=target)], num_samples=10)
        assert np.isfinite(forecast.samples).all()


def test_channels_are_read_where_the_model_takes_them(data, chronos_2, chronos_bolt):
    entry = data.history(0)
    for weights, reads in ((chronos_2, True), (chronos_bolt, False)):
        levels, usual = ChronosPredictor(HORIZON, weights).quantiles(entry)
        values = entry.channels.values.copy()
        values[0, -HORIZON:] *= 0.5
        _, changed = ChronosPredictor(HORIZON, weights).quantiles(
            entry.with_(channels=type(entry.channels)(values, entry.channels.names))
        )
        assert len(levels) == 9
        assert (np.abs(changed[:, 0] - usual[:, 0]).max() > 1e-6) == reads
        np.testing.assert_allclose(changed[:, 1:], usual[:, 1:], rtol=1e-5)
    outcomes = simulate(ChronosPredictor(HORIZON, chronos_2), entry, Scenario("cut", "price[dress_1] = -50%"), paths=20)
    assert (outcomes["cut"].paths != outcomes["baseline"].paths).any()
    with pytest.raises(ValueError, match=r"the model, or a member of it, has seen no covariates"):
        simulate(ChronosPredictor(HORIZON, chronos_bolt), entry, Scenario("cut", "price[dress_1] = -50%"), paths=5)


def test_prices_are_answered_to_by_a_response_around_it(data, timesfm_25):
    model = RespondingEstimator(TimesFMPredictor(HORIZON, timesfm_25, 64), domain="count").train(data.train)
    outcomes = simulate(model, data.history(0), Scenario("cut", "price[dress_1] = -30%"), paths=50)
    assert outcomes["cut"].units("dress_1").mean() > outcomes["baseline"].units("dress_1").mean()


def test_a_pool_weighs_it(data, chronos_bolt):
    models = {"bolt": ChronosPredictor(HORIZON, chronos_bolt), "walk": RandomWalkPredictor(HORIZON)}
    pool = PooledEstimator(models, windows=2, smallest=0.0, num_samples=20, domain="count").train(data.train)
    (forecast,) = pool.predict([data.history(0)], num_samples=20)
    assert set(pool.member_names) <= {"bolt", "walk"}
    assert forecast.samples.shape == (20, HORIZON, 3)


@pytest.mark.parametrize("kind", [ChronosPredictor, TimesFMPredictor])
def test_wrong_weights_are_one_line(kind, data, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="weights: expected a folder or a model of the hub") as caught:
        next(kind(HORIZON, str(tmp_path)).predict([data.history(0)], num_samples=5))
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=r"weights: expected a folder or the name"):
        kind(HORIZON, " ")


def test_a_series_without_a_value_is_named(data, chronos_bolt):
    entry = data.history(0)
    target = entry.target.copy()
    target[2] = np.nan
    with pytest.raises(ValueError, match=r"only missing values in 'dress_3'"):
        next(ChronosPredictor(HORIZON, chronos_bolt).predict([entry.with_(target=target)], num_samples=5))


def test_a_package_that_is_not_there_is_named(data, monkeypatch):
    import sys

    for module, kind in (("chronos", ChronosPredictor), ("timesfm", TimesFMPredictor)):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(ValueError, match=rf"expected it to be installed, got none; pip install '{module}"):
            next(kind(HORIZON).predict([data.history(0)], num_samples=5))
