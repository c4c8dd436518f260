"""How long `hemline demo` takes alone and beside processes that keep the cores busy: who fights for cores loses most.

`python -m benchmarks.busy --busy 3 --repeats 3`, with `--threads 2` for the demo on two threads.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BUSY = "while True: pass"


def seconds(threads: int | None, busy: int) -> dict[str, float]:
    """Wall-clock and processor seconds of a demo beside some busy processes."""
    chosen = [] if threads is None else ["--threads", str(threads)]
    others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(busy)]
    try:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "hemline", "demo", "--out", str(Path(folder) / "demo"), *chosen]
            began, before = time.perf_counter(), os.times()
            subprocess.run(command, check=True, capture_output=True)
            after = os.times()
    finally:
        for each in others:
            each.kill()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return {"wall": time.perf_counter() - began, "processor": processor}


def main() -> None:
    """Print medians alone and beside the busy processes, and the ratio of the wall-clock times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--busy", type=int, default=3)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    rows = {"alone": [], "busy": []}
    for _ in range(options.repeats):
        rows["alone"].append(seconds(options.threads, 0))
        rows["busy"].append(seconds(options.threads, options.busy))
    medians = {
        name: {kind: round(statistics.median(row[kind] for row in found), 1) for kind in ("wall", "processor")}
        for name, found in rows.items()
    }
    ratio = medians["busy"]["wall"] / medians["alone"]["wall"]
    print(json.dumps({**medians, "times as long": round(ratio, 2), "threads": options.threads, "busy": options.busy}))


if __name__ == "__main__":
    main()
