"""Orders and markdown plans in the studio: what to order, what it costs, which price each week."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("fastapi", reason="needs the extra `studio`")

from gluonts.model.forecast import SampleForecast
from hemline.decisions import order_quantities
from hemline.decisions.markdowns.ladder import Schedules
from hemline.decisions.markdowns.page import write_plan
from hemline.decisions.markdowns.plan import Judged, MarkdownPlan
from hemline.decisions.markdowns.terms import Terms
from hemline.decisions.orders.page import write_order
from hemline.studio.forecasts.decided import holds_decision, orders_in
from hemline.studio.texts.translations import translations

from .rooms import SCRIPT

ITEMS = ("coat", SCRIPT, "hat")
DATES = pd.date_range("2024-01-01", periods=4, freq="7D")


def write_an_order(folder, stock=2.0, costs=(20.0, 5.0, 1.5)):
    samples = np.random.default_rng(0).poisson((9, 3, 5), (60, 4, 3)).astype(float)
    drawn = SampleForecast(samples, pd.Period("2024-01-01", "D"))
    told = {} if costs is None else {"unit_cost": dict(zip(ITEMS, costs, strict=True))}
    plan = order_quantities(drawn, ITEMS, stock, service_level=0.9, lead_time=1, **told)
    write_order(plan, DATES, 1, folder)
    return plan


def write_prices(folder, ladders=((10, 8.0, 6.0),) * 3):
    three, prices = np.ones(3), np.array(ladders)
    schedules = (Schedules((0, 1, 2), 4),) * 3
    terms = Terms(ITEMS, 50 * three, prices, 0 * three, 0 * three, three, schedules, 5.0, 0.9, 4)
    sold = np.random.default_rng(0).poisson(4, size=(3, 4, 40)).astype(float)
    steps = np.array([[0, 1, 2, 2], [0, 0, 0, 0], [0, 0, 0, 1]])
    judged = {name: Judged(steps * (name == "plan"), sold, terms) for name in ("plan", "no markdown")}
    plan = MarkdownPlan(ITEMS, DATES, terms, judged, ("price[coat]: <b>never</b> seen",))
    write_plan(plan, folder)
    return plan


def cells(page: str) -> list[list[str]]:
    rows = re.findall(r"<tr.*?</tr>", page, re.S)
    return [
        [unescape(re.sub(r"<[^>]+>", "", cell)) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)] for row in rows
    ]


@pytest.fixture
def shelves(planner, tmp_path):
    """A studio that looks for orders and plans in the folder of a run."""
    planner.planned = (tmp_path / "sales",)
    (tmp_path / "sales").mkdir()
    planner.__post_init__()
    return planner


def test_a_folder_without_orders_says_so(shelves, plan):
    browser = plan()
    for address, words in (("/orders", "hemline order --out"), ("/plans", "hemline plan --out")):
        page = browser.get(address)
        assert page.status_code == 200
        assert "sales" in page.text
        assert words in page.text


@pytest.mark.parametrize("stock", [2.0, 1000.0])
def test_command_page_and_studio_say_the_same_of_an_order(shelves, plan, tmp_path, monkeypatch, stock):
    from hemline import cli
    from hemline.datasets.entries.data import ForecastData
    from typer.testing import CliRunner

    samples = np.random.default_rng(0).poisson((9, 3, 5), (60, 4, 3)).astype(float)
    drawn = SampleForecast(samples, pd.Period("2024-01-01", "D"))
    history = type("History", (), {"item_ids": ITEMS})
    data = type("Data", (ForecastData,), {"__init__": lambda self: None, "history": lambda self, window: history})()
    trained = type("Trained", (), {"predict": lambda self, *given, **named: iter([drawn])})()
    monkeypatch.setattr("hemline.forecasting.models.stored.load_predictor", lambda *given, **named: trained)
    monkeypatch.setattr("hemline.evaluation.adapters.foreign.read_for", lambda *given: data)
    table = tmp_path / "stock.csv"
    pd.DataFrame({"article": ITEMS, "stock": stock}).to_csv(table, index=False)
    place = tmp_path / "sales"
    words = ["order", "--predictor", str(place), "--dataset", "x", "--stock", str(table), "--out", str(place)]
    cli.mount()
    done = CliRunner().invoke(cli.app, [*words, "--service-level", "0.9", "--lead-time", "1"])
    assert done.exit_code == 0, done.exception
    before = np.maximum(samples[:, 0] - stock, 0).mean(0).sum()
    facts = [tuple(line.split(": ")) for line in done.output.splitlines() if ": " in line]
    missing = "expected to be missing"
    now = [f"{missing} before it arrives, whatever is ordered", f"{missing} from then on"] if before else [missing]
    assert [words for words, _ in facts if words.startswith(missing)] == now
    assert (f"{missing} before it arrives, whatever is ordered", f"{before:.1f} units") in facts or not before
    assert len(facts) == 4 + (before > 0)

    def told(page: str) -> set[tuple[str, str]]:
        pairs = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", page, re.S)
        return {(words[0].lower() + words[1:], unescape(value).replace("\u202f", ",")) for words, value in pairs}

    report = (place / "order.html").read_text()
    studio = plan().get("/orders").text
    assert set(facts) <= told(report)
    assert set(facts) <= told(studio)
    # The table too, in whole units where articles are counted.
    line = {row[0]: row for row in cells(report)[1:]}["hat"]
    other = {row[0]: row for row in cells(studio.replace("\u202f", ","))[1:]}["hat"]
    assert [each.replace(" to ", " – ") for each in line[1:]] == other[1:]
    low, high = np.quantile(samples[:, 1:, 2].sum(1), [0.1, 0.9], method="inverted_cdf")
    assert line[3:5] == [f"{samples[:, 1:, 2].sum(1).mean():.0f}", f"{low:.0f} to {high:.0f}"]


def test_facts_of_an_order_have_german_words(tmp_path):
    from hemline.decisions.orders.report import read_order

    for stock in (2.0, 1000.0):
        write_an_order(tmp_path, stock)
        facts = read_order(tmp_path).facts
        assert all(translations("de").gettext(fact.words) != fact.words for fact in facts)


def test_a_damaged_order_hides_no_other_and_folders_of_one_name_are_both_shown(planner, plan, tmp_path):
    places = [tmp_path / "a" / "order", tmp_path / "b" / "order"]
    for place in places:
        write_an_order(place)
    planner.planned = tuple(places)
    planner.__post_init__()
    assert sorted(planner.orders.found()) == ["b/order", "order"]
    browser = plan()
    newest = next(iter(planner.orders.found().values())) / "order.json"
    newest.write_text(newest.read_text()[:100])
    assert "What to order on 2024-01-01" in browser.get("/orders").text
    other = places[1 - places.index(newest.parent)] / "order.json"
    other.write_text("{")
    assert browser.get("/orders").status_code == 400


def test_an_order_says_how_much_and_what_it_costs(shelves, plan, tmp_path):
    told = write_an_order(tmp_path / "sales" / "march")
    page = plan().get("/orders").text
    assert "What to order on 2024-01-01" in page
    assert "the step of 2024-01-08" in page
    rows = {row[0]: row for row in cells(page)[1:]}
    for item, order, cost in zip(ITEMS, told.order, (20.0, 5.0, 1.5), strict=True):
        assert rows[item][1] == f"{order:.0f}"
        assert rows[item][2] == f"{order * cost:,.2f}".replace(",", "\u202f")
    assert f"{told.order @ (20.0, 5.0, 1.5):,.2f}".replace(",", "\u202f") in page
    assert "<script>alert" not in page


def test_without_unit_costs_the_page_says_that_costs_are_not_known(shelves, plan, tmp_path):
    write_an_order(tmp_path / "sales", costs=None)
    assert "had no column unit_cost" in plan().get("/orders").text


def test_a_new_order_takes_the_place_of_an_old_one_without_a_new_start(shelves, plan, tmp_path):
    browser = plan()
    write_an_order(tmp_path / "sales")
    before = browser.get("/orders").text
    told = write_an_order(tmp_path / "sales", stock=500.0)
    after = browser.get("/orders").text
    assert told.order.sum() == 0
    assert before != after
    assert "0 units of 0 articles" in after


def test_a_plan_shows_each_price_and_what_it_gains(shelves, plan, tmp_path):
    told = write_prices(tmp_path / "sales" / "summer")
    page = plan().get("/plans").text
    rows = {row[0]: row for row in cells(page)}
    assert rows["coat"][2:6] == ["10.00", "8.00−20 %", "6.00−40 %", "6.00−40 %"]
    assert rows[SCRIPT][2:6] == ["10.00"] * 4
    assert "2 of 3 articles are marked down" in page
    gain = told.gain("no markdown").mean()
    assert f"{gain:+,.0f}".replace("-", "−") in page
    assert "does not quite keep a limit: money that may be given away" in page
    assert "&lt;b&gt;never" in page
    assert "<script>alert" not in page


def test_the_same_cut_has_the_same_colour_whatever_the_price(shelves, plan, tmp_path):
    # By the first price the cut of a fifth is a little less than 0.2 in floating point; by the last less by cents.
    regular = np.array([[76.05], [10.0], [47.27]])
    write_prices(tmp_path / "sales", np.round(regular * (1.0, 0.8, 0.6), 2))
    page = plan().get("/plans").text
    shades = set(re.findall(r'class="num cut (c\d)">[^<]*<small>−([^<]*)</small>', page))
    assert shades == {("c2", "20 %"), ("c4", "40 %")}


def test_the_order_of_an_article_is_no_sequence_in_german(shelves, plan, tmp_path):
    write_an_order(tmp_path / "sales")
    heads = cells(plan().get("/orders", headers={"Accept-Language": "de"}).text)[0]
    assert heads[:2] == ["Artikel", "Bestellung"]


def test_pictures_are_drawn_and_others_refused(shelves, plan, tmp_path):
    write_an_order(tmp_path / "sales" / "a")
    write_prices(tmp_path / "sales" / "a")
    browser = plan()
    for address in ("/orders/order.svg", "/plans/gain.svg", "/plans/stock.svg"):
        answer = browser.get(f"{address}?name=sales/a")
        assert answer.headers["content-type"] == "image/svg+xml"
        assert "<svg" in answer.text
    assert browser.get("/plans/other.svg?name=sales/a").status_code == 422
    for name in ("../sales", "sales/../../etc", "nope"):
        assert browser.get("/orders", params={"name": name}).status_code == 400


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"dates": 3}', '{"begins": "x", "lines": [{"order": 1}]}'])
@pytest.mark.parametrize(("address", "file"), [("/orders", "order.json"), ("/plans", "prices.json")])
def test_a_broken_file_is_told_in_one_line(shelves, plan, tmp_path, address, file, content):
    (tmp_path / "sales" / file).write_text(content)
    answer = plan().get(address)
    assert answer.status_code == 400
    assert file in answer.text


def test_words_and_pages(shelves, plan, tmp_path):
    write_an_order(tmp_path / "sales")
    browser = plan()
    assert [row[0] for row in cells(browser.get("/orders?words=HA").text)[1:]] == ["hat"]
    assert "No article is like this" in browser.get("/orders?words=nothing").text


def test_which_folders_are_looked_into(tmp_path):
    write_an_order(tmp_path / "run")
    write_an_order(tmp_path / "run" / "april")
    write_an_order(tmp_path / "run" / "april" / "deep")
    assert set(orders_in([tmp_path / "run"]).found()) == {"run", "run/april"}
    assert holds_decision(tmp_path / "run")
    assert not holds_decision(tmp_path)
