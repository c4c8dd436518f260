"""The log-linear response finds what was planted, and says how sure it is."""

import json

import numpy as np
import pytest
from hemline.datasets import simulated_sales
from hemline.datasets.entries.channels import Channels
from hemline.datasets.entries.entry import Entry
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.forecasting import ForecastEstimator, ForecastPredictor, Scaling, Scenario, TrainConfig, simulate
from hemline.forecasting.response.fit import fit_response
from hemline.forecasting.response.response import LogLinear
from hemline.forecasting.windows.spec import infer_spec

DATA = simulated_sales(articles=6, weeks=220, seed=2, windows=1, style_size=3)
HISTORY = DATA.history(0)
SHORT = TrainConfig(max_epochs=2, batches_per_epoch=10, batch_size=16)


def fitted(domain="count", data=DATA, **changes):
    entries = as_multivariate([{**data.train[0], **changes}])
    return fit_response(entries, infer_spec(entries, freq="W-SUN", prediction_length=8), LogLinear(), domain)


@pytest.mark.parametrize("domain", ["count", "nonnegative"])
def test_planted_elasticities_lie_in_their_intervals(domain):
    response, truth = fitted(domain), DATA.truth.elasticity
    mean, deviation = response.mean[:, :6], response.deviation[:, :6]
    assert (np.abs(mean - truth) < 1.645 * deviation).mean() > 0.75
    np.testing.assert_allclose(np.diag(mean), np.diag(truth), atol=0.6)
    substitutes = truth > 0
    assert (mean[substitutes] > 0).mean() > 0.9
    assert (mean[substitutes] > 1.645 * deviation[substitutes]).mean() > 0.5


def test_what_price_and_promotion_do_together_is_known_though_not_what_each_does():
    """A markdown of 30 % in every promotion and at no other time: -2 log 0.7 + 0.3 = 1.01 together."""
    rng, channels, width = np.random.default_rng(5), DATA.train[0]["feat_dynamic_real"].copy(), 212
    channels[6:12] = rng.random(channels[6:12].shape) < 0.2
    channels[:6] = 0.7 ** channels[6:12]
    sold = 80 * np.exp((-2.0 * np.log(channels[:6]) + 0.3 * channels[6:12])[:, :width])
    sold = rng.poisson(sold).astype(np.float32)
    with pytest.warns(UserWarning, match=r"price\[dress_1\] and promo\[dress_1\] move together .* 6 of 6 articles"):
        response = fitted(target=sold, feat_dynamic_real=channels)

    def drawn(price, promotion):
        planned = channels.copy()
        planned[0, width - 8 : width], planned[6, width - 8 : width] = price, promotion
        entry = Entry(DATA.train[0].start, sold[:, : width - 8], channels=Channels(planned))
        return np.log(response.factors(entry, 8, 64, 4000, seed=1)[:, 0, 0])

    usual = drawn(1.0, 0.0)
    cut, both = drawn(0.7, 0.0) - usual, drawn(0.7, 1.0) - usual
    assert both.mean() == pytest.approx(-2 * np.log(0.7) + 0.3, abs=0.05)
    assert both.std() < 0.03
    assert cut.std() > 4 * both.std()


def test_promotions_and_holidays_are_told_from_prices():
    response = fitted()
    promotion, holiday = np.diag(response.mean[:, 6:12]), response.mean[:, 12]
    np.testing.assert_allclose(promotion, DATA.truth.promotion, atol=0.25)
    assert np.abs(holiday - DATA.truth.holiday).mean() < 0.2


def test_fewer_weeks_leave_wider_intervals():
    short = {key: DATA.train[0][key][:, :70] for key in ("target", "feat_dynamic_real", "past_feat_dynamic_real")}
    assert fitted(**short).deviation[:, :6].mean() > 1.3 * fitted().deviation[:, :6].mean()


def test_the_covariance_of_direct_effects_has_the_variances_of_all():
    response = fitted()
    covariance = response.root @ response.root.mT
    for series, channels in enumerate(response.direct):
        assert [DATA.metadata.covariates[number] for number in np.flatnonzero(channels)] == [
            f"price[{DATA.metadata.item_ids[series]}]",
            f"promo[{DATA.metadata.item_ids[series]}]",
            "holiday",
        ]
        np.testing.assert_allclose(np.diag(covariance[series]), response.deviation[series, channels] ** 2, rtol=1e-3)


@pytest.mark.parametrize("week", [0, -1])
def test_a_series_of_zeros_or_of_one_week_has_a_finite_response(week):
    target = DATA.train[0]["target"].copy()
    target[0], target[1] = 0.0, np.nan
    target[1, week] = DATA.train[0]["target"][1, week]
    response = fitted(target=target)
    assert np.isfinite(response.mean).all()
    assert np.isfinite(response.deviation).all()
    # One week says little: the article takes the own effect of the others, as unsure as these are spread.
    others = np.diag(response.mean)[2:6]
    assert others.min() < response.mean[1, 1] < others.max()
    assert response.deviation[1, 1] > 3 * response.deviation[2, 2]


def test_a_price_that_never_moved_takes_the_effect_of_the_others():
    fixed = DATA.train[0]["feat_dynamic_real"].copy()
    fixed[0] = 40.0
    response = fitted(feat_dynamic_real=fixed)
    others = np.diag(response.mean)[1:6]
    assert response.mean[0, 0] == pytest.approx(others.mean(), abs=0.3)
    assert response.deviation[0, 0] > others.std()


