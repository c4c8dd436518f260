"""What is written to disk, each as something that can be started again: predictors, runs, downloads, tables."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import requests
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "house" / "golden"))
from golden_data import SALES_TABLE, STORED, launch, sales, window, write_pictures
from golden_predictors import TINY, drawn, members
from hemline import cli
from hemline.datasets.benchmarks.download import download
from hemline.datasets.pictures.source import open_source
from hemline.evaluation import backtest, load_backtest
from hemline.evaluation.grids.grid import read_grid
from hemline.evaluation.grids.run_grid import run_grid
from hemline.evaluation.store.store import Store
from hemline.forecasting import build_model, load_predictor
from hemline.vision.embed.embedding import embed_catalogue
from hemline.vision.embed.encoder import ArticleEncoder

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


# -- pictures --------------------------------------------------------------------------------------------------------


@functools.cache
def shop(folder: Path) -> str:
    """The description of a few photos beside the folder."""
    place = folder.parent / "shop"
    return str(place / "shop.toml" if place.exists() else write_pictures(place))


def classifier(folder: Path) -> None:
    words = ["--size", "16", "--widths", "4,8", "--epochs", "2", "--batch-size", "8", "--device", "cpu"]
    words += ["--mirror", "0", "--crop", "1"]
    words += ["--data", shop(folder), "--checkpoint", str(folder / "it")]
    if (folder / "it" / "begun.json").exists():
        words.append("--resume")
    command("vision", "classify", "train", *words)


def classified(folder: Path) -> State:
    """A classifier's weights, as far as a reader finds a model; and its report."""
    from hemline.runtime.run_folder import RunFolder
    from hemline.vision.classify.classifier import Classifier

    run, told = RunFolder(str(folder / "it")), {}
    for name in ("begun.json", "data.json", "split.json"):
        if run.has(name):
            told[name] = digest(json.dumps(run.read_json(name)))
    if run.has("model.json"):
        weights = Classifier.load(run).network.state_dict()
        told["weights"] = digest(b"".join(value.numpy().tobytes() for value in weights.values()))
    if run.has("report.json"):
        told["report"] = str(len(run.read_json("report.json")["history"]))
    return told


def titles(folder: Path) -> None:
    words = ["--data", shop(folder), "--checkpoint", str(folder / "it"), "--backbone", "small-cnn", "--device", "cpu"]
    words += ["--epochs", "1", "--batch-size", "8"]
    if (folder / "it" / "begun.json").exists():
        words.append("--resume")
    command("vision", "annotate", "train", *words)


def titled(folder: Path) -> State:
    """A captioner's weights, as far as a reader finds one."""
    from hemline.runtime.run_folder import RunFolder
    from hemline.vision.captions.annotate import Annotator

    run = RunFolder(str(folder / "it"))
    if not run.has("captioner.json"):
        return {}
    weights = Annotator.load(run).captioner.state_dict()
    return {"weights": digest(b"".join(value.numpy().tobytes() for value in weights.values()))}


def embedded(folder: Path) -> None:
    embed_catalogue(
        open_source(shop(folder)), str(folder / "it" / "v.parquet"), ArticleEncoder.of_backbone("small-cnn")
    )


def earlier_vectors(folder: Path) -> None:
    (folder / "it").mkdir()
    pd.DataFrame({"item_id": ["old"], "has_photo": [True], "vector": [np.ones(2)]}).to_parquet(
        folder / "it" / "v.parquet"
    )


def vectors(folder: Path) -> State:
    file = folder / "it" / "v.parquet"
    return {"vectors": digest(pd.read_parquet(file).to_json())} if file.exists() else {}


def indexed(folder: Path) -> None:
    if not (folder / "it" / "index.json").exists():
        words = ["--data", shop(folder), "--index", str(folder / "it"), "--backbone", "small-cnn"]
        command("vision", "index", "build", *words)


def index_grown(folder: Path) -> None:
    """An article comes that has the photos of another one."""
    from hemline.vision.search.index import PhotoIndex

    index = PhotoIndex.open(str(folder / "it"))
    if "new" not in index.item_ids:
        rows = index.vectors.rows(np.array([0]))
        index.add(replace(rows, item_ids=("new",)))


def index_shrunk(folder: Path) -> None:
    """So many articles go that the rows are written anew."""
    from hemline.vision.search.index import PhotoIndex

    index = PhotoIndex.open(str(folder / "it"))
    if len(index) > 2:
        index.remove(index.item_ids[2:])


def index_rows(folder: Path) -> State:
    """What is in an index, and that a photo can be made a vector for it."""
    from hemline.vision.search.index import PhotoIndex
    from hemline.vision.search.look_alikes import encoder_of

    try:
        index = PhotoIndex.open(str(folder / "it"))
    except FileNotFoundError as error:
        if "there is no index" not in str(error):
            raise
        return {}
    encoder_of(index)
    order = np.argsort(index.vectors.photos)
    return {"rows": digest(b"".join(index.vectors.photos[row].encode() for row in order))}


# -- single files ----------------------------------------------------------------------------------------------------


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


WORKS: dict[str, Work] = {
    **{
        f"predictor/{name}": Work(stored_before, functools.partial(serialized, name), forecasts, (".pt",))
        for name in PREDICTORS
    },
    "train": Work(nothing, trained_by_command, forecasts),
    "kept-members": Work(nothing, kept, kept_members),
    "backtest": Work(nothing, backtested, runs),
    "grid": Work(nothing, grid_run, runs),
    "derived-tables": Work(spoilt_tables, tables_made_again, runs),
    "classifier": Work(nothing, classifier, classified),
    "annotator": Work(nothing, titles, titled),
    "embed": Work(earlier_vectors, embedded, vectors),
    "index-build": Work(nothing, indexed, index_rows),
    "index-grow": Work(indexed, index_grown, index_rows),
    "index-shrink": Work(indexed, index_shrunk, index_rows),
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
