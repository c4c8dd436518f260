"""Labels in the studio: tasks by F1, selections of photos, changes, conflicts, undo, and what is taken out again."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("fastapi", reason="needs the extra `studio`")

from hemline.datasets.pictures.labels import Task
from hemline.datasets.pictures.source import open_source
from hemline.runtime.run_folder import RunFolder
from hemline.studio.database.tables import CurrentLabel, LedgerEntry
from hemline.studio.labels.answers import Answers, Run, View
from hemline.studio.labels.labelling import Standing
from hemline.studio.labels.ledger import Wish, change, read, replayed, undo
from hemline.studio.labels.quality import OUT_OF_FOLD, held_out_shares, label_quality, likely_errors, out_of_fold_table
from hemline.studio.labels.selection import Selection, paged
from hemline.studio.labels.training import TrainOrder, judge_out_of_fold, train_again
from hemline.studio.settings import StudioSettings
from hemline.vision.classify.classify import train_classifier
from hemline.vision.classify.judging import PROBABILITIES
from hemline.vision.classify.options import TrainConfig
from hemline.vision.networks.product_network import NetworkConfig
from sqlalchemy import select

from .rooms import SCRIPT, WRONG, logging_in, opened

PHOTOS = "/labels/photos?run=colours&task=colour"
RETAG = "/labels/retag?run=colours&task=colour"


def items(page: str) -> list[str]:
    """The articles of a page, in order."""
    return [json.loads(unescape(found))[0] for found in re.findall(r'name="chosen" value="([^"]+)"', page)]


def wanted(item: str, label: str, version: int = 0) -> Wish:
    return Wish(item, version, (label,) if label else ())


def table(studio):
    with studio.database.reading() as session:
        entries = session.scalars(select(LedgerEntry)).all()
        current = session.scalars(select(CurrentLabel)).all()
    return replayed(entries), {(row.task, row.item_id): (row.version, read(row.labels)) for row in current}


def told(studio):
    return lambda item: studio.opened.told("colour", item)


def test_tasks_are_listed_with_their_f1_the_weakest_first(studio, browse):
    page = browse().get("/labels").text
    view = studio.run("colours").view("colour")
    f1 = view.score("test")["macro_f1"]
    assert f1 < 0.7, "a third of the classes is labelled as another"
    assert f"{100 * f1:.1f} %" in page
    assert page.index("task=colour") < page.index("task=facets")


def test_scores_are_those_of_the_run_by_the_labels_as_they_stand(studio, trained):
    view = studio.run("colours").view("colour")
    stored = RunFolder(trained).read_json("test.json")
    for side in ("train", "test"):
        assert view.score(side)["macro_f1"] == stored[side]["colour"]["macro_f1"]
        assert view.score(side)["confusion"] == stored[side]["colour"]["confusion"]
        facets = studio.run("colours").view("facets").score(side)
        assert facets["macro_f1"] == stored[side]["facets"]["macro_f1"]
    change(studio.database, "colour", [wanted("i84", "blue")], who="Ann", why="", told=told(studio))
    again = studio.run("colours").view("colour").score("test")
    assert again["accuracy"] == pytest.approx(view.score("test")["accuracy"] + 1 / 36)


def test_a_number_of_the_confusions_opens_its_photos(studio, browse):
    browser = browse()
    page = browser.get("/labels/task?run=colours&task=colour&side=test").text
    counts = np.array(studio.run("colours").view("colour").score("test")["confusion"])
    red, blue = 2, 0
    link = re.search(r'href="([^"]+truth=red&amp;answer=blue)"[^>]*>(\d+)<', page)
    assert int(link[2]) == counts[red, blue] > 0
    shown = items(browser.get(unescape(link[1])).text)
    assert len(shown) == counts[red, blue]
    assert all(int(item[1:]) % 3 == 0 and int(item[1:]) >= 84 for item in shown)


def test_photos_are_chosen_by_side_label_answer_and_words(studio, browse):
    browser = browse()
    assert len(items(browser.get(f"{PHOTOS}&side=test").text)) == 36
    assert len(items(browser.get(f"{PHOTOS}&side=test&truth=green&kind=right").text)) == 12
    missed = items(browser.get(f"{PHOTOS}&side=test&truth=red&kind=missed").text)
    assert set(missed) == {f"i{number}" for number in range(84, 120, 3)} - set(
        items(browser.get(f"{PHOTOS}&side=test&truth=red&answer=red").text)
    )
    assert items(browser.get(f"{PHOTOS}&words=i11&order=table").text) == ["i11", *(f"i{n}" for n in range(110, 120))]
    assert set(items(browser.get(f"{PHOTOS}&where=facets%3Dwarm&side=test").text)) == {
        f"i{number}" for number in range(84, 120, 3)
    }


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("truth=no+such", "truth: expected a label of colour, got 'no such'"),
        ("answer=warm", "answer: expected a label of colour, got 'warm'"),
        ("side=tset", "side: expected one of train, test; got 'tset'"),
        ("where=facets%3Dhot", "where: expected a label of facets, got 'hot'"),
        ("where=price%3D3", "where: expected one of the columns colour, facets, size; got 'price'"),
        ("kind=bad", "kind: expected one of"),
        ("order=bad", "order: expected one of"),
    ],
)
def test_a_filter_of_what_there_is_not_is_said_and_not_answered_with_no_photos(browse, query, told):
    answer = browse().get(f"{PHOTOS}&{query}")
    assert answer.status_code == 400
    assert told in unescape(answer.text)


def test_missed_and_claimed_without_a_label_are_those_of_any_label(browse):
    browser = browse()
    wrong = items(browser.get(f"{PHOTOS}&side=train&kind=wrong&order=table").text)
    assert len(wrong) > 4
    for kind in ("missed", "claimed"):
        assert items(browser.get(f"{PHOTOS}&side=train&kind={kind}&order=table").text) == wrong
    facets = "/labels/photos?run=colours&task=facets&side=train&order=table"
    missed, claimed, all_wrong = (
        set(items(browser.get(f"{facets}&kind={kind}").text)) for kind in ("missed", "claimed", "wrong")
    )
    assert missed | claimed == all_wrong
    of_classes = (items(browser.get(f"{facets}&kind=missed&truth={label}").text) for label in ("is-red", "warm"))
    assert set().union(*of_classes) <= missed


def test_a_label_of_articles_that_the_run_did_not_judge_shows_no_photos(shop, trained, tmp_path):
    grown = shutil.copytree(shop.parent, tmp_path / "grown")
    more = {"item_id": "new", "images": [], "colour": "pink", "facets": ["new"], "size": "huge", "side": "train"}
    table = grown / "shop.jsonl"
    table.write_text(f"{table.read_text()}\n{json.dumps(more)}")
    studio = opened(grown / "shop.toml", trained, StudioSettings(tmp_path / "studio"))
    browser = logging_in(studio)()
    for query in ("where=size%3Dhuge", "truth=pink", "where=facets%3Dnew"):
        answer = browser.get(f"{PHOTOS}&{query}")
        assert (answer.status_code, items(answer.text)) == (200, [])
        assert "No photo is like this" in answer.text
    studio.close()


def test_a_filter_by_a_label_that_nobody_has_any_more_shows_no_photos(studio, browse):
    change(studio.database, "size", [wanted("i7", "small")], who="Ann", why="", told=lambda item: (SCRIPT,))
    assert items(browse().get(f"{PHOTOS}&where=size%3D{quote(SCRIPT)}").text) == []


def test_a_class_without_photos_on_a_side_has_no_f1_and_stands_last(studio, browse):
    browser = browse()
    red = [f"i{number}" for number in range(84, 120, 3)]
    change(studio.database, "colour", [wanted(item, "blue") for item in red], who="Ann", why="", told=told(studio))
    page = browser.get("/labels/task?run=colours&task=colour&side=test").text
    rows = [
        re.sub(r"<[^>]+>", " ", row).split() for row in re.findall(r"<tr>\s*<th scope=\"row\">.*?</tr>", page, re.S)
    ]
    assert rows[2][:2] == ["red", "–"]
    assert rows[2][3] in ("–", "%")
    assert browser.get("/labels/task?run=colours&task=colour&side=tset").status_code == 400


@pytest.mark.parametrize("order", ["errors", "confident", "unsure", "table"])
def test_photos_are_ordered(studio, order):
    view = studio.run("colours").view("colour")
    places = Selection("colours", "colour", order=order).places(view)
    confidence = view.answers.confidence[places]
    assert sorted(places) == list(range(120))
    if order == "confident":
        assert (np.diff(confidence) <= 0).all()
    elif order == "unsure":
        assert (np.diff(confidence) >= 0).all()
    elif order == "errors":
        wrong = view.wrong[places]
        assert wrong[: wrong.sum()].all(), "answers against the label come first"
    else:
        assert (np.diff(places) > 0).all()


def test_pages_hold_all_photos_once():
    places = np.arange(7)
    shown = [paged(places, page, at_once=3).places for page in (1, 2, 3)]
    assert [place for page in shown for place in page] == list(range(7))


def test_a_change_is_in_the_ledger_with_who_when_from_to_and_why(studio, browse):
    browser = browse("Ann")
    browser.submit(RETAG, chosen=['["i0", 0]', '["i3", 0]'], to="red", why="is red")
    with studio.database.reading() as session:
        entries = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)).all()
    assert [(e.who, e.task, e.item_id, e.version, e.before, e.after, e.why) for e in entries] == [
        ("Ann", "colour", "i0", 1, '["blue"]', '["red"]', "is red"),
        ("Ann", "colour", "i3", 1, '["blue"]', '["red"]', "is red"),
    ]
    replay, current = table(studio)
    assert replay == current == {("colour", "i0"): (1, ("red",)), ("colour", "i3"): (1, ("red",))}
    page = browser.get("/labels/article?run=colours&task=colour&item=i0").text
    assert "is red" in page
    assert set(items(browser.get(f"{PHOTOS}&kind=changed").text)) == {"i0", "i3"}


def test_of_two_editors_the_second_is_shown_what_the_first_did(studio, browse):
    ann, bob = browse("Ann"), browse("Bob")
    ann.submit(RETAG, chosen='["i0", 0]', to="red")
    headers = {"HX-Request": "true", "X-CSRF-Token": bob.secret()}
    answer = bob.post(RETAG, data={"chosen": '["i0", 0]', "to": "green"}, headers=headers).text
    assert "Ann changed this to “red” meanwhile; you wanted “green”" in answer
    assert studio.opened.standing.changed["colour"]["i0"] == (1, ("red",))
    all_the_same = re.search(r'name="chosen" value="([^"]+)">[^>]*>\s*<button name="to" value="green"', answer)
    answer = bob.post(RETAG, data={"chosen": unescape(all_the_same[1]), "to": "green"}, headers=headers).text
    assert "1 photo changed" in answer
    assert studio.opened.standing.changed["colour"]["i0"] == (2, ("green",))


def test_without_script_a_conflict_is_said_too(studio, browse):
    browse("Ann").submit(RETAG, chosen='["i0", 0]', to="red")
    answer = browse("Bob").submit(RETAG, chosen='["i0", 0]', to="green")
    assert answer.status_code == 409
    assert "were changed by others" in answer.text
    assert studio.opened.standing.changed["colour"]["i0"] == (1, ("red",))


@pytest.mark.parametrize("chosen", ["[" * 3000, '["i0", "x"]', "x"])
def test_what_is_no_photo_and_version_is_refused(studio, browse, chosen):
    answer = browse().submit(RETAG, chosen=chosen, to="red")
    assert answer.status_code == 400
    assert "chosen: expected an article and its version" in answer.text


def test_numbers_that_no_row_has_are_refused(browse):
    browser = browse()
    for address, name in (("/labels/crowd/apply", "number"), ("/jobs/stop", "number"), ("/scenarios/forget", "number")):
        assert browser.submit(address, **{name: 10**30}).status_code in (404, 422), address


def test_two_trainings_that_wait_have_folders_of_their_own(studio):
    assert studio.new_run() != studio.new_run()


def test_two_who_want_the_same_are_no_conflict(studio):
    for _ in range(2):
        outcome = change(studio.database, "colour", [wanted("i0", "red")], who="Ann", why="", told=told(studio))
        assert outcome.conflicts == ()
    assert studio.opened.standing.changed["colour"]["i0"] == (1, ("red",))


def test_a_change_is_taken_back_and_stays_in_the_ledger(studio, browse):
    browser = browse()
    headers = {"HX-Request": "true", "X-CSRF-Token": browser.secret()}
    answer = browser.post(RETAG, data={"chosen": '["i0", 0]', "to": "red"}, headers=headers).text
    entry = re.search(r'name="entry" value="(\d+)"', answer)[1]
    browser.post(RETAG.replace("retag", "undo"), data={"entry": entry}, headers=headers)
    with studio.database.reading() as session:
        last = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc())).first()
    assert (last.after, last.undoes) == ('["blue"]', int(entry))
    assert studio.opened.standing.changed["colour"]["i0"] == (2, ("blue",))
    replay, current = table(studio)
    assert replay == current


def test_a_change_that_was_changed_again_is_not_taken_back(studio):
    first = change(studio.database, "colour", [wanted("i0", "red")], who="Ann", why="", told=told(studio))
    change(studio.database, "colour", [wanted("i0", "green", 1)], who="Bob", why="", told=told(studio))
    outcome = undo(studio.database, first.entries[0].id, who="Ann", told=told(studio))
    assert outcome.entries == ()
    assert outcome.conflicts[0].entry.who == "Bob"


def test_a_version_that_never_was_is_refused_and_nothing_is_changed(studio):
    wishes = [wanted("i0", "green"), wanted("i1", "green", 5)]
    with pytest.raises(ValueError, match="version: expected 0 of 'i1', which nobody has changed, got 5"):
        change(studio.database, "colour", wishes, who="Ann", why="", told=told(studio))
    with studio.database.reading() as session:
        assert session.scalars(select(LedgerEntry)).all() == []


def test_a_ledger_with_a_missing_entry_is_noticed(studio):
    for version, label in enumerate(("red", "green", "blue")):
        change(studio.database, "colour", [wanted("i1", label, version)], who="Ann", why="", told=told(studio))
    with studio.database.reading() as session:
        entries = session.scalars(select(LedgerEntry)).all()
    with pytest.raises(ValueError, match="expected 'i1' to go on from version 1"):
        replayed([entry for entry in entries if entry.version != 2])


def test_two_labels_at_once_are_refused(studio, browse):
    answer = browse().submit(RETAG, chosen='["i0", 0]', to="red", other="green")
    assert answer.status_code == 400
    assert studio.opened.standing.changed == {}


def test_no_label_can_be_wanted_all_the_same(studio, browse):
    ann, bob = browse("Ann"), browse("Bob")
    ann.submit(RETAG, chosen='["i0", 0]', to="red")
    headers = {"HX-Request": "true", "X-CSRF-Token": bob.secret()}
    answer = bob.post(RETAG, data={"chosen": '["i0", 0]', "clear": "yes"}, headers=headers).text
    found = re.search(r'name="chosen" value="([^"]+)">[^>]*>\s*<button name="clear" value="yes"', answer)
    bob.post(RETAG, data={"chosen": unescape(found[1]), "clear": "yes"}, headers=headers)
    assert studio.opened.standing.changed["colour"]["i0"] == (2, ())


def test_facets_are_added_and_taken_away(studio, browse):
    browser = browse()
    address = "/labels/retag?run=colours&task=facets"
    browser.submit(address, chosen='["i0", 0]', to="long", how="add", new="yes")
    assert studio.opened.standing.changed["facets"]["i0"] == (1, ("is-red", "warm", "long"))
    browser.submit(address, chosen='["i0", 1]', to="warm", how="remove")
    assert studio.opened.standing.changed["facets"]["i0"] == (2, ("is-red", "long"))


def test_labels_are_cleared_on_purpose_alone(studio, browse):
    browser = browse()
    assert browser.submit(RETAG, chosen='["i0", 0]').status_code == 400
    assert studio.opened.standing.changed == {}
    browser.submit(RETAG, chosen='["i0", 0]', clear="yes")
    assert studio.opened.standing.changed["colour"]["i0"] == (1, ())


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_what_is_exported_is_read_as_the_catalogue_with_the_labels_that_stand(studio, browse, tmp_path, kind):
    browser = browse()
    browser.submit(RETAG, chosen='["i0", 0]', to="red")
    browser.submit("/labels/retag?run=colours&task=facets", chosen='["i0", 0]', to="warm", how="remove")
    for name in (f"catalogue.{kind}", f"catalogue.{kind}.toml"):
        (tmp_path / name).write_bytes(browser.get(f"/labels/export/{name}").content)
    read_back = open_source(str(tmp_path / f"catalogue.{kind}.toml"))
    expected = studio.opened.catalogue()
    assert read_back.facets == studio.opened.source.facets
    assert read_back.catalogue.articles == tuple(replace(each, labels=dict(each.labels)) for each in expected.articles)
    assert read_back.catalogue.article("i0").labels == {"colour": ("red",), "facets": ("is-red",), "size": ("small",)}


def test_the_ledger_is_exported_for_spreadsheets(studio, browse):
    browser = browse()
    browser.submit(RETAG, chosen='["i0", 0]', to="red", why='=HYPERLINK("http://x")')
    rows = browser.get("/labels/export/ledger.csv").text.splitlines()
    assert len(rows) == 2
    assert "'=HYPERLINK" in rows[1]


def test_names_of_articles_and_labels_are_shown_and_not_read(studio, browse):
    browser = browse()
    browser.submit("/labels/retag?run=colours&task=facets", chosen='["i7", 0]', to=SCRIPT, how="add", why=SCRIPT)
    for address in (
        f"{PHOTOS}&words=i7&order=table",
        "/labels/article?run=colours&task=colour&item=i7",
        "/labels/article?run=colours&task=facets&item=i7",
        "/labels/photos?run=colours&task=facets&kind=changed",
        f"{PHOTOS}&words=%3Cscript%3E",
    ):
        page = browser.get(address).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_networks_that_did_not_learn_a_label_find_the_wrong_ones(studio, shop, trained, tmp_path):
    out = studio.folds_at(studio.run("colours"))
    judge_out_of_fold(TrainOrder(str(shop), trained, out, {}, str(tmp_path / "vectors")), lambda *_: None)
    view = studio.run("colours").view("colour")
    shares = held_out_shares(view.answers, out)
    frame = RunFolder(out).read_frame(OUT_OF_FOLD)
    assert sorted(frame[frame.task == "colour"]["item_id"]) == sorted(f"i{number}" for number in range(84))
    assert np.isfinite(shares).all()
    wrong = np.array([article.item_id in {f"i{3 * n}" for n in range(WRONG)} for article in view.answers.articles])
    assert not np.allclose(shares[:84], view.answers.probabilities[:84]), "not the answers of the run itself"
    assert wrong.sum() == WRONG
    assert len(likely_errors(view, shares)) == len(label_quality(view, shares)) == 120


def test_label_errors_come_first_where_answers_are_good():
    rng = np.random.default_rng(1)
    truth = rng.integers(3, size=300)
    shares = np.full((300, 3), 0.05)
    shares[np.arange(300), truth] = 0.9
    noisy = truth.copy()
    flipped = rng.choice(300, 15, replace=False)
    noisy[flipped] = (truth[flipped] + 1) % 3
    view = view_of(noisy, shares)
    quality = label_quality(view, shares)
    assert set(np.argsort(quality, kind="stable")[:15]) == set(flipped)
    assert set(np.flatnonzero(likely_errors(view, shares))) == set(flipped)


def view_of(codes, shares, facets=False):
    from hemline.datasets.pictures.catalogue import Article

    task = Task("t", ("c", "a", "b"), facets)
    articles = [Article(str(row), labels={"t": (task.classes[code],)}) for row, code in enumerate(codes)]
    answers = Answers(task, articles, np.full(len(codes), "test"), shares.astype(np.float32))
    return View(answers, Standing((0, 0), {}), SimpleNamespace(tasks=("t",)))


def test_probabilities_of_classes_in_another_order_are_refused(studio, tmp_path):
    answers = studio.run("colours").answers["colour"]
    turned = Task("colour", answers.task.classes[::-1])
    written = out_of_fold_table(turned, ["i0"], np.array([[0.1, 0.2, 0.7]]))
    RunFolder(str(tmp_path)).write_frame(OUT_OF_FOLD, written)
    with pytest.raises(ValueError, match="expected those of 'colour' in their order"):
        held_out_shares(answers, str(tmp_path))


def test_a_run_is_trained_again_on_the_same_sides_with_the_labels_that_stand(studio, shop, trained, tmp_path):
    wrong = {f"i{3 * number}": ("red",) for number in range(WRONG)}
    told = []
    out = str(studio.settings.folder / "runs" / "colours-2")
    order = TrainOrder(str(shop), trained, out, {"colour": wrong}, str(tmp_path / "vectors"))
    assert train_again(order, lambda *stage: told.append(stage)) == out
    assert ("training", 16, 16) in told
    split, before = (RunFolder(place).read_json("split.json") for place in (out, trained))
    assert {side: split[side] for side in ("train", "test")} == {side: before[side] for side in ("train", "test")}
    scores = RunFolder(out).read_json("test.json")["test"]["colour"]["macro_f1"]
    assert scores > RunFolder(trained).read_json("test.json")["test"]["colour"]["macro_f1"] + 0.3
    studio.add_run(out)
    assert studio.run("colours-2").view("colour").score("test")["macro_f1"] == scores


def test_sides_that_were_drawn_stay_where_they_were_drawn(shop, tmp_path):
    """Another seed and other shares than by default, so that a split that is drawn anew is another one."""
    described = shop.parent / "drawn.toml"
    described.write_text(shop.read_text().replace('side = "side"\n', ""))
    run, out = str(tmp_path / "run"), str(tmp_path / "again")
    network = NetworkConfig(backbone="small-cnn", size=16, widths=(8,))
    training = TrainConfig(epochs=1, augment=None)
    source = open_source(str(described))
    train_classifier(source, run, network=network, training=training, tasks=["colour"], shares=(0.1, 0.3), split_seed=5)
    train_again(
        TrainOrder(str(described), run, out, {"colour": {"i0": ("red",)}}, str(tmp_path / "vectors")), lambda *_: None
    )
    before, after = (RunFolder(place).read_json("split.json") for place in (run, out))
    for side in ("train", "validation", "test"):
        assert sorted(before[side]) == sorted(after[side])
        assert len(before[side]) > 0


def test_another_classifier_of_the_same_name_does_not_inherit_judgements(studio, shop, trained, tmp_path):
    (name,) = studio.runs
    run = studio.runs[name]
    RunFolder(str(studio.settings.folder / "folds" / name)).write_frame(OUT_OF_FOLD, pd.DataFrame({"task": []}))
    assert studio.folds(run) is None, "by its name alone"
    RunFolder(studio.folds_at(run)).write_frame(OUT_OF_FOLD, pd.DataFrame({"task": []}))
    assert studio.folds(Run(trained, studio.opened)) is not None, "a start later"
    other = tmp_path / name
    shutil.copytree(trained, other)
    (other / PROBABILITIES).unlink()
    frame = RunFolder(trained).read_frame(PROBABILITIES)
    RunFolder(str(other)).write_frame(
        PROBABILITIES, frame.assign(probabilities=[0.9 * each for each in frame["probabilities"]])
    )
    assert studio.folds(Run(str(other), studio.opened)) is None, "another training"
    source = studio.opened.source
    first, *others = source.catalogue.articles
    told = replace(first, labels={**first.labels, "colour": ("green",)})
    catalogue = replace(source.catalogue, articles=(told, *others))
    studio.opened.source = replace(source, catalogue=catalogue)
    assert studio.folds(Run(trained, studio.opened)) is None, "other labels in the catalogue"


def test_after_a_new_start_what_was_trained_again_stands_behind_what_it_is_compared_with(shop, trained, tmp_path):
    settings = StudioSettings(tmp_path / "studio")
    shutil.copytree(trained, settings.folder / "runs" / "colours-2")
    studio = opened(shop, trained, settings)
    assert list(studio.runs) == ["colours", "colours-2"]
    assert Path(studio.new_run()).name == "colours-3"
    studio.close()
