"""Every block of the README, the quick start and the page on data runs; commands of all pages have their options."""

import re
import runpy
import shlex
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from hemline import cli
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
DATA_PAGE = ROOT / "docs" / "data.md"
README = ROOT / "README.md"
QUICK_START = ROOT / "docs" / "quick_start.md"
PAGES = [README, QUICK_START, DATA_PAGE]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"(?:\$ )?(?:[A-Z_]+=\S+ )*hemline (.*)")
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


def run_python(page: Path) -> dict:
    scope: dict = {"__name__": "readme"}
    for owner, text in blocks("python"):
        if owner == page:
            for pattern, fewer in FEWER:
                text = re.sub(pattern, fewer, text)
            exec(compile(text, str(page), "exec"), scope)
    return scope


def test_the_readme_goes_from_a_table_to_a_chart_a_forecast_and_a_markdown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    scope = run_python(README)
    rows = pd.read_csv("forecast.csv")
    sold = pd.read_csv("sales.csv", parse_dates=["week"])
    to_come = sold[sold["sold"].isna()]
    assert set(rows["item_id"]) == set(to_come["article"])
    assert sorted(set(pd.to_datetime(rows["timestamp"]))) == sorted(set(to_come["week"]))
    assert (rows["lo80"] <= rows["hi80"]).all()
    assert (tmp_path / "forecast.png").read_bytes().startswith(b"\x89PNG")
    assert set(scope["plan"].item_ids) == set(rows["item_id"])
    assert scope["cut"].difference().units("dress_3").mean() > 0


def test_the_lines_from_a_table_to_a_forecast_are_ten_at_most():
    (text,) = [text for owner, text in blocks("python") if owner == README and "from_sales(" in text]
    assert len([line for line in text.splitlines() if line]) <= 10


def test_the_picture_at_the_top_is_drawn_by_its_script(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["sales_picture.py", str(tmp_path / "sales.png")])
    runpy.run_path(str(ROOT / "examples" / "sales_picture.py"))
    drawn, shown = (plt.imread(path) for path in (tmp_path / "sales.png", ROOT / "docs" / "images" / "sales.png"))
    assert drawn.shape == shown.shape


def test_the_blocks_of_the_quick_start_run_one_after_the_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    assert {"table", "change", "own"} <= set(run_python(QUICK_START))


def test_the_page_on_data_runs_from_the_table_to_the_simulation(tmp_path, monkeypatch, command_line):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    described = [text for owner, text in blocks("toml") if owner == DATA_PAGE]
    for text in described:
        name = text.splitlines()[0].removeprefix("# ")
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert (tmp_path / "shop.toml").exists()
    assert "table" in run_python(DATA_PAGE)
    for owner, text in blocks("console"):
        for line in text.splitlines() if owner == DATA_PAGE else ():
            words = shlex.split(line.removeprefix("$ hemline "), comments=True)
            done = CliRunner().invoke(command_line, words, catch_exceptions=False)
            assert done.exit_code == 0, done.output
    assert len((tmp_path / "monday.csv").read_text().splitlines()) == 1 + 2 * 8


def test_the_block_of_the_page_on_grids_runs_a_grid(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = 'out = "runs/grid"\ndatasets = ["simulated_sales"]\nmodels = ["last-value"]\nseeds = 1\n'
    Path("grid.toml").write_text(small)
    (text,) = [text for kind, text in BLOCK.findall((ROOT / "docs" / "grids.md").read_text()) if kind == "python"]
    exec(compile(text, "grids.md", "exec"), {"__name__": "__main__"})
    assert "last-value" in capsys.readouterr().out


def used_options() -> dict[tuple[str, ...], dict[str, str]]:
    """Of each command that any page shows, the options that it is given there, with the line that does."""
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for page in [README, *sorted(ROOT.glob("docs/*.md"))]:
        for language, text in BLOCK.findall(page.read_text()):
            for line in text.replace("\\\n", " ").splitlines() if language in ("console", "sh") else ():
                if command := COMMAND.match(line):
                    words = shlex.split(command[1], comments=True)
                    named = takewhile(lambda word: word.isalpha() and word.islower(), words[:3])
                    options = [word.partition("=")[0] for word in words if word.startswith("--")]
                    found.setdefault(tuple(named), {}).update(dict.fromkeys(options, f"{page.name}: {line}"))
    return found


@pytest.mark.parametrize(("path", "options"), sorted(used_options().items()), ids=lambda part: " ".join(part))
def test_a_command_of_a_page_has_the_options_that_it_uses(path, options, command_line):
    shown = CliRunner().invoke(command_line, [*path, "--help"], terminal_width=200)
    assert shown.exit_code == 0, shown.output
    for option, line in options.items():
        assert option in shown.output, line


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
