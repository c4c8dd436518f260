"""Recommenders that are written to disk, each as something that can be started again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from crash_works import State, Work, command, digest, nothing
from hemline.datasets.pictures.vectors import ArticleVectors, article_vectors_file, read_article_vectors
from hemline.recommendation import load_recommender


def shop(folder: Path) -> Path:
    """Purchases, vectors and settings beside the folder."""
    place = folder.parent / "customers"
    if not (place / "dna.toml").exists():
        place.mkdir(exist_ok=True)
        items = tuple(f"i{number}" for number in range(16))
        looks = np.random.default_rng(0).normal(size=(16, 3)).astype(np.float32)
        (place / "looks.parquet").write_bytes(article_vectors_file(ArticleVectors(items, looks, np.ones(16, bool)), {}))
        rows = [(f"c{n % 6}", f"i{n * 5 % 16}", f"2024-01-{1 + n % 28:02}") for n in range(48)]
        pd.DataFrame(rows, columns=["customer", "article", "time"]).to_csv(place / "bought.csv", index=False)
        (place / "dna.toml").write_text("width = 4\nsize = 8\nepochs = 2\n")
    return place


def trained(folder: Path) -> None:
    place = shop(folder)
    words = ["--purchases", str(place / "bought.csv"), "--vectors", str(place / "looks.parquet")]
    words += ["--config", str(place / "dna.toml"), "--model", "fashion-dna"]
    command("recommend", "train", *words, "--out", str(folder / "it"))


def another(folder: Path) -> None:
    """A recommender of another kind, which makes room for the new one."""
    command(
        "recommend",
        "train",
        "--purchases",
        str(shop(folder) / "bought.csv"),
        "--model",
        "popularity",
        "--out",
        str(folder / "it"),
    )


def answers(folder: Path) -> State:
    """What a recommender says, if one is there, and the vectors of its articles."""
    try:
        fitted = load_recommender(str(folder / "it"))
    except FileNotFoundError as error:
        if "expected a folder that" not in str(error):
            raise
        return {}
    told = {"scores": digest(fitted.score().tobytes())}
    if np.isfinite(fitted.neighbours()).all():
        told["vectors"] = digest(read_article_vectors(str(folder / "it" / "vectors.parquet")).vectors.tobytes())
    return told


def recommended(folder: Path) -> None:
    command("recommend", "for", "c0", "c1", "--recommender", str(folder / "it"), "--out", str(folder / "for.csv"))


def recommendations(folder: Path) -> State:
    place = folder / "for.csv"
    return {"table": digest(place.read_bytes())} if place.exists() else {}


CUSTOMERS: dict[str, Work] = {
    "recommend-train": Work(nothing, trained, answers),
    "recommend-again": Work(another, trained, answers),
    "recommend-for": Work(another, recommended, recommendations),
}
