"""Bars show the total and the time left where somebody watches, and lines every few seconds elsewhere."""

import io
import logging
import re
import sys

import pytest
from hemline.datasets import simulated_sales
from hemline.evaluation import backtest
from hemline.forecasting import MAF, GRUMAFEstimator, Recurrent, RespondingEstimator, TrainConfig
from hemline.forecasting.models.naive import SeasonalNaivePredictor
from hemline.forecasting.wrappers.pool import PooledEstimator
from hemline.runtime.display import bars
from hemline.runtime.display.bars import Bar, above_bars, is_bar_open, tell_bar

DATA = simulated_sales(articles=3, weeks=80, seed=0)
H = DATA.metadata.prediction_length


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    def watched():
        """A terminal in the place of standard error; pytest sets its own before each test begins."""
        seen = Terminal()
        monkeypatch.setattr(sys, "stderr", seen)
        return seen

    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("LINES", "40")
    return watched


def drawn(seen):
    return [line for line in re.split(r"[\r\n]", seen.getvalue()) if "|" in line]


def a_pool():
    train = TrainConfig(max_epochs=2, batches_per_epoch=2, batch_size=4, trainer={"accelerator": "cpu"})
    flow = GRUMAFEstimator("W", H, encoder=Recurrent("gru", size=4), head=MAF(blocks=1, hidden=4), train=train)
    return PooledEstimator({"flow": flow, "naive": SeasonalNaivePredictor(H, season_length=4)}, windows=1)


def test_a_bar_shows_the_total_and_the_time_left(terminal):
    seen = terminal()
    with Bar(4, "search", unit="trials") as bar:
        bar.busy("gru-maf")
        bar.reach(1)
        bar.reach(3)
    last = drawn(seen)[-1]
    assert "search:  75%" in last
    assert re.search(r"3/4 trials \[\d\d:\d\d<\d\d:\d\d, gru-maf\]", last)


def test_a_backtest_of_a_pool_has_a_bar_of_runs_and_one_of_trainings(terminal):
    seen = terminal()
    backtest({"pool": a_pool(), "naive": SeasonalNaivePredictor(H, season_length=4)}, DATA, num_samples=4)
    lines = drawn(seen)
    assert any(line.startswith("runs: ") and "1/2" in line for line in lines)
    assert any(line.startswith("pool: ") and "flow to weigh it" in line for line in lines)
    assert any("weighing-flow/epoch 2/2" in line for line in lines)
    # Lightning's own bar would be a third one.
    assert {line.split(":")[0].strip() for line in lines} <= {"runs", "pool"}


def test_lines_stand_above_bars(terminal):
    seen = terminal()
    handler = logging.StreamHandler(seen)
    logger = logging.getLogger()
    logger.addHandler(handler)
    try:
        with Bar(2, "runs"):
            logging.getLogger("hemline").warning("one line")
            with above_bars():
                print("another", file=sys.stderr)
    finally:
        logger.removeHandler(handler)
    # The bar is cleared before a line, which begins at the left.
    assert re.search(r"\r *\r(\x1b\[A)*one line\n", seen.getvalue())
    assert re.search(r"\r *\ranother\n", seen.getvalue())


def test_nothing_is_drawn_where_nobody_watches(capsys):
    with Bar(2, "runs") as bar:
        bar.reach(1)
        tell_bar("busy")
        assert not is_bar_open()
    with Bar(2, "runs", quiet=True):
        assert not is_bar_open()
    assert capsys.readouterr().err == ""


@pytest.fixture
def often(monkeypatch):
    """As if five seconds had passed whenever a line may be printed."""
    monkeypatch.setattr(bars, "_EVERY", 0.0)


def test_a_script_without_a_terminal_prints_lines_of_every_member(often, capsys):
    a_pool().train(DATA.train)
    lines = capsys.readouterr().err.splitlines()
    assert any("flow to weigh it, weighing-flow/epoch 1/2: loss " in line for line in lines)
    assert any("flow on the whole span, whole-flow/epoch 1/1: loss " in line for line in lines)
    assert all(re.fullmatch(r"pool \d/\d trainings: .*, \d+ s left", line) for line in lines), lines


def test_the_fit_of_a_price_response_says_how_far_it_is(often, capsys, caplog):
    model = RespondingEstimator(SeasonalNaivePredictor(H, season_length=4), domain="count")
    model.train(DATA.train)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("price response 1/")
    assert all(re.fullmatch(r"price response \d+/\d+ steps, \d+ (s|min) left", line) for line in lines)
    with caplog.at_level(logging.INFO):
        model.train(DATA.train)
    assert "response: step 10 of at most" in caplog.text
    assert capsys.readouterr().err == ""


def test_lines_are_five_seconds_apart_and_a_short_work_has_none(monkeypatch, capsys):
    now = [100.0]
    monkeypatch.setattr(bars.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(bars, "_LINES", bars._Lines())
    with Bar(100, "fold", unit="folds") as bar:
        for done in range(1, 41):
            now[0] += 0.5
            bar.reach(done)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"fold {done}/100 folds, {50 - done / 2:.0f} s left" for done in (10, 20, 30, 40)]
    with Bar(2, "fold", unit="folds") as bar:
        now[0] += 4
        bar.reach(1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("how", ["quiet", "switch", "log"])
def test_lines_can_be_switched_off_and_never_repeat_a_log(how, often, capsys, caplog, monkeypatch):
    flow = a_pool().models["flow"]
    if how == "quiet":
        backtest({"flow": flow}, DATA, num_samples=4, quiet=True)
    elif how == "switch":
        monkeypatch.setenv("HEMLINE_PROGRESS", "0")
        flow.train(DATA.train)
    else:
        with caplog.at_level(logging.INFO):
            flow.train(DATA.train)
        assert re.search(r"epoch 1/2: .* \([\d.]+ s, \d+ s left\)", caplog.text)
    assert "epoch" not in capsys.readouterr().err
    monkeypatch.delenv("HEMLINE_PROGRESS", raising=False)
    flow.train(DATA.train)
    assert "epoch 2/2" in capsys.readouterr().err


def test_a_notebook_is_watched(monkeypatch):
    class Shell:
        kernel = None

    class IPython:
        @staticmethod
        def get_ipython():
            return Shell()

    assert not bars.is_watched()
    monkeypatch.setitem(sys.modules, "IPython", IPython)
    assert bars.is_watched()
