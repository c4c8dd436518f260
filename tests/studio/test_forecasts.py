"""Forecasts and scenarios in the studio: series by their error, fans, sums, calibration, changed futures."""

from __future__ import annotations

import json
import re
from html import unescape

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="needs the extra `studio`")

from hemline.evaluation.scores.intervals import covered
from hemline.evaluation.scores.univariate import sorted_paths, weighted_quantile_loss
from hemline.forecasting import Scenario, simulate
from hemline.studio.database.tables import SavedScenario, now
from hemline.studio.forecasts.scenarios import PATHS, Built
from sqlalchemy import select

from .rooms import SCRIPT

CUT = "/scenarios?article=dress_1&what=price&value=-20&second=dress_2"


@pytest.fixture
def shop(planner):
    return planner.shop("sales")


def text_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).replace("\u202f", "").replace("\u2212", "-").split())


def test_series_are_listed_those_forecast_worst_first(plan, shop):
    page = plan().get("/forecasts").text
    rows = re.findall(r'window=(\d)&amp;series=(\w+)">', page)
    assert len(rows) == 8
    errors = [shop.window(name).errors[shop.window(name).places([item])[0]] for name, item in rows]
    assert errors == sorted(errors, reverse=True)


def test_the_error_of_a_series_is_its_crps_as_a_share_of_what_was_sold(shop):
    window = shop.window("1")
    for place in range(4):
        alone = window.paths[:, :, [place]], window.observed[:, [place]]
        assert window.errors[place] == pytest.approx(weighted_quantile_loss(*alone), rel=1e-6)


def test_a_series_that_sold_nothing_has_an_error(shop):
    window = shop.window("0")
    window.observed[:, 0] = 0.0
    window.__dict__.pop("errors", None)
    assert np.isfinite(window.errors[0])
    assert window.errors[0] > 0


def test_a_forecast_knows_nothing_of_what_came(shop, model):
    predictor, data = model
    expected = next(iter(predictor.predict([data.history(0)], num_samples=300, seed=0)))
    np.testing.assert_array_equal(shop.window("0").paths, expected.samples)


def test_series_are_found_by_words_and_date(plan):
    browser = plan()
    page = browser.get("/forecasts?words=DRESS_2&window=0").text
    assert re.findall(r'series=(\w+)">', page) == ["dress_2"]
    assert "No series is like this" in browser.get("/forecasts?words=none").text


def test_a_sum_is_that_of_the_paths_and_not_of_the_intervals(plan, shop):
    page = text_of(plan().get("/forecasts/series?window=1&series=dress_1&series=dress_2").text)
    window = shop.window("1")
    totals = window.paths[:, :, :2].sum(axis=(1, 2), dtype=np.float64)
    low, median, high = np.quantile(totals, (0.1, 0.5, 0.9))
    assert f"expects {median:.0f} pieces, and with 80 % between {low:.0f} and {high:.0f}" in page
    apart = np.quantile(window.paths[:, :, :2].sum(1, dtype=np.float64), (0.1, 0.9), axis=0).sum(axis=1)
    assert f"add up to {apart[0]:.0f} and {apart[1]:.0f}" in page
    assert f"{window.observed[:, :2].sum():.0f} were sold" in page


def test_a_sum_of_what_is_not_known_whole_is_not_shown_as_a_dash(plan, shop):
    window = shop.window("1")
    kept = window.observed[2, 0]
    window.observed[2, 0] = np.nan
    page = text_of(plan().get("/forecasts/series?window=1&series=dress_1").text)
    window.observed[2, 0] = kept
    assert "What was sold is not known in all of them." in page
    assert "were sold" not in page


@pytest.mark.parametrize(
    "address",
    [
        "/forecasts/fan.svg?window=0&series=dress_1",
        "/forecasts/fan.svg?window=0&series=dress_1&series=dress_2",
        "/forecasts/calibration.svg",
        "/scenarios/pair.svg?model=network&changes=drop+dress_1&first=dress_1&second=dress_2",
    ],
)
def test_charts_are_pictures_without_script_whose_texts_are_texts(plan, address):
    answer = plan().get(address)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.text.lstrip().startswith("<?xml")
    assert "<script" not in answer.text
    assert answer.text.count("<text") > 5


