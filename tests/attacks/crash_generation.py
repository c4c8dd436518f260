"""Runs of generators, designers and swaps that are written to disk, each as something that can be started again."""

from __future__ import annotations

import functools
from pathlib import Path

from crash_pictures import shop
from crash_works import State, Work, command, digest, nothing
from hemline.datasets.pictures.poses import read_pose_pairs
from hemline.datasets.pictures.source import open_source
from hemline.datasets.pictures.worn.pairs import load_worn, worn_rows
from hemline.datasets.simulated.figure_poses import simulated_pose_pairs, write_pose_pairs
from hemline.datasets.simulated.people.figure_outfits import write_outfits
from hemline.datasets.simulated.people.figure_photos import write_worn_figures
from hemline.runtime.run_folder import RunFolder
from hemline.vision.generate.design.designer import TrainedDesigner
from hemline.vision.generate.morph.morph import TrainedMorph
from hemline.vision.generate.outfit.dresser import TrainedDresser
from hemline.vision.generate.swap.swapper import TrainedSwapper
from hemline.vision.generate.trained import TrainedGenerator
from PIL import Image

SHORT = ("--device", "cpu", "--steps", "2")


@functools.cache
def packshots(folder: Path) -> str:
    """A few garments on white, beside the folder."""
    place = folder.parent / "shots"
    for number in range(6):
        shot = Image.new("RGB", (32, 32), "white")
        shot.paste((30 * number, 60, 90), (8, 6, 24, 20 + number))
        (place / "train" / "dress").mkdir(parents=True, exist_ok=True)
        shot.save(place / "train" / "dress" / f"{number}.png")
    return str(place)


def _words(folder: Path) -> list[str]:
    begun = (folder / "it" / "begun.json").exists()
    return ["--checkpoint", str(folder / "it"), *SHORT, *(["--resume"] if begun else [])]


def generator(folder: Path) -> None:
    words = ["--data", shop(folder), "--size", "16", "--width", "2", "--batch-size", "4", "--precision", "32-true"]
    command("vision", "gan", "train", *words, *_words(folder))


def designer(folder: Path) -> None:
    words = ["--data", packshots(folder), "--size", "16", "--groups", "1"]
    command("vision", "design", "train", *words, *_words(folder))


@functools.cache
def dressed(folder: Path) -> str:
    """A few figures with poses and outfits, beside the folder."""
    place = folder.parent / "dressed"
    return str(place if (place / "outfits.csv").exists() else write_outfits(place, 4, 1, size=16))


def dresser(folder: Path) -> None:
    words = ["--data", dressed(folder), "--size", "16", "--batch-size", "2"]
    command("vision", "outfit", "train", *words, *_words(folder))


@functools.cache
def worn(folder: Path) -> str:
    """A few figures with packshots of their tops, beside the folder."""
    place = folder.parent / "worn"
    if not (place / "pairs.csv").exists():
        write_worn_figures(place, 6, 1, height=16, width=16)
    return str(place / "pairs.csv")


def swapper(folder: Path) -> None:
    words = ["--data", worn(folder), "--height", "16", "--width", "16", "--batch-size", "2"]
    command("vision", "tryon", "train", *words, *_words(folder))


def figures(folder: Path) -> None:
    if not (folder / "it" / "pairs.csv").exists():
        words = ["--people", "3", "--photos", "1", "--height", "16", "--width", "16"]
        command("data", "worn", str(folder / "it"), *words)


def read_figures(folder: Path) -> State:
    """The photos and packshots of figures, as far as a reader finds a table of them."""
    table = folder / "it" / "pairs.csv"
    if not table.exists():
        return {}
    pairs = load_worn(worn_rows(str(table)), 16, 16)
    assert not pairs.quarantine, pairs.quarantine
    return {"photos": digest(pairs.images.tobytes() + pairs.articles.tobytes() + pairs.truths.tobytes())}


@functools.cache
def people(folder: Path) -> str:
    """A few figures in two poses, beside the folder."""
    place = folder.parent / "people"
    if not (place / "poses.toml").exists():
        write_pose_pairs(simulated_pose_pairs(2, 1, size=16), str(place))
    return str(place / "poses.toml")


def morph(folder: Path) -> None:
    words = ["--data", people(folder), "--size", "16", "--width", "4", "--batch-size", "2", "--features", "small-cnn"]
    command("vision", "morph", "train", *words, *_words(folder))


READERS = (
    ("generator.json", TrainedGenerator.load),
    ("designer.json", TrainedDesigner.load),
    ("morph.json", TrainedMorph.load),
    ("swapper.json", TrainedSwapper.load),
    ("dresser.json", TrainedDresser.load),
)


def generated(folder: Path) -> State:
    """The weights of a generator, designer, swap or network of poses, as far as a reader finds one; and its report."""
    run, told = RunFolder(str(folder / "it")), {}
    for name, read in READERS:
        if run.has(name):
            weights = read(run).network.state_dict()
            told["weights"] = digest(b"".join(value.numpy().tobytes() for value in weights.values()))
    if run.has("report.json"):
        told["report"] = str(len(run.read_json("report.json")["history"]))
    return told


def poses_written(folder: Path) -> None:
    if not (folder / "it" / "poses.toml").exists():
        command("data", "poses", str(folder / "it"), "--people", "1", "--held-out", "0", "--size", "16")


def poses_read(folder: Path) -> State:
    """Pairs of poses that were written, as far as a reader finds them."""
    described = folder / "it" / "poses.toml"
    if not described.exists():
        return {}
    return {"pairs": read_pose_pairs(str(described), 16).digest()}


def catalogue(folder: Path) -> None:
    if not (folder / "new" / "catalogue.toml").exists():
        words = ["--checkpoint", str(folder / "it"), "--out", str(folder / "new"), "--count", "3"]
        command("vision", "gan", "sample", *words)


def photos(folder: Path) -> State:
    """The photos of a catalogue that was drawn, as far as a reader finds one."""
    described = folder / "new" / "catalogue.toml"
    if not described.exists():
        return {}
    return {"photos": digest(open_source(str(described)).load(16).pixels.tobytes())}


GENERATION: dict[str, Work] = {
    "generator": Work(nothing, generator, generated),
    "designer": Work(nothing, designer, generated),
    "dresser": Work(nothing, dresser, generated),
    "swapper": Work(nothing, swapper, generated),
    "worn-figures": Work(nothing, figures, read_figures),
    "morph": Work(nothing, morph, generated),
    "poses": Work(nothing, poses_written, poses_read),
    "generated-catalogue": Work(generator, catalogue, photos),
}
