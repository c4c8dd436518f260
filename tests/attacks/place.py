"""The folder in which bad inputs are given, and how a command is run in it."""

from __future__ import annotations

import io
import json
import logging
import shutil
import warnings
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pandas as pd
from bad_inputs import Bad
from hemline import cli
from hemline.datasets import get_dataset
from PIL import Image

SHORT = "[train]\nmax_epochs = 1\nbatches_per_epoch = 2\nbatch_size = 8\n"
MADE = (
    "train --dataset simulated_sales --model gru-maf --config short.toml --out gru",
    "train --dataset simulated_sales --model deepar --config short.toml --out grouped",
    "train --dataset simulated_sales --model analog --config analog.toml --out analog",
    "train --dataset parts.toml --model var --partition-by category --out parted",
    "backtest --dataset simulated_sales --models random-walk,last-value --num-samples 5 --out bt",
    "vision classify train --data shop.toml --checkpoint tasks --size 24 --widths 4,8 --epochs 1",
    "vision classify test --data shop.toml --checkpoint tasks",
    "vision annotate train --data shop.toml --encoder tasks --checkpoint titles --epochs 1 --finetune "
    "--tuning-epochs 1",
    "recommend train --purchases bought.csv --until 2024-02-01 --catalogue shop.toml --model fashion-dna "
    "--config dna.toml --out recommender",
    "recommend train --purchases bought.csv --until 2024-01-20 --model popularity --out popular",
    "vision index build --data shop.toml --index looks --backbone small-cnn --axes 4",
    "vision gan train --data shop.toml --checkpoint made --task shape --size 24 --width 4 --steps 1 --batch-size 4",
    "vision design train --data shots --checkpoint designer --size 16 --steps 1 --groups 1",
    "data worn worn --people 12 --height 16 --width 16",
    "vision tryon train --data worn/pairs.csv --checkpoint swaps --height 16 --width 16 --steps 1 --batch-size 2",
    "data poses people --people 2 --held-out 1 --size 16",
    "vision morph train --data people/poses.toml --checkpoint posed --size 16 --width 4 --steps 1 --batch-size 2 "
    "--features small-cnn",
    "data outfits dressed --people 10 --photos 2 --size 16",
    "vision outfit train --data dressed --checkpoint dresser --size 16 --steps 1 --batch-size 2",
)


def said(words: Sequence[str]) -> tuple[int, str]:
    """Run a command in this process; its exit status, and what it wrote to standard error, log lines too."""
    errors = io.StringIO()
    handler, root = logging.StreamHandler(errors), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(errors):
            warnings.simplefilter("default")
            warnings.showwarning = cli.show_in_one_line
            status = cli.run(words)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    return status, errors.getvalue()


