"""How much articles without a past will sell: levels, what descriptors tell of them, and the doubt that is left."""

import numpy as np
import properscoring
import pytest
from hemline.forecasting.launch_levels import (
    Likeness,
    alike,
    candidates,
    descriptors,
    explained,
    last_levels,
    learnt_likeness,
    levels_and_index,
    weighted_crps,
)


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


class TestCandidates:
    def test_each_is_the_regression_without_an_article_and_the_error_of_foretelling_it(self):
        generator = np.random.default_rng(1)
        told, asked, logs = generator.normal(size=(9, 3)), generator.normal(size=(2, 3)), generator.normal(size=9)
        centre, ridge = told.mean(0), 0.3
        found, weights = candidates(np.exp(logs), told, asked, Likeness(ridge))
        penalty = np.diag([0.0] + [ridge * 9] * 3)

        def design(rows):
            return np.column_stack([np.ones(len(rows)), rows - centre])

        for article in range(9):
            others = np.arange(9) != article
            table = design(told[others])
            fit = np.linalg.solve(table.T @ table + penalty, table.T @ logs[others])
            own, new = (np.clip(design(rows) @ fit, logs.min(), logs.max()) for rows in (told[[article]], asked))
            np.testing.assert_allclose(found[:, article], new + logs[article] - own, rtol=1e-9)
        np.testing.assert_allclose(weights, 1 / 9)

    def test_nothing_is_foretold_beyond_the_levels_seen(self):
        told = np.arange(5.0)[:, None]
        found, _ = candidates(np.exp(told[:, 0]), told, np.array([[1e6], [-1e6]]), Likeness(1e-6))
        np.testing.assert_allclose(found.mean(1), [4, 0], atol=0.5)

    def test_80_percent_intervals_hold_80_percent(self):
        generator, held = np.random.default_rng(2), []
        slope = generator.normal(size=5)
        for _ in range(200):
            told, asked = generator.normal(size=(30, 5)), generator.normal(size=(5, 5))
            logs, truth = (rows @ slope + generator.normal(size=len(rows)) for rows in (told, asked))
            found, _ = candidates(np.exp(logs), told, asked, Likeness(1e-3))
            low, high = np.quantile(found, (0.1, 0.9), axis=1, method="weibull")
            held += list((low < truth) & (truth < high))
        assert np.mean(held) == pytest.approx(0.8, abs=0.03)

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
        logs, weights = candidates(levels, told, np.array([[-1.0], [1.0]]), likeness)
        mean = (weights * logs).sum(1, keepdims=True)
        low, high = np.sqrt((weights * (logs - mean) ** 2).sum(1))
        assert low > 2 * high

    def test_without_descriptors_there_is_nothing_to_learn(self):
        assert learnt_likeness(sales_of(np.ones(5)), np.empty((5, 0))) == Likeness()


def test_the_score_of_equal_weights_is_that_of_an_ensemble():
    generator = np.random.default_rng(6)
    values, truth = generator.normal(size=(7, 20)), generator.normal(size=7)
    found = weighted_crps(values, np.full((7, 20), 1 / 20), truth)
    np.testing.assert_allclose(found, properscoring.crps_ensemble(truth, values), rtol=1e-10)
