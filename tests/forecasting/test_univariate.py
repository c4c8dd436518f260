"""Univariate gluonts models as joint ones: DeepAR, PatchTST and TFT on small data."""

import re

import numpy as np
import pandas as pd
import pytest
from gluonts.model.forecast import QuantileForecast
from gluonts.model.predictor import Predictor
from gluonts.model.seasonal_naive import SeasonalNaivePredictor as GluontsSeasonalNaive
from gluonts.torch import (
    DeepAREstimator,
    PatchTSTEstimator,
    SimpleFeedForwardEstimator,
    TemporalFusionTransformerEstimator,
)
from gluonts.transform import AddObservedValuesIndicator
from hemline.datasets import Metadata, simulated_sales
from hemline.evaluation import backtest
from hemline.evaluation.adapters.predictor import GroupedPredictor, paths_of
from hemline.evaluation.adapters.single_series import reads_channels
from hemline.forecasting import (
    CoupledEstimator,
    GroupedEstimator,
    GRUMAFEstimator,
    Scenario,
    SeasonalNaivePredictor,
    build_model,
    couple,
    simulate,
)

SHORT = {"batch_size": 4, "num_batches_per_epoch": 2, "trainer_kwargs": {"max_epochs": 1}}
MODELS = {
    "deepar": lambda: DeepAREstimator("D", 7, hidden_size=4, lags_seq=[1, 2], **SHORT),
    "patch-tst": lambda: PatchTSTEstimator(7, context_length=14, patch_len=7, d_model=8, nhead=2, **SHORT),
    "tft": lambda: TemporalFusionTransformerEstimator("D", 7, hidden_dim=4, num_heads=2, **SHORT),
}


def test_channels_that_reach_beyond_the_target_are_fine_in_training():
    data = simulated_sales(articles=2, weeks=70, windows=1)
    latest = data.latest.until(data.latest.length - 8, 8)
    short = {"batch_size": 4, "batches_per_epoch": 2, "max_epochs": 1}
    trained = build_model("deepar", data.metadata, {"train": short}).train([latest])
    assert np.isfinite(next(trained.predict([latest], num_samples=3)).samples).all()


def test_series_in_another_order_than_in_training_are_found_by_name():
    """A scenario answers for the article that it names, and DeepAR takes none for another one."""
    entry = {"start": pd.Period("2024-01-07", "W-SUN"), "target": np.array([[100.0] * 20, [1.0] * 20])}
    predictor = GroupedPredictor(GluontsSeasonalNaive(prediction_length=2, season_length=1), item_ids=("coat", "hat"))
    same = simulate(predictor, {**entry, "item_ids": ("coat", "hat")}, paths=2)
    assert same.baseline.units("coat").tolist() == [200]
    turned = simulate(predictor, {**entry, "item_ids": ("hat", "coat")}, paths=2)
    assert turned.baseline.units("hat").tolist() == [200]
    assert turned.baseline.units("coat").tolist() == [2]
    alone = next(predictor.predict([{**entry, "target": entry["target"][:1], "item_ids": ("coat",)}]))
    assert alone.samples.shape[1:] == (2, 1)
    with pytest.raises(ValueError, match="dataset: expected some of the series of the training, 'coat', 'hat', got 's"):
        next(predictor.predict([{**entry, "item_ids": ("scarf", "glove")}]))