def test_a_channel_that_never_moved_is_in_the_units_of_its_kind():
    """Promotions in per cent of the price: an article without one takes the effect of the others' usual depth."""
    deeper = DATA.train[0]["feat_dynamic_real"].copy()
    deeper[6:12] *= 40
    deeper[6] = 0.0
    response = fitted(feat_dynamic_real=deeper)
    np.testing.assert_array_equal(response.span[6:12], 40)
    assert response.mean[0, 6] == pytest.approx(np.diag(response.mean[1:, 7:]).mean(), abs=0.1)


def test_channels_of_articles_that_are_no_series_are_refused():
    entries = as_multivariate([{key: value for key, value in DATA.train[0].items() if key != "item_ids"}])
    spec = infer_spec(entries, freq="W-SUN", prediction_length=8)
    with pytest.raises(
        ValueError, match=r"item_ids: expected .* owners of channels, such as 'coat_1', got '0', '1', '2'"
    ):
        fit_response(entries, spec, LogLinear(), "count")


def test_effects_between_styles_are_drawn_to_0_and_substitutes_are_left():
    data = simulated_sales(articles=12, weeks=220, seed=4, windows=1)
    response, truth = fitted(data=data), data.truth.elasticity
    error = response.mean[:, :12] - truth
    substitutes, own = truth > 0, np.eye(12, dtype=bool)
    assert np.sqrt((error[truth == 0] ** 2).mean()) < 0.06
    assert np.sqrt((error[substitutes] ** 2).mean()) < 0.2
    assert np.sqrt((error[own] ** 2).mean()) < 0.2
    assert (response.mean[:, :12][substitutes] > 0).all()


@pytest.fixture(scope="module")
def predictor():
    return ForecastEstimator(
        "W-SUN", 8, lags=(1, 2), scaling=Scaling(domain="count"), response=LogLinear(), train=SHORT
    ).train(DATA.train)


class TestForecasts:
    def test_a_markdown_moves_its_article_and_the_substitutes_as_planted(self, predictor):
        outcome = simulate(predictor, HISTORY, Scenario("cut", "price[dress_1] = -30%"), paths=400)["cut"]
        for article in ("dress_1", "dress_2", "dress_3"):
            planted = DATA.truth.price_effect(article, of="dress_1", change=-0.3)
            low, high = np.quantile(outcome.effect(article), (0.02, 0.98))
            assert low < planted < high, article
        unrelated = np.quantile(outcome.effect("coat_1"), (0.02, 0.98))
        assert unrelated[0] < 0 < unrelated[1]

    def test_paths_are_whole_numbers_and_imposed_ones_stand(self, predictor):
        outcome = simulate(predictor, HISTORY, Scenario("out", "sales[dress_1] = 0 @ 3:5"), paths=50)["out"]
        np.testing.assert_array_equal(outcome.paths, outcome.paths.round())
        assert outcome.paths.min() >= 0
        assert (outcome.paths[:, 2:5, 0] == 0).all()

    def test_a_predictor_read_back_draws_the_same_paths(self, predictor, tmp_path):
        predictor.serialize(tmp_path)
        again = ForecastPredictor.deserialize(tmp_path)
        first, second = (next(each.predict([HISTORY], num_samples=9)).samples for each in (predictor, again))
        np.testing.assert_array_equal(first, second)
        assert again.covariate_names == DATA.metadata.covariates

    def test_what_an_older_version_wrote_is_refused_in_words(self, predictor, tmp_path):
        predictor.serialize(tmp_path)
        file = tmp_path / "predictor.json"
        file.write_text(json.dumps({"estimator": {}, "spec": {}, "response": ["price[dress_1]"]}))
        with pytest.raises(ValueError, match="expected one that this version wrote, got an older one"):
            ForecastPredictor.deserialize(tmp_path)

    def test_prices_that_end_with_the_history_are_refused_by_name_and_date(self, predictor):
        short = {**HISTORY, "feat_dynamic_real": HISTORY["feat_dynamic_real"][:, :-8]}
        with pytest.raises(ValueError, match=r"\(price\[dress_1\], .*\) over history and horizon, to 2024-03-24"):
            next(predictor.predict([short]))

    def test_a_price_of_0_is_refused_by_name(self, predictor):
        free = {**HISTORY, "feat_dynamic_real": HISTORY["feat_dynamic_real"].copy()}
        free["feat_dynamic_real"][2, -1] = 0
        with pytest.raises(ValueError, match=r"price\[dress_3\]: expected prices above 0, got 0 on 2024-"):
            next(predictor.predict([free]))

    def test_other_channels_than_those_of_the_training_are_refused(self, predictor):
        names = ("cost[dress_1]", *DATA.metadata.covariates[1:])
        with pytest.raises(ValueError, match=r"expected the covariate 'price\[dress_1\]' as in training, got 'cost"):
            next(predictor.predict([{**HISTORY, "covariates": names}]))


def test_a_response_without_covariates_is_refused(walks):
    with pytest.raises(ValueError, match="response: expected feat_dynamic_real with names"):
        ForecastEstimator("D", 7, response=LogLinear(), train=SHORT).train(walks)


def test_negative_sales_have_no_response():
    target = DATA.train[0]["target"].copy()
    target[3, 5] = -1
    with pytest.raises(ValueError, match="expected sales of at least 0, got -1 in 'coat_1' on 20"):
        fitted(target=target)
