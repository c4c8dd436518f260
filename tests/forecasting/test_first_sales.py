"""The first steps after a launch, and what they say."""

import numpy as np
import pytest
from hemline.forecasting.wrappers.cold_start.first_sales import (
    DOUBT,
    ages_of,
    at_ages,
    brought_to,
    doubt_in_means,
    launch_course,
    said_by_first,
)
from hemline.forecasting.wrappers.cold_start.new_paths import followed, scaled


def launches(course, count=8, steps=40, level=20.0):
    """An article that was always there, and some that began at step 10 with a course."""
    sales = np.full((count + 1, steps), level)
    sales[1:, :10] = np.nan
    sales[1:, 10 : 10 + len(course)] = level * course
    return sales


class TestCourse:
    def test_the_course_of_many_launches_is_found(self):
        planted = np.array([3.0, 2.0, 1.5, 1.0])
        found = launch_course(launches(planted, count=300), np.full(301, 20.0), np.ones(40), ages=4)
        np.testing.assert_allclose(found, planted, rtol=0.02)

    def test_one_launch_says_a_quarter_of_what_it_shows(self):
        found = launch_course(launches(np.array([5.0, 1.0]), count=1), np.full(2, 20.0), np.ones(40), ages=2)
        np.testing.assert_allclose(found, [2, 1])

    def test_what_was_there_from_the_start_is_no_launch(self):
        sales = np.full((3, 40), 20.0)
        sales[:, 0] = 100.0
        np.testing.assert_array_equal(launch_course(sales, np.full(3, 20.0), np.ones(40), ages=4), 1)

    def test_the_season_of_a_launch_is_not_taken_for_its_course(self):
        index = np.linspace(0.5, 1.5, 40)
        found = launch_course(launches(np.ones(4)) * index, np.full(9, 20.0), index, ages=4)
        np.testing.assert_allclose(found, 1)

    def test_a_course_ends_with_1(self):
        np.testing.assert_array_equal(at_ages(np.array([4.0, 2.0]), np.array([0, 1, 2, 50])), [4, 2, 1, 1])


class TestFirstSales:
    def test_they_say_the_level_but_for_course_and_index(self):
        course, index = np.array([3.0, 2.0]), np.array([1.0, 1.0, 0.5, 2.0])
        sales = np.array([np.nan, 7 * 3.0, np.nan, 7 * 2.0])
        assert said_by_first(sales, index, course, 0.5) == pytest.approx(np.log(7))

    def test_an_article_that_sold_nothing_yet_says_little_not_nothing(self):
        assert np.isfinite(said_by_first(np.array([np.nan, 0.0]), np.ones(2), np.ones(2), 0.5))

    def test_ages_count_from_the_first_value(self):
        np.testing.assert_array_equal(ages_of(np.array([[np.nan, 1.0, np.nan, 3.0]])), [[-1, 0, 1, 2]])

    def test_means_of_more_steps_are_surer(self):
        generator = np.random.default_rng(0)
        sales = 50 * np.exp(generator.normal(scale=0.4, size=(30, 80)))
        doubts = [doubt_in_means(sales, np.full(30, sales.mean()), np.ones(80), steps) for steps in (1, 4, 16)]
        assert doubts[0] == pytest.approx(0.4**2, rel=0.1)
        assert doubts[0] > 3 * doubts[1] > 9 * doubts[2]

    def test_the_units_of_sales_do_not_matter(self):
        sales = np.random.default_rng(0).gamma(2, 10, size=(30, 80))
        levels, small = sales.mean(1), 1e-4
        found = [doubt_in_means(sales * unit, levels * unit, np.ones(80), 4) for unit in (1, small)]
        assert found[0] == pytest.approx(found[1])

    def test_normal_draws_become_those_of_the_posterior(self):
        draws = np.random.default_rng(1).normal(2.0, 1.5, size=200_000)
        found = brought_to(draws, 5.0, doubt=0.75, generator=np.random.default_rng(2))
        precision = 1 / 1.5**2 + 1 / 0.75
        assert found.mean() == pytest.approx((2 / 1.5**2 + 5 / 0.75) / precision, abs=0.02)
        assert found.var() == pytest.approx(1 / precision, rel=0.02)


class TestPaths:
    def test_a_share_of_negative_binomial_sales_keeps_their_dispersion(self):
        generator, dispersion, mean, share = np.random.default_rng(3), 0.3, 40.0, 0.1
        sold = generator.poisson(generator.gamma(1 / dispersion, dispersion * mean, size=200_000)).astype(float)
        found = scaled(sold, np.full(sold.shape, share), generator.random(sold.shape), "count")
        wanted = share * mean
        assert found.mean() == pytest.approx(wanted, rel=0.02)
        assert found.var() == pytest.approx(wanted + dispersion * wanted**2, rel=0.03)

    def test_more_of_the_same_chance_is_never_less(self):
        sold, chance = np.full(500, 9.0), np.random.default_rng(4).random(500)
        found = [scaled(sold, np.full(500, times), chance, "count") for times in (0, 0.2, 0.9, 1, 1.3, 4)]
        assert (np.diff(found, axis=0) >= 0).all()
        np.testing.assert_array_equal(found[0], 0)
        np.testing.assert_array_equal(found[3], 9)

    def test_an_article_that_sells_less_is_rarely_followed(self):
        weights, today = np.full(3, 1 / 3), np.array([1.0, 50.0, 100.0])
        of = followed(weights, today, np.full(30_000, 50.0), np.random.default_rng(5))
        np.testing.assert_allclose(np.bincount(of) / 30_000, np.array([0.02, 1, 1]) / 2.02, atol=0.01)


def test_the_course_of_a_launch_is_that_of_the_launches_that_are_like_it():
    sales = np.full((11, 24), 10.0)
    sales[1:, :8] = np.nan
    sales[1:6, 8:10] = 30.0  # five launches of one kind begin with three times their level
    levels, index, kinds = np.full(11, 10.0), np.ones(24), np.repeat([0, 1, 0], [1, 5, 5])
    plain = launch_course(sales, levels, index, 4)
    np.testing.assert_allclose(plain[:2], (DOUBT + 5 * 3 + 5) / (DOUBT + 10))
    of_kind = [launch_course(sales, levels, index, 4, np.where(kinds == kind, 0.2, 1e-9)) for kind in (1, 0)]
    np.testing.assert_allclose(of_kind[0][:2], (DOUBT + 5 * 3) / (DOUBT + 5), rtol=1e-6)
    np.testing.assert_allclose(of_kind[1], 1.0, rtol=1e-6)
    np.testing.assert_allclose(launch_course(sales, levels, index, 4, np.full(11, 0.1)), plain)
