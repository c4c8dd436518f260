"""Networks of gluonts whose training stops where the end of the span is forecast no better, and goes on over all."""

import numpy as np
import pandas as pd
import pytest
from gluonts.model.trivial.mean import MeanEstimator
from gluonts.torch import PatchTSTEstimator, SimpleFeedForwardEstimator
from hemline.datasets import Metadata
from hemline.datasets.entries.entry import Entry
from hemline.evaluation.adapters.single_series import held_out_ends
from hemline.forecasting import DeepAREstimator, GroupedEstimator, TrainConfig, build_model
from hemline.runtime.training.further import best_epoch

SHOP = Metadata("shop", "D", 7, ("a", "b"))
CPU = {"max_epochs": 30, "accelerator": "cpu"}
WEEK = 20 + 10 * np.sin(2 * np.pi * np.arange(180) / 7)
ENTRY = Entry(pd.Period("2024-01-01", "D"), (WEEK + np.random.default_rng(0).normal(size=(3, 180))).astype(np.float32))


def small(stop_after, **trainer):
    network = SimpleFeedForwardEstimator(
        7, context_length=14, hidden_dimensions=[4], lr=0.05, num_batches_per_epoch=4, trainer_kwargs=CPU | trainer
    )
    return GroupedEstimator(network, stop_after=stop_after)


@pytest.fixture
def lengths(monkeypatch):
    """The lengths of the series of each training, and of what it watched."""
    seen, train = [], SimpleFeedForwardEstimator.train_model

    def noting(self, training_data, validation_data=None, **kwargs):
        seen.append(
            [sorted({row["target"].shape[-1] for row in rows or ()}) for rows in (training_data, validation_data)]
        )
        return train(self, training_data, validation_data, **kwargs)

    monkeypatch.setattr(SimpleFeedForwardEstimator, "train_model", noting)
    return seen


def test_a_training_stops_by_the_end_of_the_span_and_goes_on_over_all_of_it(lengths):
    fitted = small(2).train([ENTRY])
    assert lengths == [[[173], [180]], [[180], []]], "what is watched is learnt from when the training has stopped"
    losses = [row["validation_loss"] for row in fitted.training_log]
    watched = [loss for loss in losses if loss is not None]
    assert len(watched) < 30
    assert len(watched) == watched.index(min(watched)) + 1 + 2, "two epochs were no better"
    # A further training is in proportion to the epochs that were of use: two times 7 of 180 steps of them.
    assert len(losses) - len(watched) == max(1, int(np.ceil(2 * 7 / 180 * best_epoch(fitted.training_log))))
    assert [row["epoch"] for row in fitted.training_log] == list(range(len(losses)))


def test_the_best_weights_go_on_not_the_last_ones(monkeypatch):
    begun, further = [], GroupedEstimator._further
    monkeypatch.setattr(
        GroupedEstimator, "_further", lambda self, *given: (begun.append(given), further(self, *given))[1]
    )
    log = small(2).train([ENTRY]).training_log
    assert begun[0][2] == best_epoch(log) < sum(row["validation_loss"] is not None for row in log)


def test_an_update_is_as_long_as_the_training_that_was_stopped_says():
    model = small(2, max_epochs=200)
    fitted = model.train([ENTRY])
    more = ENTRY.with_(target=np.concatenate([ENTRY.target, ENTRY.target[:, 5:65]], axis=1))
    most = np.ceil(2 * 60 / 240 * best_epoch(fitted.training_log))
    for _ in range(2):  # the second one knows it as well
        before, fitted.learnt = len(fitted.training_log), ENTRY.target.size
        fitted = model.update(fitted, [more])
        assert 0 < len(fitted.training_log) - before <= most


def test_data_of_their_own_are_watched_in_the_place_of_the_end(lengths):
    small(2).train([ENTRY], [ENTRY.until(100)])
    assert lengths == [[[180], [100]]]


def test_without_stopping_all_epochs_are_taken_on_the_whole_span(lengths):
    fitted = small(None, max_epochs=3).train([ENTRY])
    assert lengths == [[[180], []]]
    assert len(fitted.training_log) == 3
    assert "stop_after" not in small(None).settings(), "runs of before are known by their settings"
    assert small(2).for_run(1).stop_after == 2


def test_deepar_stops_by_its_patience():
    train = TrainConfig(
        max_epochs=8, batches_per_epoch=1, batch_size=4, schedule="constant", patience=1, learning_rate=0.1
    )
    fitted = DeepAREstimator("D", 7, lags=(1, 7), size=4, layers=1, train=train).train([ENTRY])
    assert best_epoch(fitted.training_log) is not None
    assert fitted.training_log[-1]["validation_loss"] is None


@pytest.mark.parametrize(
    ("length", "horizon", "count"), [(180, 7, 1), (400, 7, 2), (4000, 7, 5), (14, 7, 0), (15, 7, 1)]
)
def test_a_twentieth_of_the_span_is_held_out_but_no_more_than_five_horizons(length, horizon, count):
    entry = Entry(pd.Period("2024-01-01", "D"), np.ones((2, length)))
    part, watched = held_out_ends([entry], horizon)
    assert [each.length for each in part] == ([length - count * horizon] if count else [])
    assert sorted({row["target"].shape[-1] for row in watched}) == [
        length - n * horizon for n in reversed(range(count))
    ]


def test_a_series_without_a_value_in_the_end_is_not_watched():
    target = np.ones((2, 60))
    target[1, -7:] = np.nan
    _, watched = held_out_ends([Entry(pd.Period("2024-01-01", "D"), target)], 7)
    assert len(watched) == 1


def test_what_has_no_epochs_is_refused():
    with pytest.raises(ValueError, match=r"stop_after: expected an estimator that .* got MeanEstimator"):
        GroupedEstimator(MeanEstimator(7, num_samples=3), stop_after=2)
    with pytest.raises(ValueError, match=r"expected one of the settings .*, got 'stop_after'"):
        build_model("gluonts.model.trivial.mean:MeanEstimator", SHOP, {"stop_after": 2, "num_samples": 3})


def test_a_network_by_its_class_stops_where_it_is_told_to():
    model = build_model("gluonts.torch:PatchTSTEstimator", SHOP, {"patch_len": 7, "stop_after": 3})
    assert isinstance(model.estimator, PatchTSTEstimator)
    assert model.stop_after == 3
    models = build_model("pool", SHOP).models
    patches = models["patch-tst"].model
    assert (patches.stop_after, patches.estimator.trainer_kwargs["max_epochs"]) == (5, 40)
    assert models["deepar"].train_config.patience is None, "it forecast worse where it had not seen the last horizon"
