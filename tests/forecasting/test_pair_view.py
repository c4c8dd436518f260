"""The pair view: what is drawn, what is written, and what is not written on an error."""

import itertools

import numpy as np
import pandas as pd
import pytest
import typer
from gluonts.model.forecast import SampleForecast
from hemline.datasets import simulated_sales
from hemline.datasets.entries.entry import Entry
from hemline.forecasting import ForecastEstimator, Outcome, Scaling, Scenario, Simulation, TrainConfig, simulate
from hemline.forecasting.commands.simulate import folders_of, matrix_articles, pair_of
from hemline.forecasting.commands.train import register
from hemline.forecasting.response.response import LogLinear
from hemline.forecasting.scenarios.cannibalisation import Cannibalisation, cannibalisation
from hemline.forecasting.scenarios.cannibalisation_figure import cannibalisation_figure
from hemline.forecasting.scenarios.pair_figures import pair_figure
from hemline.forecasting.scenarios.pair_page import write_pair_view
from matplotlib.text import Text
from typer.testing import CliRunner

DATA = simulated_sales(articles=4, weeks=150, seed=0, windows=2)
HISTORY = DATA.history(0)
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
    assert labels.count("pieces per week") == 2


def test_titles_stay_within_their_panels_whatever_the_articles_are_called():
    names = ("tropicana_premium_64_ounces", "minute_maid_frozen_64_ounces")
    paths = 1e6 * np.random.default_rng(0).poisson(9, (40, 3, 2)).astype(float)
    base = Outcome("baseline", paths, names, pd.Period("2024-01-07", "W-SUN"))
    other = Outcome("s", paths + 1e6, names, base.start, baseline=base)
    outcomes = Simulation(
        {"baseline": base, "s": other}, (Scenario("s", f"drop {names[0]}"),), Entry(base.start, np.ones((2, 5)))
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
    outcomes = Simulation(
        {"baseline": base, "s": other}, (Scenario("s", "drop A"),), Entry(base.start, np.ones((2, 5)))
    )
    figure = pair_figure(outcomes, "s", "A", "B")
    panel = next(axes for axes in figure.axes if axes.get_ylabel() == "B: pieces over the horizon")
    assert panel.get_ylim()[1] < 130
    assert panel.get_xlim()[0] < paths[:, 0, 0].min()
    assert panel.get_xlim()[1] > paths[:, 0, 0].max() + 1
    assert any("2 of 2000 lie further out" in axes.get_title(loc="left").replace("\n", " ") for axes in figure.axes)


def test_a_model_without_prices_and_a_single_step_are_drawn():
    paths = np.random.default_rng(0).poisson(9, (40, 1, 2)).astype(float)
    base = Outcome("baseline", paths, ("A", "B"), pd.Period("2024-01-07", "W-SUN"))
    other = Outcome("s", paths + 1, ("A", "B"), base.start, baseline=base)
    outcomes = Simulation(
        {"baseline": base, "s": other}, (Scenario("s", "drop A"),), Entry(base.start, np.ones((2, 5)))
    )
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


def test_a_matrix_of_some_articles_says_of_how_many():
    part = Cannibalisation(("A", "B"), *(np.zeros((2, 2)) for _ in range(3)))
    titles = [cannibalisation_figure(part, known).axes[0].get_title(loc="left") for known in (None, 2, 60)]
    assert [" ".join(title.split())[:32] for title in titles] == [
        "Cannibalisation: mean and 90 % i",
        "Cannibalisation: mean and 90 % i",
        "Cannibalisation for 2 of 60 arti",
    ]


@pytest.mark.parametrize(
    ("text", "pair"),
    [("A,B", ("A", "B")), ("coat, long [red] , A", ("coat, long [red]", "A")), ("A,coat, long [red]", None)],
)
def test_names_of_a_pair_may_hold_commas(text, pair):
    assert pair_of(text, ["A", "B", "coat, long [red]"]) == (pair or ("A", "coat, long [red]"))


def test_a_pair_is_refused_whole_where_no_comma_divides_it():
    known = [str(number) for number in range(40)]
    with pytest.raises(ValueError, match=r"expected two of 0, .* and 10 more; got '1,2,x'"):
        pair_of("1,2,x", known)
    with pytest.raises(ValueError, match=r"expected two of .*; got '40'"):
        pair_of("1,40", known)
    with pytest.raises(ValueError, match="can be read in one way, got 'a,b,c'"):
        pair_of("a,b,c", ["a", "b,c", "a,b", "c"])


def test_a_sale_between_two_gaps_is_drawn():
    past = HISTORY.target.copy()
    past[0, -6:-3] = [np.nan, 7.0, np.nan]
    start = pd.Period("2023-01-01", "W-SUN")
    paths = np.ones((5, 3, 2), dtype=np.float32)
    plan = Outcome("baseline", paths, ("A", "B"), start)
    changed = Outcome("s", paths, ("A", "B"), start, baseline=plan)
    drawn = Simulation({"baseline": plan, "s": changed}, (Scenario("s", "promo[A] = 1"),), Entry(start, past))
    points = [line.get_ydata().tolist() for line in pair_figure(drawn, "s", "A", "B").axes[0].lines]
    assert [7.0] in points


class Thinned:
    """Poisson units of three articles; each unit of the others is lost with 5 % where the price of the first falls."""

    covariate_names = ("price[A]", "price[B]", "price[C]")
    item_ids, prediction_length = ("A", "B", "C"), 1

    def __init__(self, units: float) -> None:
        self.units = units

    def predict(self, dataset, num_samples, seed):
        (entry,) = dataset
        generator = np.random.default_rng(seed)
        sold = generator.poisson(self.units, (num_samples, 1, 3)) * [1, 1, 0]
        kept = generator.binomial(sold, 0.95)
        cut = entry["feat_dynamic_real"][0, -1] < 1
        yield SampleForecast(np.where(cut, kept, sold), entry["start"] + 3)


@pytest.mark.parametrize("units", [1, 5, 100, 10_000])
def test_an_elasticity_is_that_of_the_totals_however_little_is_sold(units):
    history = {
        "start": pd.Period("2024-01-07", "W-SUN"),
        "target": np.ones((3, 3)),
        "item_ids": Thinned.item_ids,
        "covariates": Thinned.covariate_names,
        "feat_dynamic_real": np.ones((3, 4)),
    }
    effects = cannibalisation(Thinned(units), history, ("A", "B", "C"), paths=20_000)
    planted = np.log(0.95) / np.log(0.9)
    assert effects.mean[1, 0] == pytest.approx(planted, rel=0.08)
    assert effects.low[1, 0] < effects.mean[1, 0] < effects.high[1, 0] + 1e-6
    assert effects.certain()[1, 0] == (units >= 100), "of a few units none or one is lost"
    assert (effects.mean[1, 1], effects.low[1, 1], effects.high[1, 1]) == (0, 0, 0)
    assert np.isnan([effects.mean[2, 0], effects.low[2, 0], effects.high[2, 0]]).all()
    assert not effects.certain()[2].any()


def pair_outcomes(before, after, names=("A", "B"), change="drop A", past=None):
    """A simulation of two articles with given paths ``[S, H, 2]``."""
    base = Outcome("baseline", before, names, pd.Period("2024-01-07", "W-SUN"), 10 * before)
    other = Outcome("s", after, names, base.start, 10 * after, baseline=base)
    history = Entry(base.start, np.ones((2, 5)) if past is None else past)
    return Simulation({"baseline": base, "s": other}, (Scenario("s", change),), history)


def panel(figure, title):
    return next(axes for axes in figure.axes if axes.get_title(loc="left").startswith(title))


def bars(figure):
    """Left edges and widths of the bars of the histogram of changes."""
    patches = panel(figure, "Change of").patches
    return [patch.get_x() for patch in patches], [patch.get_width() for patch in patches]


def test_changes_in_whole_units_have_bars_around_whole_numbers():
    paths = np.random.default_rng(0).poisson(50, (300, 2, 2)).astype(float)
    lost = np.random.default_rng(1).poisson(5, (300, 2, 2))
    edges, widths = bars(pair_figure(pair_outcomes(paths, paths - lost), "s", "A", "B"))
    np.testing.assert_allclose(np.mod(edges, 1), 0.5)
    np.testing.assert_allclose(widths, 1)
    edges, widths = bars(pair_figure(pair_outcomes(paths, paths - 30 * lost), "s", "A", "B"))
    assert len(edges) <= 40
    np.testing.assert_allclose(np.mod(widths, 1), 0)


@pytest.mark.parametrize("level", [5, 5e6])
def test_a_change_that_is_constant_up_to_rounding_has_a_bar_that_is_seen(level):
    paths = np.random.default_rng(0).normal(10 * level, level, (300, 4, 2))
    ((_,), (width,)) = bars(pair_figure(pair_outcomes(paths, paths - level), "s", "A", "B"))
    assert width >= 0.04 * 4 * level


def test_dollars_in_names_are_no_formulas(tmp_path):
    names = ("tee $5", "cap $\\foo$")
    paths = np.random.default_rng(0).poisson(50, (60, 2, 2)).astype(float)
    effects = Cannibalisation(names, *np.full((3, 2, 2), np.nan))
    write_pair_view(pair_outcomes(paths, paths + 1, names), "s", names, tmp_path, effects)
    figure = pair_figure(pair_outcomes(paths, paths + 1, names), "s", *names)
    assert not any(text.get_parse_math() for text in figure.findobj(Text) if "$" in text.get_text())


def test_a_change_of_a_channel_that_all_share_is_shaded_for_both():
    paths = np.random.default_rng(0).poisson(50, (60, 8, 2)).astype(float)
    figure = pair_figure(pair_outcomes(paths, paths + 1, change="holiday = 1 @ 6"), "s", "A", "B")
    assert [len(panel(figure, f"{name}: sold").patches) for name in "AB"] == [1, 1]


@pytest.mark.parametrize("sign", [-1, 1])
def test_curves_below_zero_are_not_cut_off(sign):
    paths = sign * np.random.default_rng(0).poisson(50, (60, 8, 2)).astype(float)
    figure = pair_figure(pair_outcomes(paths, paths, past=np.full((2, 5), 50.0 * sign)), "s", "A", "B")
    bottom = panel(figure, "A: sold").get_ylim()[0]
    assert bottom == 0 if sign > 0 else -80 < bottom < -55


def test_steps_of_a_long_horizon_are_numbered_where_there_is_room():
    paths = np.random.default_rng(0).poisson(50, (60, 48, 2)).astype(float)
    ticks = panel(pair_figure(pair_outcomes(paths, paths), "s", "A", "B"), "Correlation").get_xticks()
    assert len(ticks) < 15
    np.testing.assert_array_equal(ticks, np.rint(ticks))


def test_long_names_leave_panels_and_cells_their_room():
    names = tuple(f"{name}, dark blue with flowers, belted, size 38, summer collection" for name in ("Dress", "Coat"))
    paths = 1e5 * np.random.default_rng(0).poisson(50, (60, 8, 2)).astype(float)
    figure = pair_figure(pair_outcomes(paths, 0.9 * paths, names), "s", *names)
    figure.draw_without_rendering()
    for title in (f"{names[0][:5]}", "Revenue", "Change of", "Correlation"):
        assert panel(figure, title).get_window_extent().width > 0.35 * figure.bbox.width, title
    labels = [label.get_window_extent() for label in panel(figure, "Revenue").get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(labels))
    matrix = cannibalisation_figure(Cannibalisation(names, *np.full((3, 2, 2), 0.1)))
    matrix.draw_without_rendering()
    assert matrix.axes[0].get_window_extent().width > 0.3 * matrix.bbox.width


def test_scenarios_that_differ_in_signs_alone_have_folders_of_their_own():
    names = ["-10%", "+10%", ".", "..", "A b", "a-B"]
    folders = folders_of(names)
    assert len({folder.casefold() for folder in folders}) == len(names)
    assert not {".", ".."} & set(folders)
    assert folders_of(["plain", "other.name"]) == ["plain", "other.name"]


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

    def test_a_price_that_was_never_seen_is_said_on_the_page_and_the_screen(self, run, tmp_path):
        result = run("--set", "price[dress_1]=5 @ 2")
        assert "and would be 5: how sales answer to that was never seen" in result.output
        assert "was never seen.</p>" in (tmp_path / "out" / "pair.html").read_text()

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
            (["--set", "drop dress_1", "--window", "-3"], "dress_1,dress_2", "window: expected 0 to 1, got -3"),
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


def fans(simulation, **more):
    figure = pair_figure(simulation, CUT.name, "dress_1", "dress_2", **more)
    return next(axes for axes in figure.axes if axes.get_title(loc="left").startswith("dress_1: sold"))


def line(axes, label):
    return next(drawn for drawn in axes.lines if str(drawn.get_label()).startswith(label))


def test_a_fan_opens_from_what_was_sold_last(simulation):
    axes = fans(simulation)
    sold, median = line(axes, "sold").get_xydata(), line(axes, "baseline").get_xydata()
    assert np.array_equal(median[0], sold[-1])
    assert len(median) == simulation.baseline.paths.shape[1] + 1


def test_what_happened_is_drawn_where_it_is_known(simulation):
    history, horizon = simulation.history, simulation.baseline.paths.shape[1]
    target = np.concatenate([history.target, np.arange(history.dim * 3.0).reshape(history.dim, 3)], axis=1)
    actual = Entry(history.start, target, item_ids=history.item_ids)
    happened = line(fans(simulation, actual=actual), "what happened").get_ydata()
    assert happened.tolist() == target[history.item_ids.index("dress_1"), -3:].tolist()
    assert len(happened) < horizon
    assert all(drawn.get_label() != "what happened" for drawn in fans(simulation).lines)


def test_a_cell_whose_interval_holds_0_is_grey_and_one_that_is_not_modelled_blank():
    mean = np.array([[-2.0, 0.4, 0.3], [0.0, -1.0, 0.2], [0.1, 0.0, -3.0]])
    low, high = mean - 0.1, mean + 0.1
    low[0, 2], low[1, 0], high[1, 0] = -0.1, 0.0, 0.0
    low[2, 1], high[2, 1] = -0.2, 0.2
    axes = cannibalisation_figure(Cannibalisation(("a", "b", "c"), mean, low, high)).axes[0]
    grey, coloured = (image.get_array().filled(np.nan) for image in axes.images)
    # Told from 0: coloured. An interval that holds 0: grey. None on any path: neither, and no text.
    assert np.isfinite(coloured).tolist() == [[True, True, False], [False, True, True], [False, False, True]]
    assert np.isfinite(grey).tolist() == [[False, False, True], [False, False, False], [True, True, False]]
    places = {text.get_position() for text in axes.texts}
    assert (0, 1) not in places
    assert len(places) == 8


def test_the_table_of_the_page_scrolls_by_itself_and_one_number_is_rounded_once(simulation, tmp_path):
    write_pair_view(simulation, CUT.name, ("dress_1", "dress_2"), tmp_path)
    page = (tmp_path / "pair.html").read_text()
    assert '<div class="scroll"><table>' in page
    change = simulation[CUT.name].difference().units("dress_2").mean()
    assert f"<td>{change:+,.0f}</td>" in page
    figure = pair_figure(simulation, CUT.name, "dress_1", "dress_2")
    (title,) = [axes.get_title(loc="left") for axes in figure.axes if "Change of" in axes.get_title(loc="left")]
    assert f"Change of dress_2: {change:+,.0f} [" in title
