"""Crowd batches: photos out, answers in, agreement, and the majority as labels, with ties left open."""

from __future__ import annotations

import csv
import io
import math
import re
from datetime import datetime

import pytest

pytest.importorskip("fastapi", reason="needs the extra `studio`")

from hemline.evaluation.scores.agreement import krippendorff_alpha, percent_agreement
from hemline.studio.labels.crowd import batch_of, tally
from sqlalchemy import String

from .test_imports import entries

MAKE = "/labels/crowd/make?run=colours&task=colour&truth=blue&words=red+thing&order=table"


def a_batch(browser, each=3, most=4, question="Which colour?") -> int:
    answer = browser.submit(MAKE, question=question, most=most, each=each)
    found = re.search(r"number=(\d+)", str(answer.url))
    assert found is not None, answer.text
    return int(found[1])


def table(browser, number):
    return list(csv.DictReader(io.StringIO(browser.get(f"/labels/crowd/batch.csv?number={number}").text)))


def filled(rows, answers):
    """Answers `{item: "red red blue"}` in the rows of a batch, each by a worker of its own."""
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    place: dict[str, int] = {}
    for row in rows:
        number = place[row["item_id"]] = place.get(row["item_id"], -1) + 1
        given = answers.get(row["item_id"], "").split()
        writer.writerow(row | ({"worker": f"w{number}", "answer": given[number]} if number < len(given) else {}))
    return out.getvalue()


def bring(browser, number, content, name="answers.csv"):
    content = content if isinstance(content, bytes) else content.encode()
    told = {"csrf": browser.secret(), "number": str(number)}
    return browser.post("/labels/crowd/answers", data=told, files={"file": (name, content)})


def test_alpha_of_the_published_example():
    """Krippendorff (2011), example C with missing answers: nominal alpha 0.743."""
    observers = ["12332141 2...", "12332241 25.3", ".33323422 51.", "12332441 251."]
    units = [[row.replace(" ", "")[unit] for row in observers] for unit in range(12)]
    told = [[answer for answer in unit if answer != "."] for unit in units]
    assert krippendorff_alpha(told) == pytest.approx(0.743, abs=5e-4)


def test_agreement_of_all_of_none_and_of_chance():
    assert krippendorff_alpha([["a", "a"], ["b", "b"]]) == 1.0
    assert krippendorff_alpha([["a", "b"], ["b", "a"]]) < 0
    assert math.isnan(krippendorff_alpha([["a"], []]))
    assert math.isnan(krippendorff_alpha([["a", "a"]]))
    assert percent_agreement([["a", "a", "b"], ["c", "d"]]) == pytest.approx(1 / 4)
    assert math.isnan(percent_agreement([["a"]]))


def test_a_batch_goes_out_comes_back_and_its_majority_becomes_labels(studio, browse):
    browser = browse()
    number = a_batch(browser)
    rows = table(browser, number)
    assert [row["item_id"] for row in rows] == [item for item in ("i0", "i3", "i6", "i9") for _ in range(3)]
    assert {(row["question"], row["choices"], row["worker"], row["answer"]) for row in rows} == {
        ("Which colour?", "blue|green|red", "", "")
    }
    assert rows[0]["image"].endswith("0.png")
    given = {"i0": "red red blue", "i3": "red red red", "i6": "red blue green", "i9": "red red"}
    page = bring(browser, number, filled(rows, given)).text
    assert "11 new answers" in page
    assert entries(studio) == [], "answers alone change no label"
    with studio.database.reading() as session:
        told = tally(session, batch_of(session, number))
    assert {each.item_id: each.majority for each in told.photos} == {"i0": "red", "i3": "red", "i6": None, "i9": "red"}
    assert told.photos[0].item_id == "i6", "the most contested first"
    sorts = [answers.split() for answers in given.values()]
    assert (told.agreement, told.alpha) == (percent_agreement(sorts), krippendorff_alpha(sorts))
    assert f"{100 * told.agreement:.1f} %" in page
    assert "0 new answers" in bring(browser, number, filled(rows, given)).text
    assert "3 labels changed" in browser.submit("/labels/crowd/apply", number=number).text
    why = f"crowd batch {number}: majority of 3 answers each"
    assert {(e.who, e.item_id, e.before, e.after, e.why) for e in entries(studio)} == {
        ("Ann", item, '["blue"]', '["red"]', why) for item in ("i0", "i3", "i9")
    }
    assert "0 labels changed" in browser.submit("/labels/crowd/apply", number=number).text


def test_one_answer_of_three_is_no_majority(studio, browse):
    browser = browse()
    number = a_batch(browser)
    bring(browser, number, filled(table(browser, number), {"i0": "red"}))
    assert "0 labels changed" in browser.submit("/labels/crowd/apply", number=number).text


def test_what_others_changed_meanwhile_stays(studio, browse):
    browser = browse()
    number = a_batch(browser)
    browser.submit("/labels/retag?run=colours&task=colour", chosen='["i0", 0]', to="green")
    bring(browser, number, filled(table(browser, number), {"i0": "red red red", "i3": "red red red"}))
    page = browser.submit("/labels/crowd/apply", number=number).text
    assert "1 label changed" in page
    assert "1 was changed by somebody else meanwhile" in page
    assert studio.opened.standing.changed["colour"] == {"i0": (1, ("green",)), "i3": (1, ("red",))}


