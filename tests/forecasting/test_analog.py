"""Forecasts that follow stretches of the past: which ones, at what level, and what is never read."""

import numpy as np
import pandas as pd
import pytest
import torch
from hemline.datasets import Metadata
from hemline.datasets.entries.entry import Entry
from hemline.datasets.entries.frequency import season_length
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.evaluation.scores.multivariate import energy_score
from hemline.forecasting import AnalogEstimator, build_model, load_predictor
from hemline.forecasting.models.analog import AnalogPredictor
from hemline.forecasting.models.analogs.likeness_fit import LearntMoves, best_weights, distances
from hemline.forecasting.models.analogs.past_stretches import Move, shortest, stretches_before
from hemline.forecasting.models.analogs.start_grid import Origins, best_spacing
from hemline.forecasting.windows.gaps import bridged

START = pd.Period("2024-01-01", "D")
RNG = np.random.default_rng(0)


def entry(target):
    return {"start": START, "target": np.asarray(target, dtype=np.float32)}


def follower(
    moves=((0.0, "mean", "difference"),), weights=(1.0,), thetas=((0.0,) * 4,), season=4, domain="real", series=1
):
    arguments = {"moves": list(moves), "weights": list(weights), "thetas": list(thetas)}
    return AnalogPredictor(
        6,
        freq="D",
        target_dim=series,
        season_length=season,
        cycle_length=season,
        domain=domain,
        stretches=99,
        **arguments,
    )


def paths(predictor, target, count=100, **options):
    return next(predictor.predict([entry(target)], num_samples=count, **options)).samples


def past_forecasts(model, entries):
    origins, every = model._origins(), model.season_length
    found = origins.forecasts(entries, origins.ends(entries, every), every)
    return found.pasts, found.truths


def test_a_path_is_what_all_series_did_in_one_past_stretch_and_each_has_its_turn():
    target = RNG.normal(size=(3, 41))
    drawn = paths(follower(series=3), target, count=90)
    # Six steps that began 2, 3, ... seasons of 4 before the end; the season before them is within the data.
    past = [target[:, 41 - 4 * age : 47 - 4 * age].T for age in range(2, 10)]
    followed = [int(np.argmin([np.abs(path - stretch).max() for stretch in past])) for path in drawn]
    assert max(np.abs(path - past[k]).max() for path, k in zip(drawn, followed, strict=True)) < 1e-6
    assert set(np.bincount(followed, minlength=8)) <= {11, 12}


def test_a_stretch_is_brought_to_the_level_of_today():
    past = np.array([1.0, 3.0, 8.0, 8.0, 2.0, 10.0])[:, None]
    stretches = stretches_before(past.T, 2, season=2, cycle=2, most=9)
    np.testing.assert_array_equal(stretches.starts, [4, 2])

    def moved(*move):
        return stretches.moved(Move(*move), np.array([1]))[0, :, 0]

    np.testing.assert_allclose(moved(0.0), [8, 8])
    np.testing.assert_allclose(moved(1.0, "mean"), [8 + 4, 8 + 4])  # the season before it had 2, the last one 6
    np.testing.assert_allclose(moved(0.5, "profile"), [8 + 0.5, 8 + 3.5])
    floor = 0.1 * past.mean()
    np.testing.assert_allclose(moved(1.0, "mean", "ratio"), 8 * (6 + floor) / (2 + floor))
    np.testing.assert_allclose(
        moved(0.5, "profile", "ratio"), 8 * np.sqrt([(2 + floor) / (1 + floor), (10 + floor) / (3 + floor)])
    )


def test_likeness_says_age_the_distance_of_the_season_before_and_the_place_in_the_cycle():
    past = np.array([5.0, 9.0, 9.0, 6.0, 9.0, 9.0, 5.5])[:, None]
    likeness = stretches_before(past.T, 1, season=1, cycle=3, most=4).likeness
    np.testing.assert_allclose(likeness[:, 0], [-0.1, -0.2, -0.3, -0.4])
    np.testing.assert_allclose(likeness[:, 1], -np.log([1, 2, 3, 4]))
    apart = np.array([3.5, 3.5, 0.5, 3.5]) / 3.5
    np.testing.assert_allclose(likeness[:, 2:4], -np.stack([apart, apart**2], axis=1))
    np.testing.assert_array_equal(likeness[:, 4], [0, 0, 1, 0])


