"""The wheel holds the rooms and nothing else; it is what an empty environment gets."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("datasets", "evaluation", "forecasting", "runtime", "vision")
DATA = {".html", ".pyi", ".toml", ".typed"}


def in_tree() -> set[str]:
    files = {f"hemline/{file.name}" for file in ROOT.iterdir() if file.suffix in {".py", ".typed"}}
    for room in ROOMS:
        for file in (ROOT / room).rglob("*"):
            if file.is_file() and file.suffix in {".py", *DATA}:
                files.add(f"hemline/{file.relative_to(ROOT)}")
    return files


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    # Built from a copy: a build leaves folders behind, and takes what an earlier one left.
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for file in [*ROOT.glob("*.*"), ROOT / "LICENSE"]:
        if file.is_file():
            shutil.copy(file, copy)
    for room in ROOMS:
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, copy]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl"))


def test_the_wheel_holds_every_module_of_the_tree_and_no_other(wheel):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert inside == in_tree()


def test_every_room_is_a_package():
    for room in ROOMS:
        for folder in [ROOT / room, *(path for path in (ROOT / room).rglob("*") if path.is_dir())]:
            if any(folder.glob("*.py")):
                assert (folder / "__init__.py").exists(), folder


def test_importing_the_models_leaves_the_slow_libraries_for_when_they_are_needed():
    code = "import sys, hemline.forecasting; print({'lightning', 'scipy.stats', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