HEAD = "batch,item_id,worker,answer\n"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe\x00", "file: expected CSV in UTF-8, got a byte 0xff in line 1 of"),
        ("a,b\n1,2\n", "file: expected the columns batch, item_id, worker and answer"),
        (
            "batch,item_id,worker,answer,answer\n{n},i0,w,red,blue\n",
            "file: expected each column once, got 'answer' twice",
        ),
        (f"{HEAD}{{n}},i0,w\n", "file: expected 4 cells in each line, got 3 in line 2"),
        (f"{HEAD}{{n}},i0,w,red,more\n", "file: expected 4 cells in each line, got 5 in line 2"),
        (f"{HEAD}99,i0,w,red\n", "batch: expected {n} in each line, got '99'"),
        (f"{HEAD}{{n}},i1,w,red\n", "item_id: expected a photo of batch {n}, got 'i1'"),
        (f"{HEAD}{{n}},i0,w,purple\n", "answer: expected a choice such as blue, green, red; got 'purple'"),
        (f"{HEAD}{{n}},i0,,red\n", "worker: expected a name beside each answer"),
        (f"{HEAD}{{n}},i0,w,red\n{{n}},i0,w,blue\n", "worker: expected one answer of 'w' to 'i0'"),
        (f'{HEAD}{{n}},"i0,w,red\n', "file: expected CSV, got unexpected end of data in line 2 of"),
    ],
)
def test_what_is_no_table_of_answers_is_one_line_and_nothing_is_kept(studio, browse, content, told):
    browser = browse()
    number = a_batch(browser)
    content = content if isinstance(content, bytes) else content.format(n=number)
    answer = bring(browser, number, content)
    assert answer.status_code == 400
    assert told.format(n=number) in answer.text.replace("&#39;", "'")
    with studio.database.reading() as session:
        assert tally(session, batch_of(session, number)).answers == 0


def test_another_answer_of_the_same_worker_is_refused_whole(studio, browse):
    browser = browse()
    number = a_batch(browser)
    bring(browser, number, f"{HEAD}{number},i0,w,red\n")
    answer = bring(browser, number, f"{HEAD}{number},i3,w,red\n{number},i0,w,blue\n")
    assert answer.status_code == 400
    with studio.database.reading() as session:
        assert tally(session, batch_of(session, number)).answers == 1


@pytest.mark.parametrize(
    ("address", "fields", "status"),
    [
        (MAKE, {"question": "", "most": 3}, 422),
        (MAKE, {"question": " ", "most": 3}, 400),
        (MAKE, {"question": "a\nb", "most": 3}, 400),
        (MAKE, {"question": "q", "most": 0}, 422),
        (MAKE, {"question": "q", "most": 5001}, 422),
        (MAKE, {"question": "q", "each": 21}, 422),
        (f"{MAKE}&side=nowhere", {"question": "q"}, 400),
        ("/labels/crowd/make?run=colours&task=facets", {"question": "q"}, 400),
        ("/labels/crowd/apply", {"number": 99}, 400),
    ],
)
def test_batches_that_cannot_be_made_are_refused(studio, browse, address, fields, status):
    assert browse().submit(address, **fields).status_code == status
    assert entries(studio) == []


def test_a_viewer_makes_brings_and_applies_nothing_and_a_script_stays_text(studio, browse):
    browser, viewer = browse(), browse("Vera", "viewer")
    number = a_batch(browser, question="<script>alert(1)</script>")
    for address in (f"/labels/crowd/batch?number={number}", "/labels/crowd"):
        page = viewer.get(address).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
    assert viewer.submit(MAKE, question="q").status_code == 403
    assert viewer.submit("/labels/crowd/apply", number=number).status_code == 403
    assert bring(viewer, number, HEAD).status_code == 403
    assert bring(browser, number, b"x" * (16 * 2**20)).status_code == 413


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_studio_of_before_gets_the_tables_and_keeps_its_own(tmp_path, kind, request):
    from pathlib import Path

    from alembic import command
    from alembic.config import Config
    from hemline.studio.access.people import everybody, invite
    from hemline.studio.database import open as opening
    from hemline.studio.database.open import Database
    from hemline.studio.database.tables import Base
    from sqlalchemy import MetaData, create_engine, inspect, text
    from sqlalchemy.exc import DatabaseError

    address = f"sqlite:///{tmp_path / 'studio.db'}" if kind == "sqlite" else request.getfixturevalue("postgres")
    engine, config = create_engine(address), Config()
    config.set_main_option("script_location", str(Path(opening.__file__).parent / "migrations"))
    with engine.connect() as connection:
        config.attributes |= {"connection": connection, "tables": Base.metadata}
        command.upgrade(config, "0001")
        connection.commit()
        before = MetaData()
        before.reflect(connection)
        kept = [table for table in before.sorted_tables if not table.name.startswith("alembic")]
        for table in kept:
            connection.execute(
                table.insert().values({column.name: made_up(column) for column in table.columns if column.name != "id"})
            )
        connection.commit()
        rows = {table.name: connection.execute(table.select()).all() for table in kept}
    assert {"accounts", "visits", "ledger", "current_labels", "facts", "audit", "scenarios", "jobs"} <= set(rows)
    assert "crowd_batches" not in inspect(engine).get_table_names()
    engine.dispose()
    database = Database(address)
    assert set(Base.metadata.tables) < {*inspect(database.engine).get_table_names(), "alembic"}
    with database.reading() as session:
        for table in kept:
            assert session.execute(table.select()).all() == rows[table.name], table.name
    with pytest.raises(DatabaseError, match="only ever added"), database.writing() as session:
        session.execute(text("DELETE FROM ledger"))
    with database.writing() as session:
        invite(session, "Ann", "editor")
    with database.reading() as session:
        assert {each.name for each in everybody(session)} == {"name", "Ann"}
    database.close()


def made_up(column):
    """A value of a column's kind: a text is its name, a number 1, as keys of other tables are."""
    if isinstance(column.type, String):
        return column.name[: column.type.length]
    return {int: 1, bool: True, datetime: datetime(2026, 1, 2, 3, 4, 5)}[column.type.python_type]
