"""The rows of the golden record that come from the command line, which is the public face of the vision models."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from golden_data import SALES_TABLE, STORED, write_pictures
from golden_digests import Rows, of_array, of_frame, sha


def commands() -> Rows:
    """What a user of the command line gets: a trained folder, forecasts, a simulation, a backtest's table."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        (out / "short.toml").write_text("[train]\nmax_epochs = 1\nbatches_per_epoch = 2\n[response]\niterations = 3\n")
        data = ["--dataset", str(SALES_TABLE)]
        run("train", *data, "--model", "cross-fit", "--config", str(out / "short.toml"), "--out", str(out / "run"))
        yield "commands/train", sorted(path.name for path in (out / "run").iterdir() if path.is_file())
        run("forecast", *data, "--predictor", str(out / "run"), "--window", "0", "--out", str(out / "forecast.csv"))
        yield from of_frame("commands/forecast", pd.read_csv(out / "forecast.csv"))
        change = ["--set", "price[dress_1] = -20% @ 2:4", "--articles", "dress_1,dress_3", "--paths", "50"]
        run("simulate", "--predictor", str(out / "run"), *change, "--out", str(out / "changed"))
        for path in sorted((out / "changed").rglob("*.csv")):
            yield from of_frame(f"commands/simulate/{path.name}", pd.read_csv(path))
        run("backtest", *data, "--models", "random-walk,seasonal-naive", "--seeds", "2", "--out", str(out / "both"))
        yield "commands/table", run("table", str(out / "both"), "--metric", "crps_sum,crps", "--format", "csv")


def vision() -> Rows:
    """A classifier of one epoch on tiny photos, its scores and answers, vectors, and a captioner's titles."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        data = ["--data", str(write_pictures(out / "shop"))]
        train_classifier(data, out / "run")
        weights = (out / "run" / "model.safetensors").read_bytes()
        yield "vision/weights", sha(weights)
        yield "vision/files", sorted(path.name for path in (out / "run").iterdir())
        run("vision", "classify", "test", *data, "--checkpoint", str(out / "run"), "--device", "cpu")
        yield "vision/scores", sha(json.dumps(json.loads((out / "run" / "test.json").read_text()), sort_keys=True))
        yield from of_frame("vision/answers", pd.read_parquet(out / "run" / "articles.parquet"))
        photos = [str(out / "shop" / "photos" / f"{number}.png") for number in (0, 4)]
        yield "vision/predict", answers(out / "run", photos, out)
        run("vision", "embed", *data, "--checkpoint", str(out / "run"), "--out", str(out / "v.parquet"))
        vectors = pd.read_parquet(out / "v.parquet").sort_values("item_id")["vector"]
        yield from of_array("vision/embed", np.stack(list(vectors)))
        few = ["--checkpoint", str(out / "titles"), "--epochs", "2", "--batch-size", "8", "--device", "cpu"]
        run("vision", "annotate", "train", *data, "--encoder", str(out / "run"), *few)
        run("vision", "annotate", "test", *data, "--checkpoint", str(out / "titles"))
        yield "vision/titles", sha(json.dumps(json.loads((out / "titles" / "test.json").read_text()), sort_keys=True))


def train_classifier(data: list[str], folder: Path) -> None:
    """Train a tiny network for one epoch, without changes of the photos."""
    small = "--size 16 --widths 4,8 --epochs 1 --lr 1e-2 --batch-size 8 --mirror 0 --crop 1 --device cpu"
    run("vision", "classify", "train", *data, "--checkpoint", str(folder), *small.split())


def answers(run_folder: Path, photos: list[str], out: Path) -> dict[str, float]:
    """The probabilities that a classifier gives to the labels of photos."""
    told = str(out / "answers.csv")
    run("vision", "classify", "predict", *photos, "--checkpoint", str(run_folder), "--out", told, "--device", "cpu")
    table = pd.read_csv(told, dtype={"probability": float}, float_precision="round_trip")
    names = [f"{Path(photo).stem} {task} {label}" for photo, task, label in table[["photo", "task", "label"]].values]
    return dict(sorted(zip(names, map(float, table["probability"]), strict=True)))


def classifier() -> Rows:
    """The answers of the classifier that an older version trained."""
    with tempfile.TemporaryDirectory() as folder:
        write_pictures(Path(folder) / "shop")
        photos = [str(Path(folder) / "shop" / "photos" / f"{number}.png") for number in (0, 4)]
        yield "classifier/predict", answers(STORED / "classifier", photos, Path(folder))


def run(*words: str) -> str:
    """Call the `hemline` command in a process of its own; what it prints."""
    done = subprocess.run([sys.executable, "-m", "hemline", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"hemline {' '.join(words)}: {done.stderr}")
    return done.stdout
