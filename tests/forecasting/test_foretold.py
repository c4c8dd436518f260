"""How much articles without a past will sell: levels, what descriptors tell of them, and the doubt that is left."""

import numpy as np
import pytest
from hemline.forecasting.wrappers.cold_start.descriptors import Likeness, alike, descriptors
from hemline.forecasting.wrappers.cold_start.level_regression import LevelRegression as _Regression
from hemline.forecasting.wrappers.cold_start.level_regression import explained, foretold_levels
from hemline.forecasting.wrappers.cold_start.likeness import learnt_likeness
from hemline.forecasting.wrappers.cold_start.sales_levels import last_levels, levels_and_index


def sales_of(levels, seed=0, steps=60, noise=0.2):
    generator = np.random.default_rng(seed)
    index = 1 + 0.5 * np.sin(np.arange(steps) / 5)
    return levels[:, None] * index * np.exp(generator.normal(scale=noise, size=(len(levels), steps)))


class TestLevels:
    def test_products_of_level_and_index_are_told_apart_though_half_is_missing(self):
        generator = np.random.default_rng(0)
        levels, index = np.exp(generator.normal(size=6)), np.exp(generator.normal(size=30))
        sales = np.where(generator.random((6, 30)) < 0.5, np.nan, np.outer(levels, index))
        found, course = levels_and_index(sales)
        np.testing.assert_allclose(np.outer(found, course), np.outer(levels, index), rtol=1e-3)
        assert course.mean() == pytest.approx(1)

    def test_an_article_that_never_sold_has_a_level_above_0_and_one_never_seen_has_none(self):
        levels, _ = levels_and_index(np.array([[4.0, 2.0], [0.0, 0.0], [np.nan, np.nan]]))
        assert 0 < levels[1] < 1
        assert np.isnan(levels[2])

    def test_a_step_at_which_nothing_was_seen_is_a_usual_one(self):
        _, index = levels_and_index(np.array([[1.0, np.nan, 3.0]]))
        np.testing.assert_allclose(index, [0.5, 1, 1.5])

    def test_the_last_steps_are_those_that_were_seen(self):
        sales = np.array([[1.0, 1.0, 5.0, np.nan], [2.0, 2.0, 2.0, 8.0]])
        np.testing.assert_allclose(last_levels(sales, np.ones(4), 1), [5, 8])
        np.testing.assert_allclose(last_levels(sales, np.ones(4), 9), [7 / 3, 14 / 4])


class TestDescriptors:
    def test_what_tells_no_known_article_from_another_is_left_out(self):
        numbers = np.array([[1.0, 7.0], [3.0, 7.0], [9.0, 2.0]])
        assert descriptors(numbers, None, np.array([True, True, False])).tolist() == [[-1], [1], [7]]
        assert descriptors(None, None, np.ones(3, bool)).shape == (3, 0)

    def test_a_category_that_no_known_article_has_is_like_none(self):
        told = descriptors(None, np.array([[0], [1], [5]]), np.array([True, True, False]))
        np.testing.assert_allclose(told[2], -told[:2].sum(0) - 0.5 * np.ones(2))
        assert np.linalg.norm(told[2] - told[0]) == pytest.approx(np.linalg.norm(told[2] - told[1]))


BELIEVED = Likeness(ridge=1e-3)


def draws(levels, told, asked, likeness=BELIEVED, count=20_000, seed=0):
    return foretold_levels(levels, told, asked, likeness, count, np.random.default_rng(seed))


