"""The file of a search's trials: nobody else's is written to, and a spoilt one is one line."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hemline.datasets import simulated_sales
from hemline.evaluation import tune
from hemline.forecasting import VARPredictor

optuna = pytest.importorskip("optuna", reason="needs the extra `tune`")
DATA = simulated_sales(articles=2, weeks=80, seed=0)
SPACE = {"max_lags": [1, 2, 3]}


def search(folder: Path, trials: int = 1):
    model = VARPredictor(DATA.metadata.prediction_length)
    return tune(model, DATA, SPACE, trials, windows=1, num_samples=5, quiet=True, out=folder)


def changed(place: Path, *orders: str) -> None:
    with closing(sqlite3.connect(place)) as opened:
        for order in orders:
            opened.execute(order)
        opened.commit()


SPOILT = {
    "no study": ("DROP TABLE studies", "DROP TABLE trials"),
    "another version": ("UPDATE alembic_version SET version_num = 'x'",),
    "no JSON": ("UPDATE study_user_attributes SET value_json = '{'",),
    "no identity": ("UPDATE study_user_attributes SET value_json = '3'",),
    "a class": (
        """UPDATE trial_params SET distribution_json = '{"name": "os.system", "attributes": {"command": 1}}'""",
    ),
    "two scores": ("INSERT INTO study_directions (direction, study_id, objective) VALUES ('MAXIMIZE', 1, 1)",),
    "to be large": ("UPDATE study_directions SET direction = 'MAXIMIZE'",),
}


@pytest.mark.parametrize("orders", SPOILT.values(), ids=SPOILT)
def test_a_spoilt_file_of_trials_is_one_line_that_names_the_folder(tmp_path, orders):
    search(tmp_path)
    changed(tmp_path / "trials.db", *orders)
    with pytest.raises(ValueError, match=r"^out: ") as caught:
        search(tmp_path, 2)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("part", [40, 100, 2000, 5000, 0.5, 0.9])
def test_a_file_of_trials_without_its_end_is_one_line(tmp_path, part):
    search(tmp_path)
    place = tmp_path / "trials.db"
    whole = place.read_bytes()
    place.write_bytes(whole[: part if part > 1 else int(part * len(whole))])
    with pytest.raises(ValueError, match=r"^out: expected the trials of a search in .*trials\.db, got ") as caught:
        search(tmp_path, 2)
    assert "\n" not in str(caught.value)


def test_a_database_of_somebody_else_is_not_written_to(tmp_path):
    place = tmp_path / "trials.db"
    changed(place, "CREATE TABLE customers (name TEXT)", "INSERT INTO customers VALUES ('me')")
    before = place.read_bytes()
    with pytest.raises(ValueError, match=r"got a database with the table 'customers'"):
        search(tmp_path)
    assert place.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["trials.db"]


@pytest.mark.parametrize("kind", ["named pipe", "device", "folder"])
def test_what_is_no_file_is_no_file_of_trials(tmp_path, kind):
    place = tmp_path / "trials.db"
    if kind == "named pipe":
        os.mkfifo(place)
    elif kind == "device":
        place.symlink_to("/dev/zero")
    else:
        place.mkdir()
    with pytest.raises(ValueError, match=r"^out: expected the trials .*, got something else than a file"):
        search(tmp_path)


def test_what_a_killed_search_has_half_written_is_rolled_back(tmp_path):
    search(tmp_path)
    place, journal = tmp_path / "trials.db", tmp_path / "trials.db-journal"
    with closing(sqlite3.connect(place)) as opened:
        opened.execute("PRAGMA cache_size = 1")
        opened.execute("BEGIN IMMEDIATE")
        opened.execute("UPDATE trials SET state = 'FAIL'")
        opened.execute("UPDATE studies SET study_name = hex(randomblob(200000))")  # more than the cache holds
        left, half = journal.read_bytes(), place.read_bytes()
        opened.rollback()
    journal.write_bytes(left)
    place.write_bytes(half)
    assert len(search(tmp_path, 3).trials) == 3
