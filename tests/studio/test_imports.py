"""A table that was exported, changed elsewhere and brought back changes labels, and nothing else."""

from __future__ import annotations

import html
import json
import re

import pytest

pytest.importorskip("fastapi", reason="needs the extra `studio`")

from hemline.studio.database.tables import LedgerEntry
from sqlalchemy import select


def bring(browser, name: str, content: bytes | str, **fields: str):
    content = content.encode() if isinstance(content, str) else content
    return browser.post("/labels/import", data={"csrf": browser.secret(), **fields}, files={"file": (name, content)})


def entries(studio):
    with studio.database.reading() as session:
        return session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)).all()


@pytest.mark.parametrize("name", ["catalogue.csv", "catalogue.jsonl"])
def test_a_table_comes_back_with_its_changes_alone(studio, browse, name):
    browser = browse()
    content = browser.get(f"/labels/export/{name}").text
    assert "0 labels changed" in bring(browser, name, content).text
    before = "i0,0.png,blue,is-red|warm" if name.endswith("csv") else None
    lines = content.splitlines()
    if before is None:
        row = json.loads(lines[0]) | {"colour": "red", "facets": ["is-red"]}
        lines[0] = json.dumps(row)
    else:
        lines[1] = lines[1].replace(",blue,is-red|warm,", ",red,is-red,")
    assert "2 labels changed" in bring(browser, name, "\n".join(lines) + "\n", why="checked").text
    assert [(e.who, e.task, e.item_id, e.before, e.after, e.why) for e in entries(studio)] == [
        ("Ann", "colour", "i0", '["blue"]', '["red"]', f"{name}: checked"),
        ("Ann", "facets", "i0", '["is-red", "warm"]', '["is-red"]', f"{name}: checked"),
    ]


def test_what_a_table_leaves_out_stays_and_an_empty_cell_takes_away(studio, browse):
    assert "2 labels changed" in bring(browse(), "a.csv", "item_id,colour\ni0,red\ni1,\n").text
    assert studio.opened.standing.changed == {"colour": {"i0": (1, ("red",)), "i1": (1, ())}}


def test_a_column_of_empty_cells_takes_all_away(studio, browse):
    assert "1 label changed" in bring(browse(), "a.csv", "item_id,colour\ni0,\n").text
    assert studio.opened.standing.changed == {"colour": {"i0": (1, ())}}


def test_a_cell_beside_the_labels_may_be_as_long_as_the_file(studio, browse):
    content = "item_id,colour,title\ni0,red," + "x" * 200_000 + "\n"
    assert "1 label changed" in bring(browse(), "a.csv", content).text
    assert studio.opened.standing.changed == {"colour": {"i0": (1, ("red",))}}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.exe", "x", "file: expected one that ends in .jsonl, .csv, .json"),
        ("a.csv", "item_id,colour\nnobody,red\n", "item_id: expected an article of the catalogue"),
        ("a.csv", "item_id,price\ni0,3\n", "file: expected one of the columns colour"),
        ("a.csv", "colour\nred\n", "item_id"),
        ("a.csv", "item_id,colour,facets\ni0,red,warm\ni1\n", "file: expected 3 cells in each line, got 1 in line 3"),
        ("a.csv", "item_id,colour,colour\ni0,red,green\n", "file: expected each column once, got 'colour' twice"),
        ("a.csv", "item_id,item_id,colour\ni0,i1,red\n", "file: expected each column once, got 'item_id' twice"),
        ("a.csv", "item_id,colour\ni0,r\0d\n", "file: expected"),
        ("a.csv", "item_id,colour\ni0,red|blue\n", "colour: expected at most one label"),
        ("a.jsonl", "{", "a.jsonl"),
        ("../../a.csv", b"\xff\xfe\x00", "../../a.csv"),
    ],
)
def test_what_is_no_table_of_labels_is_said_in_a_line_and_nothing_changes(studio, browse, name, content, told):
    answer = bring(browse(), name, content)
    assert answer.status_code == 400
    assert told in html.unescape(answer.text)
    assert "/tmp" not in answer.text
    assert entries(studio) == []


def test_a_viewer_brings_nothing_and_nobody_brings_too_much(studio, browse):
    assert bring(browse("Vera", "viewer"), "a.csv", "item_id,colour\ni0,red\n").status_code == 403
    assert bring(browse(), "a.csv", b"x" * (16 * 2**20)).status_code == 413
    assert entries(studio) == []


KEY = r'name="key" value="([^"]+)"'


