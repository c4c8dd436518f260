"""The studio in a real browser, by keyboard and on a phone: labels, training again, scenarios, two editors."""

from __future__ import annotations

import re
import shutil
import socket
import threading
import time

import pytest

for package in ("fastapi", "uvicorn", "playwright"):
    pytest.importorskip(package, reason="needs the extra `studio` and playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs the browser of Debian's package chromium")

import uvicorn
from hemline.studio.access.people import invite
from hemline.studio.forecasts.decided import orders_in, plans_in
from hemline.studio.labels.crowd import make_batch
from hemline.studio.server import create_app
from playwright.sync_api import expect, sync_playwright

from .rooms import WRONG
from .test_decided import write_an_order, write_prices

PATIENCE = 60_000
"""Milliseconds: other work may keep the processor."""
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def people(chromium):
    """A function that logs somebody in to a studio, which answers on a port, and returns their page."""
    servers, contexts, said = [], [], []

    def logged_in(studio, name="Ann", role="editor", **options):
        if not servers:
            listening = socket.create_server(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(create_app(studio), log_level="error", lifespan="off"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
            thread.start()
            servers.append((server, thread, listening.getsockname()[1]))
            while not server.started:
                time.sleep(0.02)
        with studio.database.writing() as session:
            token = invite(session, name, role)
        context = chromium.new_context(base_url=f"http://127.0.0.1:{servers[0][2]}", **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto("/login")
        page.fill("#token", token)
        page.keyboard.press("Enter")
        page.wait_for_url("**/labels" if studio.runs else "**/forecasts")
        return page

    logged_in.said = said
    yield logged_in
    for context in contexts:
        context.close()
    for server, thread, _ in servers:
        server.should_exit = True
        thread.join(10)
    assert said == [], "no error on the console"


def f1(page, run):
    page.goto("/labels")
    row = page.locator("tr", has=page.get_by_role("link", name="colour", exact=True)).filter(
        has=page.get_by_role("cell", name=run, exact=True)
    )
    return float(re.search(r"[\d.]+", row.locator("td.strong").inner_text())[0])


def test_twenty_photos_are_corrected_by_keys_and_a_new_run_is_better(people, studio):
    page = people(studio)
    before = f1(page, "colours")
    page.goto("/labels/photos?run=colours&task=colour&truth=blue&words=red+thing&order=table")
    expect(page.locator(".card")).to_have_count(WRONG)
    page.keyboard.press("ArrowRight")
    # As for a moment when an answer replaces the card: the key still means it.
    page.evaluate("document.activeElement.blur()")
    for _ in range(WRONG):
        page.keyboard.press("3")
    expect(page.locator(".card.saved")).to_have_count(WRONG)
    changed = studio.opened.standing.changed["colour"]
    assert changed == {f"i{3 * number}": (1, ("red",)) for number in range(WRONG)}
    page.keyboard.press("u")
    last = page.locator(".card").last
    expect(last.locator("b").first).to_have_text("blue")
    assert studio.opened.standing.changed["colour"][f"i{3 * WRONG - 3}"] == (2, ("blue",))
    page.keyboard.press("3")
    expect(last.locator("b").first).to_have_text("red")
    page.goto("/labels")
    page.get_by_role("button", name="Train again").click()
    expect(page.locator("tr.finished")).to_have_count(1, timeout=3 * PATIENCE)
    assert f1(page, "colours-2") > f1(page, "colours") + 20
    assert f1(page, "colours") == before, "test labels were not changed"


def test_photos_are_chosen_and_corrected_with_the_mouse(people, studio):
    page = people(studio)
    page.goto("/labels/photos?run=colours&task=colour&truth=blue&words=red+thing&order=table")
    page.locator(".card input").nth(1).click()
    page.locator(".card input").nth(3).click(modifiers=["Shift"])
    page.get_by_role("button", name="red").click()
    expect(page.locator(".card.saved")).to_have_count(3)
    assert set(studio.opened.standing.changed["colour"]) == {"i3", "i6", "i9"}
    page.get_by_role("button", name="Undo").first.click()
    expect(page.locator(".card.saved .labels b", has_text="blue")).to_have_count(1)


@pytest.mark.parametrize("script", [True, False])
def test_enter_in_a_field_sets_what_was_typed_and_not_the_first_label(people, studio, script):
    page = people(studio, java_script_enabled=script)
    page.goto("/labels/photos?run=colours&task=colour&truth=blue&words=red+thing&order=table")
    page.locator(".card input[type=checkbox]").first.check()
    page.fill("#other", "green")
    page.check("#retag [name=new]")
    page.locator("#retag [name=why]").press("Enter")
    expect(
        page.locator("[role=status]", has_text="1 photo changed") if script else page.locator(".cards")
    ).to_be_visible()
    assert studio.opened.standing.changed["colour"] == {"i0": (1, ("green",))}
    if script:
        expect(page.locator("#other")).to_have_value("")
        expect(page.locator("#retag [name=new]")).not_to_be_checked()


def test_a_planner_reads_what_a_lower_price_takes_from_another_article(people, planner):
    page = people(planner)
    page.get_by_role("link", name="Scenarios").click()
    page.fill("#article", "dress_1")
    page.fill("#second", "dress_2")
    page.keyboard.press("Tab")
    loss = page.get_by_role("row", name=re.compile("dress_2, pieces"))
    expect(loss).to_be_visible()
    assert loss.locator("td").nth(2).inner_text().startswith("−")
    page.fill("#value", "-40")
    page.keyboard.press("Tab")
    expect(page.locator("#answer h2")).to_contain_text("40 % lower")
    assert page.url.endswith("/scenarios"), "answered without a new page"


@pytest.mark.parametrize(
    ("field", "value", "line"),
    [
        ("#value", "-100", "value: expected -95 to 200 per cent"),
        ("#article", "nothing", "article: expected one of"),
        ("#second", "dress_1", "second: expected another article than the first"),
        ("[name=last]", "99", "to step (0: the end): Value must be less than or equal to"),
    ],
)
def test_a_mistake_takes_the_place_of_an_answer_that_is_not_of_it(people, planner, field, value, line):
    page = people(planner)
    page.goto("/scenarios?article=dress_1&second=dress_2")
    answer, before = page.locator("#answer"), page.input_value(field)
    expect(answer.locator("h2")).to_be_visible()
    page.fill(field, value)
    page.keyboard.press("Tab")
    expect(answer).to_contain_text(line)
    expect(answer.locator("h2")).to_have_count(0)
    page.fill(field, before)
    page.keyboard.press("Tab")
    expect(answer.locator("h2")).to_be_visible()
    expect(answer.locator("[role=alert]")).to_have_count(0)
    people.said[:] = [words for words in people.said if "400" not in words and "HTMLElement" not in words]


def test_the_form_that_keeps_a_scenario_is_not_laid_out_as_the_one_that_builds_it(people, planner):
    page = people(planner)
    page.goto("/scenarios?article=dress_1")
    box, words = page.locator(".keep [name=shared]").bounding_box(), page.locator(".keep label").nth(1).bounding_box()
    assert box["width"] < 30
    assert words["height"] < 40, "the box stands beside its words"


def test_two_editors_see_each_other(people, studio):
    ann, bob = people(studio, "Ann"), people(studio, "Bob")
    for page in (ann, bob):
        page.goto("/labels/photos?run=colours&task=colour&words=i0&order=table")
        expect(page.locator(".card")).to_have_count(1)
    for page, key in ((ann, "3"), (bob, "2")):
        page.keyboard.press("ArrowRight")
        page.keyboard.press(key)
        expect(page.locator("#said")).not_to_be_empty()
    expect(bob.get_by_role("alert")).to_contain_text("Ann changed this to “red” meanwhile; you wanted “green”")
    bob.get_by_role("button", name="Set mine all the same").click()
    expect(bob.locator(".card b").first).to_have_text("green")
    assert studio.opened.standing.changed["colour"]["i0"] == (2, ("green",))


PAGES = [
    "/labels",
    "/labels/task?run=colours&task=colour",
    "/labels/photos?run=colours&task=facets",
    "/labels/photos?run=colours&task=colour&words=i0",
    "/labels/article?run=colours&task=colour&item=i7",
    "/labels/crowd",
    "/labels/crowd/batch?number=1",
    "/jobs",
    "/people",
]
PLANS = [
    "/forecasts",
    "/forecasts?window=0",
    "/forecasts/series?window=0&series=dress_1&series=dress_2",
    "/forecasts/calibration",
    "/scenarios?article=dress_1",
    "/orders",
    "/plans",
]


@pytest.mark.parametrize("which", ["labels", "plans"])
def test_pages_fit_a_phone_and_paper_and_are_accessible(people, studio, planner, which, tmp_path):
    make_batch(studio.database, studio.opened, "Ann", "colour", "Which colour?", ["i0", "i3"], 3)
    write_an_order(tmp_path / "sales" / "march")
    write_prices(tmp_path / "sales" / "march")
    planner.orders, planner.plans = orders_in([tmp_path / "sales"]), plans_in([tmp_path / "sales"])
    Axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe
    page = people(studio if which == "labels" else planner, role="admin", viewport={"width": 360, "height": 700})
    for address in PAGES if which == "labels" else PLANS:
        page.goto(address)
        page.wait_for_load_state("networkidle")
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), f"{address} is wider than a phone"
        found = Axe().run(page).response["violations"]
        serious = [
            (each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")
        ]
        assert serious == [], address
        page.emulate_media(media="print")
        assert not page.locator("header nav").is_visible()
        assert page.locator("h1").is_visible()
        page.emulate_media(media="screen")