def test_stretches_may_begin_within_a_season_and_likeness_says_how_far_from_today_s_place():
    past = np.arange(24.0)[:, None]
    found = stretches_before(past.T, 3, season=8, cycle=8, most=99, every=2)
    np.testing.assert_array_equal(found.starts, [20, 18, 16, 14, 12, 10, 8])
    np.testing.assert_allclose(found.likeness[:, 0], -np.array([4, 6, 8, 10, 12, 14, 16]) / 80)
    np.testing.assert_array_equal(found.likeness[:, 4], [0, 0, 1, 0, 0, 0, 1])
    off = np.array([4, 2, 0, 2, 4, 2, 0]) / 8
    np.testing.assert_allclose(found.likeness[:, 5:], -np.stack([4 * off, (4 * off) ** 2], axis=1))
    # The day of the week of a stretch that begins in the evening before it is that day.
    week = stretches_before(np.tile(past.T, 3), 3, season=8, cycle=24, most=99, every=2).likeness[:, 4]
    np.testing.assert_array_equal(np.flatnonzero(week), [8, 9, 10, 11, 20, 21, 22, 23])


def hours(days, seed, wave=1.0):
    """Days of 48 steps: a wave that comes again, and a level that drifts within the day, of three series."""
    rng = np.random.default_rng(seed)
    drift = (rng.normal(size=48 * days) * 0.1).cumsum() + (rng.normal(size=(3, 48 * days)) * 0.03).cumsum(1)
    return 10 * np.exp(wave * np.sin(2 * np.pi * np.arange(48 * days) / 48) + 0.3 * drift)


SUB_DAILY = {"season_length": 48, "cycle_length": 336, "domain": "nonnegative", "origins": 20}


def test_few_days_are_forecast_from_each_hour_of_them_where_that_was_better():
    scores = []
    for seed in range(2):
        target = hours(8, seed)
        models = [AnalogEstimator(6, spacings=each, **SUB_DAILY).train([entry(target[:, :288])]) for each in ((), (2,))]
        assert [model.every for model in models] == [None, 2]
        ends = range(288, 378, 6)
        scores.append(
            [
                np.mean([energy_score(paths(m, target[:, :end]), target[:, end : end + 6].T) for end in ends])
                for m in models
            ]
        )
    whole, each_hour = np.mean(scores, axis=0)
    assert each_hour < 0.9 * whole


@pytest.mark.parametrize(("closer", "chosen"), [(0.995, 48), (0.98, 2)])
def test_stretches_are_closer_only_where_that_is_better_by_more_than_chance(closer, chosen):
    scores = iter((1.0, closer))
    origins = Origins(6, 48, 336, 20, 500, "nonnegative", True)
    found = best_spacing(
        as_multivariate([entry(hours(20, 0))]), origins, (48, 2), lambda past: LearntMoves([], [], None, next(scores))
    )
    assert found == chosen


def test_days_that_come_again_as_they_were_are_followed_whole():
    target = np.tile(RNG.normal(size=(2, 48)), 20) + 0.01 * RNG.normal(size=(2, 960))
    assert AnalogEstimator(24, spacings=(2,), **SUB_DAILY).train([entry(20 + target)]).every is None


def test_two_days_are_forecast_where_whole_days_are_too_few(tmp_path):
    target = hours(3, 0)
    with pytest.raises(ValueError, match=r"training_data: expected at least 246 steps.*got 144"):
        AnalogEstimator(6, **SUB_DAILY).train([entry(target)])
    learnt = AnalogEstimator(6, spacings=(2, 1), **SUB_DAILY).train([entry(target)])
    learnt.serialize(tmp_path)
    found, stored = paths(learnt, target), paths(load_predictor(tmp_path), target)
    np.testing.assert_array_equal(found, stored)
    assert np.isfinite(found).all()
    with pytest.raises(ValueError, match=r"training_data: expected at least 66 steps.*got 60"):
        AnalogEstimator(6, spacings=(2,), **SUB_DAILY).train([entry(target[:, :60])])


def test_stretches_that_do_not_reach_today_s_place_in_the_season_are_not_tried():
    learnt = AnalogEstimator(6, spacings=(2, 1), stretches=30, **SUB_DAILY).train([entry(hours(6, 0))])
    assert learnt.every == 2


