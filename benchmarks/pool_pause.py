"""Whether a quarter of the epochs tells which members of a pool have no weight after all of them, and what that saves.

Everything is done on the windows held out at the end of the training span; no test window is read. Every member is
trained to its end; what `drop_after` would have dropped is told beside who has a weight then. A member that is dropped
and would have had none changes nothing: the pool without it is the pool with it. Seconds are those of the processor.

Cases are tables of `benchmarks.pool` as ``NAME:SCALE:SEED``, or known datasets as ``@NAME:SERIES:SEED``, of which so
many series are taken, evenly.

Run: HEMLINE_DATA=... python -m benchmarks.pool_pause [--cases weekly:0.3:0,weekly:0.3:1,prices:0.1:0,prices:0.1:1,
     @dominicks_oj:11:0,@pems_sf_267d:15:0] [--share 0.25]
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
import torch
from hemline.datasets import Metadata, get_dataset
from hemline.datasets.entries.entry import Entry
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.forecasting import build_model
from hemline.forecasting.response.shared import responses_shared
from hemline.forecasting.windows.held_out import held_out_windows
from hemline.forecasting.wrappers.mixture_weights import Mixtures
from hemline.forecasting.wrappers.weighing import held_out_paths

from .pool import table

CASES = "weekly:0.3:0,weekly:0.3:1,prices:0.1:0,prices:0.1:1,@dominicks_oj:11:0,@pems_sf_267d:15:0"


def training_data(case: str) -> tuple[Metadata, list[Entry], int]:
    """What a case is called in the docstring of this file: its data before the first test window, and the seed."""
    name, size, seed = case.split(":")
    if not name.startswith("@"):
        data = table(name, float(size), int(seed))
        return data.metadata, as_multivariate(data.train), int(seed)
    data = get_dataset(name[1:])
    entries = as_multivariate(data.train)
    if int(size) < entries[0].dim:
        taken = np.zeros(entries[0].dim, dtype=bool)
        taken[np.linspace(0, len(taken) - 1, int(size)).astype(int)] = True
        entries = [entry.of_series(taken) for entry in entries]
    return data.metadata, entries, int(seed)


@responses_shared()
def compare(case: str, share: float) -> str:
    """A row of the table: seconds of weighing, who would be dropped, what that saves, and who has no weight at last."""
    metadata, entries, seed = training_data(case)
    pool = build_model("pool", metadata, {"drop_after": share}).for_run(seed)
    span = held_out_windows(entries, pool.prediction_length, pool.windows)
    mixtures = Mixtures(pool.domain, pool.smallest, pool.shrinkage, pool.only_totals, pool.only_rare)
    begun, ended, behind, seconds = {}, {}, {}, 0.0
    for name in [name for name in pool.models if name not in pool.only_rare]:
        at = time.process_time()
        for predictor, whole in pool._in_rungs(name, span.before, entries):
            spent = time.process_time() - at
            seconds += spent
            ended[name] = held_out_paths(predictor, span, pool.domain, pool.num_samples)
            begun.setdefault(name, ended[name])
            behind |= {name: spent} if whole and begun[name] is not ended[name] else {}
            at = time.process_time()
    dropped = set(behind) - mixtures.earning(begun, span.truth, span.before)
    without = set(behind) - set(mixtures.weights(ended, span.truth, span.before).kept)
    told = [", ".join(sorted(names)) or "none" for names in (dropped, without)]
    return f"| {case} | {seconds:.0f} | {told[0]} | {sum(behind[name] for name in dropped):.0f} | {told[1]} |"


def main() -> None:
    """Print a row for each case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", default=CASES)
    parser.add_argument("--share", type=float, default=0.25)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    print("| table | weighing, s | dropped at the pause | saved, s | without a weight after all epochs |")
    print("|---|---|---|---|---|", flush=True)
    for case in options.cases.split(","):
        print(compare(case, options.share), flush=True)


if __name__ == "__main__":
    main()
