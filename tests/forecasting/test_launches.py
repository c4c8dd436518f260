"""What a launch takes from its look-alikes and they from it: planted in a shop, read off similar articles."""

import numpy as np
import pandas as pd
import pytest
from gluonts.model.predictor import Predictor
from hemline.datasets import from_sales, simulated_shop
from hemline.datasets.entries.entry import Entry
from hemline.forecasting import Scenario, build_model, simulate
from hemline.forecasting.response.pair_odds import Described, PairOdds
from hemline.forecasting.wrappers.cold_start.cross_effects import came_or_went, lessened, on_sale
from safetensors.numpy import load_file, save_file
from scipy.optimize import check_grad

pytestmark = pytest.mark.filterwarnings("ignore:covariates.*never seen:UserWarning")

SHOP = simulated_shop(
    articles=28, stores=1, weeks=120, launches=0.5, delistings=0, taken=0.35, seed=3, prediction_length=8
)
TRUTH = SHOP.truth
GROUPS = pd.factorize(np.array(TRUTH.sales.styles))[0]
WEEK = int(sorted(TRUTH.launch)[-4])
NEW = TRUTH.sales.articles[int(np.flatnonzero(TRUTH.launch == WEEK)[0])]


def at(week=WEEK, groups=GROUPS, since=0):
    """The data of those that are there by a week, with their groups as descriptors."""
    table, launched = SHOP.table, dict(zip(TRUTH.sales.articles, TRUTH.launch, strict=True))
    number = (table["Woche"] - table["Woche"].min()).dt.days // 7
    kept = table[(number < week + 8) & (number >= since) & (table["Artikel"].map(launched) <= week)].copy()
    kept.loc[number >= week, ["Absatz", "Retouren", "Bestand"]] = pd.NA
    data = from_sales(
        kept.reset_index(drop=True), article="Artikel", date="Woche", units="Absatz", price="Preis",
        promotion="Aktion", in_stock="Bestand", prediction_length=8, windows=0, unseen="keep",
    )  # fmt: skip
    place = [TRUTH.sales.articles.index(item) for item in data.metadata.item_ids]
    train, past = (entry.with_(static_cat=groups[place, None]) for entry in (data.train[0], data.latest))
    return data.metadata, train, past


METADATA, TRAIN, PAST = at()
OTHERS = [name for name in METADATA.item_ids if name != NEW]
RIVALS = [name for name in OTHERS if TRUTH.launch_effect(name, of=NEW) < 0]


@pytest.fixture(scope="module")
def predictor():
    return build_model("cold-start", METADATA).train([TRAIN])


@pytest.fixture(scope="module")
def outcomes(predictor):
    changes = {"cut": f"price[{NEW}] = -30%", "gone": f"drop {NEW}"}
    changes |= {f"cut of {name}": f"price[{name}] = -30%" for name in (*RIVALS, *OTHERS[:2])}
    return simulate(predictor, PAST, [Scenario(*each) for each in changes.items()], paths=300, seed=1)


class TestPrices:
    def test_rivals_lose_what_is_planted_when_the_launch_is_marked_down(self, outcomes):
        assert len(RIVALS) >= 2
        for name in RIVALS:
            effect, planted = outcomes["cut"].effect(name), TRUTH.sales.price_effect(name, of=NEW, change=-0.3)
            low, high = np.quantile(effect, (0.1, 0.9))
            assert effect.mean() < 0.5 * planted < 0
            assert low <= planted <= high

    def test_the_launch_loses_when_a_rival_is_marked_down(self, outcomes):
        for name in RIVALS:
            effect, planted = (
                outcomes[f"cut of {name}"].effect(NEW),
                TRUTH.sales.price_effect(NEW, of=name, change=-0.3),
            )
            assert effect.mean() == pytest.approx(planted, abs=0.12)

    def test_articles_of_other_groups_hardly_move(self, outcomes):
        for name in set(OTHERS) - set(RIVALS):
            assert abs(outcomes["cut"].effect(name).mean()) < 0.02
        for name in OTHERS[:2]:
            assert name not in RIVALS
            assert abs(outcomes[f"cut of {name}"].effect(NEW).mean()) < 0.04

    def test_with_groups_of_others_rivals_are_not_told_from_the_rest(self):
        mixed = GROUPS[np.random.default_rng(0).permutation(len(GROUPS))]
        metadata, train, past = at(groups=mixed)
        fitted = build_model("cold-start", metadata).train([train])
        cut = simulate(fitted, past, Scenario("cut", f"price[{NEW}] = -30%"), paths=200)["cut"]
        assert np.mean([cut.effect(name).mean() for name in RIVALS]) > -0.06