@pytest.mark.parametrize(
    ("freq", "expected"), [("h", (1,)), ("5min", (12, 1)), ("15min", (4, 1)), ("D", ()), ("2h", (1,))]
)
def test_steps_within_a_day_are_tried_at_each_hour_and_each_step(freq, expected):
    assert build_model("analog", Metadata("own", freq, 6, ("a",), season=season_length(freq))).spacings == expected


@pytest.mark.parametrize(("last", "apart"), [(0.0, [0, 3, 0, 0, 0, 3, 0, 0]), (3.0, [3, 0, 3, 3, 3, 0, 3, 3])])
def test_seasons_that_are_mostly_empty_are_told_apart(last, apart):
    """The median season of an article that is sold now and then is as far from an empty one as an empty one: 0."""
    past = np.array([0.0, 0, 0, 3, 0, 0, 0, 3, 0, last])[:, None]
    likeness = stretches_before(past.T, 1, season=1, cycle=1, most=8).likeness
    usual = np.median(apart) or np.mean(apart)
    np.testing.assert_allclose(likeness[:, 2], -np.array(apart) / usual)


def test_the_score_that_is_learnt_from_is_the_energy_score_of_the_weighted_stretches():
    past, truth = RNG.normal(size=(40, 3)) + 1e4, RNG.normal(size=(5, 3)) + 1e4
    truth[2, 1] = np.nan
    stretches = stretches_before(past.T, 5, season=2, cycle=2, most=4)
    _, distance, between = (part.numpy() for part in distances(stretches, Move(0.5), truth))
    often = np.array([3, 1, 4, 2])
    weights = often / often.sum()
    expected = energy_score(np.repeat(stretches.moved(Move(0.5)), often, axis=0), truth).sum()
    assert weights @ distance - weights @ between @ weights / 2 == pytest.approx(expected, rel=1e-9)


def test_what_likeness_counts_is_best_for_the_score():
    parts = []
    for number in range(6):
        stretches = stretches_before(np.random.default_rng(number).normal(size=(60, 2)).cumsum(0).T, 3, 2, 4, 30)
        parts.append(distances(stretches, Move(), stretches.past[-3:] + 0.3))
    best = best_weights(parts)

    def loss(theta):
        total, scale = 0.01 * (theta**2).sum() / 6, sum(float(distance.mean()) for _, distance, _ in parts)
        for likeness, distance, between in parts:
            weights = torch.softmax(likeness @ torch.from_numpy(theta), 0)
            total += float(weights @ distance - weights @ between @ weights / 2) / scale
        return total

    nearby = [best + 0.05 * RNG.normal(size=len(best)) for _ in range(50)]
    assert loss(best) < loss(np.zeros(5))
    assert all(loss(best) <= loss(other) for other in nearby)


def test_days_of_the_same_kind_are_followed():
    """Days of four steps, every third of them of another kind, which nothing but its place announces."""
    kinds = np.tile([[1.0, 2, 3, 4], [1, 2, 3, 4], [9, 1, 9, 1]], (20, 1)).ravel()
    target = kinds + RNG.normal(size=(2, len(kinds))) * 0.3
    for days, expected in ((59, [9, 1, 9, 1]), (60, [1, 2, 3, 4])):
        known = [entry(target[:, : days * 4])]
        learnt, blind = (
            np.abs(next(model.train(known).predict(known)).samples - np.array(expected)[:, None]).mean()
            for model in (AnalogEstimator(4, season_length=4, cycle_length=12), AnalogEstimator(4, season_length=4))
        )
        assert learnt < 0.5
        # What follows a day of the other kind can be told from that day; what follows an ordinary one cannot.
        assert blind > (1 if days == 59 else learnt)


def test_states_like_today_are_followed_where_they_tell_what_comes():
    """A high season mostly comes after a low one and the other way round: the state tells, the age does not."""
    states = [0]
    for _ in range(150):
        states.append(states[-1] if RNG.uniform() < 0.1 else 1 - states[-1])
    target = 10.0 * np.repeat(states, 3) + RNG.normal(size=(2, 3 * len(states)))
    found = next(AnalogEstimator(3, season_length=3).train([entry(target)]).predict([entry(target)])).samples
    assert np.abs(found.mean() - 10 * (0.1 * states[-1] + 0.9 * (1 - states[-1]))) < 1.5


