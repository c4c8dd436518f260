"""What each part of an article swap is for: trainings without one of them, of small photos and a few hundred steps.

    hemline data worn figures --people 1200 --standing anywhere
    python benchmarks/article_swap.py --data figures/pairs.csv --out runs/swaps

A killed run goes on; finished rows stay in `--out`.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path

import pandas as pd
from hemline.datasets.pictures.worn.pairs import worn_rows
from hemline.vision.generate.swap.comparison import score_swapper
from hemline.vision.generate.swap.network import SwapForm
from hemline.vision.generate.swap.swapper import train_swapper
from hemline.vision.generate.swap.training import SwapConfig

COLUMNS = ("overlap", "colour", "pixels", "outside")


def variants(form: SwapForm, training: SwapConfig) -> dict[str, tuple[SwapForm, SwapConfig]]:
    """The whole, and the whole without one part."""
    return {
        "all": (form, training),
        "without the cycle": (form, dataclasses.replace(training, cycle=0.0)),
        "without the term of alpha": (form, dataclasses.replace(training, identity=0.0)),
        "without re-injection": (dataclasses.replace(form, reinjected=False), training),
        "without a critic": (form, dataclasses.replace(training, adversarial=0.0)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/swaps"))
    options = parser.parse_args()
    rows = worn_rows(options.data)
    options.out.mkdir(parents=True, exist_ok=True)
    whole = SwapForm(height=options.size, width=options.size)
    config = SwapConfig(steps=options.steps, log_steps=100, seed=options.seed, device="cpu")
    print(f"| loss | {' | '.join(COLUMNS)} | seconds |\n|---|{'---|' * (len(COLUMNS) + 1)}", flush=True)
    for name, (form, training) in variants(whole, config).items():
        place = options.out / name.replace(" ", "-")
        scores = place.with_suffix(".csv")
        if not scores.exists():
            started = time.process_time()
            begun = (place / "begun.json").exists()
            train_swapper(rows, str(place), form=form, training=training, resume=begun)
            seconds = time.process_time() - started
            score_swapper(str(place), rows).assign(seconds=seconds).to_csv(scores, index=False)
        for _, told in pd.read_csv(scores).iterrows():
            if told["images"] == "swap" or name == "all":
                shown = name if told["images"] == "swap" else told["images"]
                cells = " | ".join(f"{told[column]:.3f}" for column in COLUMNS)
                print(f"| {shown} | {cells} | {told['seconds']:.0f} |", flush=True)


if __name__ == "__main__":
    main()