def meant(browser, page: str):
    """Say that the new labels of a page are meant."""
    return browser.submit("/labels/import/new", key=re.search(KEY, page)[1])


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ('[["red"]]', 'colour: expected a text, got ["red"] in line 3 of'),
        ('{"red": 1}', 'colour: expected a text, got {"red": 1} in line 3 of'),
        ("1e999", "colour: expected a text, got Infinity in line 3 of"),
        ("NaN", "colour: expected a text, got NaN in line 3 of"),
        ('["red", 1e999]', "colour: expected a text, got Infinity in line 3 of"),
        ('["red", null]', "colour: expected a text, got null in line 3 of"),
        ("[null]", "colour: expected a text, got null in line 3 of"),
        ("true", "colour: expected a text, got true in line 3 of"),
        ("[false]", "colour: expected a text, got false in line 3 of"),
        (
            '"a\\u0000b"',
            "colour: expected a label of 1 to 200 printable characters without '|', got 'a\\x00b'",
        ),
        ('["a|b"]', "colour: expected a label of 1 to 200 printable characters without '|', got 'a|b' in line 3 of"),
        ('"red|blue"', "colour: expected at most one label, got 2 in line 3 of"),
        (f'"{"x" * 201}"', "colour: expected a label of 1 to 200 printable characters"),
        ('"red", "colour": "green"', "file: expected a JSON record in each line of 'a.jsonl', got line 3: the field"),
        ('"red", "item_id": ["i0"]', "got line 3: the field 'item_id' twice"),
    ],
)
def test_what_is_no_word_becomes_no_label_and_its_place_is_said(studio, browse, cell, told):
    lines = f'{{"item_id": "i1", "colour": "red"}}\n\n{{"item_id": "i0", "colour": {cell}}}\n'
    answer = bring(browse(), "a.jsonl", lines)
    assert answer.status_code == 400
    assert told in html.unescape(answer.text)
    assert "a.jsonl" in answer.text
    assert entries(studio) == []


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ("true", "item_id: expected a text, got True in line 2 of"),
        ('["i0"]', "item_id: expected a text, got ['i0'] in line 2 of"),
        ("null", "item_id: expected a text, got None in line 2 of"),
        ('"i1"', "item_id: expected each once, got 'i1' in line 1 and in line 2 of"),
        ('"nobody"', "item_id: expected an article of the catalogue, got 'nobody' in line 2 of"),
    ],
)
def test_what_is_no_article_is_said_with_its_line(studio, browse, item, told):
    lines = f'{{"item_id": "i1", "colour": "red"}}\n{{"item_id": {item}, "colour": "red"}}\n'
    answer = bring(browse(), "a.jsonl", lines)
    assert answer.status_code == 400
    assert told in html.unescape(answer.text)
    assert entries(studio) == []


def test_a_line_of_a_table_is_counted_as_an_editor_of_texts_does(browse):
    answer = bring(browse(), "a.csv", 'item_id,text,colour\ni0,"two\nlines",red\n\ni1,one,red|blue\n')
    assert "colour: expected at most one label, got 2 in line 5 of" in html.unescape(answer.text)


def test_a_field_that_a_line_leaves_out_stays_and_null_takes_its_label_away(studio, browse):
    lines = '{"item_id": "i0", "colour": null}\n{"item_id": "i1", "facets": ["warm", ""]}\n'
    assert "2 labels changed" in bring(browse(), "a.jsonl", lines).text
    assert studio.opened.standing.changed == {"colour": {"i0": (1, ())}, "facets": {"i1": (1, ("warm",))}}


def test_facets_in_another_order_are_no_change(studio, browse):
    assert "0 labels changed" in bring(browse(), "a.csv", "item_id,facets\ni0,warm|is-red\n").text
    assert entries(studio) == []


