"""What each term of a designer's loss is for: trainings without one of them, of small images and a few hundred steps.

    HEMLINE_DATA=... python benchmarks/designer_terms.py --data docs/vision/myntra-tasks.toml --out runs/terms

Both forms of the network: the composed one, which has colour, shape and ground by construction, and the published one,
which draws every pixel and has only the loss to learn them from. A killed run goes on; finished rows stay in `--out`.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path

import pandas as pd
import torch
from hemline.datasets.pictures.source import Source, open_source
from hemline.datasets.pictures.split import ArticleSplit
from hemline.runtime.plain import made_of
from hemline.runtime.run_folder import RunFolder
from hemline.vision.embed.encoder import ArticleEncoder
from hemline.vision.generate.design.comparison import DesignTrial
from hemline.vision.generate.design.designer import SPLIT, packshots, train_designer
from hemline.vision.generate.design.network import DesignForm
from hemline.vision.generate.design.training import DesignConfig

TERMS = ("told_colour", "colour", "same_colour", "structure", "ground", "diversity", "contrast")
COLUMNS = ("colour", "overlap", "kept", "other", "leak", "contrast", "frechet")


def trial_of(folder: Path, source: Source, features: str, count: int) -> DesignTrial:
    """Designs in the masks and colours of photos on the test side of a run."""
    split = made_of(RunFolder(str(folder)).read_json(SPLIT), ArticleSplit)
    held_out = packshots(source, source.load(0), split.test)
    return DesignTrial.of(held_out, ArticleEncoder.of_backbone(features), count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--groups", type=int, default=1)
    parser.add_argument("--count", type=int, default=200, help="designs that are judged")
    parser.add_argument("--features", default="efficientnet-lite0")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/terms"))
    options = parser.parse_args()
    source = open_source(options.data)
    source = dataclasses.replace(source, pictures=source.load(2 * options.size))
    options.out.mkdir(parents=True, exist_ok=True)
    print(f"| form | loss | {' | '.join(COLUMNS)} | seconds |\n|---|---|{'---|' * (len(COLUMNS) + 1)}", flush=True)
    trial = None
    for composed in (True, False):
        form = DesignForm(size=options.size, composed=composed)
        shown = "composed" if composed else "published"
        for without in ("", *TERMS):
            name = f"{shown}-{without or 'all'}"
            row = options.out / f"{name}.csv"
            if not row.exists():
                started, folder = time.process_time(), options.out / name
                training = DesignConfig(
                    steps=options.steps, groups=options.groups, log_steps=50, seed=options.seed, device="cpu"
                )
                if without:
                    training = dataclasses.replace(training, **{without: 0.0})
                begun = (folder / "begun.json").exists()
                trained = train_designer(source, str(folder), form=form, training=training, resume=begun)
                seconds = time.process_time() - started
                trial = trial or trial_of(folder, source, options.features, options.count)
                table = [trial.row_of(f"without {without}" if without else "all", trained)]
                if not without:
                    torch.manual_seed(options.seed)
                    table += [trial.row_of("untrained", dataclasses.replace(trained, network=form.build().eval()))]
                pd.DataFrame(table).assign(seconds=seconds).to_csv(row, index=False)
            for _, told in pd.read_csv(row).iterrows():
                cells = " | ".join(f"{told[column]:.3f}" for column in COLUMNS)
                print(f"| {shown} | {told['images']} | {cells} | {told['seconds']:.0f} |", flush=True)


if __name__ == "__main__":
    main()
