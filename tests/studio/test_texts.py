"""Every text of a page has a German one, and pages are in the language that is asked for."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="needs the extra `studio`")

import hemline.studio
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hemline.studio.access.people import ROLES
from hemline.studio.texts.translations import translations

HOME = Path(hemline.studio.__file__).parent
OPTIONS = {"**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true"}}


def texts() -> set[str]:
    found = extract_from_dir(HOME / "templates", [("**.html", "jinja2")], OPTIONS)
    return {text[0] if isinstance(text, tuple) else text for _, _, text, _, _ in found}


def test_every_text_of_a_page_has_a_german_one():
    with (HOME / "texts" / "de.po").open("rb") as file:
        german = read_po(file)
    told = {message.id[0] if isinstance(message.id, tuple) else message.id: message for message in german if message.id}
    assert len(texts()) > 200
    assert texts() - set(told) == set()
    assert all(message.string and all(message.string) for message in told.values())
    errors = [str(error) for message in german for error in message.check(german)]
    assert errors == []


def test_roles_and_sides_have_german_names():
    german = translations("de")
    assert all(german.gettext(word) != word for word in (*ROLES, "train", "Look-alikes", "Work"))


@pytest.mark.parametrize("address", ["/labels", "/labels/task?run=colours&task=colour", "/people", "/jobs"])
def test_pages_are_in_the_language_of_the_browser_or_of_ones_choice(browse, address):
    browser = browse("Ada", "admin")
    page = browser.get(address, headers={"Accept-Language": "de-DE,de;q=0.9"}).text
    assert '<html lang="de">' in page
    assert "Abmelden" in page
    assert "Log out" in browser.get(address, headers={"Accept-Language": "fr"}).text
    browser.submit("/language", language="de", next=address)
    assert "Abmelden" in browser.get(address).text
    assert browser.submit("/language", language="xx").status_code == 400


def test_a_change_of_language_leads_from_the_answer_of_a_form_to_a_page(browse):
    browser = browse("Ada", "admin")
    content = {"file": ("a.csv", b"item_id,colour\ni0,mauve\n")}
    answers = [
        browser.post("/labels/import", data={"csrf": browser.secret()}, files=content),
        browser.submit("/people/invite", name="Eve", role="viewer"),
        browser.submit("/people/invite", name="Eve", role="nobody"),
    ]
    for answer, part in zip(answers, ("/labels", "/people", "/people"), strict=True):
        (back,) = re.findall(r'name="next" value="([^"]*)"', answer.text)
        assert back == part
        assert browser.submit("/language", language="de", next=back).status_code == 200
    (back,) = re.findall(r'name="next" value="([^"]*)"', browser.submit("/language", language="xx").text)
    assert back == "/"


def test_a_change_of_language_keeps_what_was_asked_of_a_page(browse):
    browser = browse("Ada", "admin")
    address = "/labels/photos?run=colours&task=colour&side=test&words=a%26b%22"
    page = browser.get(address).text
    (back,) = [unescape(each) for each in re.findall(r'name="next" value="([^"]*)"', page)]
    assert back == address
    answer = browser.submit("/language", language="de", next=back)
    assert str(answer.url).endswith(address)
    assert '<html lang="de">' in answer.text
