"""Make an index of a catalogue's photos, and find what looks like a photo or an article in it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ...datasets.pictures.catalogue import Article, Catalogue
from ...datasets.pictures.parts import photos_of
from ...datasets.pictures.photos import Cut, Pictures, Quarantined, load_pictures
from ...datasets.pictures.source import Progress, Source
from ...runtime.arguments.kinds import Count, Positive, checked
from ...runtime.arguments.naming import naming
from ...runtime.reading.places import is_remote, without_network
from ...runtime.run_folder import RunFolder
from ..networks.backbone import AUTO, Backbone
from ..networks.known_backbones import chosen_backbone
from ..similarity.look_encoder import (
    SAME_COLOUR,
    LookEncoder,
    colours_of,
    cutter,
    open_look_encoder,
    open_network,
    seen,
)
from ..similarity.look_space import LookSpace
from .index import Engine, Hit, PhotoIndex
from .perceptual_hash import perceptual_hash
from .photo_vectors import PhotoVectors
from .where import Condition

AXES = 128
"""Axes of the shape of an article."""

_FITTED_ON = 10_000
"""Photos at most from which the axes are estimated."""

_AT_ONCE = 128
"""Articles whose photos are in memory at a time."""


@checked
def build_index(
    source: Source,
    address: str,
    *,
    made_by: Mapping[str, str | int] | None = None,
    axes: Count = AXES,
    replace_index: bool = False,
    progress: Progress | None = None,
) -> tuple[PhotoIndex, tuple[Quarantined, ...]]:
    """Write an index of the photos of a catalogue: each cut to the article, seen by a network, and its colours.

    Arguments:
        source: the catalogue.
        address: folder or fsspec address of the index.
        made_by: ``{"backbone": name}`` or ``{"run": folder}``, what sees the photos; by default the pretrained features
            that are installed. ``"locator"`` beside it, the run of one, cuts photos whose ground is not plain.
        axes: how many axes describe the shape of an article, at most; they are estimated from these photos.
        replace_index: whether an index that is there makes room.
        progress: called with the articles done and all articles.

    Returns:
        The index, and the photos that could not be used.

    Raises:
        ValueError: no article has a photo, an index is there already, or another process is writing one.
    """
    described = dict(made_by or {})
    if not replace_index:
        PhotoIndex.require_none(RunFolder(address))
    if "run" not in described:
        described["backbone"] = chosen_backbone(str(described.get("backbone", AUTO)))
    backbone, network = open_network(described)
    bad: list[Quarantined] = []
    # In an order that is drawn, so that the first photos, on which the axes are fitted, are of all kinds of articles.
    order = np.random.default_rng(0).permutation(len(source.catalogue))
    space, waiting, made = None, [], []
    for articles, pictures in _opened(source, backbone, cutter(described), order, bad, progress):
        pixels = torch.from_numpy(pictures.pixels)
        features, widths = seen(backbone, pixels)
        waiting.append((articles, pictures, features, colours_of(backbone, pixels)))
        if space is None and sum(len(each[1]) for each in waiting) >= _FITTED_ON:
            space = LookSpace.fit(torch.cat([each[2] for each in waiting]), widths, axes)
        if space is not None:
            encoder = LookEncoder(backbone, space, described, network)
            made += [_rows(encoder, *each) for each in waiting]
            waiting = []
    if waiting:
        space = space or LookSpace.fit(torch.cat([each[2] for each in waiting]), widths, axes)
        made += [_rows(LookEncoder(backbone, space, described, network), *each) for each in waiting]
    if space is None:
        raise ValueError(f"data: expected articles with a photo for the index, got none{_first(bad)}")
    vectors = PhotoVectors.joined(made)
    place = {item: number for number, item in enumerate(source.catalogue.item_ids)}
    vectors = vectors.rows(np.argsort([place[item] for item in vectors.item_ids], kind="stable"))
    index = PhotoIndex.write(address, vectors, described, space.tensors(), replace=replace_index)
    return index, tuple(bad)


def extend_index(
    index: PhotoIndex, source: Source, *, progress: Progress | None = None
) -> tuple[PhotoIndex, tuple[Quarantined, ...]]:
    """Add the articles of a catalogue to an index, on the axes that it has.

    Returns:
        The index with them, and the photos that could not be used.

    Raises:
        ValueError: an article is in the index already, none has a photo, or the network that made the index has other
            weights now.
    """
    for item in source.catalogue.item_ids:
        if item in index.item_ids:
            raise ValueError(f"item_ids: expected articles that are not in the index, got {item!r}, which is")
    encoder = encoder_of(index)
    bad: list[Quarantined] = []
    made = []
    cut, order = cutter(encoder.described), np.arange(len(source.catalogue))
    for articles, pictures in _opened(source, encoder.backbone, cut, order, bad, progress):
        pixels = torch.from_numpy(pictures.pixels)
        features, _ = seen(encoder.backbone, pixels)
        made.append(_rows(encoder, articles, pictures, features, colours_of(encoder.backbone, pixels)))
    if not made:
        raise ValueError(f"data: expected articles with a photo for the index, got none{_first(bad)}")
    return index.add(PhotoVectors.joined(made)), tuple(bad)


@checked
def find_similar(
    index: PhotoIndex,
    like: Sequence[str],
    *,
    k: Count | None = None,
    where: Sequence[str] = (),
    unlike: Sequence[str] = (),
    weights: Mapping[str, float] | None = None,
    words: str | None = None,
    words_weight: Positive = 1.0,
    text_network: str | None = None,
    engine: Engine = "exact",
    photos: np.ndarray | None = None,
) -> list[Hit]:
    """The articles of an index that look most like some photos or articles, or that words name.

    Arguments:
        index: the index.
        like: item ids of the index, or paths or addresses of photos; those asked for are not found themselves. None
            where words alone are asked for.
        k: how many; ten, or all, if ``None``.
        where: conditions on labels, such as ``"neck=v"``, see `Condition`.
        unlike: item ids or photos of what is not wanted.
        weights: how much ``"shape"`` and ``"colours"`` count; by default the colours count more, as the same article in
            another view has them; ``ANY_COLOUR`` finds it in other colours. What was learnt has its weights within.
        words: what titles or labels are to say: alone, or beside photos ("like this, but blue").
        words_weight: how much the cosine of the words counts beside the similarity of the photos.
        text_network: a folder or hub name of weights that read words and titles; by default TF-IDF of words and pairs.
        engine: ``"exact"`` or ``"faiss"``, whose answers are the same; words take the former.
        photos: what `encode_photo` gave of further photos, float32 ``[photos, F]``.

    Returns:
        The articles, the most similar first.

    Raises:
        ValueError: something is neither in the index nor a photo that can be opened, or as in `PhotoIndex.search`.
    """
    if not like and words is None and photos is None:
        raise ValueError("like: expected photos, items or words, got none")
    if not like and unlike and photos is None:
        raise ValueError("like: expected photos or items beside what is not wanted, got none")
    conditions = [Condition.read(text) for text in where]
    encoder = None
    if any(name not in index.item_ids for name in (*like, *unlike)):
        encoder = encoder_of(index)
    nothing = np.zeros((1, index.vectors.vectors.shape[1]), dtype=np.float32)
    asked = [_vectors(index, encoder, name, "like") for name in like] + ([] if photos is None else [photos])
    queries = np.concatenate(asked or [nothing])
    against = [_vectors(index, encoder, name, "unlike") for name in unlike]
    return index.search(
        queries,
        k,
        where=conditions,
        unlike=np.concatenate(against) if against else None,
        without=[name for name in (*like, *unlike) if name in index.item_ids],
        weights=_weights(index) if weights is None else weights,
        words=None if words is None else words_weight * index.words(text_network).scores(words),
        engine=engine,
    )


def encode_photo(index: PhotoIndex, address: str, encoder: LookEncoder | None = None) -> np.ndarray:
    """The vectors of a photo that is not in the index, float32 ``[1, F]``, for `find_similar`.

    Arguments:
        index: whose network looks at it.
        address: of the photo.
        encoder: that of the index, where it is open already; see `encoder_of`.

    Raises:
        ValueError: it cannot be opened, or the network that made the index has other weights now.
    """
    return _encoded(encoder or encoder_of(index), address, "photo")


def _weights(index: PhotoIndex) -> Mapping[str, float]:
    return SAME_COLOUR if set(SAME_COLOUR) == set(index.vectors.parts) else {}


def encoder_of(index: PhotoIndex) -> LookEncoder:
    """The encoder of an index.

    Raises:
        ValueError: the weights are others than those that made it.
    """
    described = {str(name): value for name, value in index.described.items() if isinstance(value, (str, int))}
    told = f"{index.folder.address} remembers what made it; open that once yourself"
    asking = nullcontext() if is_remote(index.folder.address) else without_network(told)
    with asking, naming("index", index.folder.address):
        return open_look_encoder(described, index.vectors.encoder, index.tensors())


def _vectors(index: PhotoIndex, encoder: LookEncoder | None, name: str, argument: str) -> np.ndarray:
    if name in index.item_ids or encoder is None:
        return index.of_item(name)
    if "://" not in name and not os.path.isfile(name):
        raise ValueError(f"{argument}: expected a photo or an item of the index, got {name!r}")
    return _encoded(encoder, name, argument)


def _encoded(encoder: LookEncoder, name: str, argument: str) -> np.ndarray:
    alone = Catalogue((Article(name, images=(name,)),))
    pictures = _pictures(alone, encoder.backbone, cutter(encoder.described))
    if pictures.quarantine:
        raise ValueError(f"{argument}: {name}: {pictures.quarantine[0].reason}")
    return encoder.encode(pictures)


def _opened(
    source: Source,
    backbone: Backbone,
    cut: Cut,
    order: np.ndarray,
    bad: list[Quarantined],
    progress: Progress | None,
) -> Iterator[tuple[list[Article], Pictures]]:
    """Some articles at a time and their photos; those that could not be used are noted."""
    articles = source.catalogue.articles
    for start in range(0, len(order), _AT_ONCE):
        numbers = order[start : start + _AT_ONCE]
        some = [articles[number] for number in numbers]
        if source.pictures is None:
            pictures = _pictures(replace(source.catalogue, articles=tuple(some)), backbone, cut)
            bad += pictures.quarantine
        else:
            pictures = photos_of(source.pictures, numbers)
        if progress is not None:
            progress(start + len(some), len(order))
        if len(pictures):
            yield some, pictures


def _pictures(catalogue: Catalogue, backbone: Backbone, cut: Cut) -> Pictures:
    return load_pictures(catalogue, **backbone.preprocessing.photos | {"channels": 3}, cut=cut)


def _rows(
    encoder: LookEncoder, articles: Sequence[Article], pictures: Pictures, features: Tensor, colours: Tensor
) -> PhotoVectors:
    shown = [articles[number] for number in pictures.article]
    return PhotoVectors(
        tuple(article.item_id for article in shown),
        pictures.addresses,
        encoder.of_features(features, colours),
        encoder.parts,
        perceptual_hash(torch.from_numpy(pictures.pixels)),
        tuple(dict(article.labels) for article in shown),
        tuple(article.text for article in shown),
        encoder.name,
    )


def _first(bad: Sequence[Quarantined]) -> str:
    return f" ({len(bad)} in quarantine, {bad[0].address}: {bad[0].reason})" if bad else ""
