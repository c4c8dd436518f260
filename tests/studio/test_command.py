"""`hemline studio`: which folders it takes, whom it lets in, and what it refuses in one line."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys

import pytest
import typer

pytest.importorskip("fastapi", reason="needs the extra `studio`")

from hemline import cli
from hemline.datasets.registry import get_dataset
from hemline.evaluation.adapters.predictor_folder import store_predictor
from hemline.forecasting import build_model
from hemline.runtime.run_folder import RunFolder
from hemline.studio import commands
from hemline.studio.access.people import everybody, log_in
from hemline.vision.classify.judging import PROBABILITIES


@pytest.fixture
def studio_of(monkeypatch, capsys):
    """A function that runs the command without serving, and returns the status, what was printed, and the studio."""
    app = typer.Typer()
    app.callback()(lambda: None)
    commands.register(app, get_dataset)
    monkeypatch.setattr(cli, "app", app)

    def run(*words, looked=lambda studio: None):
        seen = []
        monkeypatch.setattr(commands, "serve", lambda studio, door: seen.append(looked(studio)))
        status = cli.run(["studio", "--port", "0", *map(str, words)])
        return status, capsys.readouterr(), seen

    return run


def test_classifiers_and_models_are_told_apart_and_an_untested_run_is_tested(studio_of, shop, trained, tmp_path):
    shutil.copytree(trained, tmp_path / "colours")
    (tmp_path / "colours" / PROBABILITIES).unlink()
    naive = build_model("seasonal-naive", get_dataset("simulated_sales").metadata)
    store_predictor(naive, tmp_path / "naive")
    words = [tmp_path / "colours", tmp_path / "naive", "--data", shop, "--dataset", "simulated_sales"]
    told = studio_of(
        *words, "--out", tmp_path / "out", looked=lambda studio: (list(studio.runs), list(studio.shops), studio.index)
    )
    assert told[0] == 0
    assert told[2] == [(["colours"], ["naive"], None)]
    assert RunFolder(str(tmp_path / "colours")).has(PROBABILITIES)


def test_the_first_start_lets_an_admin_in_and_later_ones_nobody(studio_of, shop, trained, tmp_path):
    words = [trained, "--data", shop, "--out", tmp_path / "out"]

    def who(studio):
        with studio.database.reading() as session:
            return [(account.name, account.role) for account in everybody(session)]

    _, told, seen = studio_of(*words, looked=who)
    assert seen == [[("admin", "admin")]]
    token = told.out.split("only now: ")[1].split()[0]
    _, told, seen = studio_of(*words, "--invite", "Eve:viewer", looked=who)
    assert seen == [[("Eve", "viewer"), ("admin", "admin")]]
    assert "Token of Eve (viewer)" in told.out
    assert "admin" not in told.out

    def enters(studio):
        with studio.database.writing() as session:
            return log_in(session, token, 1)

    assert studio_of(*words, looked=enters)[2][0][1] == "admin"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["{tmp}/none"], "run: expected a folder, got {tmp}/none"),
        (["{tmp}"], "run: expected a folder that `hemline vision classify train`"),
        (["{run}"], "data: expected the catalogue of the photos of {run}, got none"),
        (["{run}", "--data", "{tmp}/none.toml"], "{tmp}/none.toml: expected a TOML file"),
        (["{run}", "{run}", "--data", "{shop}"], "run"),
        (["{run}", "--data", "{shop}", "--invite", "Eve:king"], "invite: "),
        (["{run}", "--data", "{shop}", "--invite", "Eve"], "invite: "),
        (["{run}", "--data", "{shop}", "--proxy", "here"], "proxies: expected addresses"),
        (["{run}", "--data", "{shop}", "--proxy", "10.0.0.1"], "proxy_secret: expected at least 16"),
        (["{run}", "--data", "{shop}", "--database", "nothing"], "database: "),
    ],
)
def test_what_is_wrong_is_said_in_one_line(studio_of, shop, trained, tmp_path, words, told):
    fill = {"tmp": str(tmp_path), "run": trained, "shop": str(shop)}
    status, said, seen = studio_of(*(word.format(**fill) for word in words), "--out", tmp_path / "out")
    assert (status, seen) == (1, [])
    assert said.err.count("\n") == 1
    assert told.format(**fill) in said.err


def test_a_folder_of_another_catalogue_is_refused(studio_of, shop, trained, tmp_path):
    studio_of(trained, "--data", shop, "--out", tmp_path / "out")
    other = shutil.copytree(shop.parent, tmp_path / "other") / "shop.toml"
    status, said, seen = studio_of(trained, "--data", other, "--out", tmp_path / "out")
    assert (status, seen) == (1, [])
    assert "take another --out for another catalogue" in said.err


def test_a_second_studio_in_the_same_folder_is_refused_while_the_first_one_runs(studio_of, shop, trained, tmp_path):
    words = [trained, "--data", shop, "--out", tmp_path / "out"]

    def start_again(studio):
        return studio_of(*words)

    status, _, ((second, said, served),) = studio_of(*words, looked=start_again)
    assert (status, second, served) == (0, 1, [])
    assert f"out: expected a folder that no other run is writing to, got {tmp_path / 'out'}" in said.err
    assert studio_of(*words)[0] == 0


def test_a_file_is_no_run_and_the_message_says_where_tables_go(studio_of, shop, trained, tmp_path):
    status, told, seen = studio_of(shop, "--out", tmp_path / "out")
    assert status == 1
    assert seen == []
    assert f"run: expected the folder of a model, a backtest, an order or a plan, got the file {shop}" in told.err
    assert "a catalogue of photos goes by --data, sales by --dataset" in told.err
    assert not (tmp_path / "out").exists()


def test_two_classifiers_of_one_name_are_refused_and_leave_nothing_behind(studio_of, shop, trained, tmp_path):
    other = shutil.copytree(trained, tmp_path / "other" / "colours")
    (other / PROBABILITIES).unlink()
    status, told, _ = studio_of(trained, other, "--data", shop, "--out", tmp_path / "out")
    assert status == 1
    assert "run: expected classifiers in folders of different names, got 'colours' twice" in told.err
    assert not (other / PROBABILITIES).exists()
    assert not (tmp_path / "out").exists()


def test_a_port_that_is_taken_is_named_with_a_way_out_before_anything_is_opened(studio_of, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, told, seen = studio_of(tmp_path, "--port", port, "--out", tmp_path / "out")
    assert (status, seen) == (1, [])
    assert f"port: expected one that is free at 127.0.0.1, got {port}, which another program uses" in told.err
    assert f"--port {port + 1}" in told.err
    assert not (tmp_path / "out").exists()


def test_descriptions_that_changed_places_are_told_where_they_belong(studio_of, shop, trained, tmp_path):
    sales = tmp_path / "sales.toml"
    sales.write_text('table = "sales.csv"\narticle = "article"\ndate = "week"\nunits = "sold"\nprediction_length = 4\n')
    naive = build_model("seasonal-naive", get_dataset("simulated_sales").metadata)
    store_predictor(naive, tmp_path / "naive")
    for words, told in (
        (
            [trained, "--data", sales],
            f"data: expected a catalogue of photos, got sales in {sales}; they go by --dataset",
        ),
        (
            [tmp_path / "naive", "--dataset", shop],
            f"dataset: expected sales, got a catalogue of photos in {shop}; it goes by --data",
        ),
        ([trained, "--data", shop, "--dataset", "simulated_sales"], "dataset: expected none without a model of series"),
    ):
        status, said, seen = studio_of(*words, "--out", tmp_path / "out")
        assert (status, seen) == (1, [])
        assert told in said.err
        assert said.err.count("\n") == 1
        assert not (tmp_path / "out").exists()


OPENED = """
import sys
from pathlib import Path
from hemline.datasets.registry import get_dataset
from hemline.studio.commands import open_studio
from hemline.studio.server import create_app
from hemline.studio.settings import StudioSettings

out, run, model, shop = map(str, sys.argv[1:])
studio = open_studio(StudioSettings(Path(out)), [Path(run), Path(model)], shop, "simulated_sales", get_dataset)
create_app(studio)
studio.close()
print("lightning" in sys.modules)
"""


def test_a_studio_opens_without_what_trains(shop, trained, network, tmp_path):
    network[0].serialize(tmp_path / "network")
    words = [tmp_path / "out", trained, tmp_path / "network", shop]
    done = subprocess.run([sys.executable, "-c", OPENED, *map(str, words)], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["False"], done.stderr
