"""The page of public names says what the rooms have."""

import importlib
import inspect
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
ROOMS = ("datasets", "decisions", "evaluation", "forecasting", "recommendation", "vision")


def described(room: str) -> str:
    face = importlib.import_module(f"hemline.{room}")
    rows = []
    for name in face.__all__:
        found = getattr(face, name)
        first = inspect.getdoc(found).splitlines()[0]
        rows.append(f"| `{name}` | {first.replace('|', chr(92) + '|')} |")
    return f"## hemline.{room}\n\n| name | what it is |\n|---|---|\n" + "\n".join(rows) + "\n"


@pytest.mark.parametrize("room", ROOMS)
def test_the_page_has_every_public_name_with_its_first_line(room):
    if room == "vision":
        pytest.importorskip("tokenizers", reason="needs the extra `vision`")
    assert described(room) in PAGE.read_text()


def test_the_face_is_small():
    assert sum(len(importlib.import_module(f"hemline.{room}").__all__) for room in ROOMS) <= 76
