"""Which floor may import which, read from the imports themselves, those inside functions too."""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Floors from bottom to top. Rooms on one floor do not import each other; a room imports the floors below.
FLOORS = (
    ("runtime",),
    ("datasets",),
    ("evaluation",),
    ("forecasting", "vision"),
    ("decisions", "recommendation"),
    ("studio",),
    ("cli",),
)

# Inside a room likewise: a folder, or a file that lies in the room itself.
INSIDE = {
    "runtime": (
        ("reading",),
        (
            "whole_files",
            "toml_files",
            "folders",
            "names",
            "quiet",
            "seeds",
            "threads",
            "devices",
            "face",
            "arguments",
            "texts",
        ),
        ("plain", "run_folder"),
        ("resume",),
        ("training",),
    ),
    "datasets": (
        ("encodings", "entries", "pictures"),
        ("tables",),
        ("purchases", "simulated", "benchmarks"),
        ("hierarchies",),
        ("registry", "description"),
        ("commands",),
    ),
    "evaluation": (
        ("scores", "drawing", "adapters"),
        ("runs",),
        ("store",),
        ("tables",),
        ("execution",),
        ("grids", "search"),
        ("reports",),
        ("commands", "options", "tune_command"),
    ),
    "forecasting": (
        ("windows", "units", "paths", "scenarios"),
        ("response",),
        ("networks",),
        ("training",),
        ("models",),
        ("wrappers",),
        ("registry",),
        ("commands",),
    ),
    "decisions": (("orders",), ("markdowns",), ("commands",)),
    "recommendation": (
        ("names",),
        ("contract",),
        ("models", "fashion_dna", "style", "judging"),
        ("registry",),
        ("commands",),
    ),
    "studio": (
        ("settings",),
        ("database", "texts"),
        ("access", "jobs"),
        ("labels", "forecasts"),
        ("studio",),
        ("pages",),
        ("server",),
        ("commands",),
    ),
    "vision": (
        ("titles",),
        ("networks",),
        ("embed", "classify", "captions", "locate"),
        ("similarity",),
        ("search", "generate"),
        ("plots",),
        ("commands",),
    ),
}
LONGEST = 320
MOST = 14
FILES = [file for floor in FLOORS[:-1] for room in floor for file in sorted((ROOT / room).rglob("*.py"))]
FILES.append(ROOT / "cli.py")


def name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name(file): file for file in FILES}


def imported(file: Path) -> set[str]:
    """The modules of the house that a file imports, at its top or inside a function."""
    package = file.relative_to(ROOT).parent.parts
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}" if base else alias.name
                found.add(inner if inner in MODULES else base)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "hemline":
            found.add("hemline")
        elif isinstance(node, ast.Import):
            found.update("hemline" for alias in node.names if alias.name.split(".")[0] == "hemline")
    return found - {"", name(file)}


IMPORTS = {module: imported(file) for module, file in MODULES.items()}


def rank(floors: tuple[tuple[str, ...], ...], room: str) -> int | None:
    return next((height for height, floor in enumerate(floors) if room in floor), None)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_downwards(module):
    room, *inside = module.split(".")
    wrong = []
    for target in sorted(IMPORTS[module]):
        there, *within = target.split(".")
        if there == "hemline":
            wrong.append(f"{target}: inside the library imports are relative")
        elif there != room:
            if rank(FLOORS, there) >= rank(FLOORS, room):
                wrong.append(target)
        elif inside and within and inside[0] != within[0]:
            heights = rank(INSIDE[room], inside[0]), rank(INSIDE[room], within[0])
            if None not in heights and heights[1] > heights[0]:
                wrong.append(target)
    assert wrong == []


def test_no_circle_of_files():
    waiting = {module: set(targets) & set(MODULES) for module, targets in IMPORTS.items()}
    while free := [module for module, targets in waiting.items() if not targets]:
        for module in free:
            del waiting[module]
        waiting = {module: targets - set(free) for module, targets in waiting.items()}
    assert sorted(waiting) == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_file_reads_in_one_sitting(module):
    assert len(MODULES[module].read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("folder", sorted({file.parent for file in FILES}), ids=str)
def test_a_folder_is_taken_in_at_a_glance(folder):
    assert len([file for file in folder.glob("*.py") if file.name != "__init__.py"]) <= MOST


@pytest.mark.parametrize("room", ["datasets", "decisions", "evaluation", "forecasting", "recommendation", "vision"])
def test_no_public_name_is_hidden_by_a_file(room):
    """The import of a submodule would take the place of a name that is imported when it is asked for."""
    face = importlib.import_module(f"hemline.{room}")
    inside = {path.stem for path in (ROOT / room).iterdir()}
    assert set(face.__all__) & inside == set()
    assert all(getattr(face, public).__name__ for public in face.__all__ if callable(getattr(face, public)))


def test_scores_are_defined_in_one_place():
    """No other room, and no benchmark, defines a score or takes one from another library."""
    score = re.compile(
        "recall_at|ndcg|(^|_)auc($|_)|reciprocal_rank|crps|energy|variogram|pinball|quantile_loss|interval_score|(^|_)pit($|_)|seasonal_error"
    )
    elsewhere = set()
    for file in [*MODULES.values(), *sorted((ROOT / "benchmarks").glob("*.py"))]:
        if file.parent == ROOT / "evaluation" / "scores":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef) and score.search(node.name):
                elsewhere.add(f"{file.relative_to(ROOT)}: {node.name}")
            if isinstance(node, (ast.Import, ast.ImportFrom)) and "scoring" in ast.unparse(node):
                elsewhere.add(f"{file.relative_to(ROOT)}: {ast.unparse(node)}")
    # Charts of a score, and what an outcome keeps of one.
    assert elsewhere == {"evaluation/reports/figures.py: pit_chart", "evaluation/runs/metrics.py: seasonal_error"}
