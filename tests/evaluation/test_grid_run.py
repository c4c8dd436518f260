"""Grids that run: the same numbers wherever, nothing twice, every cell apart from the others."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hemline.evaluation import Backtest, load_backtest, read_grid, run_grid
from hemline.evaluation.commands import make_tables
from hemline.evaluation.execution import lanes
from hemline.evaluation.execution.jobs import JobWork, perform
from hemline.evaluation.grids.run_grid import plan_grid
from hemline.evaluation.store.store import Store

HERE = Path(__file__).parent


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The module of models, importable in workers too, with a folder for their notes."""
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("PYTHONPATH", str(HERE), prepend=os.pathsep)
    monkeypatch.setenv("HEMLINE_TEST_NOTES", str(tmp_path))
    return importlib.import_module("grid_models")


@pytest.fixture
def grid(models, tmp_path: Path):
    """Runs the grid of these lines in a folder; ``asked`` counts which models were asked for forecasts."""

    def run(folder: str, lines: str, **options) -> Backtest:
        options = {"quiet": True} | options
        return run_grid(read_grid(written(folder, lines)), models.build, models.load, **options)

    def written(folder: str, lines: str) -> Path:
        path = tmp_path / f"{folder}.toml"
        path.write_text(f"out = '{tmp_path / folder}'\nnum_samples = 20\n{lines}")
        return path

    def asked() -> list[str]:
        return [line.split()[0] for line in (tmp_path / "asked").read_text().splitlines()]

    run.written, run.asked, run.folder = written, asked, tmp_path
    return run


SMALL = "datasets = ['sales', 'rates']\nmodels = ['noise', 'other']\nseeds = 2\n"


def same(first: Backtest, second: Backtest) -> bool:
    runs = list(first.runs["run"])
    return (
        first.scores.equals(second.scores)
        and runs == list(second.runs["run"])
        and all(first.forecasts(run).equals(second.forecasts(run)) for run in runs)
        and [str(table) for table in make_tables(first, "crps")]
        == [str(table) for table in make_tables(second, "crps")]
    )


def test_started_again_it_repeats_nothing(grid, capsys) -> None:
    first = grid("out", SMALL)
    again = grid("out", SMALL, quiet=False)
    assert len(grid.asked()) == 8
    assert same(first, again)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "[1/8] noise on sales, seed 0: already done"
    assert len(lines) == 8
    grid("out", SMALL.replace("seeds = 2", "seeds = 3"))
    assert len(grid.asked()) == 12


MISHAPS = """
datasets = ["sales", "nowhere"]
models = ["broken", "unmade", "dies-once", "dies", "slow", "deaf", "noise"]
workers = 2
retries = 1
time_budget = 2
[settings.slow]
seconds = 600.0
[settings.deaf]
seconds = 600.0
"""


def test_each_cell_is_apart_from_the_others_and_its_mishap_is_told(grid, capfd, monkeypatch) -> None:
    monkeypatch.setattr(lanes, "GRACE", 0.5)
    found = grid("out", MISHAPS, quiet=False)
    assert sorted(set(found.scores["model"])) == ["dies-once", "noise"]
    asked = grid.asked()
    counts = {"broken": 1, "dies-once": 2, "dies": 2, "slow": 1, "deaf": 1, "noise": 1}
    assert {name: asked.count(name) for name in asked} == counts

    text = str(make_tables(found, "crps")[0])
    assert "| broken    | failed" in text
    budget = "TimeBudgetError: took longer than its time budget of 2 s"
    died = "WorkerDied: its worker died 2 time(s), killed by the system or a crash of compiled code"
    nowhere = "FileNotFoundError: nowhere: no such dataset"
    assert sorted(line.strip() for line in text.splitlines() if line.startswith("Missing")) == [
        "Missing: broken on sales, seed 0: RuntimeError: no weights",
        f"Missing: broken, unmade, dies-once, dies, slow, deaf, noise on nowhere, seed 0: {nowhere}",
        f"Missing: deaf on sales, seed 0: {budget} and did not stop; its worker was killed",
        f"Missing: dies on sales, seed 0: {died}",
        f"Missing: slow on sales, seed 0: {budget}",
        "Missing: unmade on sales, seed 0: ValueError: unmade: has no settings",
    ]

    told = capfd.readouterr().err.splitlines()
    assert sum("broken on sales, seed 0: FAILED, RuntimeError: no weights" in line for line in told) == 1
    assert sum("its worker died, begun anew" in line for line in told) == 2
    # A line a reason for what cannot be made, a line a cell for the rest, and those two; not how far it has come.
    assert sum(line.startswith(("Missing: ", "[")) or "begun anew" in line for line in told) == 10, told

    run = found.runs.set_index("model").loc["broken", "run"]
    assert "in predict" in (grid.folder / "out" / "runs" / run / "traceback.txt").read_text()
    assert "about to break" in Store(grid.folder / "out").output(run).read_text()


