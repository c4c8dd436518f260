"""Vectors of articles beside their series: what a picture says, as static covariates."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...runtime.arguments.kinds import checked
from ...runtime.plain import Plain
from ...runtime.reading.parquet_files import read_parquet
from ...runtime.reading.places import require_allowed
from ..entries.gluonts_keys import STATIC, GluontsEntry

IN_A_FOLDER = "vectors.parquet"
"""The file of vectors in the folder of a recommender."""


@dataclass(frozen=True)
class ArticleVectors:
    """One vector an article.

    Arguments:
        item_ids: n names.
        vectors: float32 ``[n, k]``; zero for an article without a picture.
        shown: bool ``[n]``, whether the article has a picture.
        encoder: what made the vectors.
        until: the time of the latest purchase that they were learnt from; empty where they are of photos alone.

    Raises:
        ValueError: the lengths differ, an item id occurs twice, or a number is not finite.
    """

    item_ids: tuple[str, ...]
    vectors: np.ndarray
    shown: np.ndarray
    encoder: str = ""
    until: str = ""

    def __post_init__(self) -> None:
        if not len(self.item_ids) == len(self.vectors) == len(self.shown) or self.vectors.ndim != 2:
            raise ValueError(
                f"vectors: expected [{len(self.item_ids)}, k] and as many flags, "
                f"got {self.vectors.shape} and {len(self.shown)}"
            )
        if len(set(self.item_ids)) < len(self.item_ids):
            twice = next(item for item in self.item_ids if self.item_ids.count(item) > 1)
            raise ValueError(f"item_ids: expected each once, got {twice!r} twice")
        bad = ~np.isfinite(self.vectors).all(axis=1)
        if bad.any():
            raise ValueError(f"vectors: expected finite numbers, got others for item {self.item_ids[bad.argmax()]!r}")

    def joined(self, others: ArticleVectors) -> ArticleVectors:
        """The vectors of these and other articles, such as designs that are in no catalogue yet.

        Arguments:
            others: of the same encoder.

        Raises:
            ValueError: another encoder made the others, they have another length, or an item id is in both.

        Example:
            >>> old = ArticleVectors(("a",), np.array([[0.6]], dtype="float32"), np.array([True]), "net")
            >>> old.joined(ArticleVectors(("b",), np.array([[0.1]], dtype="float32"), np.array([True]), "net")).item_ids
            ('a', 'b')
        """
        if self.encoder != others.encoder or self.vectors.shape[1] != others.vectors.shape[1]:
            raise ValueError(
                f"others: expected {self.vectors.shape[1]} numbers of the encoder {self.encoder!r}, "
                f"got {others.vectors.shape[1]} of {others.encoder!r}"
            )
        return ArticleVectors(
            self.item_ids + others.item_ids,
            np.concatenate([self.vectors, others.vectors]),
            np.concatenate([self.shown, others.shown]),
            self.encoder,
            max(self.until, others.until),
        )

    def features(self, item_ids: Sequence[str]) -> np.ndarray:
        """Static features of some items: the vector, then 1 if the article has a picture and else 0.

        Arguments:
            item_ids: D names; an article in one of its stores, ``article@store``, has the vector of the article,
                and one that is not among the articles has no picture.

        Returns:
            float32 ``[D, k + 1]``.

        Example:
            >>> vectors = ArticleVectors(("a",), np.array([[0.6, 0.8]], dtype="float32"), np.array([True]))
            >>> vectors.features(["a", "new"]).tolist()
            [[0.6000000238418579, 0.800000011920929, 1.0], [0.0, 0.0, 0.0]]
        """
        place = {item: number for number, item in enumerate(self.item_ids)}
        rows = np.zeros((len(item_ids), self.vectors.shape[1] + 1), dtype=np.float32)
        for row, item in zip(rows, item_ids, strict=True):
            number = place.get(item, place.get(item.rpartition("@")[0]))
            if number is not None and self.shown[number]:
                row[:-1], row[-1] = self.vectors[number], 1.0
        return rows


@checked
def read_article_vectors(address: str) -> ArticleVectors:
    """Read what ``hemline vision embed`` or ``hemline recommend train`` wrote.

    Arguments:
        address: path or fsspec address of the Parquet file, or of the folder of a recommender.

    Returns:
        The vectors.

    Raises:
        ValueError: the file cannot be read, a column is missing, or vectors differ in length.
    """
    require_allowed(address)
    files, place = fsspec.core.url_to_fs(address)
    if files.isdir(place):
        address = f"{address.rstrip('/')}/{IN_A_FOLDER}"
    with fsspec.open(address, "rb") as file:
        try:
            frame = read_parquet(file)
        except (ValueError, OSError) as error:  # pyarrow's own are of these kinds, and name no file
            raise ValueError(f"address: expected a Parquet file of article vectors, got {address}: {error}") from error
    for column in ("item_id", "has_photo", "vector"):
        if column not in frame:
            raise ValueError(f"address: expected the column {column!r} in {address}, got {list(frame)}")
    widths = frame["vector"].map(np.size)
    if widths.nunique() > 1:
        item = frame["item_id"][widths != widths.iloc[0]].iloc[0]
        raise ValueError(f"address: expected vectors of {widths.iloc[0]} numbers in {address}, got others for {item!r}")
    encoder = str(frame["encoder"].iloc[0]) if "encoder" in frame and len(frame) else ""
    vectors = np.stack(frame["vector"].to_list()).astype(np.float32) if len(frame) else np.zeros((0, 0), np.float32)
    until = str(frame["until"].iloc[0]) if "until" in frame and len(frame) else ""
    items, shown = tuple(frame["item_id"].astype(str)), frame["has_photo"].to_numpy(bool)
    return ArticleVectors(items, vectors, shown, encoder, until)


def article_vectors_file(vectors: ArticleVectors, metadata: Mapping[str, Plain]) -> bytes:
    """The content of the Parquet file of some vectors, as `read_article_vectors` reads it.

    Columns: ``item_id``, ``has_photo``, ``vector`` and ``encoder``; ``until`` where they were learnt from purchases.

    Arguments:
        vectors: the vectors.
        metadata: how they were made, as plain data.
    """
    columns = {
        "item_id": pa.array(vectors.item_ids, pa.string()),
        "has_photo": pa.array(vectors.shown),
        "vector": pa.array(list(vectors.vectors), pa.list_(pa.float32())),
        "encoder": pa.array([vectors.encoder] * len(vectors.item_ids), pa.string()).dictionary_encode(),
    }
    if vectors.until:
        columns["until"] = pa.array([vectors.until] * len(vectors.item_ids), pa.string()).dictionary_encode()
    table = pa.table(columns).replace_schema_metadata({"hemline": json.dumps(metadata)})
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def join_to_entries(entries: Sequence[GluontsEntry], vectors: ArticleVectors) -> list[GluontsEntry]:
    """The same for univariate gluonts entries: each gets static numbers ``[k + 1]`` by its ``item_id``.

    gluonts' models scale a series by its past: for one without any, name the level (``default_scale`` of DeepAR), or
    the forecast is zero.

    Arguments:
        entries: entries with an ``item_id``.
        vectors: the vectors.

    Returns:
        New entries.

    Raises:
        ValueError: an entry has no item id.
    """
    joined = []
    for number, entry in enumerate(entries):
        if "item_id" not in entry:
            raise ValueError(f"entries: expected an item_id in each entry, got none in entry {number}")
        joined.append(with_static(entry, vectors.features([str(entry["item_id"])])[0]))
    return joined


def with_static(entry: GluontsEntry, features: np.ndarray) -> GluontsEntry:
    """An entry with further static numbers behind those that it has."""
    key = STATIC["static_real"]
    after = np.concatenate([np.asarray(entry[key], np.float32), features], axis=-1) if key in entry else features
    return {**entry, key: after}
