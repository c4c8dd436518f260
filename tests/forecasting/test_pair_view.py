"""The pair view: what is drawn, what is written, and what is not written on an error."""

import numpy as np
import pandas as pd
import pytest
import typer
from hemline.datasets import simulated_sales
from hemline.forecasting import ForecastEstimator, Outcome, Scaling, Scenario, Simulation, TrainConfig, simulate
from hemline.forecasting.cannibalisation import cannibalisation
from hemline.forecasting.commands import register
from hemline.forecasting.pair_page import write_pair_view
from hemline.forecasting.pair_view import cannibalisation_figure, pair_figure
from hemline.forecasting.response import LogLinear
from hemline.forecasting.simulate_command import matrix_articles
from typer.testing import CliRunner

DATA = simulated_sales(articles=4, weeks=150, seed=0, windows=2)
HISTORY = {**DATA.test[0], "target": DATA.test[0]["target"][:, :-8]}
CUT = Scenario("cut <&> run", ["price[dress_1] = -25% @ 2:4"])


@pytest.fixture(scope="module")
def predictor():
    train = TrainConfig(max_epochs=2, batches_per_epoch=10, batch_size=16)
    return ForecastEstimator(
        "W-SUN", 8, lags=(1,), scaling=Scaling(domain="count"), response=LogLinear(), train=train
    ).train(DATA.train)


@pytest.fixture(scope="module")
def simulation(predictor):
    return simulate(predictor, HISTORY, CUT, paths=60)


def test_the_page_needs_no_other_file_and_says_the_scenario_in_words(simulation, tmp_path):
    png, page = write_pair_view(simulation, CUT.name, ("dress_1", "dress_2"), tmp_path / "new" / "folder")
    assert png.read_bytes().startswith(b"\x89PNG")
    text = page.read_text()
    assert "price of dress_1 is 25 % lower in steps 2 to 4 (2022-08-14 to 2022-08-28)" in text
    assert "cut &lt;&amp;&gt; run" in text
    assert "<& >" not in text
    assert text.count('src="data:image/png;base64,') == 1
    assert "http" not in text


def test_the_panels_show_both_articles_with_dates_and_units(simulation):
    figure = pair_figure(simulation, CUT.name, "dress_1", "dress_2")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    for expected in ("dress_1: sold", "dress_2: sold", "Joint", "Change of dress_2", "Revenue", "Correlation"):
        assert any(title.startswith(expected) for title in titles), expected
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels.count("units a step (W-SUN)") == 2


def test_titles_stay_within_their_panels_whatever_the_articles_are_called():
    names = ("tropicana_premium_64_ounces", "minute_maid_frozen_64_ounces")
    paths = 1e6 * np.random.default_rng(0).poisson(9, (40, 3, 2)).astype(float)
    base = Outcome("baseline", paths, names, pd.Period("2024-01-07", "W-SUN"))
    other = Outcome("s", paths + 1e6, names, base.start, baseline=base)
    outcomes = Simulation(
        {"baseline": base, "s": other}, (Scenario("s", f"drop {names[0]}"),), {"target": np.ones((2, 5))}
    )
    figure = pair_figure(outcomes, "s", *names)
    figure.draw_without_rendering()
    for axes in figure.axes:
        title = axes.title if axes.get_title() else axes._left_title
        assert title.get_window_extent().x1 <= figure.bbox.x1, axes.get_title(loc="left")


def test_a_single_far_path_does_not_leave_the_others_a_corner():
    paths = np.random.default_rng(0).poisson(50, (1000, 1, 2)).astype(float)
    paths[7, 0, 1] = 5000
    base = Outcome("baseline", paths, ("A", "B"), pd.Period("2024-01-07", "W-SUN"))
    other = Outcome("s", paths + 1, ("A", "B"), base.start, baseline=base)
    outcomes = Simulation({"baseline": base, "s": other}, (Scenario("s", "drop A"),), {"target": np.ones((2, 5))})
    figure = pair_figure(outcomes, "s", "A", "B")
    panel = next(axes for axes in figure.axes if axes.get_ylabel() == "B: units over the horizon")
    assert panel.get_ylim()[1] < 130
    assert panel.get_xlim()[0] < paths[:, 0, 0].min()
    assert panel.get_xlim()[1] > paths[:, 0, 0].max() + 1
    assert any("2 of 2000 lie further out" in axes.get_title(loc="left").replace("\n", " ") for axes in figure.axes)


def test_a_model_without_prices_and_a_single_step_are_drawn():
    paths = np.random.default_rng(0).poisson(9, (40, 1, 2)).astype(float)
    base = Outcome("baseline", paths, ("A", "B"), pd.Period("2024-01-07", "W-SUN"))
    other = Outcome("s", paths + 1, ("A", "B"), base.start, baseline=base)
    outcomes = Simulation({"baseline": base, "s": other}, (Scenario("s", "drop A"),), {"target": np.ones((2, 5))})
    assert pair_figure(outcomes, "s", "A", "B").axes