class TestForetold:
    def test_a_known_article_is_foretold_by_the_regression_without_it(self):
        generator = np.random.default_rng(1)
        told, logs, ridge = generator.normal(size=(9, 3)), generator.normal(size=9), 0.3
        fit, centre, penalty = _Regression(told, logs, ridge), told.mean(0), np.diag([0.0] + [ridge * 9] * 3)
        table = np.column_stack([np.ones(9), told - centre])
        for article in range(9):
            others = np.delete(table, article, axis=0)
            solved = np.linalg.solve(others.T @ others + penalty, others.T @ np.delete(logs, article))
            wanted = np.clip(table[article] @ solved, logs.min(), logs.max())
            assert fit.foretold[article] == pytest.approx(wanted, rel=1e-9)

    def test_new_articles_share_the_doubt_about_coefficients_as_their_posterior_says(self):
        generator = np.random.default_rng(2)
        told, asked = generator.normal(size=(40, 3)), generator.normal(size=(3, 3))
        fit = _Regression(told, told @ [1.0, 0.5, 0.0] + generator.normal(size=40), 0.1)
        table, rows = (np.column_stack([np.ones(len(each)), each - told.mean(0)]) for each in (told, asked))
        posterior = np.linalg.inv(table.T @ table + np.diag([0.0] + [4.0] * 3)) * fit.errors.std() ** 2
        found = np.cov(fit.doubts(asked, 200_000, np.random.default_rng(3)).T)
        np.testing.assert_allclose(found, rows @ posterior @ rows.T, atol=2e-3)

    def test_80_percent_intervals_hold_80_percent(self):
        generator, held = np.random.default_rng(2), []
        slope = 0.3 * generator.normal(size=5)
        for _ in range(150):
            told, asked = generator.normal(size=(100, 5)), generator.normal(size=(5, 5))
            logs, truth = (rows @ slope + generator.normal(size=len(rows)) for rows in (told, asked))
            low, high = np.quantile(draws(np.exp(logs), told, asked, count=1000), (0.1, 0.9), axis=0)
            held += list((low < truth) & (truth < high))
        assert np.mean(held) == pytest.approx(0.8, abs=0.03)

    def test_totals_of_new_articles_are_not_too_high_where_small_ones_err_more(self):
        generator, ratios = np.random.default_rng(3), []
        for _ in range(40):
            told = generator.normal(size=(150, 1))
            levels = np.exp(1.5 * told[:, 0] + np.where(told[:, 0] > 0, 0.2, 2.0) * generator.normal(size=150))
            found = np.exp(draws(levels[:100], told[:100], told[100:], Likeness(1e-3), 300))
            ratios.append(found.sum(1).mean() / levels[100:].sum())
        assert np.exp(np.log(ratios).mean()) == pytest.approx(1, abs=0.15)

    def test_nothing_is_foretold_beyond_the_levels_seen(self):
        told = np.arange(5.0)[:, None]
        found = draws(np.exp(told[:, 0]), told, np.array([[1e6], [-1e6]]), Likeness(1e-6))
        np.testing.assert_allclose(found.mean(0), [4, 0], atol=0.5)

    def test_without_descriptors_new_articles_sell_what_one_of_the_others_sells(self):
        levels = np.exp(np.random.default_rng(8).normal(size=50))
        found = draws(levels, np.empty((50, 0)), np.empty((2, 0)), Likeness())
        np.testing.assert_allclose(
            np.quantile(found, (0.1, 0.5, 0.9)), np.quantile(np.log(levels), (0.1, 0.5, 0.9)), atol=0.2
        )

    def test_one_that_is_far_from_all_is_like_the_nearest(self):
        weights = alike(np.array([[0.0], [1.0], [2.0]]), np.array([[1e4]]), 0.25)
        np.testing.assert_allclose(weights, [[0, 0, 1]], atol=1e-9)


def test_what_descriptors_explain_is_what_they_foretell_and_not_what_they_fit():
    generator = np.random.default_rng(7)
    told = generator.normal(size=(200, 3))
    levels = np.exp(2 * told[:, 0] + generator.normal(size=200))
    assert explained(levels, told, 1e-3) == pytest.approx(4 / 5, abs=0.06)
    assert explained(levels, told, np.inf) == 0
    noise = generator.normal(size=(200, 60))
    assert explained(levels, noise, 1e-3) < 0.05


class TestLikeness:
    def test_descriptors_that_say_the_level_are_believed(self):
        generator = np.random.default_rng(3)
        told = generator.normal(size=(40, 4))
        likeness = learnt_likeness(sales_of(np.exp(told[:, 0])), told)
        assert likeness.ridge <= 0.01

    @pytest.mark.parametrize("seed", range(4))
    def test_descriptors_of_others_are_not(self, seed):
        generator = np.random.default_rng(seed)
        told = generator.normal(size=(40, 4))
        assert learnt_likeness(sales_of(np.exp(generator.normal(size=40))), told) == Likeness()

    def test_the_course_is_taken_from_articles_alike_where_their_seasons_are(self):
        generator = np.random.default_rng(4)
        kind = np.repeat([0, 1], 20)
        seasons = np.stack([1 + 0.8 * np.sin(np.arange(60) / 5), 1 - 0.8 * np.sin(np.arange(60) / 5)])
        sales = 10 * seasons[kind] * np.exp(generator.normal(scale=0.1, size=(40, 60)))
        told = descriptors(None, kind[:, None], np.ones(40, bool))
        likeness = learnt_likeness(sales, told)
        assert np.isfinite(likeness.course)
        weights = alike(told, told[:1], likeness.course)[0]
        assert weights[kind == 0].sum() > 0.75

    def test_doubt_is_larger_where_it_was_for_articles_foretold_alike(self):
        generator = np.random.default_rng(5)
        told = generator.normal(size=(300, 1))
        spread = np.where(told[:, 0] > 0, 0.05, 1.5)
        levels = np.exp(2 * told[:, 0] + spread * generator.normal(size=300))
        likeness = learnt_likeness(sales_of(levels, noise=0.05), told)
        low, high = draws(levels, told, np.array([[-1.0], [1.0]]), likeness).std(0)
        assert low > 2 * high

    def test_without_descriptors_there_is_nothing_to_learn(self):
        assert learnt_likeness(sales_of(np.ones(5)), np.empty((5, 0))) == Likeness()


@pytest.mark.filterwarnings("error")
def test_courses_of_articles_that_were_never_seen_together_say_nothing():
    sales = np.full((6, 60), np.nan)
    for article in range(6):
        sales[article, 10 * article : 10 * article + 10] = 20 + article
    assert learnt_likeness(sales, np.random.default_rng(0).normal(size=(6, 2))).course == np.inf
