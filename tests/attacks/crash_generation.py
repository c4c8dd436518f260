"""Runs of generators and designers that are written to disk, each as something that can be started again."""

from __future__ import annotations

import functools
from pathlib import Path

from crash_pictures import shop
from crash_works import State, Work, command, digest, nothing
from hemline.datasets.pictures.source import open_source
from hemline.runtime.run_folder import RunFolder
from hemline.vision.generate.design.designer import TrainedDesigner
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


def generated(folder: Path) -> State:
    """The weights of a generator or designer, as far as a reader finds one; and its report."""
    run, told = RunFolder(str(folder / "it")), {}
    for name, read in (("generator.json", TrainedGenerator.load), ("designer.json", TrainedDesigner.load)):
        if run.has(name):
            weights = read(run).network.state_dict()
            told["weights"] = digest(b"".join(value.numpy().tobytes() for value in weights.values()))
    if run.has("report.json"):
        told["report"] = str(len(run.read_json("report.json")["history"]))
    return told


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
    "generated-catalogue": Work(generator, catalogue, photos),
}
