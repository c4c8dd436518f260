"""What was computed before is found again by the digests of version 0.1; stored runs and states: `test_golden.py`."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hemline.datasets.benchmarks.archives import fingerprint
from hemline.datasets.entries.entry import Entry
from hemline.datasets.pictures.catalogue import Article, Catalogue
from hemline.datasets.pictures.photos import Pictures, fingerprints, load_pictures
from hemline.datasets.pictures.split import split_articles
from hemline.evaluation.runs.identity import digest
from hemline.forecasting import RandomWalkPredictor
from hemline.forecasting.training.members import _identity
from hemline.runtime.digest import sha256_of
from hemline.vision.embed.encoder import _digest
from PIL import Image

RAMP = np.arange(12, dtype=np.float32).reshape(3, 4)
RUN = "68892cc4ebfd29e371528d53a81fd5c52d23f9691387b035547c508b64d40bbc"
PHOTO = "ed5f18d8f3ffc8cdad98e0356ff12742a17b5b9508269e1a11fa6f547c4e24d1"
PICTURE = "543cd02207dd4a0dc7b35f3a91426b5988f8b8e63fa28b194df315d9568dea12"
MEMBERS = {False: "679cbc727a9c25ac", True: "afe8d61b67c85b95"}


def test_parts_are_digested_one_behind_the_other_as_bytes_text_or_numbers_row_by_row():
    expected = hashlib.sha256("ä".encode() + b"\0" + np.ascontiguousarray(RAMP.T).tobytes()).hexdigest()
    assert sha256_of("ä", b"\0", RAMP.T) == expected
    assert sha256_of() == hashlib.sha256().hexdigest()


def test_arrays_and_settings_of_runs():
    assert digest({"b": RAMP.T, "a": [1, 2.5, None]}) == RUN


def test_files(tmp_path: Path):
    (tmp_path / "file").write_bytes(RAMP.tobytes() * 100_000)
    found = fingerprint(tmp_path / "file")
    assert (found.sha256, found.size) == (sha256_of(RAMP.tobytes() * 100_000), 4_800_000)


def test_photos_and_pictures(tmp_path: Path):
    Image.new("RGB", (3, 2), (1, 2, 3)).save(tmp_path / "photo.png")
    photos = load_pictures(Catalogue((Article("a", (str(tmp_path / "photo.png"),)),)), 2)
    assert photos.content == (PHOTO,)
    assert fingerprints([np.arange(4, dtype=np.uint8).reshape(1, 2, 2)]) == (PICTURE,)


def test_an_article_falls_on_the_side_where_it_fell():
    articles = Catalogue(tuple(Article(f"i{number}") for number in range(20)))
    none = Pictures(np.zeros((0, 3, 2, 2), np.uint8), np.zeros(0, np.int64), (), ())
    assert split_articles(articles, none, seed=3).test == ("i10",)


def test_the_weights_of_an_encoder():
    network = torch.nn.Linear(4, 3)
    with torch.no_grad():
        network.weight.copy_(torch.from_numpy(RAMP))
        network.bias.zero_()
    assert _digest(network) == "4ba1d553ea23"


@pytest.mark.parametrize("watched", [False, True])
def test_the_training_of_a_member(watched: bool):
    entry = Entry(pd.Period("2024-01-01", "D"), RAMP, item_id="a")
    assert _identity(RandomWalkPredictor(7), 3, [entry], [entry] if watched else None, []) == MEMBERS[watched]