def furnish(place: Path) -> None:
    """Make what the table of bad inputs needs: tables, a shop, and what commands leave behind."""
    rng = np.random.default_rng(0)
    weeks = pd.date_range("2023-01-02", periods=30, freq="W-MON")
    sales = pd.MultiIndex.from_product([["a", "b"], weeks], names=["article", "week"]).to_frame(index=False)
    sales["units"] = rng.poisson(20, len(sales))
    sales.to_csv(place / "sales.csv", index=False)
    stock = pd.DataFrame({"article": get_dataset("simulated_sales").metadata.item_ids, "stock": 20})
    stock.to_csv(place / "stock.csv", index=False)
    bought = [(f"c{n % 5}", f"i{n * 7 % 24}", f"2024-{1 + n // 28:02}-{1 + n % 28:02}") for n in range(56)]
    pd.DataFrame(bought, columns=["customer", "article", "time"]).to_csv(place / "bought.csv", index=False)
    sales.pivot(index="week", columns="article", values="units").reset_index().to_csv(place / "wide.csv", index=False)
    sales.assign(category=sales["article"].map({"a": "x", "b": "y"})).to_csv(place / "parts.csv", index=False)
    texts = {
        "parts.toml": 'table = "parts.csv"\narticle = "article"\ndate = "week"\nunits = "units"\n'
        'attributes = ["category"]\nprediction_length = 2\nwindows = 1\n',
        "short.toml": SHORT,
        "analog.toml": "model.origins = 4\nresponse = { iterations = 3 }\n",
        "grid.toml": 'out = "new"\ndatasets = ["simulated_sales"]\nmodels = ["last-value"]\nnum_samples = 5\n',
        "deep.toml": "a = " + "[" * 100_000,
        "empty.toml": "",
        "shop.toml": 'table = "shop.jsonl"\nphotos = "photos"\nitem_id = "id"\nimages = "photos"\ntext = "title"\n'
        'labels = ["colour", "shape"]\n',
        "more.toml": 'table = "more.jsonl"\nphotos = "photos"\nitem_id = "id"\nimages = "photos"\n',
        "more.jsonl": '{"id": "more", "photos": ["0.png"]}\n',
        "boxes.csv": "photo,left,top,right,bottom\nphotos/0.png,1,1,20,20\n",
        "space.toml": "max_lags = [1, 2]\n",
        "dna.toml": "width = 4\nsize = 8\nepochs = 1\n",
        "shelf.csv": "article,size,stock\n" + "".join(f"i{number},M,3\n" for number in range(24)),
    }
    for name, text in texts.items():
        (place / name).write_text(text)
    (place / "binary.toml").write_bytes(bytes(range(256)))
    (place / "empty").mkdir()
    (place / "photos").mkdir()
    lines = []
    for number in range(24):
        colour, shape = ("red", "blue")[number % 2], ("round", "square")[number // 2 % 2]
        Image.fromarray(rng.integers(0, 255, (24, 24, 3), dtype=np.uint8)).save(place / f"photos/{number}.png")
        lines.append(
            f'{{"id": "i{number}", "photos": ["{number}.png"], "colour": "{colour}", "shape": "{shape}", '
            f'"title": "A {shape} {colour} thing"}}'
        )
    (place / "shop.jsonl").write_text("\n".join(lines))
    for number in range(10):
        shot = Image.new("RGB", (32, 32), "white")
        shot.paste((20 * number, 60, 90), (8, 6, 24, 20 + number))
        folder = place / "shots" / ("train" if number < 5 else "test") / "dress"
        folder.mkdir(parents=True, exist_ok=True)
        shot.save(folder / f"{number}.png")
    for words in MADE:
        status, errors = said(words.split())
        assert status == 0, errors
    _name_plainly(place / "looks")


def _name_plainly(index: Path) -> None:
    """Give the files of an index names that are the same on every machine."""
    told = json.loads((index / "index.json").read_text())
    (segment,) = told["segments"]
    for file in ("parquet", "safetensors"):
        (index / f"{segment['name']}.{file}").rename(index / f"rows.{file}")
    (index / told["maker"]).rename(index / "maker.safetensors")
    segment["name"], told["maker"] = "rows", "maker.safetensors"
    (index / "index.json").write_text(json.dumps(told))


def listing(place: Path) -> dict[str, tuple[int, int]]:
    """Every path below a folder, with size and time of change of files."""
    found = {}
    for path in place.rglob("*"):
        stat = path.lstat()
        found[str(path.relative_to(place))] = (stat.st_size, stat.st_mtime_ns) if path.is_file() else (0, 0)
    return found


def faults(place: Path, case: Bad) -> list[str]:
    """What is wrong with the answer to a bad input, in words; the folder is left as it was.

    Arguments:
        place: the folder, which is the current one.
        case: the bad input.
    """
    kept = {name: (place / name).read_bytes() if (place / name).exists() else None for name in case.files}
    folders = _lay(place, case.files)
    before = listing(place)
    status, errors = said(case.words)
    after = listing(place)
    for name in sorted(set(after) - set(before), reverse=True):
        path = place / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    _lay(place, kept)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    lines = errors.splitlines()
    found = []
    if status == 0:
        found.append("exit status 0")
    if len(lines) != 1:
        found.append(f"{len(lines)} lines")
    told = (lines or [""])[-1].replace("-", "_")
    named = (*case.names, *(Path(name).name for name in case.files))
    if not any(name.replace("-", "_") in told for name in named):
        found.append(f"names none of {named}")
    if "shows where" in told:
        found.append("not written for a user")
    if changed := {name for name, _ in before.items() ^ after.items()}:
        found.append(f"changed {sorted(changed)[:3]}")
    return [f"{case.title}: {', '.join(found)}; told: {' '.join(errors.split())[-300:]}"] if found else []


def _lay(place: Path, files: dict[str, bytes | None]) -> list[Path]:
    """Write files, take away those that are ``None``; the folders that were made for them, the topmost last."""
    made = []
    for name, content in files.items():
        path = place / name
        made += [folder for folder in path.parents if place in folder.parents and not folder.exists()]
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return made
