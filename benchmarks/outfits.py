"""Outfits and poses drawn by a network that is asked for them, beside one that is not and rows that learn nothing.

    hemline data outfits figures --people 1000 --size 32
    python -m benchmarks.outfits --data figures --out runs/outfits --seeds 0,1

The network without conditions has the first seed alone. A killed training goes on, and finished ones stay in `--out`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from hemline.datasets.pictures.worn.outfits import Outfits, read_outfits
from hemline.runtime.run_folder import RunFolder
from hemline.runtime.training.resume import BEGUN
from hemline.vision.generate.outfit.comparison import score_dresser
from hemline.vision.generate.outfit.dresser import train_dresser
from hemline.vision.generate.outfit.network import OutfitForm
from hemline.vision.generate.outfit.reader import ReaderConfig
from hemline.vision.generate.outfit.training import OutfitConfig


def learnt(outfits: Outfits, folder: str, steps: int, seed: int, *, conditional: bool = True) -> str:
    """The folder of a training that has ended."""
    form = OutfitForm(size=outfits.images.shape[-1], width=12, most=64, conditional=conditional)
    run = RunFolder(folder)
    begun = run.has(BEGUN)
    train_dresser(outfits, folder, form=form, training=OutfitConfig(steps=steps, device="cpu", seed=seed), resume=begun)
    return folder


def main() -> None:
    """Train, and print the scores of each seed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", required=True, help="folder that `hemline data outfits` wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder that keeps the runs")
    parser.add_argument("--size", type=int, default=32, help="side of the photos in pixels")
    parser.add_argument("--steps", type=int, default=5000, help="of the network that is asked for outfits and poses")
    parser.add_argument("--free-steps", type=int, default=2000, help="of the one without conditions")
    parser.add_argument("--reader-steps", type=int, default=1000, help="of the network that judges")
    parser.add_argument("--seeds", default="0,1")
    options = parser.parse_args()
    outfits = read_outfits(options.data, options.size)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    free = learnt(outfits, str(options.out / "free"), options.free_steps, seeds[0], conditional=False)
    for seed in seeds:
        run = learnt(outfits, str(options.out / f"dressed-{seed}"), options.steps, seed)
        reader = ReaderConfig(steps=options.reader_steps)
        found: pd.DataFrame = score_dresser(run, outfits, unconditional=free, reader=reader, seed=seed)
        print(f"seed {seed}\n{found.to_string(float_format='{:.3f}'.format)}", flush=True)


if __name__ == "__main__":
    main()