def test_calibration_says_how_often_intervals_held(plan, shop):
    page = text_of(plan().get("/forecasts/calibration").text)
    inside = np.concatenate(
        [covered(sorted_paths(w.paths), w.observed, 0.8).ravel() for w in (shop.window("0"), shop.window("1"))]
    )
    assert f"80 % {100 * inside.mean():.1f} %" in page


def test_a_scenario_is_answered_by_the_pair_view_of_simulate(plan, model):
    predictor, data = model
    page = text_of(plan().get(CUT).text)
    outcomes = simulate(predictor, data.history(-1), Scenario("x", "price[dress_1] = -20%"), paths=PATHS)
    change = outcomes["x"].difference()
    for article in ("dress_1", "dress_2"):
        before, mean = outcomes.baseline.units(article).mean(), change.units(article).mean()
        assert re.search(rf"{article}, pieces {before:.0f} \d+ {re.escape(f'{mean:+.0f}')}", page)
    assert change.units("dress_1").mean() > 0 > change.units("dress_2").mean()


def test_a_scenario_without_a_second_article_shows_the_most_affected_one(plan, planner):
    page = text_of(plan().get(CUT.replace("&second=dress_2", "")).text)
    (simulation,) = planner.simulations._kept.values()
    difference = simulation["scenario"].paths.sum(1) - simulation.baseline.paths.sum(1)
    most = np.abs(difference.mean(0)[1:]).argmax() + 1
    assert f"{simulation.baseline.item_ids[most]}, pieces" in page


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (Built("price", "a", -20.0, 2, 4), "price[a] = -20% @ 2:4"),
        (Built("promotion", "a", -20.0), "promo[a] = 1"),
        (Built("no promotion", "a"), "promo[a] = 0"),
        (Built("stock-out", "a", 5.0, 3), "sales[a] = 0 @ 3:"),
    ],
)
def test_a_form_is_a_change(built, expected):
    assert str(built.change()) == expected


@pytest.mark.parametrize("what", ["promotion", "no+promotion"])
def test_what_else_can_be_changed_is_answered(plan, what):
    assert "dress_1, pieces" in text_of(plan().get(CUT.replace("what=price", f"what={what}")).text)


def test_an_article_that_is_sold_out_sells_nothing(plan):
    browser = plan()
    page = text_of(browser.get("/scenarios?model=network&article=dress_1&what=stock-out").text)
    assert re.search(r"dress_1, pieces \d+ 0 -\d+", page)
    assert 'value="stock-out"' not in browser.get("/scenarios?model=sales").text, "analogs cannot be told"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("article=nothing", "article: expected one of"),
        ("article=dress_1&first=99", "steps: expected 1 to"),
        ("article=dress_1&value=-100", "value: expected -95 to 200"),
        ("article=dress_1&what=magic", "what: expected one of"),
        ("changes=hello", "change: expected"),
        ("changes=price[dress_1]+%3D+1e30", "price[dress_1]: expected a value within 1,000 times of"),
        ("changes=price[dress_1]+%3D+1e300", "price[dress_1]: expected a value within 1,000 times of"),
        ("changes=price[dress_1]+%3D+-99.999%25", "price[dress_1]: expected a value within 1,000 times of"),
        ("model=network&changes=sales[dress_1]+%3D+1e30", "sales[dress_1]: expected a value within 1,000 times of"),
        ("changes=" + "price[dress_1]+%3D+%2B1100%25%0A" * 3, "price[dress_1]: expected a value within 1,000 times of"),
        ("article=dress_1&second=dress_99", "second: expected one of"),
        ("article=dress_1&second=dress_1", "second: expected another article than the first, got"),
        ("model=none", "model: expected one of"),
        ("window=77", "window: expected one of"),
    ],
)
def test_what_is_no_scenario_is_said_in_a_line(plan, query, told):
    answer = plan().get(f"/scenarios?{query}")
    assert answer.status_code == 400
    assert told in answer.text


