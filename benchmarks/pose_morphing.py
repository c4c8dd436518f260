"""Simulated figures in other poses: attention that copies, the same network without it, and rows that learn nothing.

    python -m benchmarks.pose_morphing --out runs/poses --size 64 --steps 500 --look 1,2,8,16
    python -m benchmarks.pose_morphing --out runs/patches --size 32 --rows copy --patches 1,2,4,8
    python -m benchmarks.pose_morphing --out runs/poses --cost

Each row is trained on `--people` figures in three poses each, and judged on all ordered pairs of 60 others: structural
similarity and mean difference over the photo, and the correlation of brightness inside each garment. All rows of a seed
have as many steps, the same pairs in the same order, and the same loss. Beside them stand the source unchanged and its
limbs moved rigidly. A killed run goes on, and finished ones stay in `--out`; the figures that are learnt from are the
same for all seeds. `--look` judges the network that copies with other numbers of patches too; `--cost` measures a step.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from hemline.datasets.pictures.poses import PosePairs, read_pose_pairs
from hemline.datasets.simulated.figure_poses import DESCRIPTION, simulated_pose_pairs, write_pose_pairs
from hemline.runtime.run_folder import RunFolder
from hemline.runtime.training.resume import BEGUN, REPORT
from hemline.vision.generate.attention import Partition
from hemline.vision.generate.attention_views import captured_mass
from hemline.vision.generate.morph.comparison import scores, sheet_of_morphs, still_rows
from hemline.vision.generate.morph.morph import TrainedMorph, train_morph
from hemline.vision.generate.morph.network import MorphForm
from hemline.vision.generate.morph.training import MorphConfig

from .measuring import peak_of_tensors

NAMES = {"copy": "attention that copies", "none": "without it", "self": "with attention to itself"}


def figures(options: argparse.Namespace) -> PosePairs:
    """The pairs, drawn once and kept as files."""
    folder = options.out / f"figures-{options.size}-{options.people}-{options.figures}"
    if not (folder / DESCRIPTION).exists():
        drawn = simulated_pose_pairs(options.people, 60, 3, size=options.size, seed=options.figures)
        write_pose_pairs(drawn, str(folder))
    return read_pose_pairs(str(folder / DESCRIPTION), options.size)


def row(pairs: PosePairs, attention: str, patches: int, seed: int, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Train a network, or read the one that was trained, and judge it: a row for each number of patches."""
    folder = run_folder(attention, patches, seed, options)
    form = MorphForm(size=options.size, attention=attention, partition=Partition(patches, base=16, cells=16))
    training = MorphConfig(
        steps=options.steps, batch_size=options.batch_size, seed=seed, log_steps=50, device=options.device
    )
    begun = (folder / BEGUN).exists()
    trained = train_morph(pairs, str(folder), form=form, training=training, resume=begun)
    found: dict[str, Any] = {"row": NAMES[attention], "patches": patches if attention != "none" else None, "seed": seed}
    found |= scores(pairs, trained.morph)
    if attention == "copy":
        found["captured"] = captured(pairs, trained)
    report = json.loads((folder / REPORT).read_text())
    found |= {"parameters": report["parameters"], "seconds": report["seconds"]["processor"]}
    return [found, *(looks(pairs, trained, each, found) for each in numbers(options.look) if attention == "copy")]


def run_folder(attention: str, patches: int, seed: int, options: argparse.Namespace) -> Path:
    """Where a network is kept."""
    kind = f"{attention}-{patches}-{options.size}-{options.steps}"
    return Path(options.out / f"{kind}-{options.batch_size}-{options.figures}-{seed}")


def looks(pairs: PosePairs, trained: TrainedMorph, patches: int, found: dict[str, Any]) -> dict[str, Any]:
    """The row of the same weights with another number of patches."""
    other = trained.looking_at(patches)
    return {**found, "looks": patches, **scores(pairs, other.morph), "captured": captured(pairs, other)}


def numbers(text: str) -> list[int]:
    """Numbers between commas."""
    return [int(each) for each in text.split(",") if each]


def captured(pairs: PosePairs, trained: TrainedMorph) -> float:
    """The share of full attention that falls on the patches that are looked at, over some held-out pairs."""
    shares = []
    for source, target in pairs.held_out[::30]:
        query, key = trained.looked_at(pairs.images[source], pairs.joints[source], pairs.joints[target])
        shares.append(float(captured_mass(query, key, trained.network.form.partition).mean()))
    return sum(shares) / len(shares)


def cost(options: argparse.Namespace) -> None:
    """Processor seconds and memory of a step, by part of the network: median of five."""
    torch.manual_seed(0)
    pairs = simulated_pose_pairs(options.batch_size, 0, 2, size=options.size)
    given = [torch.from_numpy(part[pairs.pairs[::2, side]]) for part in (pairs.images, pairs.joints) for side in (0, 1)]
    photos, truth, source, target = given[0].float() / 127.5 - 1, given[1].float() / 127.5 - 1, *given[2:]
    for attention in NAMES:
        network = MorphForm(size=options.size, attention=attention).build().to(memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(network.parameters())
        seconds = []
        for _ in range(5):
            started = time.process_time()
            made = network(photos, source, target)
            forward = time.process_time() - started
            optimizer.zero_grad()
            (made - truth).abs().mean().backward()
            optimizer.step()
            seconds.append((forward, time.process_time() - started))
        most = peak_of_tensors(partial(_step, network, photos, source, target, truth))
        forward, whole = (sorted(part)[2] for part in zip(*seconds, strict=True))
        count = sum(each.numel() for each in network.parameters())
        print(f"| {NAMES[attention]} | {count:,} | {forward:.3f} | {whole:.3f} | {most:.0f} |", flush=True)


def _step(network: torch.nn.Module, *given: torch.Tensor) -> None:
    photos, source, target, truth = given
    (network(photos, source, target) - truth).abs().mean().backward()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of figures, runs and the table")
    parser.add_argument("--size", type=int, default=64, help="of the photos, pixels")
    parser.add_argument("--people", type=int, default=700, help="to learn from")
    parser.add_argument("--rows", default=",".join(NAMES), help=f"some of {','.join(NAMES)}")
    parser.add_argument("--patches", default="4", help="kappa, one or several")
    parser.add_argument("--look", default="", help="other kappas for the trained network that copies")
    parser.add_argument("--seeds", default="0", help="one or several")
    parser.add_argument("--figures", type=int, default=0, help="the seed of the figures, those to judge by too")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--sheet", type=Path, help="a .png file: source, pose, the rows from the last to the first, truth"
    )
    parser.add_argument("--cost", action="store_true", help="measure a step of each network instead")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.cost:
        cost(options)
        return
    pairs = figures(options)
    rows = [{"row": name, **scores(pairs, change)} for name, change in still_rows(pairs.skeleton).items()]
    asked = itertools.product(numbers(options.seeds), numbers(options.patches), options.rows.split(","))
    for seed, patches, attention in asked:
        rows += row(pairs, attention, patches, seed, options)
        print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    print(table.to_markdown(index=False, floatfmt=".4f"))
    table.to_csv(options.out / f"table-{options.size}-{options.steps}.csv", index=False)
    if options.sheet:
        runs = [run_folder(kind, patches, seed, options) for kind in NAMES]
        there = [str(run) for run in runs if RunFolder(str(run)).has(REPORT)]
        most = max([patches, *numbers(options.look)])
        others = {run: run for run in there[1:]}
        options.sheet.write_bytes(sheet_of_morphs(pairs, there[0], beside=others, patches=most))


if __name__ == "__main__":
    main()
