"""Orders, searches for settings and assortments in partitions, as works that can be started again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
from crash_works import NETWORK, SALES_TABLE, STORED, State, Work, command, digest, forecasts, nothing
from golden_data import sales
from hemline.decisions.orders.report import ORDER, read_order
from hemline.evaluation import tune
from hemline.evaluation.store.store import Store
from hemline.forecasting import PartitionedEstimator, VARPredictor, build_model, load_predictor


def ordered(folder: Path) -> None:
    stock = folder.parent / f"{folder.name}.stock.csv"
    pd.DataFrame({"article": sales().metadata.item_ids, "stock": 20}).to_csv(stock, index=False)
    words = ["--predictor", str(STORED / "predictors" / "var"), "--dataset", str(SALES_TABLE), "--stock", str(stock)]
    command("order", *words, "--service-level", "0.9", "--paths", "20", "--out", str(folder / "it"))


def earlier_order(folder: Path) -> None:
    (folder / "it").mkdir()
    for name in ("order.csv", "order.html", "notes.txt"):
        (folder / "it" / name).write_text("before</html>")


def order(folder: Path) -> State:
    """The table, the report and the page of an order, each of before or whole; the page says when it was made."""
    told = {}
    for path in (folder / "it").iterdir():
        text = path.read_text()
        if path.suffix == ".html" and not text.rstrip().endswith("</html>"):
            raise ValueError("half a page")
        if path.name == ORDER:
            told["report"] = digest(repr(read_order(folder / "it")))
        if path.suffix in (".csv", ".html", ".txt"):
            told[path.name] = "there" if path.suffix == ".html" and not text.startswith("before") else digest(text)
    return told


def searched(folder: Path) -> None:
    model = VARPredictor(sales().metadata.prediction_length)
    given = {"windows": 1, "num_samples": 5, "quiet": True}
    tune(model, sales(), {"max_lags": [1, 2, 3]}, 3, **given, out=folder / "it")  # type: ignore[arg-type]


_FINISHED = """
    SELECT GROUP_CONCAT(param_name || param_value), value FROM trials JOIN trial_values USING (trial_id)
    JOIN trial_params USING (trial_id) WHERE state = 'COMPLETE' GROUP BY trial_id
"""


def trials(folder: Path) -> State:
    """The finished trials of a search, their runs, and the best settings."""
    place, told = folder / "it", {}
    database = place / "trials.db"
    if database.exists() and database.stat().st_size:
        with closing(sqlite3.connect(database)) as opened:
            tables = {name for (name,) in opened.execute("SELECT name FROM sqlite_master")}
            if "trial_params" in tables:
                told |= {f"trial {point}": str(value) for point, value in opened.execute(_FINISHED)}
    store = Store(place)
    for run in sorted(path.name for path in place.glob("runs/*")):
        if store.finished(run):
            told[run] = digest(store.scores(run)["value"].to_numpy().tobytes())
    if (place / "best.toml").exists():
        told["best"] = (place / "best.toml").read_text()
    return told


def partitioned(folder: Path) -> None:
    """Networks in partitions of two articles, kept as they are trained, and the predictor of all."""
    model = build_model("gru-maf", sales().metadata, NETWORK)
    given = {"size": 2, "windows": 1, "num_samples": 4}
    trained = PartitionedEstimator(model, "correlation", **given, directory=folder / "parts")  # type: ignore[arg-type]
    trained.train(sales().train).serialize(folder / "it")


def partitions(folder: Path) -> State:
    """The kept models that are whole, and the forecast of all."""
    told = forecasts(folder)
    for place in sorted(folder.glob("parts/**/predictor")):
        load_predictor(place)
        weights = b"".join(path.read_bytes() for path in sorted(place.glob("*.safetensors")))
        told[str(place.relative_to(folder))] = digest(weights)
    return told


def partitioned_by_command(folder: Path) -> None:
    if not forecasts(folder):
        words = ["--model", "var", "--partition-by", "correlation", "--partition-size", "2", "--workers", "1"]
        command("train", "--dataset", str(SALES_TABLE), *words, "--out", str(folder / "it"))


ORDERS: dict[str, Work] = {
    "order": Work(earlier_order, ordered, order),
    "partitions": Work(nothing, partitioned, partitions),
    "train-partitions": Work(nothing, partitioned_by_command, forecasts),
}
if find_spec("optuna"):
    # SQLite writes past Python: what a failing disk does not see, kills at random moments do.
    ORDERS["search"] = Work(nothing, searched, trials, (".db", "-journal"))
