"""Names that others chose: no formula for a spreadsheet, no order for a terminal, no request by a page."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hemline.evaluation.tables.score_table import Cell, ScoreTable
from hemline.forecasting.paths.table import write_frame
from hemline.runtime.texts import markdown_text, spreadsheet_cells, spreadsheet_text, visible

FORMULAS = (
    *("=1+2", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠SUM(A1)"),
    *("=cmd|'/c calc'!A0", '=HYPERLINK("http://x","y")'),
)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_that_is_a_formula_is_a_text(text):
    assert spreadsheet_text(text).startswith("'")
    for mark in (";", "\t", "\n", ';"'):
        rest = spreadsheet_text(f"a{mark}{text}").removeprefix(f"a{mark}")
        assert rest.startswith("'"), mark


@pytest.mark.parametrize("text", ["coat", "T-shirt", "a+b", "C&A", "me@home", "5-3", "50 = 25 + 25", "", "a;b", "a; b"])
def test_other_texts_stay(text):
    assert spreadsheet_text(text) == text


def test_headings_are_cells_too():
    made = spreadsheet_cells(pd.DataFrame({"=a": ["=b"], "n": [-1.5]})).to_csv(index=False)
    assert made == "'=a,n\n'=b,-1.5\n"


@pytest.mark.parametrize("text", FORMULAS)
def test_a_name_in_an_excel_file_is_no_formula(tmp_path, text):
    openpyxl = pytest.importorskip("openpyxl", reason="needs the extra `excel`")
    frame = pd.DataFrame({"item_id": [text], "timestamp": [pd.Timestamp("2024-01-01")], text: [1.5]})
    write_frame(frame, tmp_path / "it.xlsx")
    cells = [cell for row in openpyxl.load_workbook(tmp_path / "it.xlsx").active.iter_rows() for cell in row]
    assert "f" not in {cell.data_type for cell in cells}
    assert [cell.value.strip() for cell in cells if cell.data_type == "s"].count(text.strip()) == 2


ORDERS = ("\x1b[2J", "\x1b]0;x\x07", "\x9b2J", "\x07", "\x08", "\r", "\x7f", "\u202egnp.exe", "\u2066", "\x00")


@pytest.mark.parametrize("text", ORDERS)
def test_what_steers_a_terminal_is_shown(text):
    assert visible(f"a{text}b").isprintable()
    assert markdown_text(f"a{text}b").isprintable()


def test_lines_tabs_and_letters_of_all_languages_stay():
    assert visible("Jäckchen\t東京\nכובע") == "Jäckchen\t東京\nכובע"


def test_a_command_obeys_no_name_of_a_table(tmp_path):
    weeks = pd.date_range("2024-01-01", periods=20, freq="W-MON").astype(str)
    rows = [f"{week},{name},{number}" for name in ("a\x1b[2J\x07", "b") for number, week in enumerate(weeks)]
    (tmp_path / "sales.csv").write_text("\n".join(["week,article\x1b[31m,units", *rows]))
    words = "data describe sales.csv --timestamp week --target units --item"
    for item, status in (("article\x1b[31m", 0), ("nope", 1)):
        command = [sys.executable, "-m", "hemline", *words.split(), item]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        told = done.stdout + done.stderr
        assert "\x07" not in told
        assert "\x1b[2J" not in told
        assert r"\x1b[" in told


def test_a_page_of_markdown_asks_for_nothing():
    assert "](" not in markdown_text("![x](http://evil.example/x.png) [y](javascript:alert(1))")
    assert "<" not in markdown_text("<img src=http://evil.example/x.png>").replace("&lt;", "")


def test_a_line_of_a_latex_table_stays_a_comment():
    cell = Cell(1.0, np.nan, 1, 0, 0)
    rows = {"m\\input{x}": (cell,)}
    table = ScoreTable("t\n\\input{x}", ("c",), (("d", "nd"),), rows, notes=("note\n\\input{y}",))
    for line in table.render("latex").splitlines():
        assert "\\input" not in line or line.startswith("% "), line


def bomb(place: Path) -> None:
    """A Parquet file of some kilobytes whose rows take gigabytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"a": pa.array(np.zeros(10**6)), "b": pa.array(np.zeros(10**6))})
    with pq.ParquetWriter(place, table.schema) as writer:
        writer.write_table(table)


def test_a_table_that_unpacks_to_more_than_memory_is_refused(tmp_path, monkeypatch):
    from hemline.datasets import from_frame
    from hemline.datasets.pictures.vectors import read_article_vectors
    from hemline.runtime.reading import room
    from hemline.runtime.run_folder import RunFolder

    bomb(tmp_path / "it.parquet")
    pd.DataFrame({"a": range(5000)}).to_csv(tmp_path / "it.csv.gz")
    names = ["it.parquet", "it.csv.gz"]
    for module in (room, __import__("hemline.datasets.tables.table_files", fromlist=["x"])):
        monkeypatch.setattr(module, "free_memory", lambda: 10_000)
    for name in names:
        with pytest.raises(ValueError, match=r"for which there is memory, got") as caught:
            from_frame(tmp_path / name, timestamp="a", prediction_length=1)
        assert name in str(caught.value)
    with pytest.raises(ValueError, match="for which there is memory"):
        read_article_vectors(str(tmp_path / "it.parquet"))
    monkeypatch.undo()
    monkeypatch.setattr(room, "free_memory", lambda: 10**6)
    with pytest.raises(ValueError, match="for which there is memory"):
        RunFolder(str(tmp_path)).read_frame("it.parquet")


def test_an_excel_file_that_unpacks_to_more_than_memory_is_refused(tmp_path, monkeypatch):
    pytest.importorskip("openpyxl", reason="needs the extra `excel`")
    from hemline.datasets import from_frame
    from hemline.runtime.reading import room

    file = io.BytesIO()
    pd.DataFrame({"a": [1] * 1000}).to_excel(file, index=False)
    (tmp_path / "it.xlsx").write_bytes(file.getvalue())
    monkeypatch.setattr(room, "free_memory", lambda: 10_000)
    with pytest.raises(ValueError, match=r"it\.xlsx.*for which there is memory, got"):
        from_frame(tmp_path / "it.xlsx", timestamp="a", prediction_length=1)
