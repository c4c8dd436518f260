"""Laws of simulation: an empty scenario changes nothing, and differences are the scenario's, not the noise's."""

import numpy as np
import pytest
from hemline.datasets import simulated_sales
from hemline.forecasting import (
    ForecastEstimator,
    GPCopulaEstimator,
    Recurrent,
    Scaling,
    Scenario,
    TrainConfig,
    simulate,
)
from parts import HEADS

PATHS = 300
DATA = simulated_sales(articles=4, weeks=120, seed=3, windows=1)
HISTORY = DATA.history(0)
MARKDOWN = Scenario("markdown", "price[dress_1] = -30%")


JOINT = ["RealNVP", "MAF", "LowRankGaussian", "StudentT", "Diffusion"]


@pytest.fixture(scope="module", params=JOINT)
def fitted(request):
    # Diffusion that has hardly learnt draws around 0, of which counts that keep the means are all 0.
    epochs = 12 if request.param == "Diffusion" else 2
    train = TrainConfig(max_epochs=epochs, batches_per_epoch=20 if epochs > 2 else 10, batch_size=16)
    head = HEADS[request.param]
    return ForecastEstimator("W-SUN", 8, lags=(1,), encoder=Recurrent(size=16), head=head, train=train).train(
        DATA.train
    )


def test_an_empty_scenario_is_the_plain_forecast_path_by_path(fitted):
    outcomes = simulate(fitted, HISTORY, Scenario("nothing"), paths=20, seed=5)
    plain = next(fitted.predict([HISTORY], num_samples=20, seed=5)).samples
    np.testing.assert_array_equal(outcomes.baseline.paths, plain)
    np.testing.assert_array_equal(outcomes["nothing"].paths, plain)
    assert not outcomes["nothing"].difference().paths.any()


def test_common_random_numbers_cut_the_standard_error_of_a_difference_by_three(fitted):
    outcomes = simulate(fitted, HISTORY, MARKDOWN, paths=PATHS, seed=0)
    other = simulate(fitted, HISTORY, MARKDOWN, paths=PATHS, seed=1)
    common = outcomes["markdown"].difference().standard_error()
    independent = outcomes["markdown"].difference(other.baseline).standard_error()
    assert (common > 0).any()
    assert common.mean() < independent.mean() / 3


def test_an_imposed_value_moves_nothing_before_it(fitted):
    outcomes = simulate(fitted, HISTORY, Scenario("out", "sales[dress_2] = 0 @ 4:5"), paths=20)
    change = outcomes["out"].difference().paths
    assert not change[:, :3].any()
    assert (outcomes["out"].paths[:, 3:5, 1] == 0).all()


def test_an_imposed_value_leaves_series_that_do_not_read_it_as_they_were():
    """In the Gaussian process each series reads its own past; its sales in whole numbers have equal ranks."""
    train = TrainConfig(max_epochs=1, batches_per_epoch=5, batch_size=8)
    predictor = GPCopulaEstimator("W-SUN", 8, lags=(1,), train=train).train(DATA.train)
    change = simulate(predictor, HISTORY, Scenario("out", "drop dress_2"), paths=20)["out"].difference().paths
    assert change[:, :, 1].any()
    assert not np.delete(change, 1, axis=2).any()


@pytest.mark.parametrize("of", ["level", "change"])
def test_chunks_of_paths_share_their_noise_too(of):
    train = TrainConfig(max_epochs=1, batches_per_epoch=2, batch_size=4)
    predictor = ForecastEstimator("W-SUN", 8, lags=(1,), scaling=Scaling(of), train=train).train(DATA.train)
    predictor.max_bytes = 200_000
    outcomes = simulate(predictor, HISTORY, Scenario("nothing"), paths=50)
    np.testing.assert_array_equal(outcomes["nothing"].paths, outcomes.baseline.paths)