def test_a_drift_is_followed_from_today_s_level():
    target = np.arange(200.0) + RNG.normal(size=(2, 200)).cumsum(1)
    learnt = AnalogEstimator(5).train([entry(target)])
    assert sum(weight for move, weight in zip(learnt.moves, learnt.weights, strict=True) if move.share == 1) > 0.9
    middle = np.median(paths(learnt, target), axis=0)
    np.testing.assert_allclose(middle, target[:, -1] + np.arange(1, 6)[:, None], atol=3)


def test_dependence_is_that_of_the_past():
    common = RNG.normal(size=400)
    target = np.stack([common, -common]) + 0.1 * RNG.normal(size=(2, 400))
    found = paths(AnalogEstimator(3).train([entry(target)]), target, count=300)
    assert np.corrcoef(found[:, 0].T)[0, 1] < -0.8


def test_gaps_hold_what_was_seen_at_the_same_place():
    target = np.array([[np.nan, np.nan, 3, 4, np.nan, 6, np.nan, np.nan], [np.nan] * 8])
    np.testing.assert_array_equal(bridged(target, 2), np.array([[3, 6, 3, 4, 3, 6, 3, 6], [0] * 8]).T)


def test_a_long_gap_repeats_the_seasons_before_it_there_and_back():
    target = np.array([[1, 2, 3, 4, 5, 6] + [np.nan] * 7 + [7, 8], [np.nan, 1, 2, np.nan, np.nan, 5] + [6] * 9])
    assert bridged(target, 2)[:, 0].tolist() == [1, 2, 3, 4, 5, 6, 5, 6, 3, 4, 1, 2, 3, 7, 8]
    assert bridged(target, 2)[:6, 1].tolist() == [2, 1, 2, 1, 2, 5]


def test_what_was_not_seen_counts_in_no_size_and_no_distance():
    past = 20 + np.random.default_rng(0).normal(size=(2, 60))
    alone = stretches_before(past[:1], 2, season=3, cycle=3, most=9)
    past[1, :57] = np.nan
    found = stretches_before(past, 2, season=3, cycle=3, most=9)
    np.testing.assert_allclose(found.likeness, alone.likeness)
    np.testing.assert_allclose(found.size, np.nanmean(past, axis=1))
    past[1], past[0, 9:12] = past[0], np.nan
    gappy, whole = (stretches_before(each, 2, season=3, cycle=3, most=9).likeness for each in (past, past[1:]))
    np.testing.assert_allclose(gappy, whole, atol=0.6)


def test_what_lies_before_the_launch_is_mirrored_at_it_season_by_season():
    target = np.array([[np.nan] * 5 + [1, 2, 3, 4, 5, 6, 7]])
    expected = [4, 5, 6, 3, 4, 1, 2, 3, 4, 5, 6, 7]
    np.testing.assert_array_equal(bridged(target, 2)[:, 0], expected)


def test_an_article_that_was_launched_late_varies_as_it_has_since():
    target = np.random.default_rng(1).normal(40, 12, size=(6, 160))
    target[0, :140] = np.nan
    found = paths(AnalogEstimator(8, cycle_length=52, origins=20).train([entry(target)]), target, count=200)
    spread = np.diff(np.quantile(found, (0.1, 0.9), axis=0), axis=0)[0].mean(0)
    assert spread[0] > 0.6 * spread[1:].mean()


def test_an_article_younger_than_a_season_holds_its_last_value_where_it_has_not_been():
    new, closed = [np.nan] * 6 + [5, 4], [1, 2, 3, np.nan] * 2
    expected = np.tile([[4, 4, 5, 4], [1, 2, 3, 0]], 2).T
    np.testing.assert_array_equal(bridged(np.array([new, closed]), 4), expected)


def test_gaps_and_a_late_start_give_finite_paths():
    target = RNG.normal(size=(2, 80)) + 20
    target[0, 10:30:3] = np.nan
    target[1, :70] = np.nan
    learnt = AnalogEstimator(4, season_length=4, domain="nonnegative").train([entry(target)])
    found = paths(learnt, target)
    assert np.isfinite(found).all()
    assert abs(found[..., 1].mean() - 20) < 2


