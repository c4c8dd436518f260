"""The notebooks of the gallery run, cell by cell, without a kernel."""

import io
import shlex
from contextlib import redirect_stdout
from pathlib import Path

import matplotlib
import pytest
from hemline import cli

jupytext = pytest.importorskip("jupytext", reason="notebooks need the extra `docs`")
NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs" / "notebooks").glob("*.py"))
COMMANDS = "%%bash\n"


@pytest.mark.filterwarnings("ignore:.*(left out|never seen):UserWarning")
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_cells_of_a_notebook_run_one_after_the_other(notebook, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    cli.mount()
    cells = [cell.source for cell in jupytext.read(notebook, fmt="py:percent").cells if cell.cell_type == "code"]
    assert len(cells) > 3
    scope: dict = {"__name__": "__main__"}
    for text in cells:
        if text.startswith(COMMANDS):
            for line in text.removeprefix(COMMANDS).splitlines():
                command, _, file = line.partition(" > ")
                name, *words = shlex.split(command)
                told = io.StringIO()
                with redirect_stdout(told):
                    assert (name, cli.run(words)) == ("hemline", 0)
                if file:
                    Path(file).write_text(told.getvalue())
        else:
            exec(compile(text, str(notebook), "exec"), scope)
    if notebook.stem.startswith("5"):
        told = scope["surest"].pivot(index="item_id", columns="task", values="label")
        true = scope["simulated"].articles.set_index("Artikel")
        assert all(true.loc[Path(photo).stem, "Farbe"] == row["Farbe"] for photo, row in told.iterrows())
