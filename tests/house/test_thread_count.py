"""One switch for the number of threads, one order of who decides, and what is put back."""

import sys
import threading

import pandas as pd
import pytest
import torch
from hemline import cli
from hemline.datasets.simulated.sales import simulated_sales
from hemline.evaluation.execution import workers
from hemline.evaluation.execution.workers import WorkerProcess
from hemline.evaluation.grids.backtest import backtest
from hemline.forecasting.registry.named import build_model
from hemline.runtime import threads
from hemline.runtime.threads import begin_with_threads, chosen_threads, cores, on_threads, threads_or

TINY = {"train": {"max_epochs": 1, "batches_per_epoch": 2, "batch_size": 4}}


@pytest.fixture
def undecided(monkeypatch):
    """A process in which nobody has set a number, and torch has taken two."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("HEMLINE_THREADS", raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("environ", "asked", "usual", "omp", "mkl"),
    [
        ({}, None, 1, "1", "1"),
        ({}, None, None, None, None),
        ({}, "3", 1, "3", "3"),
        ({"OMP_NUM_THREADS": "2"}, None, 1, "2", "2"),
        ({"OMP_NUM_THREADS": "4,2"}, None, 1, "4,2", "4"),
        ({"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "4"}, None, 1, "2", "4"),
        ({"OMP_NUM_THREADS": "2", "HEMLINE_THREADS": "5"}, None, 1, "5", "5"),
        ({"OMP_NUM_THREADS": "2", "HEMLINE_THREADS": "5"}, "3", 1, "3", "3"),
        ({"HEMLINE_THREADS": ""}, None, 1, "1", "1"),
    ],
)
def test_the_libraries_are_told_the_number_that_was_decided(environ, asked, usual, omp, mkl):
    begin_with_threads(asked, usual, environ)
    assert (environ.get("OMP_NUM_THREADS"), environ.get("MKL_NUM_THREADS")) == (omp, mkl)
    assert environ["OMP_WAIT_POLICY"] == "PASSIVE"


def test_the_call_decides_before_the_switch_and_the_switch_before_what_is_usual(undecided, monkeypatch):
    assert threads_or(1) == 1
    assert threads_or(None) is None
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads_or(1) == 3
    monkeypatch.setenv("HEMLINE_THREADS", "4")
    assert threads_or(1) == 4
    with on_threads(2):
        assert threads_or(1) == 2
    assert chosen_threads() == 4


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", ""])
def test_a_number_that_is_none_is_refused_at_the_command(text, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["hemline", "data", "list", f"--threads={text}"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    assert capsys.readouterr().err == f"hemline: --threads: expected a number of threads from 1, got {text!r}\n"


def test_a_training_and_a_forecast_compute_with_one_thread_and_put_back_the_callers(undecided, monkeypatch):
    data, seen = simulated_sales(), []
    plain = torch.nn.GRU.forward
    monkeypatch.setattr(
        torch.nn.GRU, "forward", lambda *given, **named: seen.append(torch.get_num_threads()) or plain(*given, **named)
    )
    model = build_model("gru-maf", data.metadata, TINY)
    predictor = model.train(data.train)
    assert set(seen) == {1}
    assert torch.get_num_threads() == 2
    seen.clear()
    next(iter(predictor.predict([data.history(0)], num_samples=2)))
    assert set(seen) == {1}
    assert torch.get_num_threads() == 2

    monkeypatch.setenv("HEMLINE_THREADS", "2")
    seen.clear()
    model.train(data.train)
    assert set(seen) == {2}


def test_off_the_main_thread_the_number_is_left(undecided):
    found = []

    def inside():
        with on_threads(1):
            found.append(torch.get_num_threads())

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert found == [2]


def test_a_run_records_its_threads(undecided, tmp_path, monkeypatch):
    data = simulated_sales()
    models = {"seasonal-naive": build_model("seasonal-naive", data.metadata, {})}
    backtest(models, data, seeds=(0,), out=tmp_path / "one")
    monkeypatch.setenv("HEMLINE_THREADS", "2")
    backtest(models, data, seeds=(0,), out=tmp_path / "two")
    found = [
        pd.read_parquet(next((tmp_path / name).rglob("runs.parquet")))["threads"].tolist() for name in ("one", "two")
    ]
    assert found == [[1], [2]]


def test_workers_never_take_more_threads_than_there_are_cores(monkeypatch):
    monkeypatch.setattr(workers, "cores", lambda: 4)
    with (
        pytest.warns(UserWarning, match="workers: 3 of 2 threads are more than the 4 cores that may be used; 2 begin"),
        workers.lanes_for(3, 9, 2) as lanes,
    ):
        assert [type(lane) for lane in lanes] == [WorkerProcess] * 2


def test_a_container_has_the_cores_of_its_quota(tmp_path, monkeypatch):
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr(threads, "_QUOTA", quota)
    whole = cores()
    quota.write_text("max 100000\n")
    assert cores() == whole
    quota.write_text("100000 100000\n")
    assert cores() == 1
    quota.write_text("20000 100000\n")
    assert cores() == 1
