"""Which room may import which, read from the imports themselves."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAY_IMPORT = {
    "datasets": set(),
    "evaluation": {"datasets"},
    "forecasting": {"datasets"},
    "vision": {"datasets"},
}
FILES = [file for room in MAY_IMPORT for file in sorted((ROOT / room).rglob("*.py"))]


def rooms_imported(file: Path) -> set[str]:
    own = file.relative_to(ROOT).parts
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = own[: len(own) - node.level]
            target = [*base, *(node.module or "").split(".")]
            names = [target[0]] if target[0] else [alias.name for alias in node.names]
            found.update(names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "hemline":
            found.add("an absolute import of hemline")
        elif isinstance(node, ast.Import):
            found.update("an absolute import of hemline" for alias in node.names if alias.name.startswith("hemline"))
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_room_imports_only_what_it_may(file):
    room = file.relative_to(ROOT).parts[0]
    assert rooms_imported(file) <= MAY_IMPORT[room] | {room}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_reads_in_one_sitting(file):
    assert len(file.read_text().splitlines()) <= 400