def test_what_comes_after_an_origin_does_not_bridge_its_gaps():
    """A series that starts late: at origins before that nothing of it is known."""
    target = np.full((2, 60), np.nan)
    target[0], target[1, 58:] = 1.0, 1e6
    pasts, _ = past_forecasts(AnalogEstimator(4, season_length=4), [Entry.of(entry(target))])
    assert len(pasts) > 5
    assert all(past.past.max() == 1 for past in pasts)


def test_the_first_paths_are_a_fair_share_of_all():
    target = np.arange(80.0)[None] % 4
    mixed = follower([(0.0,), (1.0, "mean")], [0.5, 0.5], [(0.0,) * 4] * 2)
    target[:, -4:] += 100
    found = paths(mixed, target, count=40)[:, 0, 0]
    assert 3 <= (found[:12] > 50).sum() <= 9
    assert (found > 50).sum() == 20


def test_paths_are_seeded_and_within_the_domain():
    target = RNG.poisson(2.0, size=(2, 90))
    learnt = AnalogEstimator(5, season_length=5, domain="count").train([entry(target)])
    found = paths(learnt, target)
    assert (found >= 0).all()
    assert (found == np.round(found)).all()
    np.testing.assert_array_equal(found, paths(learnt, target))
    assert (found != paths(learnt, target, seed=1)).any()


def test_the_newest_forecasts_of_every_entry_are_learnt_from():
    data = [Entry.of(entry(RNG.normal(size=(1, length)))) for length in (100, 40)]
    pasts, truths = past_forecasts(AnalogEstimator(4, season_length=4, origins=6), data)
    assert [len(past.past) for past in pasts] == [96, 92, 88, 36, 32, 28]
    np.testing.assert_array_equal(truths[1], data[0]["target"][:, 92:96].T)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"season_length": 0}, "season_length: expected a whole number from 1 to 100000, got 0"),
        ({"season_length": 4, "cycle_length": 6}, "cycle_length: expected a multiple of 4 steps, got 6"),
        ({"origins": 0}, "origins: expected a whole number from 1, got 0"),
        ({"stretches": 3}, "stretches: expected at least 4, got 3"),
        ({"season_length": 4, "spacings": (3,)}, "spacings: expected parts of the season of 4 steps, got 3"),
        ({"season_length": 4, "spacings": (4,)}, "spacings: expected parts of the season of 4 steps, got 4"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        AnalogEstimator(4, **settings)


@pytest.mark.parametrize("move", [{"share": 1.5}, {"of": "median"}, {"by": "sum"}])
def test_moves_out_of_range_are_refused(move):
    with pytest.raises(ValueError, match=next(iter(move))):
        Move(**move)


def test_too_short_a_past_is_refused_by_name():
    assert shortest(6, 4) == 12
    with pytest.raises(ValueError, match=r"training_data: expected at least 30 steps.*got 29"):
        AnalogEstimator(6, season_length=4).train([entry(np.ones((1, 29)))])
    with pytest.raises(ValueError, match=r"dataset: expected at least 12 steps.*got 11 in entry 0"):
        paths(follower(), np.ones((1, 11)))
    assert paths(follower(), np.ones((1, 12))).shape == (100, 6, 1)


def test_any_series_are_forecast_but_another_frequency_and_no_path_are_refused_by_name():
    assert paths(follower(), np.ones((2, 30))).shape[-1] == 2
    hourly = {"start": pd.Period("2024-01-01", "h"), "target": np.ones((1, 30))}
    with pytest.raises(ValueError, match=r"expected frequency 'D' as in training, got 'h' in entry 0"):
        next(follower().predict([hourly]))
    with pytest.raises(ValueError, match="num_samples: expected a whole number from 1, got 0"):
        paths(follower(), np.ones((1, 30)), count=0)


def test_what_came_back_of_sales_leaves_no_gap():
    """More returns than sales: values below 0, of which there is no root."""
    target = RNG.normal(size=(2, 90))
    learnt = AnalogEstimator(5, season_length=5, domain="nonnegative").train([entry(target)])
    assert np.isfinite(learnt.weights).all()
    drawn = [paths(follower([(0.5, of, "ratio")], season=5, series=2), target) for of in ("mean", "profile")]
    assert np.isfinite(drawn).all()
