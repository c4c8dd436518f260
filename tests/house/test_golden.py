"""What an older version computed and wrote: equal where every machine has the same, close where numbers are rounded.

The whole record, to the last digit, is compared by `golden/record.py`; see the README beside it.
"""

from __future__ import annotations

import fnmatch
import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

GOLDEN = Path(__file__).parent / "golden"
RECORD = json.loads((GOLDEN / "stored" / "record.json").read_text())
KINDS = sorted(path.name for path in (GOLDEN / "stored" / "predictors").iterdir())
NUMBERS_OF_THE_PAST = ("last-value", "seasonal-naive", "random-walk", "random-walk-independent", "seasonal-walk")
"""Predictors that add and draw what is in the table, which is the same on every machine."""


@pytest.fixture(scope="module")
def golden() -> Iterator[Callable[[str], ModuleType]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(GOLDEN))
        yield importlib.import_module


@pytest.fixture(scope="module")
def rows(golden) -> dict[str, Any]:
    made = golden("golden_rows")
    return {**made.rows_of("identity"), **made.rows_of("stored")}


def before(part: str) -> dict[str, Any]:
    """The stored rows of a part whose change has no reason."""
    explained = RECORD["explained"]
    return {
        name: value
        for name, value in RECORD["rows"].items()
        if name.startswith(f"{part}/") and not any(fnmatch.fnmatchcase(name, pattern) for pattern in explained)
    }


def numbers(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, float) for each in value)


def test_settings_data_and_runs_are_called_as_before(rows):
    # A table's digest holds the last digit of every score, which the processor decides.
    expected = {
        name: value for name, value in before("identity").items() if not numbers(value) and "/scores/" not in name
    }
    assert len(expected) > 60
    assert {name: rows.get(name) for name in expected} == expected


def test_the_simple_baselines_score_as_before(rows):
    expected = {name: value for name, value in before("identity").items() if numbers(value)}
    assert len(expected) > 60
    for name, values in expected.items():
        np.testing.assert_allclose(rows[name], values, rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stored_predictor_draws_what_it_drew(rows, kind):
    drawn, expected = np.array(rows[f"stored/{kind}/values"]), np.array(RECORD["rows"][f"stored/{kind}/values"])
    assert rows[f"stored/{kind}/array"].split("] ")[0] == RECORD["rows"][f"stored/{kind}/array"].split("] ")[0]
    assert np.isfinite(drawn).all()
    if kind in NUMBERS_OF_THE_PAST:
        np.testing.assert_allclose(drawn, expected, rtol=1e-9)
    elif f"stored/{kind}/values" in before("stored"):
        # A path may end elsewhere where a last digit decides: which past stretch it follows, or how a count is rounded.
        assert np.isclose(drawn, expected, rtol=1e-3, atol=1e-3).mean() >= 0.9


def test_a_finished_backtest_is_read_and_not_repeated(rows):
    assert rows["stored/backtest/run anew"] == 0
    assert rows["stored/backtest/same scores"] is True
    expected = {name: value for name, value in before("stored").items() if name.startswith("stored/backtest/")}
    assert len(expected) == 9
    # Scores are read from files, not computed.
    assert {name: rows.get(name) for name in expected} == expected


def test_its_table_and_its_forecasts_are_read_too(golden):
    from hemline.evaluation import load_backtest, table

    found = load_backtest(GOLDEN / "stored" / "backtest")
    text = str(table(found.scores, "crps_sum", runs=found.runs))
    assert all(f"| {model}" in text for model in found.runs["model"])
    assert {len(found.forecasts(run)) for run in found.runs["run"]} == {2 * 8 * (4 + 1)}
    assert sorted(len(found.training(run)) for run in found.runs["run"]) == [0, 0, 0, 0, 1, 2]


def test_kept_members_and_a_checkpoint_are_taken_up(rows):
    expected = {name: value for name, value in before("stored").items() if name.startswith("stored/training/")}
    assert {name: rows.get(name) for name in expected} == expected


def test_a_stored_classifier_answers_as_before(golden):
    pytest.importorskip("safetensors")
    found = golden("golden_rows").rows_of("classifier")["classifier/predict"]
    expected = RECORD["rows"]["classifier/predict"]
    assert found.keys() == expected.keys()
    np.testing.assert_allclose(list(found.values()), list(expected.values()), rtol=1e-3)


ROWS = {"named/a/crps": 0.1, "named/a/values": [1.0, float("nan")], "vision/weights": "f00"}


class TestCompare:
    @pytest.fixture
    def compared(self, golden):
        record = golden("record")

        def compare(changed: dict[str, Any], explained: dict[str, str] | None = None, processor: str = "this") -> int:
            rows = {name: value for name, value in {**ROWS, **changed}.items() if value is not None}
            old = {"environment": {"processor": "this"}, "rows": ROWS}
            return record.compare(old, {"environment": {"processor": processor}, "rows": rows}, explained or {})

        return compare

    def test_equal_records_are_equal(self, compared, capsys):
        assert compared({}) == 0
        assert "3 rows, 0 new, 0 differ" in capsys.readouterr().out

    @pytest.mark.parametrize("rows", [{"named/a/crps": 0.1 + 2e-17}, {"named/a/crps": None}])
    def test_a_last_digit_and_a_missing_row_are_told(self, compared, capsys, rows):
        assert compared(rows) == 1
        assert next(iter(rows)) in capsys.readouterr().out

    def test_a_new_row_is_counted_and_no_failure(self, compared, capsys):
        assert compared({"named/b/crps": 0.1}) == 0
        assert "4 rows, 1 new, 0 differ" in capsys.readouterr().out

    def test_a_difference_with_a_reason_is_no_failure(self, compared, capsys):
        assert compared({"named/a/crps": 0.2}, {"named/*/crps": "another seed"}) == 0
        assert "explained: 1 rows of named/*/crps: another seed" in capsys.readouterr().out

    def test_parts_that_were_not_made_are_no_difference(self, compared):
        assert compared({"vision/weights": None}) == 0

    def test_unlike_machines_are_told(self, compared, capsys):
        assert compared({}, processor="another") == 2
        assert "environment: processor: this -> another" in capsys.readouterr().out


@pytest.mark.slow
def test_the_whole_record_is_equal_to_the_last_digit(golden, tmp_path):
    if golden("record").environment() != RECORD["environment"]:
        pytest.skip("needs the machine of the record; elsewhere `record.py against COMMIT` makes both")
    record, new = GOLDEN / "record.py", tmp_path / "new.json"
    subprocess.run([sys.executable, record, "make", "--out", new], check=True)
    done = subprocess.run([sys.executable, record, "compare", new], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
