"""Labels for Label Studio and FiftyOne: what was exported comes back equal, what is wrong is one line."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
import zipfile
from html import unescape

import pytest

pytest.importorskip("fastapi", reason="needs the extra `studio`")

from hemline.datasets.pictures.source import open_source
from hemline.studio.database.open import Database
from hemline.studio.labels.fiftyone import read_fiftyone
from hemline.studio.labels.labelling import Labelling, LabelReader, Standing
from hemline.studio.settings import StudioSettings
from hemline.studio.studio import Studio

from .rooms import SCRIPT, logging_in
from .test_imports import bring, entries


def tasks_of(browser):
    return json.loads(browser.get("/labels/export/label_studio.json").text)


def archive_of(browser, task):
    answer = browser.get("/labels/export/fiftyone.zip", params={"task": task})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as opened:
        return {name: json.loads(opened.read(name)) for name in opened.namelist()}


def test_label_studio_comes_back_equal_and_with_its_changes_alone(studio, browse):
    browser = browse()
    told = tasks_of(browser)
    assert [each["data"]["item_id"] for each in told] == [f"i{number}" for number in range(120)]
    answers = {one["from_name"]: one["value"]["choices"] for one in told[0]["annotations"][0]["result"]}
    assert answers == {"colour": ["blue"], "facets": ["is-red", "warm"], "size": ["small"]}
    assert "0 labels changed" in bring(browser, "a.json", json.dumps(told)).text
    told[0]["annotations"][0]["result"][0]["value"]["choices"] = ["red"]
    del told[1]["annotations"][0]["result"][1]
    told[2]["annotations"] = []
    told[3]["annotations"][0] |= {"was_cancelled": True, "result": []}
    assert "2 labels changed" in bring(browser, "a.json", json.dumps(told), why="looked").text
    assert [(e.who, e.task, e.item_id, e.before, e.after, e.why) for e in entries(studio)] == [
        ("Ann", "colour", "i0", '["blue"]', '["red"]', "a.json: looked"),
        ("Ann", "facets", "i1", '["is-green"]', "[]", "a.json: looked"),
    ]
    assert "0 labels changed" in bring(browser, "b.json", json.dumps(tasks_of(browser))).text


def test_the_interface_of_label_studio_has_every_column_and_label(browse):
    root = ET.fromstring(browse().get("/labels/export/label_studio.xml").text)
    assert [each.get("name") for each in root.iter("Choices")] == ["colour", "facets", "size"]
    assert [each.get("choice") for each in root.iter("Choices")] == ["single", "multiple", "single"]
    assert {each.get("value") for each in root.iter("Choice")} >= {"red", "warm", SCRIPT}


@pytest.mark.parametrize(("task", "change"), [("colour", 2), ("facets", [0, 3])])
def test_fiftyone_comes_back_equal_and_with_its_changes_alone(studio, browse, task, change):
    browser = browse()
    told = archive_of(browser, task)
    labels = told["labels.json"]
    assert set(labels["labels"]) == set(told["data.json"]) == {f"i{number}" for number in range(120)}
    names = labels["classes"]
    first = labels["labels"]["i0"]
    assert [names[place] for place in (first if isinstance(first, list) else [first])] == (
        ["blue"] if task == "colour" else ["is-red", "warm"]
    )
    assert "0 labels changed" in bring(browser, "labels.json", json.dumps(labels), task=task).text
    labels["labels"]["i1"], labels["labels"]["i2"] = change, None
    assert "2 labels changed" in bring(browser, "labels.json", json.dumps(labels), task=task).text
    wanted = tuple(names[place] for place in (change if isinstance(change, list) else [change]))
    assert studio.opened.standing.changed == {task: {"i1": (1, wanted), "i2": (1, ())}}
    again = archive_of(browser, task)["labels.json"]
    assert "0 labels changed" in bring(browser, "labels.json", json.dumps(again), task=task).text


def test_fiftyone_names_photos_by_their_files_and_may_leave_classes_out(studio, browse):
    browser = browse()
    # photos are called 0.png, 1.png, ...; FiftyOne calls them by their names without the ending
    content = {"labels": {"0": "red", "7": {"label": "blue", "confidence": 0.5}}}
    assert "2 labels changed" in bring(browser, "labels.json", json.dumps(content), task="colour").text
    assert studio.opened.standing.changed["colour"] == {"i0": (1, ("red",)), "i7": (1, ("blue",))}


def one(item="i0", choices=("red",), **other):
    result = {"from_name": "colour", "to_name": "image", "type": "choices", "value": {"choices": list(choices)}}
    return {"data": {"item_id": item}, "annotations": [{"result": [result | other]}]}


@pytest.mark.parametrize(
    ("content", "task", "told"),
    [
        ("[", "", "a.json: not JSON"),
        ("3", "", "file: expected JSON of Label Studio or FiftyOne"),
        ([1], "", "file: expected data and annotations, as of Label Studio, got none in task 1"),
        ([{"image": "x.png", "colour": "red"}], "", "got none in task 1"),
        ([{"data": {}, "annotations": []}], "", "file: expected an item_id in the data of task 1"),
        ([one(), one("nobody")], "", "item: expected an article of the catalogue, got 'nobody'"),
        ([one(choices=["red", "blue"])], "", "colour: expected at most one label, got 2 in task 1, 'i0'"),
        *(
            ([one(choices=[choice])], "", f"colour: expected a text, got {json.dumps(choice)} in task 1, 'i0'")
            for choice in (["red"], True, None, float("inf"))
        ),
        ([one(choices=["a|b"])], "", "colour: expected a label of 1 to 200 printable characters without '|'"),
        ([one(choices=["x" * 201])], "", "colour: expected a label of 1 to 200 printable characters without '|'"),
        ([one(from_name="price")], "", "from_name: expected one of colour, facets, size; got 'price'"),
        ([one(type="rectanglelabels")], "", "file: expected a list of choices of 'i0', got 'rectanglelabels'"),
        ([one(), one()], "", "file: expected each article once, got 'i0' twice"),
        ([{**one(), "annotations": 3}], "", "file: expected lists of annotations and results of 'i0'"),
        (
            [{**one(), "annotations": one()["annotations"] + one(choices=["blue"])["annotations"]}],
            "",
            "file: expected annotations of 'i0' that say the same",
        ),
        ({"labels": {"i0": "red"}}, "", "task: expected the column of these labels"),
        ({"labels": {"i0": "red"}}, "price", "task: expected one of colour, facets, size; got 'price'"),
        ({"samples": []}, "colour", "file: expected labels, and classes, as in labels.json of FiftyOne"),
        (
            {"labels": {"i0": "red", "x": "red"}},
            "colour",
            "file: expected a photo of one article of the catalogue, got",
        ),
        ({"labels": {"i0": "red", "0": "red"}}, "colour", "file: expected each article once, got 'i0' twice"),
        ({"labels": {"i0": "a\a"}}, "colour", "colour: expected a label of 1 to 200 printable characters"),
        *(
            (
                {"classes": [choice], "labels": {"i0": 0}},
                "colour",
                f"colour: expected a text, got {json.dumps(choice)} in the label of 'i0'",
            )
            for choice in (["red"], True, None)
        ),
        ({"labels": {"i0": {"label": ["red"]}}}, "colour", 'colour: expected a text, got ["red"] in the label of'),
        ('{"labels": {"i0": "red", "i0": "blue"}}', "colour", "a.json: not JSON: the field 'i0' twice"),
        (
            {"classes": ["red"], "labels": {"i0": 1}},
            "colour",
            "labels: expected the number of one of 1 classes for 'i0'",
        ),
        ({"classes": ["red"], "labels": {"i0": True}}, "colour", "labels: expected the number of one of 1 classes"),
        (
            {"classes": ["red", "blue"], "labels": {"i0": [0, 1]}},
            "colour",
            "colour: expected at most one label, got 2 in the",
        ),
        ({"classes": 3, "labels": {}}, "colour", "file: expected labels, and classes"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_half_written(studio, browse, content, task, told):
    text = content if isinstance(content, str) else json.dumps(content)
    answer = bring(browse(), "a.json", text, task=task)
    assert answer.status_code == 400
    assert told in unescape(answer.text)
    assert entries(studio) == []


@pytest.mark.parametrize(("content", "task"), [([one(choices=["rde"])], ""), ({"labels": {"i0": "rde"}}, "colour")])
def test_new_labels_of_other_programs_are_named_before_they_are_taken(studio, browse, content, task):
    answer = bring(browse(), "a.json", json.dumps(content), task=task)
    assert answer.status_code == 200
    assert '<th scope="row">rde</th><td class="num">1</td><td>red</td>' in answer.text
    assert entries(studio) == []


def test_a_column_that_fails_late_takes_the_earlier_ones_back(studio, browse, monkeypatch):
    """All columns of a file are changed in one transaction."""
    from hemline.studio.labels import ledger

    plain, seen = ledger._changed, []

    def failing(session, task, *rest):
        seen.append(task)
        if task == "facets":
            raise ValueError("facets: disk is full")
        return plain(session, task, *rest)

    monkeypatch.setattr(ledger, "_changed", failing)
    content = "item_id,colour,facets\ni0,red,\n"
    assert bring(browse(), "a.csv", content).status_code == 400
    assert seen == ["colour", "facets"]
    assert entries(studio) == []


HOSTILE = {
    "a": {"colour": "NA", "text": "None", "facets": ["nan", "a\u00a0b"], "title": "one\rtwo"},
    "b": {"colour": "x" * 300, "text": "None", "facets": [], "title": ""},
    "c": {"colour": ["a|b"], "text": None, "facets": ["1.0", "warm", "c|d"], "title": "NA"},
    "d": {"colour": ["red", "blue"], "text": "=1+1", "facets": ["\u200d"], "title": "x"},
    "e": {"colour": None, "text": "side", "facets": ["warm"], "title": "text"},
}
"""Labels that are called like "nobody said", that nobody could type, a column called like that of titles, ..."""


def opened(tmp_path, rows):
    """A studio of a catalogue."""
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / "table.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "table.toml").write_text(
        'table = "table.jsonl"\ntext = "title"\nside = "side"\nmissing = ["-"]\n'
        'labels = ["colour", "text", "facets"]\nfacets = ["facets"]\n'
    )
    settings = StudioSettings(tmp_path / "studio")
    settings.folder.mkdir()
    database = Database(settings.address)
    made = Studio(settings, database, Labelling(open_source(str(tmp_path / "table.toml")), "table.toml", database))
    return made


@pytest.fixture
def hostile(tmp_path):
    """A studio of all of them."""
    made = opened(
        tmp_path, [{"item_id": item, "images": [], "side": "train", **cells} for item, cells in HOSTILE.items()]
    )
    yield made
    made.close()


@pytest.fixture
def without_sign(tmp_path):
    """A studio of those that CSV takes."""
    rows = [{"item_id": item, "images": [], "side": "train", **cells} for item, cells in HOSTILE.items() if item != "c"]
    made = opened(tmp_path / "without", rows)
    yield made
    made.close()


@pytest.mark.parametrize("name", ["catalogue.jsonl", "label_studio.json", "colour", "text", "facets"])
def test_what_is_exported_comes_back_without_a_change_whatever_labels_are_called(hostile, name):
    browser = logging_in(hostile)()
    if name in hostile.opened.tasks:
        content = json.dumps(archive_of(browser, name)["labels.json"])
        answer = bring(browser, "labels.json", content, task=name)
    else:
        answer = bring(browser, name, browser.get(f"/labels/export/{name}").content)
    assert "0 labels changed" in answer.text
    assert hostile.opened.standing.changed == {}


@pytest.mark.parametrize("name", ["catalogue.csv", "catalogue.jsonl"])
def test_an_exported_table_is_read_as_the_same_catalogue(hostile, without_sign, name, tmp_path):
    made = without_sign if name.endswith("csv") else hostile
    browser = logging_in(made)()
    content = browser.get(f"/labels/export/{name}").content
    assert "0 labels changed" in bring(browser, name, content).text
    (tmp_path / name).write_bytes(content)
    (tmp_path / f"{name}.toml").write_bytes(browser.get(f"/labels/export/{name}.toml").content)
    one, other = (
        each.articles for each in (made.opened.source.catalogue, open_source(str(tmp_path / f"{name}.toml")).catalogue)
    )
    told = [[(each.item_id, each.labels, each.text, each.side) for each in some] for some in (one, other)]
    assert told[0] == told[1]


def test_labels_that_hold_the_sign_between_labels_are_no_csv(hostile):
    answer = logging_in(hostile)().get("/labels/export/catalogue.csv")
    assert answer.status_code == 400
    assert "colour: expected none with '|' for CSV, got 'a|b' of 'c'; catalogue.jsonl takes it" in unescape(answer.text)


def test_a_key_that_is_one_article_and_another_s_photo_is_refused(tmp_path):
    rows = [
        {"item_id": "1", "images": ["2.png"], "colour": "red"},
        {"item_id": "2", "images": ["1.png"], "colour": "blue"},
    ]
    (tmp_path / "table.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "table.toml").write_text('table = "table.jsonl"\nimages = "images"\nlabels = ["colour"]\n')
    labelling = Labelling(
        open_source(str(tmp_path / "table.toml")), "table.toml", Database(f"sqlite:///{tmp_path / 'studio.db'}")
    )
    reader = LabelReader(labelling, Standing((0, 0), {}))
    content = {"classes": ["blue", "red"], "labels": {"2": 1, "1": 0}}
    with pytest.raises(ValueError, match="got '2' of several articles, '2' and '1'"):
        read_fiftyone(reader, content, "colour")
    assert read_fiftyone(reader, content | {"keys": "item_id"}, "colour") == {"colour": {"2": ("red",), "1": ("blue",)}}


def test_a_label_column_called_like_that_of_item_ids_is_refused(tmp_path):
    (tmp_path / "table.jsonl").write_text('{"item_id": "1", "images": []}')
    (tmp_path / "table.toml").write_text('table = "table.jsonl"\nlabels = ["item_id"]\n')
    with pytest.raises(ValueError, match="labels: expected columns of other names than 'item_id'"):
        Labelling(
            open_source(str(tmp_path / "table.toml")), "table.toml", Database(f"sqlite:///{tmp_path / 'studio.db'}")
        )
