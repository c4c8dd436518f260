"""Every recipe of generated photos on Fashion-MNIST, each with the same processor time, judged by one network.

A few steps tell how long a step of a recipe takes; it is then trained for as many as the time holds, with learning
rates that fall over the last half of them, whatever its paper says of them. Rows that learn nothing stand below:
held-out photos, principal components by class, noisy photos, pixels alone. A recipe's run is kept in ``--out``: one
that was ended goes on, and one that is there is not trained again.

HEMLINE_DATA=... python -m benchmarks.gan_recipes --judge runs/judge [--minutes 5] [--recipes small,sn-gan] [--seeds 0]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import pandas as pd
from hemline.datasets.pictures.source import open_source
from hemline.runtime.run_folder import RunFolder
from hemline.vision.generate.comparison import score_generator
from hemline.vision.generate.generate import REPORT, train_generator
from hemline.vision.generate.networks.network import ImageSpec
from hemline.vision.generate.recipes import RECIPES

from .generation import timed


def trained(name: str, seed: int, options: argparse.Namespace) -> tuple[Path, int, float]:
    """The folder of a recipe's run, its steps, and its seconds of the processor.

    Arguments:
        name: of the recipe.
        seed: of its training.
        options: of the command line.
    """
    folder = options.out / f"{name}-{options.minutes:g}-{seed}"
    source, recipe = open_source(options.data), RECIPES[name]
    asked = options.out / f"{name}-{options.minutes:g}.steps.json"
    if not asked.exists():
        *_, seconds = timed(recipe, ImageSpec(28, 1, tuple("abcdefghij")), "cpu")
        asked.write_text(json.dumps(max(100, int(options.minutes * 60 / seconds))))
    steps = json.loads(asked.read_text())
    training = dataclasses.replace(recipe.training, steps=steps, decay=0.5, seed=seed, device="cpu")
    whole, resume = dataclasses.replace(recipe, training=training), (folder / "begun.json").exists()
    train_generator(source, str(folder), recipe=whole, task="class", resume=resume)
    return folder, steps, RunFolder(str(folder)).read_json(REPORT)["seconds"]["processor"]


def main() -> None:
    """Train and judge the recipes, a row each as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="fashion_mnist")
    parser.add_argument("--judge", required=True, help="the run of the classifier by which images are compared")
    parser.add_argument("--minutes", type=float, default=5, help="of one core for each training")
    parser.add_argument("--recipes", default=",".join(RECIPES))
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--count", type=int, default=10_000, help="images of a row")
    parser.add_argument("--out", type=Path, default=Path("runs/gan-recipes"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows, others = [], pd.DataFrame()
    for name in options.recipes.split(","):
        for seed in map(int, options.seeds.split(",")):
            folder, steps, seconds = trained(name, seed, options)
            file = Path(f"{folder}.csv")
            if not file.exists():
                score_generator(str(folder), open_source(options.data), options.judge, count=options.count).to_csv(
                    file, index=False
                )
            table = pd.read_csv(file)
            others = table.iloc[1:]
            rows.append({"recipe": name, "seed": seed, "steps": steps, "s": seconds, **table.iloc[0, 1:10].to_dict()})
            print(pd.DataFrame(rows[-1:]).round(3).to_string(index=False), flush=True)
    table = pd.concat([pd.DataFrame(rows), others.rename(columns={"images": "recipe"})])
    print(table.drop(columns=["features", "count"]).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
