"""Pages of the studio over HTTP, with many photos and many series: how long each takes, and the memory of the server.

    python -m benchmarks.studio_pages --articles 100000 --series 2000

Articles, their labels in 20 classes, a run's answers, sales, an order and a plan of prices are drawn. The server is a
process of its own, asked by one reader at a time over a socket. Of each page the first request stands beside the
median and the 95th percentile of `--repeats` others, and beside the server's own processor time, which does not depend
on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import socket
import time
from pathlib import Path

import httpx2
import numpy as np
import pandas as pd
from hemline.datasets import from_frame
from hemline.datasets.pictures.labels import LabelSpace, Task
from hemline.datasets.pictures.source import open_source
from hemline.decisions.markdowns.report import Course, PlanReport, PriceLine, RuleLine
from hemline.decisions.orders.report import OrderLine, OrderReport
from hemline.forecasting import build_model
from hemline.runtime.run_folder import RunFolder
from hemline.studio.access.people import invite
from hemline.studio.database.open import Database
from hemline.studio.forecasts.shop import Shop
from hemline.studio.labels.labelling import Labelling
from hemline.studio.server import create_app
from hemline.studio.settings import StudioSettings
from hemline.studio.studio import Studio
from hemline.vision.classify.answers import probability_table
from hemline.vision.classify.classifier import Classifier
from hemline.vision.classify.judging import PROBABILITIES
from hemline.vision.classify.options import TrainConfig
from hemline.vision.networks.known_backbones import build_backbone
from hemline.vision.networks.product_network import NetworkConfig, ProductNetwork
from PIL import Image

CLASSES = tuple(f"class {number}" for number in range(20))
PAGES = (
    "/labels",
    "/labels/task?run=run&task=kind",
    "/labels/photos?run=run&task=kind",
    "/labels/photos?run=run&task=kind&side=train&truth=class+3&order=unsure",
    "/labels/photos?run=run&task=kind&words=thing+77",
    "/labels/photos?run=run&task=kind&page=1000",
    "/labels/article?run=run&task=kind&item=a77",
    "/labels/crowd",
    "/photo?item=a77",
    "/forecasts",
    "/forecasts?window=0&words=s77",
    "/forecasts/series?window=0&series=s77",
    "/forecasts/series?window=0" + "".join(f"&series=s{number}" for number in range(50)),
    "/forecasts/fan.svg?window=0&series=s77",
    "/forecasts/calibration",
    "/scenarios",
    "/orders",
    "/plans",
)


def write_catalogue(folder: Path, articles: int) -> None:
    """A catalogue whose articles share one photo, and a run that answered all of them."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64), (200, 30, 30)).save(folder / "photo.png")
    truth = rng.integers(len(CLASSES), size=articles)
    sides = np.where(rng.random(articles) < 0.8, "train", "test")
    with (folder / "shop.jsonl").open("w") as file:
        for number in range(articles):
            row = {"item_id": f"a{number}", "images": ["photo.png"], "kind": CLASSES[truth[number]]}
            file.write(json.dumps(row | {"title": f"A thing {number}", "side": str(sides[number])}) + "\n")
    (folder / "shop.toml").write_text('table = "shop.jsonl"\ntext = "title"\nside = "side"\nlabels = ["kind"]\n')
    shares = rng.dirichlet(np.full(len(CLASSES), 0.1), articles)
    shares[np.arange(articles), truth] += 1
    shares /= shares.sum(1, keepdims=True)
    run, config = RunFolder(str(folder / "run")), NetworkConfig(size=16, widths=(4,))
    backbone = build_backbone("small-cnn", size=16, widths=(4,))
    network = ProductNetwork(backbone=backbone, labels=LabelSpace((Task("kind", CLASSES),)), config=config)
    Classifier(network, TrainConfig()).save(run)
    table = probability_table([f"a{number}" for number in range(articles)], {"kind": shares.astype(np.float32)})
    run.write_frame(PROBABILITIES, table.assign(side=sides))


