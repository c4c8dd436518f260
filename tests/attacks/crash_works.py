"""What is written to disk, each as something that can be started again: predictors, backtests, downloads, tables."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "house" / "golden"))
from golden_data import SALES_TABLE, STORED, launch, sales, window
from golden_predictors import TINY, drawn, members
from hemline import cli
from hemline.datasets import get_dataset
from hemline.datasets.benchmarks.download import download
from hemline.datasets.pictures.source import open_source
from hemline.evaluation import backtest, load_backtest
from hemline.evaluation.grids.grid import read_grid
from hemline.evaluation.grids.run_grid import run_grid
from hemline.evaluation.store.store import Store
from hemline.forecasting import build_model, load_predictor

State = dict[str, str]
PREDICTORS = sorted(path.name for path in (STORED / "predictors").iterdir())
NETWORK = {**TINY["gru-maf"], "train": {"max_epochs": 2, "batches_per_epoch": 2, "batch_size": 8}}
ARCHIVE = bytes(range(256)) * 1200


@dataclass(frozen=True)
class Work:
    """Something that changes a folder.

    Arguments:
        begin: puts into an empty folder what is there before.
        work: changes it; started again, it goes on, or begins anew.
        state: what a reader finds, part by part: name -> digest; a part that is absent has no name. It raises where
            something is there and cannot be read.
        foreign: ends of the names of files that other libraries write past Python's own files.
    """

    begin: Callable[[Path], None]
    work: Callable[[Path], None]
    state: Callable[[Path], State]
    foreign: tuple[str, ...] = ()


def digest(content: bytes | str) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()[:12]


def command(*words: str) -> str:
    """Call the `hemline` command in this process."""
    if not cli.app.registered_groups:
        cli.mount()
    result = CliRunner().invoke(cli.app, list(words), catch_exceptions=False)
    if result.exit_code:
        raise RuntimeError(result.output)
    return result.output


def nothing(folder: Path) -> None:
    """Nothing is there before."""


# -- predictors ------------------------------------------------------------------------------------------------------


def stored_before(folder: Path) -> None:
    load_predictor(STORED / "predictors" / "last-value").serialize(folder / "it")


def serialized(name: str, folder: Path) -> None:
    load_predictor(STORED / "predictors" / name).serialize(folder / "it")


def forecasts(folder: Path) -> State:
    """The forecast of a predictor, if one is there."""
    try:
        predictor = load_predictor(folder / "it")
    except FileNotFoundError as error:
        if "expected a folder that" not in str(error):
            raise
        return {}
    past = window(sales(), 0)[0]
    if type(predictor).__name__ == "ColdStartPredictor":
        past = launch(past)
    return {"predictor": digest(drawn(predictor, past, 2).tobytes())}


def trained_by_command(folder: Path) -> None:
    settings = folder.parent / f"{folder.name}.toml"
    settings.write_text("[encoder]\nsize = 4\n[head]\nblocks = 1\nhidden = 4\n[train]\nbatches_per_epoch = 2\n")
    if forecasts(folder):
        return
    words = ["--model", "gru-maf", "--epochs", "2", "--config", str(settings), "--out", str(folder / "it")]
    command("train", "--dataset", str(SALES_TABLE), *words)


def updated(folder: Path) -> None:
    if not update(folder):
        command(
            "train", "--from", str(folder / "it"), "--dataset", str(SALES_TABLE), "--out", str(folder / "new" / "it")
        )


def update(folder: Path) -> State:
    """The forecast of a predictor that went on."""
    return forecasts(folder / "new")


def kept(folder: Path) -> None:
    ensemble = members(folder / "members").train(sales().train)
    (folder.parent / f"{folder.name}.drawn").write_text(digest(drawn(ensemble, window(sales(), 0)[0], 4).tobytes()))


def kept_members(folder: Path) -> State:
    """The kept members that are whole, and what came of them."""
    found = {}
    for place in sorted(folder.glob("members/*/*/predictor")):
        found[place.parent.name] = digest(drawn(load_predictor(place), window(sales(), 0)[0], 2).tobytes())
    return found


# -- backtests -------------------------------------------------------------------------------------------------------


def backtested(folder: Path) -> None:
    metadata = sales().metadata
    models = {"last-value": build_model("last-value", metadata), "gru-maf": build_model("gru-maf", metadata, NETWORK)}
    backtest(models, sales(), num_samples=5, metrics=("crps_sum", "nd"), out=folder / "it", quiet=True)


def grid_run(folder: Path) -> None:
    file = folder.parent / f"{folder.name}.grid.toml"
    file.write_text(
        f"out = {json.dumps(str(folder / 'it'))}\ndatasets = [{json.dumps(str(SALES_TABLE))}]\n"
        'models = ["last-value", "random-walk"]\nseeds = [0, 1]\nnum_samples = 5\nmetrics = ["nd"]\n'
    )
    run_grid(read_grid(file), build_model, load_sales, quiet=True)


def load_sales(name: str) -> Any:
    return sales()


def runs(folder: Path) -> State:
    """The finished runs of a backtest folder, and its tables."""
    place = folder / "it"
    store = Store(place)
    try:
        found = load_backtest(place)
    except FileNotFoundError:
        return {}
    except ValueError as error:
        if "no run of this backtest has finished" not in str(error):
            raise
        return {}
    told = {}
    for name, rows in found.scores.groupby("run"):
        told[str(name)] = digest(rows["value"].to_numpy().tobytes())
        assert store.finished(str(name))
        assert len(found.forecasts(str(name)))
        found.training(str(name))
        (record,) = (record for record in found.runs.to_dict("records") if record["run"] == name)
        assert len(found.history(record["data_fingerprint"]))
    return told


def spoilt_tables(folder: Path) -> None:
    """A finished backtest whose derived tables have lost their ends."""
    shutil.copytree(STORED / "backtest", folder / "it")
    for path in (folder / "it").glob("*.parquet"):
        path.write_bytes(path.read_bytes()[:-20])


def tables_made_again(folder: Path) -> None:
    Store(folder / "it").consolidate()


def reported_before(folder: Path) -> None:
    backtest({"last-value": build_model("last-value", sales().metadata)}, sales(), out=folder / "it", quiet=True)
    (folder / "it" / "report.html").write_text("before</html>")


def reported(folder: Path) -> None:
    command("report", str(folder / "it"))


def page(folder: Path) -> State:
    """Whether the page is the one of before or a new one; it says when it was made."""
    written = (folder / "it" / "report.html").read_text()
    if not written.rstrip().endswith("</html>"):
        raise ValueError("half a page")
    return {"page": "before" if written.startswith("before") else "there"}


# -- single files ----------------------------------------------------------------------------------------------------


def shop_written(folder: Path) -> None:
    command("data", "shop", str(folder / "it"), "--articles", "3", "--stores", "1", "--weeks", "60")


def shop_read(folder: Path) -> State:
    """The table and the photos of a simulated shop, as far as a description names them."""
    told, place = {}, folder / "it"
    if (place / "shop.toml").exists():
        told["table"] = digest(get_dataset(str(place / "shop.toml")).train[-1].target.tobytes())
    if (place / "artikel.toml").exists():
        pictures = open_source(str(place / "artikel.toml")).load(size=8, channels=3, fit="pad")
        if pictures.quarantine:
            raise ValueError(f"photos that cannot be read: {pictures.quarantine}")
        told["photos"] = digest(pictures.pixels.tobytes())
    return told


class _Answer:
    """What a server says, the end of a file if it is asked for one."""

    def __init__(self, headers: dict[str, str]) -> None:
        start = int(headers.get("Range", "bytes=0-")[6:-1])
        self.status_code, self.content = (206 if start else 200), ARCHIVE[start:]
        self.headers = {"Content-Length": str(len(self.content))}
        self.url, self.raw = "http://nowhere/it", io.BytesIO(self.content)
        if start == len(ARCHIVE):
            self.status_code, self.headers = 416, {"Content-Range": f"bytes */{start}"}

    def __enter__(self) -> _Answer:
        return self

    def __exit__(self, *_: object) -> None: ...

    def raise_for_status(self) -> None: ...


def downloaded(folder: Path) -> None:
    def get(url: str, headers: dict[str, str], **_: Any) -> _Answer:
        return _Answer(headers)

    def check(path: Path) -> None:
        if path.read_bytes() != ARCHIVE:
            raise ValueError("not what the server has")

    requests.get = get  # type: ignore[assignment]
    for attempt in (1, 2):  # what the check refuses is removed, and comes whole the next time
        try:
            download("http://nowhere/it", folder / "it", check, wait=0.0)
        except ValueError:
            if attempt == 2:
                raise


def arrived(folder: Path) -> State:
    return {"file": digest((folder / "it").read_bytes())} if (folder / "it").exists() else {}


def forecast_by_command(ending: str, folder: Path) -> None:
    words = ["--predictor", str(STORED / "predictors" / "var"), "--dataset", str(SALES_TABLE), "--num-samples", "3"]
    command("forecast", *words, "--out", str(folder / f"it{ending}"))


def earlier_file(ending: str, folder: Path) -> None:
    (folder / f"it{ending}").write_bytes(b"before")


def file_as_it_is(ending: str, folder: Path) -> State:
    place = folder / f"it{ending}"
    return {"file": digest(place.read_bytes())} if place.exists() else {}


def simulated(folder: Path) -> None:
    words = ["--set", "price[dress_1] = -20% @ 2:4", "--articles", "dress_1,dress_3", "--paths", "20"]
    words += ["--predictor", str(STORED / "predictors" / "cross-fit"), "--dataset", str(SALES_TABLE)]
    command("simulate", *words, "--out", str(folder / "it"))


def simulation(folder: Path) -> State:
    """The files that a simulation left; the page says when it was made."""
    files = [path for path in (folder / "it").glob("*") if path.suffix in (".csv", ".toml", ".png", ".html", ".svg")]
    return {path.name: "there" if path.suffix == ".html" else digest(path.read_bytes()) for path in files}


def carelessly(folder: Path) -> None:
    """Straight to its place, as nothing in the library writes."""
    (folder / "it").write_bytes(ARCHIVE)


FILES: dict[str, Work] = {
    **{
        f"predictor/{name}": Work(stored_before, functools.partial(serialized, name), forecasts, (".pt",))
        for name in PREDICTORS
    },
    "train": Work(nothing, trained_by_command, forecasts),
    "update": Work(trained_by_command, updated, update),
    "kept-members": Work(nothing, kept, kept_members),
    "backtest": Work(nothing, backtested, runs),
    "grid": Work(nothing, grid_run, runs),
    "derived-tables": Work(spoilt_tables, tables_made_again, runs),
    "report": Work(reported_before, reported, page),
    "shop": Work(nothing, shop_written, shop_read),
    "download": Work(nothing, downloaded, arrived),
    **{
        f"forecast{ending}": Work(
            functools.partial(earlier_file, ending),
            functools.partial(forecast_by_command, ending),
            functools.partial(file_as_it_is, ending),
        )
        for ending in (".csv", ".parquet")
    },
    "simulate": Work(nothing, simulated, simulation),
}
CARELESS: dict[str, Work] = {"careless": Work(functools.partial(earlier_file, ""), carelessly, arrived)}
"""What the harness has to find fault with."""
