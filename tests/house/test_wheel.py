"""The wheel holds the rooms and nothing else; the source distribution has the pages too, and builds that wheel."""

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import hemline
import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("datasets", "decisions", "evaluation", "forecasting", "recommendation", "runtime", "studio", "vision")
DATA = {".css", ".html", ".js", ".po", ".svg", ".txt", ".pyi", ".toml", ".typed", ".json", ".safetensors"}


def in_tree() -> set[str]:
    files = {f"hemline/{file.name}" for file in ROOT.iterdir() if file.suffix in {".py", ".typed"}}
    for room in ROOMS:
        for file in (ROOT / room).rglob("*"):
            if file.is_file() and file.suffix in {".py", *DATA}:
                files.add(f"hemline/{file.relative_to(ROOT)}")
    return files


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> dict[str, Path]:
    """The source distribution, and the wheel that is built of it alone, by their endings."""
    # Built from a copy: a build leaves folders behind, and takes what an earlier one left.
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("built")
    for file in [*ROOT.glob("*.*"), ROOT / "LICENSE", ROOT / "Makefile"]:
        if file.is_file():
            shutil.copy(file, copy)
    for room in (*ROOMS, "docs"):
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__", "_build", "reference"))
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, copy]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {file.suffix: file for file in out.iterdir()}


def test_the_wheel_holds_every_module_of_the_tree_and_no_other(built):
    inside = {name for name in zipfile.ZipFile(built[".whl"]).namelist() if ".dist-info/" not in name}
    assert inside == in_tree()


def test_the_source_distribution_holds_what_the_readme_links_to(built):
    with tarfile.open(built[".gz"]) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    links = re.findall(r"\]\(([\w./]+)", (ROOT / "README.md").read_text())
    wanted = {link for link in links if (ROOT / link).is_file() and not link.endswith(".csv")}
    assert len(wanted) > 10
    assert wanted | {"constraints.txt", "README.md", "LICENSE"} <= inside


def test_the_index_of_packages_takes_both(built):
    command = [sys.executable, "-m", "twine", "check", "--strict", *built.values()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("PASSED") == 2


def test_the_version_is_the_same_everywhere(built):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert version == hemline.__version__
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert built[".whl"].name in (ROOT / "README.md").read_text()


def test_every_room_is_a_package():
    for room in ROOMS:
        for folder in [ROOT / room, *(path for path in (ROOT / room).rglob("*") if path.is_dir())]:
            if any(folder.glob("*.py")):
                assert (folder / "__init__.py").exists(), folder


def test_importing_the_models_leaves_the_slow_libraries_for_when_they_are_needed():
    code = "import sys, hemline.forecasting; print({'lightning', 'scipy.stats', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
