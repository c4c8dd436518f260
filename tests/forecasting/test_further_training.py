"""What a training that goes on learns from, and when it changes nothing."""

import numpy as np
import pytest
import torch
from hemline.datasets import simulated_sales
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.forecasting import CrossFitEstimator, GRUMAFEstimator, TrainConfig, build_model, load_predictor
from hemline.forecasting.networks.cross_fitted import folds_of
from hemline.forecasting.training import folds as folds_training
from hemline.forecasting.training.fit import watched_loss
from hemline.runtime.training.further import further_epochs

from ..conftest import FEW, SHORT

SALES = simulated_sales(articles=3, weeks=110, seed=3, windows=0)
QUICK = TrainConfig(max_epochs=2, batches_per_epoch=3, batch_size=8)


def weeks(steps):
    return SALES.latest.until(steps, 8)


def seen(steps):
    """What a model reads: units off empty shelves are none."""
    return as_multivariate([weeks(steps)])


@pytest.fixture
def fits(monkeypatch):
    """The dates from which each network learns, those that it watches, and the network as it begins."""
    seen, real = [], folds_training.fit_folds

    def spy(members, config, learnt, apart, watched, **options):
        blocks = [learnt.only(rows) for rows in watched]
        before = [{name: value.clone() for name, value in member.state_dict().items()} for member in members]
        first = [watched_loss(*pair, config.batch_size) for pair in zip(members, blocks, strict=True)]
        log = real(members, config, learnt, apart, watched, **options)
        for number, starts in enumerate(apart):
            dates = [learnt.series.ordinals(rows) for rows in (starts, watched[number])]
            seen.append((*dates, before[number], first[number], members[number], blocks[number]))
        return log

    monkeypatch.setattr(folds_training, "fit_folds", spy)
    return seen


def test_a_network_never_learns_from_what_it_was_once_trained_without(fits, tmp_path):
    """The blocks of the first training stay, also if old weeks are gone and the model comes from its folder."""
    fitted = CrossFitEstimator("W", 8, folds=3, train=QUICK, windows=20).train([weeks(70)])
    apart = [set(watched.tolist()) for _, watched, *_ in fits]
    fitted.serialize(tmp_path / "kept")
    begins = SALES.latest.start.ordinal
    for steps, first in ((71, 0), (85, 0), (110, 6)):
        fits.clear()
        fitted = load_predictor(tmp_path / "kept").update([weeks(steps).since(first)])
        learnt = [set(starts.tolist()) for starts, *_ in fits]
        for number in range(3):
            apart[number] |= set(fits[number][1].tolist())
            near = {block + step for block in apart[number] for step in range(-7, 8)}
            assert not near & learnt[number], (steps, number)
        assert max(max(each) for each in learnt) >= begins + steps - 16  # what is new is learnt from by some
        fitted.serialize(tmp_path / "kept")


def test_new_windows_come_to_all_blocks_in_turns():
    folds = folds_of(torch.arange(100, 190), (100, 110, 120, 130)).tolist()
    assert folds[:30] == [0] * 10 + [1] * 10 + [2] * 10
    assert folds[30:60] == folds[:30]


def test_a_training_that_goes_on_keeps_the_weights_where_no_epoch_is_better(fits, monkeypatch):
    fitted = CrossFitEstimator("W", 8, folds=2, train=QUICK, windows=20).train([weeks(80)])
    fits.clear()
    worse = CrossFitEstimator("W", 8, folds=2, train=TrainConfig(2, 3, 8, learning_rate=10.0), windows=20)
    worse.update(fitted, [weeks(90)])
    for _, _, before, first, network, watched in fits:
        assert watched_loss(network, watched, 8) == pytest.approx(first)
        for name, value in network.state_dict().items():
            if name in dict(network.named_parameters()):
                torch.testing.assert_close(value, before[name])


@pytest.mark.parametrize("name", ["gru-maf", "deepar"])
def test_an_update_is_as_long_as_its_share_of_new_values(name, tmp_path):
    model = build_model(name, SALES.metadata, {"train": {"max_epochs": 4, "batches_per_epoch": 10, "batch_size": 4}})
    fitted = model.train([weeks(90)])
    assert fitted.learnt == 268  # of 270: two were sold off an empty shelf
    fitted.serialize(tmp_path / "kept")
    read = load_predictor(tmp_path / "kept")
    assert read.share_of_new(seen(100)) == fitted.share_of_new(seen(100)) == pytest.approx(0.1, abs=0.02)
    assert read.share_of_new(seen(90)) == 0
    assert len(read.update([weeks(91)]).training_log) == 1
    assert len(read.update([weeks(110)]).training_log) == 2
    assert read.update([weeks(110)]).share_of_new(seen(110)) == 0


def test_many_updates_are_no_longer_than_one():
    weekly = sum(np.prod(further_epochs(1 / (104 + week), 20, 100)) for week in range(1, 53))
    at_once = np.prod(further_epochs(52 / 156, 20, 100))
    assert at_once <= weekly < 1.3 * at_once
    assert further_epochs(1.0, 20, 100) == (20, 100)
    assert further_epochs(0.0, 20, 100) == (1, 1)


def test_counts_are_spread_in_an_update_too():
    """A density on whole numbers is infinite; a training spreads them, and so must what goes on from it."""
    model = build_model("sales-maf", SALES.metadata, {**SHORT, **FEW})
    fitted = model.train([weeks(90)])
    assert fitted.response.spread
    assert fitted.update([weeks(91)]).response.spread


def test_a_network_of_an_older_folder_goes_on():
    """It does not know what it has learnt from, nor its blocks."""
    fitted = GRUMAFEstimator("W", 8, train=QUICK).train(as_multivariate([weeks(90)]))
    fitted.learnt = None
    assert fitted.share_of_new(seen(91)) == pytest.approx(0.1)
    assert fitted.update([weeks(91)]).learnt