def test_one_process_keeps_to_the_time_budget_too(grid) -> None:
    lines = "datasets = ['sales']\nmodels = ['slow', 'noise']\ntime_budget = 2\n[settings.slow]\nseconds = 600.0\n"
    found = grid("out", lines)
    assert [(cell["model"], cell["failed"], cell["reason"]) for cell in found.missing] == [
        ("slow", True, "TimeBudgetError: took longer than its time budget of 2 s")
    ]
    assert set(found.scores["model"]) == {"noise"}


def test_a_cell_that_goes_on_after_any_error_has_taken_too_long_all_the_same(grid) -> None:
    lines = (
        "datasets = ['sales']\nmodels = ['stubborn', 'noise']\ntime_budget = 2\n[settings.stubborn]\nseconds = 3.0\n"
    )
    found = grid("out", lines)
    assert [(cell["model"], cell["reason"]) for cell in found.missing] == [
        ("stubborn", "TimeBudgetError: took longer than its time budget of 2 s")
    ]


def test_a_panic_ends_its_own_cell_alone(grid) -> None:
    found = grid("out", "datasets = ['sales']\nmodels = ['panics', 'noise']\n")
    assert [(cell["model"], cell["reason"]) for cell in found.missing] == [("panics", "Panic: of compiled code")]
    assert set(found.scores["model"]) == {"noise"}


def test_what_is_printed_in_a_worker_may_be_no_text(grid, models) -> None:
    path = grid.written("out", "datasets = ['sales']\nmodels = ['prints']\n")
    (cell,) = plan_grid(read_grid(path), models.build, models.load)
    assert (
        pickle.loads(pickle.dumps(JobWork(cell.job, Store(grid.folder / "out")))).away().record["status"] == "finished"
    )


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_that_a_model_leaves_behind_keeps_no_lock(tmp_path: Path) -> None:
    store, forking = Store(tmp_path), multiprocessing.get_context("fork")
    begun = forking.Event()

    def linger():
        begun.set()
        time.sleep(60)

    with store.alone():
        child = forking.Process(target=linger)
        child.start()
        assert begun.wait(60)
    try:
        with store.alone():
            assert child.is_alive()
    finally:
        child.kill()
        child.join()