def test_a_scenario_is_kept_shared_and_removed(plan, planner):
    ann, bob = plan("Ann"), plan("Bob")
    changes = "price[dress_1] = -20%\npromo[dress_2] = 1 @ 3:"
    for _ in range(2):
        ann.submit("/scenarios/save", model="sales", name=SCRIPT, changes=changes, first="dress_1", second="dress_3")
    page = ann.get("/scenarios").text
    assert SCRIPT not in page
    assert page.count(f">{SCRIPT.replace('<', '&lt;').replace('>', '&gt;')}</a>") == 1
    assert "alert(1)" not in bob.get("/scenarios").text
    ann.submit("/scenarios/save", model="sales", name=SCRIPT, changes=changes, second="dress_3", shared="true")
    page = bob.get("/scenarios").text
    link = unescape(re.search(r'<th scope="row"><a href="(/scenarios[^"]+)"', page)[1])
    assert "promo of dress_2 is 1 from step 3 on" in text_of(bob.get(link).text)
    with planner.database.reading() as session:
        (row,) = session.scalars(select(SavedScenario)).all()
    assert row.changes == "price[dress_1] = -20%\npromo[dress_2] = 1 @ 3:"
    assert bob.submit("/scenarios/forget", number=row.id).status_code == 403
    ann.submit("/scenarios/forget", number=row.id)
    assert "alert(1)" not in bob.get("/scenarios").text


@pytest.mark.parametrize("changes", ["price[nobody] = -20%", "weather[dress_1] = 3", "promo[dress_1] = 1 @ 99"])
def test_a_scenario_that_has_no_answer_is_not_kept(plan, planner, changes):
    assert plan().submit("/scenarios/save", model="sales", name="x", changes=changes).status_code == 400
    with planner.database.reading() as session:
        assert session.scalars(select(SavedScenario)).all() == []


@pytest.mark.parametrize(("changes", "second"), [("price[gone] = -20%", ""), ("price[dress_1] = -20%", "gone")])
def test_a_kept_scenario_that_the_model_of_today_does_not_know_keeps_its_page(plan, planner, changes, second):
    browser = plan()
    with planner.database.writing() as session:
        told = {"changes": changes, "articles": json.dumps(["", second]), "shared": False, "at": now()}
        session.add(SavedScenario(model="sales", owner="Ann", name="spring", **told))
    link = unescape(re.search(r'<th scope="row"><a href="(/scenarios[^"]+)"', browser.get("/scenarios").text)[1])
    answer = browser.get(link)
    assert answer.status_code == 200
    assert "“spring” was kept for a model of before; this one does not answer it:" in text_of(answer.text)
    assert "gone" in text_of(answer.text)
    part = browser.get(link, headers={"HX-Request": "true"})
    assert part.status_code == 400


def test_a_category_that_is_none_is_said(plan):
    answer = plan().get("/forecasts?category=colour%3Dred")
    assert answer.status_code == 400
    assert "category: expected one of the attributes" in answer.text


def test_a_viewer_sees_scenarios_and_keeps_none(plan, planner):
    browser = plan("Vera", "viewer")
    assert browser.get(CUT).status_code == 200
    assert browser.submit("/scenarios/save", model="sales", name="x", changes="promo[dress_1] = 1").status_code == 403
    with planner.database.reading() as session:
        assert session.scalars(select(SavedScenario)).all() == []


def test_an_article_is_not_kept_nor_drawn_beside_itself(plan, planner):
    browser = plan()
    picture = {"changes": "price[dress_1] = -20%", "first": "dress_1", "second": "dress_1"}
    answer = browser.get("/scenarios/pair.svg", params=picture)
    assert (answer.status_code, "second: expected another article" in answer.text) == (400, True)
    assert browser.submit("/scenarios/save", model="sales", name="x", **picture).status_code == 400


def test_an_article_that_the_model_does_not_know_is_neither_drawn_nor_kept(plan, planner):
    browser = plan()
    picture = {"changes": "price[dress_1] = -20%", "first": "dress_1", "second": "dress_99"}
    answer = browser.get("/scenarios/pair.svg", params=picture)
    assert answer.status_code == 400
    assert "second: expected one of" in answer.text
    told = browser.submit("/scenarios/save", model="sales", name="x", **picture)
    assert told.status_code == 400
    with planner.database.reading() as session:
        assert session.scalars(select(SavedScenario)).all() == []