@pytest.mark.parametrize("name", MODELS)
def test_a_gluonts_model_is_trained_over_the_series_grouped_and_read_back(name, walks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    estimator = GroupedEstimator(MODELS[name]())
    predictor = estimator.train(walks)
    forecast = next(predictor.predict(walks, num_samples=11))
    assert forecast.samples.shape == (11, 7, 4)
    assert np.isfinite(forecast.samples).all()
    assert forecast.start_date == walks[0]["start"] + 200
    assert [row["epoch"] for row in predictor.training_log] == [0]
    assert not list(tmp_path.iterdir()), "nothing is left where it ran"
    assert "callbacks" not in estimator.estimator.trainer_kwargs, "the estimator stays as it was"
    predictor.serialize(tmp_path / "predictor")
    again = next(Predictor.deserialize(tmp_path / "predictor").predict(walks, num_samples=11))
    np.testing.assert_allclose(again.samples, forecast.samples, rtol=1e-5)


def test_what_a_network_reads_of_an_article_is_asked_for_by_name(walks, tmp_path):
    static = {"feat_static_real": np.eye(4, 2), "feat_static_cat": np.array([[0], [1], [0], [1]])}
    entry = {**walks[0], **static, "feat_dynamic_real": np.ones((3, 207)), "item_ids": ("a", "b", "c", "d")}
    model = DeepAREstimator(
        "D",
        7,
        hidden_size=4,
        lags_seq=[1, 2],
        num_feat_static_real=2,
        num_feat_static_cat=2,
        cardinality=[4, 2],
        num_feat_dynamic_real=3,
        **SHORT,
    )
    trained = GroupedEstimator(model).train([{**entry, "feat_dynamic_real": np.ones((3, 200))}])
    trained.serialize(tmp_path)
    predictor = Predictor.deserialize(tmp_path)
    assert next(predictor.predict([entry], num_samples=2)).samples.shape == (2, 7, 4)
    for field, expected, other, got in (
        ("feat_static_real", 2, np.ones((4, 3)), 3),
        ("feat_static_cat", 1, np.ones((4, 3), int), 3),
        ("feat_dynamic_real", 3, np.ones((2, 207)), 2),
    ):
        asked = f"dataset: expected {field} of length {expected} for each series as in training, got"
        without = {key: value for key, value in entry.items() if key != field}
        with pytest.raises(ValueError, match=f"{asked} none for series 'a' of entry 0"):
            list(predictor.predict([without], num_samples=2))
        with pytest.raises(ValueError, match=f"{asked} one of {got} for series 'a' of entry 0"):
            list(predictor.predict([{**entry, field: other}], num_samples=2))


@pytest.mark.parametrize("name", MODELS)
def test_a_run_is_seeded(name, walks):
    estimator = GroupedEstimator(MODELS[name]())
    drawn = [next(estimator.for_run(seed).train(walks).predict(walks, num_samples=3)).samples for seed in (1, 1, 2)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()


@pytest.mark.parametrize("name", MODELS)
def test_a_training_does_not_depend_on_those_before_it(name, walks):
    """The samplers of gluonts count the lengths of all series that they ever met."""
    used = GroupedEstimator(MODELS[name]())
    used.train([{**walks[0], "target": walks[0]["target"][:, :60]}])
    drawn = [
        next(estimator.train(walks).predict(walks, num_samples=3)).samples
        for estimator in (used, GroupedEstimator(MODELS[name]()))
    ]
    np.testing.assert_array_equal(*drawn)


def test_a_run_does_not_stop_where_the_one_before_it_did(walks):
    """A callback that stops a training remembers its best loss, and for how long there was none."""
    from lightning.pytorch.callbacks import EarlyStopping

    options = {"max_epochs": 3, "callbacks": [EarlyStopping("train_loss", min_delta=1e9, patience=2)]}
    model = SimpleFeedForwardEstimator(7, batch_size=4, num_batches_per_epoch=1, trainer_kwargs=options)
    estimator = GroupedEstimator(model)
    epochs = [len(estimator.for_run(seed).train(walks).training_log) for seed in (0, 1)]
    assert epochs == [3, 3]


METADATA = Metadata("walks", "D", 7, ("a", "b", "c", "d"), season=7)


def naive_of(metadata):
    return SeasonalNaivePredictor(metadata.prediction_length, metadata.season)


@pytest.mark.parametrize("name", MODELS)
def test_features_of_a_series_are_computed_once_and_the_training_stays_the_same(name, walks, monkeypatch):
    computed = []
    features = AddObservedValuesIndicator.transform

    def counted(self, entry):
        computed.append(entry["item_id"])
        return features(self, entry)

    monkeypatch.setattr(AddObservedValuesIndicator, "transform", counted)

    def forecast_and_count():
        computed.clear()
        predictor = GroupedEstimator(MODELS[name](), seed=3).train(walks)
        series = len(computed)
        return next(predictor.predict(walks, num_samples=3, seed=0)).samples, series

    kept, once = forecast_and_count()
    monkeypatch.setattr("hemline.evaluation.adapters.estimator.LARGEST_CACHE", 0)
    anew, often = forecast_and_count()
    np.testing.assert_array_equal(kept, anew)
    assert once == walks[0]["target"].shape[0] < often


def test_features_of_an_estimator_of_somebody_else_may_be_random_and_are_not_kept(walks, monkeypatch):
    class Augmented(DeepAREstimator):
        """A class of this file."""

    asked = []
    monkeypatch.setattr(DeepAREstimator, "train_model", lambda *rows, cache_data, **rest: asked.append(cache_data))
    for kind in (DeepAREstimator, Augmented):
        with pytest.raises(AttributeError):  # nothing was trained
            GroupedEstimator(kind("D", 7, **SHORT)).train(walks)
    assert asked == [True, False]


def test_a_model_of_another_package_is_made_by_its_name():
    model = build_model("gluonts.torch:PatchTSTEstimator", METADATA, {"patch_len": 7, "d_model": 8})
    assert (model.prediction_length, model.estimator.patch_len, model.estimator.d_model) == (7, 7, 8)
    assert build_model("gluonts.torch:DeepAREstimator", METADATA).estimator.freq == "D"
    assert build_model(f"{__name__}:naive_of", METADATA).season_length == 7
    assert isinstance(build_model("hemline.forecasting:GRUMAFEstimator", METADATA), GRUMAFEstimator)


def test_settings_of_a_grouped_gluonts_model_are_changed_by_name():
    model = GroupedEstimator(MODELS["patch-tst"](), seed=3).override({"estimator": {"d_model": 16}})
    assert (model.seed, model.estimator.d_model, model.estimator.patch_len) == (3, 16, 7)
    with pytest.raises(
        ValueError, match=r"GroupedEstimator.estimator: expected one of the settings pred.*, got 'd_modle'"
    ):
        model.override({"estimator": {"d_modle": 16}})


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("gluonts.torch:Nothing", {}, "models: cannot import 'gluonts.torch:Nothing'"),
        ("no_such_package:Model", {}, "models: cannot import 'no_such_package:Model'"),
        (
            "gluonts.torch:PatchTSTEstimator",
            {"width": 3},
            "PatchTSTEstimator: expected one of the settings .*, got 'width'",
        ),
        ("gluonts.torch:PatchTSTEstimator", {}, "PatchTSTEstimator: expected a value for patch_len"),
        ("datetime:date", {}, "expected an estimator or a function of the metadata, got 'datetime:date'"),
    ],
)
def test_a_name_that_makes_no_model_is_refused(name, settings, message):
    with pytest.raises(ValueError, match=message):
        build_model(name, METADATA, settings)