def test_new_labels_are_named_before_they_are_taken(studio, browse):
    browser = browse()
    table = "item_id,colour,facets\ni0,rde,warm|hot\ni1,green,is-green\ni3,rde,is-red|warm\n"
    answer = bring(browser, "a.csv", table, why="new season")
    assert answer.status_code == 200
    rows = [re.sub(r"<[^>]+>", " ", row).split() for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", answer.text)]
    assert rows == [["rde", "2", "red"], ["hot", "1", "–"]]
    assert entries(studio) == []
    page = meant(browser, answer.text).text
    assert "New in colour: rde" in page
    assert "New in facets: hot" in page
    assert studio.opened.standing.changed["colour"] == {"i0": (1, ("rde",)), "i3": (1, ("rde",))}
    assert {entry.why for entry in entries(studio)} == {"a.csv: new season"}
    assert bring(browser, "b.csv", "item_id,colour\ni6,rde\n").status_code == 200, "now it is known"


def test_a_file_that_waits_is_of_who_brought_it_and_changes_nothing_twice(studio, browse):
    ann, bob = browse("Ann"), browse("Bob")
    page = bring(ann, "a.csv", "item_id,colour\ni0,rde\n").text
    assert meant(bob, page).status_code == 400
    assert entries(studio) == []
    assert "1 label changed" in meant(ann, page).text
    assert "0 labels changed" in meant(ann, page).text
    assert len(entries(studio)) == 1
    keys = [re.search(KEY, bring(bob, "a.csv", f"item_id,colour\ni1,new-{n}\n").text)[1] for n in range(5)]
    assert list(studio.waiting._kept)[-2:] == keys[-2:]
    assert len(studio.waiting._kept) == 3, "two of Bob's at most, and Ann's is still there"


def test_what_others_change_while_new_labels_are_shown_stays(studio, browse):
    ann, bob = browse("Ann"), browse("Bob")
    page = bring(ann, "a.csv", "item_id,colour\ni0,rde\ni1,green\ni3,rde\n").text
    assert "colour: 2 articles" in page
    for item in ("i0", "i1"):
        bob.submit("/labels/retag?run=colours&task=colour", chosen=json.dumps([item, 0]), to="red")
    done = html.unescape(meant(ann, page).text)
    assert "1 label changed. 1 was changed by somebody else meanwhile and stays." in done
    assert "i0: Bob changed colour; wanted was “rde”" in done
    now = studio.opened.standing.changed["colour"]
    assert {item: labels for item, (_, labels) in now.items()} == {"i0": ("red",), "i1": ("red",), "i3": ("rde",)}


def test_signs_that_look_like_others_are_named(browse):
    page = html.unescape(bring(browse(), "a.csv", "item_id,colour\ni0,r\u0435d\ni1,gr\u00fcn\n").text)
    assert "CYRILLIC SMALL LETTER IE" in page


def test_a_file_with_a_thousand_new_labels_is_of_something_else(studio, browse):
    cell = "|".join(f"title {number}" for number in range(1001))
    answer = bring(browse(), "a.csv", f"item_id,facets\ni0,{cell}\n")
    assert answer.status_code == 400
    assert "facets: expected at most 1000 labels that no article has, got 1001" in answer.text


@pytest.mark.parametrize("sign", [";", "\t"])
def test_a_spreadsheet_may_put_other_signs_between_cells(studio, browse, sign):
    table = "\ufeff" + sign.join(["item_id", "text", "colour"]) + f"\r\ni0{sign}a, b{sign}red\r\n{sign}{sign}\r\n"
    assert "1 label changed" in bring(browse(), "a.csv", table).text
    assert studio.opened.standing.changed == {"colour": {"i0": (1, ("red",))}}


@pytest.mark.parametrize("column", ["Colour", " colour", "colour\ufeff", "COLOUR "])
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_column_that_is_misspelt_is_not_left_out_without_a_word(studio, browse, column, ending):
    row = {"item_id": "i0", column: "red", "facets": "warm"}
    table = f"{','.join(row)}\n{','.join(row.values())}\n" if ending == "csv" else json.dumps(row)
    answer = bring(browse(), f"a.{ending}", table)
    assert answer.status_code == 400
    assert "file: expected the column 'colour', got" in html.unescape(answer.text)
    assert entries(studio) == []


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "", "file: expected a line of columns, got none in 'a.csv'"),
        ("a.csv", "item_id,colour\ni0,r\u00f6t\n".encode("cp1252"), "got a byte 0xf6 in line 2 of 'a.csv'"),
        ("a.csv", 'item_id,colour\ni0,"red\n', "file: expected CSV, got unexpected end of data in line 2 of 'a.csv'"),
        ("a.jsonl", '{"item_id": "i0"}\n{"item_id": }\n', "got line 2: Expecting value at column 13"),
        ("a.jsonl", b'{"item_id": "\xf6"}', "got a byte 0xf6 in line 1 of 'a.jsonl'"),
        (
            "a.jsonl",
            f'{{"item_id": "i0", "colour": {"9" * 5000}}}',
            "line 1: Exceeds the limit (4300 digits) for integer",
        ),
        ("a.jsonl", '{"item_id": "i0", "colour": [["\\ud800"]]}', 'colour: expected a text, got ["\\ud800"] in line 1'),
        ("a.json", "[{}]", "got none in task 1; file 'a.json'"),
    ],
)
def test_where_a_file_is_wrong_is_said(studio, browse, name, content, told):
    answer = bring(browse(), name, content)
    assert answer.status_code == 400
    said = html.unescape(answer.text)
    assert told in said
    assert "sys." not in said
    assert entries(studio) == []


def test_a_form_without_a_file_is_told_so(browse):
    browser = browse()
    for fields in ({}, {"file": "a.csv"}):
        answer = browser.post("/labels/import", data={"csrf": browser.secret()} | fields)
        assert answer.status_code == 422
        assert "file: expected one, got none" in answer.text


def test_a_label_that_is_typed_and_that_no_article_has_is_taken_where_it_is_meant(studio, browse):
    browser, address = browse(), "/labels/retag?run=colours&task=colour"
    answer = browser.submit(address, chosen='["i0", 0]', other="rde")
    assert answer.status_code == 409
    said = html.unescape(answer.text)
    assert "label: expected one that articles have in colour, got 'rde', spelt like red; say that a new label" in said
    assert entries(studio) == []
    browser.submit(address, chosen='["i0", 0]', other="rde", new="yes")
    browser.submit(address, chosen='["i3", 0]', other="rde")
    assert set(studio.opened.standing.changed["colour"].items()) == {("i0", (1, ("rde",))), ("i3", (1, ("rde",)))}


@pytest.mark.parametrize("word", ["NA", "None", " nan "])
def test_a_word_that_means_no_label_is_none(studio, browse, word):
    """A catalogue that is exported and read again would not have it."""
    answer = browse().submit("/labels/retag?run=colours&task=colour", chosen='["i0", 0]', other=word, new="yes")
    assert answer.status_code == 400
    assert f"label: expected a label, got '{word.strip()}', by which" in html.unescape(answer.text)
    assert entries(studio) == []
