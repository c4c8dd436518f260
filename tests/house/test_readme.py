"""Every block of the README and of the page on data runs."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest
from hemline import cli
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
DATA_PAGE = ROOT / "docs" / "data.md"
PAGES = [ROOT / "README.md", DATA_PAGE]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
# Steps of training are cut to what shows that a block runs; the text is otherwise taken as it stands.
FEWER = [
    (r"max_epochs=\d+", "max_epochs=1"),
    (r"batches_per_epoch=\d+", "batches_per_epoch=2"),
    (r'"max_epochs": \d+', '"max_epochs": 1, "batches_per_epoch": 2'),
]


def blocks(language: str) -> list[tuple[Path, str]]:
    return [(page, text) for page in PAGES for found, text in BLOCK.findall(page.read_text()) if found == language]


@pytest.fixture(scope="module")
def command_line():
    cli.mount()
    return cli.app


def run_python(page: Path) -> None:
    scope: dict = {"__name__": "readme"}
    for owner, text in blocks("python"):
        if owner == page:
            for pattern, fewer in FEWER:
                text = re.sub(pattern, fewer, text)
            exec(compile(text, str(page), "exec"), scope)
    assert "table" in scope


@pytest.mark.parametrize("page", [page for page in PAGES if page != DATA_PAGE], ids=lambda page: page.name)
def test_the_python_blocks_of_a_page_run_one_after_the_other(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    run_python(page)


def test_the_page_on_data_runs_from_the_table_to_the_simulation(tmp_path, monkeypatch, command_line):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    described = [text for owner, text in blocks("toml") if owner == DATA_PAGE]
    for text in described:
        name = text.splitlines()[0].removeprefix("# ")
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert (tmp_path / "shop.toml").exists()
    run_python(DATA_PAGE)
    for owner, text in blocks("console"):
        for line in text.splitlines() if owner == DATA_PAGE else ():
            words = shlex.split(line.removeprefix("$ hemline "), comments=True)
            done = CliRunner().invoke(command_line, words, catch_exceptions=False)
            assert done.exit_code == 0, done.output
    assert len((tmp_path / "monday.csv").read_text().splitlines()) == 1 + 2 * 8


COMMANDS = [
    line.removeprefix("$ ").split("#")[0].strip()
    for _, text in blocks("console")
    for line in text.replace("\\\n", " ").splitlines()
    if "hemline " in line
]


@pytest.mark.parametrize("command", sorted(set(COMMANDS)))
def test_a_command_of_a_page_has_the_options_that_it_uses(command, command_line):
    """Each is parsed by the command itself: `--help` behind it shows that every option before it is known."""
    words = shlex.split(command)
    while "=" in words[0]:
        words.pop(0)
    assert words[0] == "hemline"
    path = [word for word in words[1:3] if not word.startswith("-") and "/" not in word]
    shown = CliRunner().invoke(command_line, [*path, "--help"], terminal_width=200)
    assert shown.exit_code == 0, shown.output
    for option in [word for word in words if word.startswith("--")]:
        assert option in shown.output, f"{option} of {command!r}"


def test_the_example_composes_a_model_in_at_most_thirty_lines_and_runs(tmp_path):
    example = ROOT / "examples" / "own_model.py"
    text = example.read_text()
    assert len(text.splitlines()) <= 30
    for pattern, fewer in FEWER:
        text = re.sub(pattern, fewer, text)
    (tmp_path / "own_model.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "own_model.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "lstm-student-t" in done.stdout