def test_a_grouped_model_is_coupled(walks):
    predictor = CoupledEstimator(GroupedEstimator(MODELS["patch-tst"]()), windows=12).train(walks)
    assert predictor.ranks.shape == (12, 7, 4)
    assert next(predictor.predict(walks, num_samples=20)).samples.shape == (20, 7, 4)


@pytest.mark.parametrize("of", [couple, lambda predictor, data, windows: CoupledEstimator(predictor, windows=windows)])
def test_a_gluonts_predictor_of_single_series_is_grouped_to_be_coupled(of, walks):
    single = GroupedEstimator(MODELS["patch-tst"]()).train(walks).predictor
    found = of(single, walks, windows=12)
    coupled = found if isinstance(found, Predictor) else found.train(walks)
    expected = couple(GroupedPredictor(single), walks, windows=12)
    np.testing.assert_array_equal(coupled.ranks, expected.ranks)


@pytest.mark.parametrize("name", ["deepar", "patch-tst", "tft", "seasonal-naive"])
def test_an_object_of_single_series_is_a_row_of_a_backtest(name):
    data = simulated_sales(articles=3, weeks=80, windows=2)
    horizon, small = data.metadata.prediction_length, {**SHORT, "trainer_kwargs": {"max_epochs": 1, "logger": False}}
    made = {
        "deepar": lambda: DeepAREstimator("W-SUN", horizon, hidden_size=4, lags_seq=[1, 2], **small),
        "patch-tst": lambda: PatchTSTEstimator(horizon, context_length=14, patch_len=7, d_model=8, nhead=2, **small),
        "tft": lambda: TemporalFusionTransformerEstimator("W-SUN", horizon, hidden_dim=4, num_heads=2, **small),
        "seasonal-naive": lambda: GluontsSeasonalNaive(horizon, season_length=4),
    }[name]
    wrapped = made()
    wrapped = GroupedPredictor(wrapped) if isinstance(wrapped, Predictor) else GroupedEstimator(wrapped)
    found = backtest({"object": made(), "wrapped": wrapped}, data, num_samples=10, metrics=["crps"], quiet=True)
    scores = found[found[["window", "item_id", "step"]].isna().all(axis=1)].set_index("model")["value"]
    assert scores["object"] == scores["wrapped"]
    assert np.isfinite(scores["object"])