@pytest.mark.parametrize(
    ("articles", "scenario", "message"),
    [
        (("dress_1", "hat"), CUT.name, "article: expected one of dress_1, .*; got 'hat'"),
        (("dress_1", "dress_1"), CUT.name, "expected two different articles, got dress_1, dress_1"),
        (("dress_1",), CUT.name, "expected two different articles"),
        (("dress_1", "dress_2"), "other", "scenario: expected one of baseline, cut <&> run; got 'other'"),
    ],
)
def test_nothing_is_written_for_names_that_are_unknown(simulation, tmp_path, articles, scenario, message):
    with pytest.raises(ValueError, match=message):
        write_pair_view(simulation, scenario, articles, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_matrix_has_the_planted_elasticities_in_its_intervals(predictor):
    effects = cannibalisation(predictor, HISTORY, DATA.metadata.item_ids, paths=200)
    inside = (effects.low < DATA.truth.elasticity) & (DATA.truth.elasticity < effects.high)
    assert inside.mean() > 0.7
    assert (np.diag(effects.mean) < 0).all()
    assert np.diag(effects.certain()).all()
    assert len(cannibalisation_figure(effects).axes[0].texts) == 16


def test_a_large_assortment_shows_the_pair_and_its_neighbours():
    known = [str(number) for number in range(40)]
    assert matrix_articles(("20", "3"), known) == [*known[14:25], "3"]
    assert matrix_articles(("39", "38"), known) == known[28:]
    assert matrix_articles(("0", "1"), known[:5]) == known[:5]


@pytest.fixture(scope="module")
def folder(predictor, tmp_path_factory):
    folder = tmp_path_factory.mktemp("predictor")
    predictor.serialize(folder)
    (folder / "dataset.json").write_text('{"name": "sales"}')
    return folder


class TestCommand:
    @pytest.fixture
    def run(self, folder, tmp_path):
        app = typer.Typer()
        register(app, lambda name: DATA)

        def run(*arguments, articles="dress_1,dress_2"):
            given = ["simulate", "--predictor", folder, "--articles", articles, "--out", tmp_path / "out"]
            return CliRunner().invoke(app, [str(each) for each in (*given, "--paths", 20, *arguments)])

        return run

    def test_it_writes_pictures_page_table_and_the_scenarios(self, run, tmp_path):
        result = run("--set", "price[dress_1]=-20%@2:4", "--ask", "units[dress_1] >= 0")
        assert result.exit_code == 0, result.output
        assert "price of dress_1 is 20 % lower in steps 2 to 4" in result.output
        assert "units[dress_1] >= 0: 100.0 % of the paths (scenario)" in result.output
        written = sorted(file.name for file in (tmp_path / "out").iterdir())
        assert written == ["cannibalisation.png", "forecasts.csv", "pair.html", "pair.png", "scenarios.toml"]
        table = pd.read_csv(tmp_path / "out" / "forecasts.csv")
        assert set(table["future"]) == {"baseline", "scenario"}

    def test_scenarios_of_a_file_have_folders_of_their_own(self, run, tmp_path):
        file = tmp_path / "s.toml"
        file.write_text("\n".join(Scenario(name, "promo[dress_1] = 1 @ 1").to_toml() for name in ("a b", "c")))
        assert run("--scenario", file, "--window", 0).exit_code == 0
        assert (tmp_path / "out" / "a-b" / "pair.html").is_file()
        assert (tmp_path / "out" / "c" / "pair.html").is_file()

    @pytest.mark.parametrize(
        ("arguments", "articles", "message"),
        [
            (["--set", "price[dress_1]=-20%"], "dress_1,hat", "articles: expected two of dress_1, .*; got 'hat'"),
            (["--set", "price[dress_1]=-20%"], "dress_1", "expected two different articles, as in A,B; got 'dress_1'"),
            (["--set", "price[hat]=-20%"], "dress_1,dress_2", "article: expected one of dress_1"),
            (["--set", "colour[dress_1]=1"], "dress_1,dress_2", r"the model knows price\[article\]"),
            (["--set", "price[dress_1]=-20%@7:9"], "dress_1,dress_2", "expected 1 to 8, the horizon"),
            ([], "dress_1,dress_2", "set: expected a change"),
            (["--scenario", "nowhere.toml"], "dress_1,dress_2", "scenario: expected a TOML file, got nowhere.toml"),
            (["--set", "drop dress_1", "--ask", "units["], "dress_1,dress_2", "condition: expected"),
            (["--set", "drop dress_1", "--window", "5"], "dress_1,dress_2", "window: expected 0 to 1, got 5"),
        ],
    )
    def test_an_error_is_one_line_and_nothing_is_written(self, run, tmp_path, arguments, articles, message):
        result = run(*arguments, articles=articles)
        with pytest.raises((ValueError, FileNotFoundError), match=message) as caught:
            raise result.exception
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "out").exists()

    def test_a_predictor_that_does_not_tell_its_dataset_asks_for_it(self, run, folder):
        note = folder / "dataset.json"
        kept = note.read_text()
        note.unlink()
        try:
            assert "pass --dataset NAME" in str(run("--set", "drop dress_1").exception)
        finally:
            note.write_text(kept)
