"""An assortment in partitions: dependence between them, workers, kills, storing, changed assortments, and bad input."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import Entry, ForecastData, simulated_sales
from hemline.datasets.entries.cuts import in_parts
from hemline.datasets.entries.data import Metadata
from hemline.datasets.hierarchies.correlation import correlated_parts
from hemline.evaluation import backtest
from hemline.evaluation.execution.lanes import on_lanes
from hemline.evaluation.execution.workers import lanes_for
from hemline.forecasting import (
    PartitionedEstimator,
    RandomWalkPredictor,
    RespondingEstimator,
    Scenario,
    SeasonalNaivePredictor,
    VARPredictor,
    load_predictor,
    simulate,
)
from hemline.forecasting.paths.tied import matched
from hemline.forecasting.wrappers.partitions import training
from hemline.forecasting.wrappers.partitions.predictor import PartitionedPredictor, seed_of
from scipy.optimize import linear_sum_assignment

HORIZON, GROUPS, EACH = 4, 4, 10
HERE = Path(__file__).parent


def chain(length: int = 300, groups: int = GROUPS, each: int = EACH) -> Entry:
    """Walks whose changes are half their own and half those of all."""
    rng = np.random.default_rng(0)
    changes = rng.normal(size=(groups * each, length)) + rng.normal(size=length)
    items = tuple(f"{group}-{number}" for number in range(each) for group in "abcdefgh"[:groups])
    return Entry(
        pd.Period("2024-01-01", "D"),
        1000 + changes.cumsum(1),
        item_ids=items,
        attributes={"category": {item: item[0] for item in items}},
    )


def paths(model, entry: Entry, count: int = 400, seed: int | None = 5) -> np.ndarray:
    return next(model.predict([entry], num_samples=count, seed=seed)).samples.astype(float)


WALK = RandomWalkPredictor(HORIZON)


def test_sums_over_partitions_have_the_spread_of_the_joint_model_and_series_stay_as_they_are():
    entry = chain()
    model = PartitionedEstimator(WALK, "category", strength=0.0).train([entry])
    tied, whole, pieces = paths(model, entry), paths(WALK, entry), model.partitions.cut([entry])
    own = [paths(WALK, piece, seed=seed_of(5, number)) for number, (piece,) in enumerate(pieces, 1)]
    alone = np.concatenate(own, axis=-1)
    spread = {name: each.sum(-1).std(0) for name, each in (("tied", tied), ("whole", whole), ("alone", alone))}
    # Forty walks of which half is shared: a variance of 1640 a step, and 440 where partitions are independent.
    true = np.sqrt(1640 * np.arange(1, HORIZON + 1))
    assert np.abs(spread["tied"] / true - 1).max() < 0.12
    assert (spread["alone"] / true < 0.62).all()
    sums = [each.sum((1, 2)).std() for each in (tied, whole)]
    assert abs(sums[0] / sums[1] - 1) < 0.1
    # A partition's paths are its model's own, each once.
    inside = tied[..., np.array(model.partitions.places) == 1]
    for told in (own[1], inside):
        told[:] = told[told.sum((1, 2)).argsort()]
    np.testing.assert_array_equal(inside, own[1])


def test_with_full_strength_the_totals_are_the_paths_of_their_joint_model():
    entry = chain()
    model = PartitionedEstimator(WALK, "category", of_totals=VARPredictor(HORIZON), strength=1.0).train([entry])
    told = next(model.predict([entry], num_samples=50, seed=3))
    labels = model.partitions.names
    places = np.array(model.partitions.places)
    sums = np.stack([entry.target[places == place].sum(0) for place in range(len(labels))])
    above = Entry(entry.start, sums, item_ids=labels)
    drawn = paths(model.totals, above, 50, seed_of(3, 0))
    by_category = told.aggregate("category")
    assert by_category.item_ids == labels
    np.testing.assert_allclose(by_category.samples, drawn, rtol=1e-6)
    np.testing.assert_array_equal(told.aggregate().samples[..., 0], told.samples.astype(float).sum(-1))


def test_the_held_out_windows_choose_the_share():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(12, 300)).cumsum(1) * 3
    season = 10 * np.sin(2 * np.pi * np.arange(300) / 4)
    items = tuple(f"{'ab'[number % 2]}{number}" for number in range(12))
    for row in range(2):
        noise[row::2] -= noise[row::2].mean(0)
    told = {"category": {item: item[0] for item in items}}
    entry = Entry(pd.Period("2024-01-01", "D"), 100 + season + noise, item_ids=items, attributes=told)
    good, bad = SeasonalNaivePredictor(HORIZON, 4), SeasonalNaivePredictor(HORIZON, 3)
    alone = RandomWalkPredictor(HORIZON, joint=False)
    assert PartitionedEstimator(alone, "category", of_totals=good).train([entry]).strength == 1
    assert PartitionedEstimator(good, "category", of_totals=bad).train([entry]).strength == 0


def test_partners_are_the_nearest_there_are():
    rng = np.random.default_rng(2)
    own, wanted = rng.normal(size=(2, 7, 3)).cumsum(2)
    order = matched(own, wanted)
    assert sorted(order) == list(range(7))

    def ranks(x):
        found = np.concatenate([x, x.sum(1, keepdims=True)], 1).argsort(0).argsort(0) / 7
        return found * np.array([1, 1, 1, np.sqrt(3)])

    distance = ((ranks(wanted)[:, None] - ranks(own)[None]) ** 2).sum(-1)
    best = linear_sum_assignment(distance)
    assert np.isclose(distance[np.arange(7), order].sum(), distance[best].sum())
    many = rng.normal(size=(1200, 2))
    assert sorted(matched(many, many[::-1])) == list(range(1200))


def test_parts_by_correlation_are_the_groups_and_of_the_size_that_is_asked():
    rng = np.random.default_rng(3)
    shared = rng.normal(size=(4, 200)).cumsum(1)
    group = rng.permutation(np.repeat(np.arange(4), 25))
    values = 5 * shared[group] * rng.uniform(0.1, 9, (100, 1)) + rng.normal(size=(100, 200)) * 0.1
    values[3, :50] = np.nan
    parts = correlated_parts(values, 25)
    assert len(set(zip(group.tolist(), parts.tolist(), strict=True))) == 4
    for size in (1, 7, 33, 99, 100):
        counts = np.bincount(correlated_parts(values, size))
        assert counts.max() <= size
        assert counts.max() - counts.min() <= 1
    np.testing.assert_array_equal(parts, correlated_parts(values, 25))


def test_a_part_has_its_own_channels_and_labels_and_those_that_all_share():
    data = simulated_sales(articles=4, weeks=80, windows=1)
    entry = data.history(0).with_(attributes={"style": {item: item[0] for item in data.metadata.item_ids}})
    first, second = in_parts(entry, np.array([1, 0, 0, 1]), 2)
    for part, rows in ((first, [1, 2]), (second, [0, 3])):
        items = [entry.item_ids[row] for row in rows]
        expected = entry.of_series(items).without_channels_of(set(entry.item_ids) - set(items))
        assert part.item_ids == tuple(items) == tuple(part.attributes["style"])
        assert part.channels.names == expected.channels.names
        np.testing.assert_array_equal(part.channels.values, expected.channels.values)
        np.testing.assert_array_equal(part.target, expected.target)


@pytest.fixture
def noted(tmp_path, monkeypatch):
    """The model that notes its trainings, and the folder of the notes."""
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("PYTHONPATH", str(HERE), prepend=os.pathsep)
    notes = tmp_path / "notes"
    notes.mkdir()
    monkeypatch.setenv("HEMLINE_TEST_NOTES", str(notes))
    return importlib.import_module("partition_models").NotedEstimator(HORIZON), notes


def trained(notes: Path) -> list[str]:
    return [line.split()[0] for line in (notes / "trained").read_text().splitlines()]


def test_processes_give_the_numbers_of_one_and_see_their_own_partition_alone(noted, tmp_path):
    model, notes = noted
    entry = chain(80)
    here = PartitionedEstimator(model, "category").train([entry])
    (notes / "trained").unlink()
    (notes / "dies").write_text("b-0")
    away = PartitionedEstimator(model, "category", workers=2, directory=tmp_path / "kept").train([entry])
    lines = [line.split() for line in (notes / "trained").read_text().splitlines()]
    workers = [line for line in lines if line[3] != str(os.getpid())]
    assert {line[1] for line in workers} == {str(EACH)}
    assert len(workers) == 2 * GROUPS + 1  # each twice, and once more what died
    assert away.strength == here.strength
    np.testing.assert_array_equal(paths(away, entry), paths(here, entry))


def test_ray_gives_the_numbers_of_one_process_though_a_worker_is_killed(noted, tmp_path):
    pytest.importorskip("ray", reason="needs the extra `ray`")
    model, notes = noted
    entry = chain(80)
    here = PartitionedEstimator(model, "category", strength=0.5).train([entry])
    (notes / "trained").unlink()
    (notes / "dies").write_text("c-0")
    away = PartitionedEstimator(model, "category", strength=0.5, workers=2, ray=True).train([entry])
    assert sorted(trained(notes)) == ["a", "a-0", "b-0", "c-0", "c-0", "d-0"]
    np.testing.assert_array_equal(paths(away, entry), paths(here, entry))


def test_a_training_that_failed_goes_on_behind_finished_partitions(noted, tmp_path, monkeypatch):
    model, notes = noted
    entry, kept = chain(80), tmp_path / "kept"
    estimator = PartitionedEstimator(model, "category", strength=0.0).for_run(3, kept)
    (notes / "breaks").write_text("c-0")
    with pytest.raises(ValueError, match=r"^partition 'c': model: expected a better day$"):
        estimator.train([entry])
    assert trained(notes) == ["a-0", "b-0", "c-0"]
    found = estimator.train([entry])
    assert trained(notes) == ["a-0", "b-0", "c-0", "c-0", "d-0", "a"]
    np.testing.assert_array_equal(
        paths(found, entry), paths(PartitionedEstimator(model, "category", strength=0.0, seed=3).train([entry]), entry)
    )
    monkeypatch.setattr(training, "RETRIES", 0)
    (notes / "dies").write_text("c-0")
    with pytest.raises(ValueError, match=r"^partition 'c': expected a worker that lives, got 1 that were killed"):
        PartitionedEstimator(model, "category", strength=0.0, workers=2, seed=4, directory=kept).train([entry])


def shop() -> ForecastData:
    data = simulated_sales(articles=8, weeks=100, windows=1)
    told = {item: item.partition("_")[0] for item in data.metadata.item_ids}
    metadata = Metadata(**{**vars(data.metadata), "attributes": {"style": told}})
    return ForecastData(metadata, data.train, data.test, data.truth)


@pytest.fixture(scope="module")
def sold():
    data = shop()
    model = RespondingEstimator(VARPredictor(data.metadata.prediction_length), domain="count")
    estimator = PartitionedEstimator(model, "style", windows=2)
    return data, estimator, estimator.train(data.train)


def test_what_is_stored_forecasts_the_same_and_goes_on(sold, tmp_path):
    data, _, model = sold
    entry = data.history(0)
    model.serialize(tmp_path)
    again = load_predictor(tmp_path)
    np.testing.assert_array_equal(paths(again, entry, 30), paths(model, entry, 30))
    assert again.item_ids == data.metadata.item_ids
    assert set(again.covariate_names) == set(entry.channels.names)
    assert (paths(model, entry, 30) % 1 == 0).all()
    after = again.update(data.test[-1:])
    assert after.partitions == model.partitions
    assert paths(after, data.history(0), 5).shape == (5, data.metadata.prediction_length, 8)


def test_a_changed_price_moves_its_own_partition_alone(sold):
    data, _, model = sold
    item = data.metadata.item_ids[0]
    outcomes = simulate(model, data.history(0), Scenario("cut", f"price[{item}] = -30%"), paths=50)
    change = outcomes["cut"].paths - outcomes["baseline"].paths
    own = np.array(model.partitions.places) == model.partitions.places[0]
    assert change[..., 0].mean() > 0
    assert not change[..., ~own].any()
    np.testing.assert_array_equal(outcomes["baseline"].paths, paths(model, data.history(0), 50, 0))
    # Paths that are moved all the way keep the correction of the plan: the total of the partition changes too.
    full = PartitionedPredictor(model.members, model.totals, model.partitions, 1.0)
    outcomes = simulate(full, data.history(0), Scenario("cut", f"price[{item}] = -30%"), paths=50)
    change = (outcomes["cut"].paths - outcomes["baseline"].paths).mean((0, 1))
    assert change[own].sum() > 0.2 * change[0] > 0


def test_another_assortment_is_matched_by_name(sold):
    data, _, model = sold
    entry = data.history(0)
    some = [item for item in reversed(entry.item_ids) if not item.startswith("coat")][1:]
    gone = set(entry.item_ids) - set(some)
    assert any(item.startswith("coat") for item in entry.item_ids)
    left = entry.of_series(some).without_channels_of(gone)
    found = next(model.predict([left], num_samples=20, seed=1))
    assert found.item_ids == tuple(some)
    assert np.isfinite(found.samples).all()
    assert (found.samples.sum((0, 1)) > 0).all()


def test_new_articles_join_the_partition_of_their_label_or_begin_one():
    entry = chain(80, groups=3)
    before = PartitionedEstimator(WALK, "category", strength=0.5).train(
        [entry.of_series([item for item in entry.item_ids if item[0] != "c" and item != "b-4"])]
    )
    after = before.update([entry])
    assert after.partitions.names == ("a", "b", "c")
    assert after.partitions.items(1) == tuple(item for item in entry.item_ids if item[0] == "b")
    assert paths(after, entry, 7).shape == (7, HORIZON, 30)
    gone = after.update([entry.of_series([item for item in entry.item_ids if item[0] != "a"])])
    assert gone.partitions.names == ("b", "c")
    np.testing.assert_array_equal(paths(gone, entry.of_series(gone.item_ids), 3).shape, (3, HORIZON, 20))


def test_a_backtest_scores_it_by_level():
    entry = chain(120)
    data = ForecastData(
        Metadata("chain", "D", HORIZON, item_ids=entry.item_ids, attributes=entry.attributes),
        train=[entry.until(110)],
        test=[entry.until(114), entry.until(118)],
    )
    models = {"parts": PartitionedEstimator(WALK, "category", strength=0.0), "whole": WALK}
    scores = backtest(models, data, metrics=["crps", "crps@category", "energy_score@total"], quiet=True)
    overall = scores[scores[["window", "step", "item_id"]].isna().all(axis=1)].set_index(["model", "metric"])["value"]
    assert overall.loc["parts"].notna().all()
    assert abs(overall["parts", "crps"] / overall["whole", "crps"] - 1) < 0.1


def test_a_partition_of_one_series_and_more_workers_than_partitions_will_do(noted):
    model, _ = noted
    entry = chain(80, groups=2, each=1)
    found = PartitionedEstimator(model, "category").train([entry])
    assert found.partitions.names == ("a", "b")
    assert paths(found, entry, 3).shape == (3, HORIZON, 2)
    with lanes_for(5, len(found.partitions)) as lanes:
        assert len(lanes) <= 2


def test_wrong_arguments_are_named(tmp_path):
    entry = chain(80)
    nameless = Entry(entry.start, entry.target)
    for wrong, by, said in (
        (nameless, "category", "training_data: expected series with names, got 40 without"),
        (entry, "colour", "by: expected one of total, category; got 'colour'"),
        (
            entry.with_(attributes={"category": {"a-0": "a"}}),
            "category",
            "attributes: expected a label of 'category' for every series, got none for 'b-0'",
        ),
    ):
        with pytest.raises(ValueError, match=f"^{said}$"):
            PartitionedEstimator(WALK, by).train([wrong])
    with pytest.raises(ValueError, match=r"^strength: expected from 0 to 1, got 2$"):
        PartitionedEstimator(WALK, "category", strength=2)
    with pytest.raises(ValueError, match=r"^of_totals: expected a model with a horizon of 4, got one of 5$"):
        PartitionedEstimator(WALK, "category", of_totals=RandomWalkPredictor(HORIZON + 1))
    with pytest.raises(ValueError, match=r"^directory: expected a folder that the workers at x see as well, got none"):
        PartitionedEstimator(WALK, "category", address="x").train([entry])
    with pytest.raises(ValueError, match=r"^update: expected a partitioned predictor, got a RandomWalkPredictor$"):
        PartitionedEstimator(WALK, "category").update(WALK, [entry])


def test_an_error_ends_the_workers_of_a_loop():
    killed = []

    class Broken:
        lost, ready = (), True

        def submit(self, work, tell):
            raise KeyError(work)

        def kill(self):
            killed.append(self)

    with pytest.raises(KeyError):
        on_lanes([1], [Broken(), Broken()], begun=lambda work: True, ended=lambda one, future: False)
    assert len(killed) == 2
