"""What is written for other programs is read by them as it was meant, whatever names articles and models have."""

import io
import math
import tomllib

import numpy as np
import pandas as pd
import pytest
from gluonts.model.forecast import SampleForecast
from hemline.datasets.pictures.source import open_source
from hemline.datasets.registry import get_dataset
from hemline.evaluation.grids.grid import read_grid
from hemline.evaluation.options import read_settings
from hemline.evaluation.tables.score_table import Cell, ScoreTable
from hemline.forecasting.commands.train import read_settings as read_training
from hemline.forecasting.paths.table import forecast_frame
from hemline.forecasting.scenarios.notation import Change
from hemline.forecasting.scenarios.scenario import Scenario, read_scenarios
from hemline.runtime.texts import spreadsheet_cells, toml_value

CONTROLS = "".join(map(chr, [*range(32), 127, 0x85, 0x2028])) + "\"\\'"


def test_every_character_survives_toml():
    assert tomllib.loads(f"a = {toml_value(CONTROLS)}") == {"a": CONTROLS}
    numbers = tomllib.loads(f"a = {toml_value([0.1, math.inf, -math.inf, 3])}")["a"]
    assert numbers == [0.1, math.inf, -math.inf, 3]


@pytest.mark.parametrize("character", CONTROLS)
def test_a_scenario_of_any_name_is_read_back_from_its_file(character, tmp_path):
    scenario = Scenario(f"a{character}b", [Change("price", f"coat{character}1", -0.2, relative=True)])
    (tmp_path / "scenarios.toml").write_text(scenario.to_toml(), encoding="utf-8", newline="")
    (read,) = read_scenarios(tmp_path / "scenarios.toml")
    assert read == scenario


def with_mark(path, text):
    path.write_bytes(text.encode("utf-8-sig"))
    return path


def test_every_reader_takes_a_file_with_a_byte_order_mark(tmp_path):
    (tmp_path / "t.csv").write_text("week,a\n" + "".join(f"2024-0{month}-01,{month}\n" for month in range(1, 9)))
    (tmp_path / "a.csv").write_text("item_id\nx\n")
    table = with_mark(tmp_path / "t.toml", 'table = "t.csv"\ntimestamp = "week"\nprediction_length = 2\n')
    shop = with_mark(tmp_path / "s.toml", 'table = "a.csv"\nimages = "{item_id}.png"\n')
    grid = with_mark(tmp_path / "g.toml", 'out = "x"\ndatasets = ["a"]\nmodels = ["b"]\n')
    scenario = with_mark(tmp_path / "c.toml", "[[scenario]]\nname = 'a'\nchanges = []\n")
    config = with_mark(tmp_path / "m.toml", "[a]\nb = 3\n")
    assert get_dataset(str(table)).metadata.target_dim == 1
    assert len(open_source(str(shop)).catalogue) == 1
    assert read_grid(grid, ["b"]).parts[0].dataset == "a"
    assert read_scenarios(scenario)[0].name == "a"
    assert read_settings(config, ["a"]) == read_training(config) == {"a": {"b": 3}}


def test_a_spreadsheet_takes_no_name_for_a_formula_and_every_number_for_one():
    names = ("=1+2", "+cmd", "-10%", "@SUM(A1)", "\tx", "coat")
    drawn = SampleForecast(samples=np.full((2, 3, 6), -1.5), start_date=pd.Period("2024-01-01", "D"))
    frame = forecast_frame(drawn, names).assign(future="-20%")
    text = spreadsheet_cells(frame).to_csv(index=False)
    assert not any(cell[:1] in "=+@\t" for line in text.splitlines() for cell in line.split(",") if cell)
    read = pd.read_csv(io.StringIO(text), parse_dates=["timestamp"])
    assert list(dict.fromkeys(read["item_id"])) == ["'=1+2", "'+cmd", "'-10%", "'@SUM(A1)", "'\tx", "coat"]
    assert (read["future"] == "'-20%").all()
    assert (read["mean"] == -1.5).all()
    assert frame["item_id"].iloc[0] == "=1+2"


def test_tables_of_scores_show_tags_and_formulas_of_names_as_texts():
    cells = (Cell(mean=-0.5, seeds=1),)
    made = ScoreTable("<i>CRPS</i>", ("=a<b>",), (("=a<b>", "crps"),), {"-m<script>|&lt;": cells}, notes=("<p>",))
    markdown, csv = made.render("markdown"), made.render("csv")
    assert "<" not in markdown
    assert r"-m&lt;script>\|&amp;lt;" in markdown
    assert csv.splitlines()[1].startswith("'=a<b>,crps,'-m<script>|&lt;,'=a<b>,-0.5,")