def test_a_gluonts_estimator_of_single_series_is_grouped_to_be_coupled(walks):
    assert CoupledEstimator(MODELS["patch-tst"](), windows=12).train(walks).ranks.shape == (12, 7, 4)


@pytest.mark.parametrize(
    ("estimator", "reads"),
    [
        (MODELS["patch-tst"](), False),
        (PatchTSTEstimator(7, patch_len=7, num_feat_dynamic_real=1, **SHORT), True),
        (SimpleFeedForwardEstimator(7), False),
        (MODELS["tft"](), False),
        (TemporalFusionTransformerEstimator("D", 7, dynamic_dims=[1]), True),
        (GRUMAFEstimator("D", 7), True),
    ],
)
def test_what_reads_no_channels_says_so(estimator, reads):
    assert reads_channels(estimator) == reads


def test_a_grouped_model_that_reads_no_prices_answers_to_none():
    data = simulated_sales(articles=2, weeks=104, windows=1)
    model = PatchTSTEstimator(8, context_length=16, patch_len=8, d_model=8, nhead=2, **SHORT)
    predictor = GroupedEstimator(model).train(data.train)
    history = data.history(0)
    with pytest.raises(ValueError, match="channel: the model, or a member of it, has seen no covariates"):
        simulate(predictor, history, Scenario("half", "price[dress_1] = -50%"), paths=5)


def test_quantiles_are_drawn_at_even_levels_with_independent_steps(walks):
    levels = [0.1, 0.5, 0.9]
    arrays = np.array([[0.0, 10.0], [5.0, 15.0], [10.0, 20.0]])
    forecast = QuantileForecast(arrays, walks[0]["start"], [str(level) for level in levels])
    np.random.seed(0)
    paths = paths_of(forecast, 500)
    assert paths.shape == (500, 2)
    np.testing.assert_allclose(np.quantile(paths, levels, axis=0), arrays, atol=0.1)
    assert abs(np.corrcoef(paths.T)[0, 1]) < 0.15


def test_a_forecast_that_says_no_distribution_is_refused():
    with pytest.raises(ValueError, match="expected forecasts by samples, distributions or quantiles, got object"):
        paths_of(object(), 5)


def test_a_training_of_gluonts_says_each_epoch_with_the_time_that_is_left(caplog):
    short = {"trainer_kwargs": {"max_epochs": 2}, "num_batches_per_epoch": 1, "batch_size": 4}
    model = PatchTSTEstimator(7, context_length=14, patch_len=7, d_model=8, nhead=2, **short)
    entry = {"start": pd.Period("2024-01-01", "D"), "target": np.random.default_rng(0).gamma(2.0, size=(2, 60))}
    with caplog.at_level("INFO", logger="hemline"):
        GroupedEstimator(model).train([entry])
    said = [each.getMessage() for each in caplog.records if "epoch" in each.getMessage()]
    assert len(said) == 2
    assert re.fullmatch(r"epoch 1/2: loss -?[\d.]+ \([\d.]+ s, \d+ s left\)", said[0])
    assert said[1].endswith(" 0 s left)")
