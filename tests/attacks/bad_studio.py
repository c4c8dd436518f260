"""Bad inputs of `hemline studio`: folders that are none of its kinds, and files that are not what they should be."""

from __future__ import annotations

from collections.abc import Iterator

from bad_inputs import BINARY, DEEP, LONG, NUL, Bad, bad, laying

SERVED = "studio {} --out new"


def words_of_the_studio() -> Iterator[Bad]:
    """Runs that are not there or hold something else, and options that are none; nothing is served."""
    for run in ("nope", "sales.csv", "empty", "photos", "binary.toml", LONG, NUL, ""):
        yield bad(["studio", run, "--out", "new"], "run", "RUN")
    yield bad("studio --out new", "RUN", "run")
    for run in ("tasks", "looks"):
        yield bad(SERVED.format(run), "data: expected the catalogue")
        for data in ("nope.toml", "sales.csv", "binary.toml", "empty", LONG, NUL, ""):
            yield bad(["studio", run, "--data", data, "--out", "new"], "data", data[:40].partition("\0")[0] or "data")
    yield bad("studio looks looks --data shop.toml --out new", "run: expected one index")
    yield bad("studio bt bt --out new", "run: expected backtests in folders of different names")
    yield bad(
        "studio gru gru --dataset simulated_sales --out new", "run: expected models in folders of different names"
    )
    for dataset in ("nope", "binary.toml", "empty.toml", "sales.csv"):
        yield bad(["studio", "gru", "--dataset", dataset, "--out", "new"], "dataset", dataset)
    for option, values in {
        "port": ("-1", "65536", "x", "", "1.5"),
        "proxy": ("here", "", "10.0.0.300", "10.0.0.1"),
        "out": ("sales.csv", "sales.csv/below", LONG, NUL, ""),
    }.items():
        for value in values:
            yield bad(["studio", "bt", "--out", "new", f"--{option}", value], option, "proxies", "proxy_secret")


def broken_folders_of_the_studio() -> Iterator[Bad]:
    """Backtests whose files are not what they should be."""
    for content in ("", "{", "[]", "3", "null", DEEP, BINARY):
        files = {"broken/runs/abc/run.json": content, "broken/plan.json": "{}"}
        yield laying(SERVED.format("broken"), files, "broken")
        yield laying(SERVED.format("broken"), {"broken/runs.parquet": content}, "broken")
