"""Recommenders in folders, whole or absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from fsspec.implementations.local import LocalFileSystem

from ...datasets.pictures.vectors import IN_A_FOLDER, ArticleVectors, article_vectors_file
from ...datasets.purchases.purchases import Purchases
from ...runtime.arguments.kinds import checked
from ...runtime.plain import PlainObject, from_plain, object_in, to_plain
from ...runtime.run_folder import RunFolder
from ...runtime.whole_files import whole_contents
from ..names import NAMES
from .features import ArticleFeatures
from .recommender import FittedRecommender, Recommender

SIGN = "recommender.json"
"""The file that says that all others are there."""

_PURCHASES, _FEATURES = "purchases.parquet", "articles.safetensors"


def save_recommender(fitted: FittedRecommender, address: str) -> None:
    """Write a recommender to a folder, which then holds it whole or not at all.

    Beside what it learnt and the purchases, which say what a customer has bought, there is ``vectors.parquet``: the
    vectors of its articles, where it has any.

    Arguments:
        fitted: the recommender.
        address: a folder, which is made if need be, or an fsspec address; the sign that all is there comes last.
    """
    folder = RunFolder(address)
    if isinstance(folder.files, LocalFileSystem):
        with whole_contents(Path(folder.root), SIGN) as aside:
            _write(fitted, RunFolder(str(aside)))
    else:
        _write(fitted, folder)


def _write(fitted: FittedRecommender, folder: RunFolder) -> None:
    fitted.write(folder)
    purchases, articles = fitted.purchases, fitted.articles
    folder.write_frame(
        _PURCHASES,
        pd.DataFrame({"customer": purchases.customer, "article": purchases.article, "time": purchases.time}),
    )
    vectors = fitted.neighbours()
    known = np.isfinite(vectors).all(axis=1)
    if known.any():
        numbers, until = np.where(known[:, None], vectors, 0).astype(np.float32), str(purchases.time[-1])
        rows = ArticleVectors(fitted.item_ids, numbers, known, fitted.encoder, until)
        folder.write_bytes(IN_A_FOLDER, article_vectors_file(rows, {"encoder": fitted.encoder}))
    described: PlainObject = {
        "model": to_plain(fitted.config),
        "customers": list(purchases.customers),
        "item_ids": list(purchases.item_ids),
        "articles": None,
    }
    if articles is not None:
        folder.write_tensors(
            _FEATURES,
            {name: torch.from_numpy(getattr(articles, name)) for name in ("tags", "vectors", "shown")},
        )
        described["articles"] = {"tag_names": list(articles.tag_names), "encoder": articles.encoder}
    folder.write_json(SIGN, described)


@checked
def load_recommender(address: str) -> FittedRecommender:
    """Read the recommender that `hemline recommend train` or `save_recommender` wrote.

    Arguments:
        address: the folder or fsspec address.

    Returns:
        The recommender.

    Raises:
        FileNotFoundError: there is none.
        ValueError: a file is not what was written.
    """
    folder = RunFolder(address)
    if not folder.has(SIGN):
        raise FileNotFoundError(f"recommender: expected a folder that `hemline recommend train` wrote, got {address}")
    try:
        return _read(folder)
    except OSError:
        raise
    except Exception as error:
        # Files of anybody can fail in any way: each is one kind of error, which names the folder.
        said = " ".join(str(error).split())
        kind = "" if isinstance(error, ValueError) and said else f"{type(error).__name__}: "
        raise ValueError(f"recommender: cannot read {address}: {kind}{said}") from error


def _read(folder: RunFolder) -> FittedRecommender:
    described = folder.read_json(SIGN)
    config = from_plain(object_in(described, "model"), NAMES)
    if not isinstance(config, Recommender):
        raise ValueError(f"expected the settings of a recommender, got {type(config).__name__}")
    item_ids, rows = tuple(map(str, described["item_ids"])), folder.read_frame(_PURCHASES)
    purchases = Purchases(
        tuple(map(str, described["customers"])),
        item_ids,
        rows["customer"].to_numpy(),
        rows["article"].to_numpy(),
        rows["time"].to_numpy(),
    )
    articles = None
    if described["articles"] is not None:
        told, tensors = object_in(described, "articles"), folder.read_tensors(_FEATURES)
        articles = ArticleFeatures(
            item_ids,
            tensors["tags"].numpy(),
            tuple(map(str, told["tag_names"])),  # type: ignore[arg-type]
            tensors["vectors"].numpy(),
            tensors["shown"].numpy(),
            str(told["encoder"]),
        )
    return config.read(folder, purchases, articles)