def test_what_a_machine_lost_that_died_is_run_again(grid, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = set()
    monkeypatch.setattr(os, "fsync", lambda number: synced.add(os.fstat(number).st_ino))
    lines = "datasets = ['sales']\nmodels = ['noise', 'other']\n"
    first = grid("out", lines)
    files = [path for run in first.runs["run"] for path in (grid.folder / "out" / "runs" / run).iterdir()]
    assert len(files) == 8
    assert {path.stat().st_ino for path in files} <= synced
    (grid.folder / "out" / "runs" / first.runs["run"].iloc[0] / "run.json").write_text("")
    assert len(load_backtest(grid.folder / "out").missing) == 1
    assert same(first, grid("out", lines))
    assert grid.asked() == ["noise", "other", "noise"]


def test_a_dataset_is_called_in_a_plan_as_in_the_table(grid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(grid.folder)
    found = grid("out", "datasets = ['own/sales.toml']\nmodels = ['noise', 'broken', 'unmade']\n")
    assert {cell["dataset"] for cell in found.missing} == {"sales"}
    (table,) = make_tables(found)
    assert table.columns == ("sales",)


def test_two_datasets_with_one_name_are_refused(grid) -> None:
    with pytest.raises(ValueError, match=r"datasets: expected .* two called 'sales': .*/a/sales\.toml and .*/b/sales"):
        grid("out", "datasets = ['a/sales.toml', 'b/sales.toml']\nmodels = ['noise']\n")


def test_a_file_is_known_by_its_whole_path_wherever_a_cell_runs(grid, models, monkeypatch) -> None:
    monkeypatch.chdir(grid.folder)
    lines = "datasets = ['own/sales.toml']\nmodels = ['noise']\n"
    (cell,) = plan_grid(read_grid(grid.written("out", lines)), models.build, models.load)
    assert cell.job.make.args[2].dataset == str(grid.folder / "own" / "sales.toml")


def test_nothing_finished_is_an_error_with_the_reasons(grid) -> None:
    with pytest.raises(ValueError, match=r"no run .* has finished \(FileNotFoundError: nowhere: no such dataset\)"):
        grid("out", "datasets = ['nowhere']\nmodels = ['noise']\n")


def test_the_first_windows_only(grid) -> None:
    found = grid("out", "datasets = ['sales', 'rates']\nmodels = ['noise']\n[on.sales]\nwindows = 2\n")
    assert found.scores.groupby("dataset")["window"].nunique().to_dict() == {"sales": 2, "rates": 3}
    with pytest.raises(ValueError, match="windows: expected at most the 3 of sales, got 4"):
        grid("more", "datasets = ['sales']\nmodels = ['noise']\nwindows = 4\n")


def test_a_table_goes_by_the_settings_that_the_grid_had_last(grid) -> None:
    lines = "datasets = ['sales']\nmodels = ['noise']\n"
    first = grid("out", lines)
    second = grid("out", lines + "[settings.noise]\nspread = 3.0\n")
    assert not first.scores["value"].equals(second.scores["value"])
    assert same(grid("out", lines), first)


def test_other_seeds_of_the_same_settings_stay_beside_those_of_a_newer_grid(grid) -> None:
    lines = "datasets = ['sales']\nmodels = ['noise', 'broken']\nrefit_every = 1\nseeds = "
    first = grid("out", lines + "[0]\n")
    both = grid("out", lines + "[1, 2]\n")
    assert sorted(both.runs.loc[both.runs["model"] == "noise", "seed"]) == [0, 1, 2]
    assert set(first.scores["run"]) < set(both.scores["run"])
    assert make_tables(both, "crps")[0].rows["noise"][0].seeds == 3
    other = grid("out", lines + "[1, 2]\n[settings.noise]\nspread = 3.0\n")
    assert sorted(other.runs.loc[other.runs["model"] == "noise", "seed"]) == [1, 2]


def test_seeds_finished_before_stay_while_a_newer_grid_has_finished_none(grid, models) -> None:
    lines = "datasets = ['sales']\nmodels = ['noise']\nseeds = "
    grid("out", lines + "[0]\n")
    store, spread = Store(grid.folder / "out"), "[settings.noise]\nspread = 3.0\n"
    for more, seeds in (("", [0]), (spread, [])):
        planned = plan_grid(read_grid(grid.written("out", lines + "[1]\n" + more)), models.build, models.load)
        store.save_plan([cell.record() for cell in planned])
        if seeds:
            found = load_backtest(store.folder)
            assert list(found.runs["seed"]) == seeds
            assert [cell["seed"] for cell in found.missing] == [1]
        else:
            with pytest.raises(ValueError, match="no run of this backtest has finished"):
                load_backtest(store.folder)


def test_the_driver_killed_in_the_middle_and_started_again_finishes_repeats_nothing_and_gives_the_same(grid) -> None:
    lines = SMALL.replace("'other'", "'slow'").replace("seeds = 2", "seeds = 3") + "workers = 2\n"
    lines += "[settings.slow]\nseconds = 1.0\n"
    command = [sys.executable, "-W", "ignore", str(HERE / "grid_models.py"), str(grid.written("killed", lines))]
    driver = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    finished, asked = grid.folder / "killed" / "runs", grid.folder / "asked"

    def workers() -> set[int]:
        return {int(line.split()[1]) for line in asked.read_text().splitlines()} if asked.exists() else set()

    deadline = time.monotonic() + 90
    while (len(list(finished.glob("*/run.json"))) < 3 or len(workers()) < 2) and time.monotonic() < deadline:
        time.sleep(0.02)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    began = workers()
    assert len(began - {driver.pid}) == len(began) == 2
    while any(alive(pid) for pid in began) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(alive(pid) for pid in began)

    done = {path.parent.name: path.stat().st_mtime_ns for path in finished.glob("*/scores.parquet")}
    assert 3 <= len(done) < 12
    partly = load_backtest(grid.folder / "killed")
    assert len(partly.missing) == 12 - len(done)
    assert {(cell["failed"], cell["reason"]) for cell in partly.missing} == {(False, "not run yet")}
    assert "missing" in str(make_tables(partly, "crps")[0])

    before = len(grid.asked())
    whole = grid("killed", lines.replace("1.0", "0.0"))
    assert len(grid.asked()) == before + 12 - len(done)
    assert {run: (finished / run / "scores.parquet").stat().st_mtime_ns for run in done} == done
    assert not whole.missing
    one = grid("unbroken", lines.replace("1.0", "0.0").replace("workers = 2", "workers = 1"))
    assert same(whole, one)
    assert same(load_backtest(grid.folder / "killed"), one)
    assert not (grid.folder / "killed" / "partial").exists()


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet buried does not."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_ray_gives_the_numbers_of_one_process_though_a_worker_is_killed(grid) -> None:
    pytest.importorskip("ray", reason="needs the extra `ray`")
    lines = SMALL.replace("'other'", "'dies-once'")
    found = grid("ray", lines + "workers = 2\n", ray=True)
    assert not found.missing
    assert grid.asked().count("dies-once") == 4 + 1
    assert same(found, grid("one", lines))
    pids = {line.split()[1] for line in (grid.folder / "asked").read_text().splitlines()}
    assert len(pids - {str(os.getpid())}) == 3  # two workers, one in the place of the one that was killed


def test_without_ray_the_extra_is_named(grid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ValueError, match=r"ray: expected Ray to be installed, got none; pip install ray"):
        grid("out", SMALL, ray=True)


def test_two_grids_do_not_write_to_one_folder(grid) -> None:
    with (
        Store(grid.folder / "out").alone(),
        pytest.raises(ValueError, match=r"out: expected a folder that no other grid is writing to, got .*out"),
    ):
        grid("out", SMALL)


def test_a_worker_waits_for_one_that_outlived_a_killed_grid_and_repeats_nothing(grid, models) -> None:
    (cell,) = plan_grid(
        read_grid(grid.written("out", "datasets = ['sales']\nmodels = ['noise']\n")), models.build, models.load
    )
    store = Store(grid.folder / "out")
    with ThreadPoolExecutor(1) as pool:
        with store.held(cell.job.id):
            second = pool.submit(JobWork(cell.job, store).away)
            time.sleep(0.3)
            assert not second.done()
            assert perform(cell.job, store).record["status"] == "finished"
        assert second.result(10).record == store.record(cell.job.id)
    assert grid.asked() == ["noise"]
    assert not any((grid.folder / "out" / "checkpoints").iterdir())


def test_a_builder_that_no_worker_can_import_is_refused(grid, models) -> None:
    path = grid.written("out", SMALL + "workers = 2\n")
    with pytest.raises(ValueError, match=r"build: expected a function of a module, which a worker .*, got .*lambda"):
        run_grid(read_grid(path), lambda name, metadata, settings: None, models.load)