class TestPresence:
    def test_a_launch_takes_from_its_rivals_by_being_there(self, outcomes):
        taken = [1 - outcomes.baseline.units(name).mean() / outcomes["gone"].units(name).mean() for name in RIVALS]
        planted = [-TRUTH.launch_effect(name, of=NEW) for name in RIVALS]
        assert np.mean(taken) > 0.3 * np.mean(planted) > 0
        rest = [
            1 - outcomes.baseline.units(name).mean() / outcomes["gone"].units(name).mean()
            for name in set(OTHERS) - set(RIVALS)
        ]
        assert abs(np.mean(rest)) < 0.5 * np.mean(taken)

    def test_it_takes_nothing_in_the_steps_in_which_it_is_not_sold(self, predictor):
        late = simulate(predictor, PAST, Scenario("late", f"sales[{NEW}] = 0 @ 1:3"), paths=100)
        gained = late["late"].difference().paths
        rest = [late.baseline.column(name) for name in OTHERS]
        assert gained[:, :3, rest].any()
        assert not gained[:, 3:, rest].any()

    def test_after_few_launches_nothing_is_said_of_presence(self):
        metadata, train, past = at(week=int(sorted(set(TRUTH.launch.tolist()))[3]))  # two came before
        new = [name for name, seen in zip(train.item_ids, ~np.isnan(train.target), strict=True) if not seen.any()]
        outcome = simulate(
            build_model("cold-start", metadata).train([train]), past, Scenario("gone", f"drop {new[0]}"), paths=50
        )["gone"]
        change = outcome.difference().paths
        change[:, :, outcome.column(new[0])] = 0
        assert not change.any()

    def test_presence_begins_with_the_first_value_and_ends_where_there_was_none_for_a_horizon(self):
        target = np.array([[1.0] * 6, [np.nan, np.nan, 1, np.nan, 1, 1], [1, 1, 1, *[np.nan] * 3], [np.nan] * 6])
        entry = Entry(start=TRAIN.start, target=target, item_ids=("a", "b", "c", "d"))
        known = np.array([True, True, True, False])
        expected = [[1] * 8, [0, 0, 1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0, 0, 0], [0] * 6 + [1, 1]]
        np.testing.assert_array_equal(on_sale(entry, known, 2), expected)
        assert came_or_went(entry, known, 2) == ()  # two of them are too few
        assert came_or_went(entry.with_(target=np.where(target == target[0], np.nan, 1.0)), known, 2) == ()


class TestPaths:
    def test_they_are_whole_numbers(self, outcomes):
        for outcome in outcomes.values():
            np.testing.assert_array_equal(outcome.paths, outcome.paths.round())

    def test_a_predictor_read_back_says_the_same(self, predictor, tmp_path):
        predictor.serialize(tmp_path)
        again = Predictor.deserialize(tmp_path)
        one, two = (next(each.predict([PAST], num_samples=20, seed=3)).samples for each in (predictor, again))
        np.testing.assert_array_equal(one, two)

    def test_a_changed_file_is_refused_in_one_line(self, predictor, tmp_path):
        predictor.serialize(tmp_path)
        file = next(path for path in tmp_path.rglob("response.safetensors") if path.parent.name != "predictor")
        arrays = load_file(file)
        save_file({**arrays, "mixed": arrays["mixed"][:4].copy()}, file)
        with pytest.raises(ValueError, match=r"response.safetensors: expected mixed \[5, 25, .*\], got \[4, 25, "):
            Predictor.deserialize(tmp_path)

    def test_whole_numbers_keep_their_mean(self):
        chance = np.random.default_rng(0).random(20_000)
        assert lessened(np.full(20_000, 3.0), np.full(20_000, 0.85), chance, "count").mean() == pytest.approx(
            2.55, abs=0.02
        )
        assert lessened(np.array([3.0]), np.array([0.5]), np.array([0.2]), "positive") == 1.5


class TestOdds:
    def test_the_metric_finds_the_sums_of_numbers_that_matter(self):
        generator = np.random.default_rng(0)
        groups = np.repeat(np.arange(10), 4)
        seen = np.column_stack([generator.normal(size=(10, 3))[groups], generator.normal(size=(40, 3))])
        turned = seen @ np.linalg.qr(generator.normal(size=(6, 6)))[0]
        described = Described.of(turned, None, np.ones(40, dtype=bool))
        first, second = np.nonzero(~np.eye(40, dtype=bool))
        rivals = (groups[first] == groups[second]).astype(float)
        odds = PairOdds(described, first, second, share=0.1)
        squares = ((described.numbers[first] - described.numbers[second]) ** 2).sum(1)
        for _ in range(30):
            odds.learn(rivals)
        found = odds.log_shares()[1]

        def above(values):
            return (values[rivals == 1][:, None] > values[rivals == 0]).mean()

        assert above(found) > 0.97 > above(-squares) + 0.05

    def test_the_slope_is_that_of_the_objective(self):
        generator = np.random.default_rng(1)
        described = Described(generator.normal(size=(6, 2)), generator.integers(0, 2, (6, 1)))
        first, second = np.nonzero(~np.eye(6, dtype=bool))
        odds, member = PairOdds(described, first, second, 0.3), generator.random(30)
        values = generator.random(len(odds._found))
        error = check_grad(lambda x: odds.objective(x, member)[0], lambda x: odds.objective(x, member)[1], values)
        assert error < 1e-5

    def test_what_is_the_same_for_all_tells_nothing_apart(self):
        known = np.ones(5, dtype=bool)
        assert Described.of(np.ones((5, 2)), np.zeros((5, 1), dtype=int), known) is None
        assert Described.of(None, None, known) is None
