"""A table that was exported, changed elsewhere and brought back changes labels, and nothing else."""

from __future__ import annotations

import html
import json

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


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.exe", "x", "file: expected one that ends in .jsonl, .csv, .json"),
        ("a.csv", "item_id,colour\nnobody,red\n", "item: expected an article of the catalogue"),
        ("a.csv", "item_id,price\ni0,3\n", "file: expected one of the columns colour"),
        ("a.csv", "colour\nred\n", "item_id"),
        ("a.csv", "item_id,colour,facets\ni0,red,warm\ni1\n", "file: expected 3 cells in each line, got 1 in line 3"),
        ("a.csv", "item_id,colour\ni0,r\0d\n", "file: expected"),
        ("a.csv", "item_id,colour\ni0,red|blue\n", "colour: expected at most one label"),
        ("a.jsonl", "{", "a.jsonl"),
        ("../../a.csv", b"\xff\xfe\x00", "../../a.csv"),
    ],
)
def test_what_is_no_table_of_labels_is_said_in_a_line_and_nothing_changes(studio, browse, name, content, told):
    answer = bring(browse(), name, content)
    assert answer.status_code == 400
    assert told in answer.text
    assert "/tmp" not in answer.text
    assert entries(studio) == []


def test_a_viewer_brings_nothing_and_nobody_brings_too_much(studio, browse):
    assert bring(browse("Vera", "viewer"), "a.csv", "item_id,colour\ni0,red\n").status_code == 403
    assert bring(browse(), "a.csv", b"x" * (16 * 2**20)).status_code == 413
    assert entries(studio) == []


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ('[["red"]]', "expected a text, a finite number or a list of them"),
        ('{"red": 1}', "expected a text, a finite number or a list of them"),
        ("1e999", "expected a text, a finite number or a list of them"),
        ('["red", 1e999]', "expected a text, a finite number or a list of them"),
        ("true", "colour: expected a text, got True in row 1"),
        ("[false]", "colour: expected a text, got [False] in row 1"),
    ],
)
@pytest.mark.parametrize("new", ["", "true"])
def test_what_is_no_word_becomes_no_label(studio, browse, cell, told, new):
    answer = bring(browse(), "a.jsonl", f'{{"item_id": "i0", "colour": {cell}}}\n', **({"new": new} if new else {}))
    assert answer.status_code == 400
    assert told in html.unescape(answer.text)
    assert entries(studio) == []


def test_a_label_that_no_article_has_is_taken_only_where_it_is_meant(studio, browse):
    table = "item_id,colour,facets\ni0,rde,warm|hot\ni1,green,is-green\n"
    answer = bring(browse(), "a.csv", table)
    assert answer.status_code == 400
    assert "colour: expected labels that articles have, got 1 new: 'rde' (such as of 'i0')" in html.unescape(
        answer.text
    )
    assert entries(studio) == []
    page = bring(browse(), "a.csv", table, new="true").text
    assert "New in colour: rde" in page
    assert "New in facets: hot" in page
    assert studio.opened.standing.changed["colour"] == {"i0": (1, ("rde",))}
