"""Shares and numbers as people read them: nothing reads as 0 or 100 % that is not, in any room."""

from __future__ import annotations

import re
from pathlib import Path

import hemline
import pytest
from hemline.evaluation.tables.score_table import Cell
from hemline.runtime.display.numbers import figure, percent

HOME = Path(hemline.__file__).parent
ROOMS = ("runtime", "datasets", "evaluation", "forecasting", "vision", "decisions", "recommendation", "studio")
CONSTANT = re.compile(r"\{(LEVEL|coverage|0|2|1):\.0%\}")
"""Levels of intervals that the library chose itself."""


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.1 + 0.2 + 0.7, "100 %"),
        (1 - 1e-12, "100 %"),
        (0.5, "50 %"),
        (0.996, "99.6 %"),
        (0.99996, "99.996 %"),
        (0.004, "0.4 %"),
        (-0.004, "-0.4 %"),
        (1.004, "100.4 %"),
        (0.9999999, "> 99.9999 %"),
        (1e-8, "< 0.0001 %"),
        (float("nan"), "–"),
    ],
)
def test_a_share_reads_as_none_or_all_only_where_it_is(share, text):
    assert percent(share) == text


def test_numbers_keep_their_thousands_signs_and_digits():
    assert [figure(each, 1) for each in (1234.56, 0.04, 0.0, -0.001)] == ["1,234.6", "0.04", "0.0", "-0.001"]
    assert [figure(each, sign=True) for each in (0.3, -0.3, 12.0, 0.0)] == ["+0.3", "-0.3", "+12", "0"]


def test_a_share_of_a_table_is_told_from_none_and_all():
    assert [Cell(each, seeds=1, share=True).text for each in (1.0, 0.9996, 0.0004, 0.85)] == [
        "1.000",
        "0.9996",
        "0.0004",
        "0.850",
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_writes_shares_in_a_way_of_its_own(room):
    own = re.compile(r"\{[^{}]*:[^{}]*%\}|\b100(\.0)? \* [^\n]*:[+,]*\.\d[fg]|%\.\df ?%%")
    found = []
    for file in sorted((HOME / room).rglob("*.py")) + sorted((HOME / room).rglob("*.html")):
        if file.name != "numbers.py":
            for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
                written = [each for each in own.finditer(line) if not CONSTANT.fullmatch(each[0])]
                if written and "percentage:" not in line and "{%" not in line:
                    found.append(f"{file.relative_to(HOME)}:{number}: {line.strip()}")
    assert found == []
