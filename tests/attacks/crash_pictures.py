"""Runs of pictures that are written to disk, each as something that can be started again."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from crash_works import State, Work, command, digest, nothing
from golden_data import write_pictures
from hemline.datasets.pictures.source import open_source
from hemline.runtime.run_folder import RunFolder
from hemline.vision.captions.annotator import Annotator
from hemline.vision.classify.classifier import Classifier
from hemline.vision.embed.embedding import embed_catalogue
from hemline.vision.embed.encoder import ArticleEncoder
from hemline.vision.search.index import PhotoIndex
from hemline.vision.search.look_alikes import encoder_of
from PIL import Image


@functools.cache
def shop(folder: Path) -> str:
    """The description of a few photos beside the folder."""
    place = folder.parent / "shop"
    return str(place / "shop.toml" if place.exists() else write_pictures(place))


def classifier(folder: Path) -> None:
    words = ["--size", "16", "--widths", "4,8", "--epochs", "2", "--batch-size", "8", "--device", "cpu"]
    words += ["--mirror", "0", "--crop", "1"]
    words += ["--data", shop(folder), "--checkpoint", str(folder / "it")]
    if (folder / "it" / "begun.json").exists():
        words.append("--resume")
    command("vision", "classify", "train", *words)


def classified(folder: Path) -> State:
    """A classifier's weights, as far as a reader finds a model; and its report."""
    run, told = RunFolder(str(folder / "it")), {}
    for name in ("begun.json", "data.json", "split.json"):
        if run.has(name):
            told[name] = digest(json.dumps(run.read_json(name)))
    if run.has("model.json"):
        weights = Classifier.load(run).network.state_dict()
        told["weights"] = digest(b"".join(value.numpy().tobytes() for value in weights.values()))
    if run.has("report.json"):
        told["report"] = str(len(run.read_json("report.json")["history"]))
    return told


def titles(folder: Path, *more: str) -> None:
    words = ["--data", shop(folder), "--checkpoint", str(folder / "it"), "--backbone", "small-cnn", "--device", "cpu"]
    words += ["--epochs", "1", "--batch-size", "8", *more]
    if (folder / "it" / "begun.json").exists():
        words.append("--resume")
    command("vision", "annotate", "train", *words)


def titles_along(folder: Path) -> None:
    titles(folder, "--finetune", "--tuning-epochs", "1")


def titled(folder: Path) -> State:
    """A captioner's weights, as far as a reader finds one."""
    run = RunFolder(str(folder / "it"))
    if not run.has("captioner.json"):
        return {}
    found = Annotator.load(run)
    weights = {**found.captioner.state_dict(), **({} if found.tuned is None else found.tuned.network.state_dict())}
    return {"weights": digest(b"".join(value.numpy().tobytes() for value in weights.values()))}


def embedded(folder: Path) -> None:
    embed_catalogue(
        open_source(shop(folder)), str(folder / "it" / "v.parquet"), ArticleEncoder.of_backbone("small-cnn")
    )


def earlier_vectors(folder: Path) -> None:
    (folder / "it").mkdir()
    pd.DataFrame({"item_id": ["old"], "has_photo": [True], "vector": [np.ones(2)]}).to_parquet(
        folder / "it" / "v.parquet"
    )


def vectors(folder: Path) -> State:
    file = folder / "it" / "v.parquet"
    return {"vectors": digest(pd.read_parquet(file).to_json())} if file.exists() else {}


def judged(folder: Path) -> None:
    command("vision", "classify", "test", "--data", shop(folder), "--checkpoint", str(folder / "it"), "--device", "cpu")


def judgement(folder: Path) -> State:
    """The scores of a classifier, with the answers that they are of."""
    run = RunFolder(str(folder / "it"))
    told = {path.name: digest(pd.read_parquet(path).to_json()) for path in (folder / "it").glob("*.parquet")}
    if run.has("test.json"):
        told["scores"] = digest(json.dumps(run.read_json("test.json")))
    return told


def drawn(folder: Path) -> None:
    command("vision", "classify", "plot", "--data", shop(folder), "--checkpoint", str(folder / "it"))


def drawings(folder: Path) -> State:
    """The pictures that show a run, each whole."""
    told = {}
    for path in (folder / "it").glob("*.png"):
        with Image.open(path) as picture:
            picture.load()
            told[path.name] = str(picture.size)
    return told


def answered(folder: Path) -> None:
    photos = str(Path(shop(folder)).parent / "photos")
    words = ["--checkpoint", str(folder / "it"), "--out", str(folder / "answers.csv"), "--device", "cpu"]
    command("vision", "classify", "predict", photos, *words)


def answers(folder: Path) -> State:
    file = folder / "answers.csv"
    return {"answers": digest(pd.read_csv(file).to_json())} if file.exists() else {}


def judged_before(folder: Path) -> None:
    classifier(folder)
    judged(folder)


def indexed(folder: Path) -> None:
    if not (folder / "it" / "index.json").exists():
        words = ["--data", shop(folder), "--index", str(folder / "it"), "--backbone", "small-cnn"]
        command("vision", "index", "build", *words)


def index_grown(folder: Path) -> None:
    """An article comes that has the photos of another one."""
    index = PhotoIndex.open(str(folder / "it"))
    if "new" not in index.item_ids:
        rows = index.vectors.rows(np.array([0]))
        index.add(replace(rows, item_ids=("new",)))


def index_shrunk(folder: Path) -> None:
    """So many articles go that the rows are written anew."""
    index = PhotoIndex.open(str(folder / "it"))
    if len(index) > 2:
        index.remove(index.item_ids[2:])


def index_rows(folder: Path) -> State:
    """What is in an index, and that a photo can be made a vector for it."""
    try:
        index = PhotoIndex.open(str(folder / "it"))
    except FileNotFoundError as error:
        if "there is no index" not in str(error):
            raise
        return {}
    encoder_of(index)
    order = np.argsort(index.vectors.photos)
    return {"rows": digest(b"".join(index.vectors.photos[row].encode() for row in order))}


PICTURES: dict[str, Work] = {
    "classifier": Work(nothing, classifier, classified),
    "judge": Work(classifier, judged, judgement),
    "plot": Work(judged_before, drawn, drawings),
    "answers": Work(classifier, answered, answers),
    "annotator": Work(nothing, titles, titled),
    "annotator-along": Work(nothing, titles_along, titled),
    "embed": Work(earlier_vectors, embedded, vectors),
    "index-build": Work(nothing, indexed, index_rows),
    "index-grow": Work(indexed, index_grown, index_rows),
    "index-shrink": Work(indexed, index_shrunk, index_rows),
}