def write_decisions(folder: Path, series: int) -> None:
    """An order and a plan of prices of all articles."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = tuple(
        OrderLine(f"s{number}", 20.0, 5.0, 3.0, 18.0, 9.0, 27.0, 0.9, 1.0, 5.0, 0.5, 100.0) for number in range(series)
    )
    OrderReport("2024-01-01", "2024-01-08", "2024-03-25", 1000, 0.1, 0.9, (), lines).write(folder)
    dates = tuple(f"{date:%Y-%m-%d}" for date in pd.date_range("2024-01-01", periods=13, freq="7D"))
    steps = tuple(float(number) for number in range(13))
    rules = tuple(RuleLine(name, 9.0, 9.0, 1.0, 2.0, 3.0, 1.0, 5.0, "") for name in ("plan", "no markdown"))
    courses = tuple(Course(name, steps, steps, steps) for name in ("no markdown", "plan"))
    prices = tuple(
        PriceLine(f"s{number}", 50.0, 10.0, (10.0, *(8.0,) * 12), steps, 3.0, 9.0) for number in range(series)
    )
    PlanReport(dates, 1000, None, (), (), rules, courses, prices).write(folder)


def serve(folder: Path, articles: int, series: int, listening: socket.socket, ready: object) -> None:
    """Answer until the process is ended; the token of an editor is sent once all is opened."""
    import uvicorn

    write_catalogue(folder, articles)
    write_decisions(folder / "sales", series)
    settings = StudioSettings(folder / "studio")
    settings.folder.mkdir(exist_ok=True)
    database = Database(settings.address)
    source = open_source(str(folder / "shop.toml"))
    sold = np.random.default_rng(0).poisson(9.0, (130, series))
    frame = pd.DataFrame(sold, columns=[f"s{number}" for number in range(series)])
    frame.insert(0, "week", pd.date_range("2022-01-03", periods=len(frame), freq="W-MON"))
    data = from_frame(frame, timestamp="week", prediction_length=13, windows=2)
    shop = Shop("naive", build_model("seasonal-naive", data.metadata), data)
    labelling = Labelling(source, str(folder / "shop.toml"), database)
    studio = Studio(settings, database, labelling, shops={"naive": shop}, planned=(folder / "sales",))
    studio.add_run(str(folder / "run"))
    with database.writing() as session:
        token = invite(session, "editor", "admin")
    ready.send(token)  # type: ignore[attr-defined]
    uvicorn.Server(uvicorn.Config(create_app(studio), log_level="error")).run(sockets=[listening])


def processor_seconds(process: int) -> float:
    """Processor time that a process has taken."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(process: int) -> float:
    """The largest memory that a process had, MB."""
    told = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process}/status").read_text())
    assert told is not None
    return int(told[1]) / 1024


def main() -> None:
    """Print a row a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--series", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("runs/studio_pages"))
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    listening = socket.create_server(("127.0.0.1", 0))
    told = (options.out, options.articles, options.series, listening, there)
    process = context.Process(target=serve, args=told, daemon=True)
    process.start()
    assert process.pid is not None
    token = here.recv()
    rows = []
    with httpx2.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=300) as reader:
        assert reader.post("/login", data={"token": token}).status_code == 303
        for page in PAGES:
            seconds, busy = [], 0.0
            for number in range(options.repeats + 1):
                before, began = processor_seconds(process.pid), time.perf_counter()
                answer = reader.get(page)
                seconds.append(time.perf_counter() - began)
                assert answer.status_code == 200, answer.text[-300:]
                busy += processor_seconds(process.pid) - before if number else 0.0
            first, others = seconds[0], np.array(seconds[1:])
            rows.append(
                {
                    "page": page[:60],
                    "first, ms": 1000 * first,
                    "median, ms": 1000 * np.median(others),
                    "95 %, ms": 1000 * np.quantile(others, 0.95),
                    "processor, ms": 1000 * busy / options.repeats,
                }
            )
            print(pd.DataFrame(rows[-1:]).to_markdown(index=False, floatfmt=".0f").splitlines()[-1], flush=True)
    print(pd.DataFrame(rows).to_markdown(index=False, floatfmt=".0f"))
    print(f"memory of the server at most {memory_mb(process.pid):.0f} MB")
    process.terminate()


if __name__ == "__main__":
    main()
