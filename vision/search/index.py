"""An index of photos in a folder, which grows and shrinks and is whole after any kill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import safetensors.torch
import torch

from ...runtime.arguments.naming import naming
from ...runtime.digest import sha256_of
from ...runtime.plain import Plain, PlainObject
from ...runtime.reading.places import plain_name
from ...runtime.run_folder import RunFolder
from ..titles.text_encoder import TextEncoder
from .by_words import WordSearch, told_of
from .nearest import ExactNearest, FaissNearest, Found, Nearest
from .photo_vectors import PhotoVectors, require_same_encoder
from .segments import INDEX, Segment, commit, index_tensors, read_index, read_segment, write_segment
from .where import Condition, allowed_rows

Engine = Literal["exact", "faiss"]

_UNLIKE = 0.5
"""How much of the mean of what is not wanted is taken away from a query."""


@dataclass(frozen=True)
class Hit:
    """A search result: an article and its similarity.

    Arguments:
        item_id: its name.
        photo: the address of its most similar photo.
        score: how similar that is: the mean of the cosines of the parts, by their weights.
        labels: the labels of the article.
        text: its title.
    """

    item_id: str
    photo: str
    score: float
    labels: Mapping[str, tuple[str, ...]]
    text: str


class PhotoIndex:
    """The photos of articles by their vectors, in a folder or at an fsspec address.

    Rows lie in segments that are never changed; ``index.json`` names them. It is replaced in one step, after all that
    it names is in its place, so that a reader finds the index of before or of after, whatever happened.

    Arguments:
        folder: where it lies.
        vectors: the rows.
        described: how its vectors were made, as plain data; what `PhotoIndex.write` was given.
    """

    def __init__(self, folder: RunFolder, vectors: PhotoVectors, described: Mapping[str, Plain]) -> None:
        self.folder, self.vectors, self.described = folder, vectors, dict(described)
        self.item_ids = tuple(dict.fromkeys(vectors.item_ids))
        self._place = {item: number for number, item in enumerate(self.item_ids)}
        self._article = np.array([self._place[item] for item in vectors.item_ids], dtype=np.int64)
        self._nearest: dict[Engine, Nearest] = {}
        self._words: dict[str | None, WordSearch] = {}

    def __len__(self) -> int:
        """Articles."""
        return len(self.item_ids)

    @classmethod
    def write(
        cls,
        address: str,
        vectors: PhotoVectors,
        described: Mapping[str, Plain],
        tensors: Mapping[str, torch.Tensor],
        *,
        replace: bool = False,
    ) -> PhotoIndex:
        """Write a new index.

        Arguments:
            address: the folder or fsspec address.
            vectors: its rows.
            described: how the vectors were made, as plain data.
            tensors: what else is needed to make further ones.
            replace: whether an index that is there makes room.

        Raises:
            ValueError: there is no row, an index is there, or another process is writing one.
        """
        if not len(vectors):
            raise ValueError("data: expected articles with a photo for the index, got none")
        folder = RunFolder(address)
        with folder.alone("index"):
            if not replace:
                cls.require_none(folder)
            packed = safetensors.torch.save({name: tensor.contiguous() for name, tensor in tensors.items()})
            maker = f"maker-{sha256_of(packed)[:12]}.safetensors"
            folder.write_bytes(maker, packed)
            told: PlainObject = {"described": dict(described), "maker": maker, "encoder": vectors.encoder}
            commit(folder, {**told, "parts": dict(vectors.parts)}, [write_segment(folder, vectors)])
        return cls(folder, vectors, described)

    @staticmethod
    def require_none(folder: RunFolder) -> None:
        """Refuse a folder in which an index is.

        Raises:
            ValueError: one is.
        """
        if folder.has(INDEX):
            raise ValueError(f"index: expected a folder without an index, got one in {folder.address}")

    @classmethod
    def open(cls, address: str) -> PhotoIndex:
        """Read an index.

        Raises:
            FileNotFoundError: there is none.
            ValueError: a file of it is not whole, or its vectors do not fit together.
        """
        folder = RunFolder(address)
        with naming("index", folder.address):
            told, segments = read_index(folder)
            parts = [read_segment(folder, told, segment) for segment in segments]
            kept = [
                rows.rows(np.setdiff1d(np.arange(len(rows)), segment.gone)) if segment.gone else rows
                for rows, segment in zip(parts, segments, strict=True)
            ]
            return cls(folder, PhotoVectors.joined(kept), told["described"])

    def tensors(self) -> dict[str, torch.Tensor]:
        """What `write` was given to make further vectors with."""
        return index_tensors(self.folder, plain_name(str(read_index(self.folder)[0]["maker"]), "maker"))

    def add(self, vectors: PhotoVectors) -> PhotoIndex:
        """The index with further articles, which are on the disk when this returns.

        Raises:
            ValueError: an article is there already, the vectors are of another encoder, or another process is
                changing the index.
        """
        require_same_encoder(self.vectors, vectors)
        with self.folder.alone("index"):
            now = PhotoIndex.open(self.folder.address)
            if twice := [item for item in vectors.item_ids if item in now._place]:
                raise ValueError(f"item_ids: expected articles that are not in the index, got {twice[0]!r}, which is")
            if not len(vectors):
                return now
            told, segments = read_index(self.folder)
            commit(self.folder, told, [*segments, write_segment(self.folder, vectors)])
            return PhotoIndex(self.folder, PhotoVectors.joined([now.vectors, vectors]), now.described)

    def remove(self, item_ids: Sequence[str]) -> PhotoIndex:
        """The index without some articles, which are gone from the disk when this returns.

        Raises:
            ValueError: an article is not there, none would be left, or another process is changing the index.
        """
        with self.folder.alone("index"):
            now = PhotoIndex.open(self.folder.address)
            going = {item for item in item_ids if now.place(item) >= 0}
            left = np.array([item not in going for item in now.vectors.item_ids], dtype=bool)
            if not left.any():
                raise ValueError(f"item_ids: expected to leave articles in the index, got all {len(now)} of them")
            told, segments = read_index(self.folder)
            changed, start = [], 0
            for segment in segments:
                kept = np.setdiff1d(np.arange(segment.rows), segment.gone)
                stays = left[start : start + len(kept)]
                start += len(kept)
                changed.append(Segment(segment.name, segment.rows, (*segment.gone, *map(int, kept[~stays]))))
            remaining = now.vectors.rows(np.flatnonzero(left))
            if 2 * len(remaining) < sum(segment.rows for segment in changed):
                changed = [write_segment(self.folder, remaining)]
            commit(self.folder, told, [one for one in changed if len(one.gone) < one.rows])
            return PhotoIndex(self.folder, remaining, now.described)

    def place(self, item_id: str) -> int:
        """The number of an article.

        Raises:
            ValueError: it is not in the index.
        """
        if item_id not in self._place:
            raise ValueError(f"item: expected an article of the index, got {item_id!r}")
        return self._place[item_id]

    def of_item(self, item_id: str) -> np.ndarray:
        """The vectors of the photos of an article, float32 ``[photos, F]``."""
        return self.vectors.vectors[self._article == self.place(item_id)]

    def photos_of(self, names: Sequence[str]) -> list[str]:
        """The first photo of each article; what is none is a photo itself."""
        first = dict(zip(reversed(self.vectors.item_ids), reversed(self.vectors.photos), strict=True))
        return [first.get(name, name) for name in names]

    def search(
        self,
        queries: np.ndarray,
        k: int | None = None,
        *,
        where: Sequence[Condition] = (),
        unlike: np.ndarray | None = None,
        without: Sequence[str] = (),
        weights: Mapping[str, float] | None = None,
        words: np.ndarray | None = None,
        engine: Engine = "exact",
    ) -> list[Hit]:
        """The most similar articles, the best first.

        An article is as similar as the most similar pair of a query and one of its photos, and by what words add.

        Arguments:
            queries: float32 ``[Q, F]``.
            k: how many, at most as many as the index has; ten, or all, if ``None``. Fewer are found where filters
                leave fewer.
            where: conditions on the labels of the articles.
            unlike: vectors ``[m, F]`` of what is not wanted: half of their mean is taken away from each query, part by
                part (J. Rocchio, 1971).
            without: articles that are not to be found.
            weights: how much a part counts, 1 if not given.
            words: float32 ``[n]``, added to the similarity of each photo, see `WordSearch`.
            engine: what compares: the answers are the same; ``"exact"`` alone adds words.

        Raises:
            ValueError: k is not 1 … the number of articles, a part is not known or no weight is positive, vectors have
                another width, or a condition names no column or label.
        """
        if k is not None and not 1 <= k <= len(self):
            raise ValueError(f"k: expected 1…{len(self)}, the articles of the index, got {k}")
        shape = np.shape(queries)
        if len(shape) != 2 or shape[1] != self.vectors.vectors.shape[1] or not shape[0]:
            raise ValueError(f"queries: expected vectors of {self.vectors.vectors.shape[1]} numbers, got {list(shape)}")
        asked = self._weighted(queries, unlike, weights or {})
        allowed = None
        if where or without:
            hidden = set(without)
            allowed = allowed_rows(self.vectors.labels, where)
            allowed &= np.array([item not in hidden for item in self.vectors.item_ids], dtype=bool)
        found = self._engine(engine).search(asked, k or min(10, len(self)), allowed, words)
        return self._hits(found)

    def words(self, network: str | None = None) -> WordSearch:
        """What compares words with what is told of the articles; made when it is first asked for.

        Arguments:
            network: a folder or hub name of weights that read texts; ``None`` for TF-IDF.

        Raises:
            FileNotFoundError: there are no such weights.
        """
        if network not in self._words:
            encoder = None if network is None else TextEncoder.open(network)
            self._words[network] = WordSearch(told_of(self.vectors.texts, self.vectors.labels), encoder)
        return self._words[network]

    def _weighted(self, queries: np.ndarray, unlike: np.ndarray | None, weights: Mapping[str, float]) -> np.ndarray:
        parts = self.vectors.parts
        if strange := sorted(set(weights) - set(parts)):
            raise ValueError(f"weights: expected parts of {list(parts)}, got {strange[0]!r}")
        amounts = np.array([weights.get(name, 1.0) for name in parts])
        if not (np.isfinite(amounts).all() and amounts.min() >= 0 and amounts.sum() > 0):
            raise ValueError(f"weights: expected finite numbers, none below 0 and one above, got {amounts.tolist()}")
        asked, start = np.array(queries, dtype=np.float32), 0
        for amount, width in zip(amounts / amounts.sum(), parts.values(), strict=True):
            part = asked[:, start : start + width]
            if unlike is not None and len(unlike):
                part -= _UNLIKE * unlike[:, start : start + width].mean(axis=0)
                length = np.linalg.norm(part, axis=1, keepdims=True)
                part /= np.where(length > 0, length, 1.0)
            part *= amount
            start += width
        return asked

    def _engine(self, engine: Engine) -> Nearest:
        if engine not in self._nearest:
            made = FaissNearest if engine == "faiss" else ExactNearest
            self._nearest[engine] = made(self.vectors.vectors, self._article)
        return self._nearest[engine]

    def _hits(self, found: Found) -> list[Hit]:
        rows = self.vectors
        return [
            Hit(rows.item_ids[row], rows.photos[row], float(score), rows.labels[row], rows.texts[row])
            for row, score in zip(found.rows, found.scores, strict=True)
        ]
