"""Which catalogue a command means: a description in TOML, a folder of photos, or Fashion-MNIST."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import fsspec

from ...runtime.folders import find_named
from ...runtime.toml_files import check_keys, read_description
from .catalogue import PHOTO_SUFFIXES, Catalogue, CatalogueTable, read_catalogue, read_photo_folder
from .fashion_mnist import fashion_mnist
from .photos import Fit, Pictures, load_pictures

Progress = Callable[[int, int], None]

FASHION_MNIST = "fashion_mnist"

_KEYS = ("table", "photos", "item_id", "images", "labels", "facets", "order", "text", "side", "separator", "missing")


@dataclass(frozen=True)
class Source:
    """A catalogue, and how to decode its photos.

    Arguments:
        catalogue: the articles.
        facets: those label columns in which several labels can hold.
        order: label column -> its classes in the wished order.
        pictures: the photos, for a source that holds them decoded.
    """

    catalogue: Catalogue
    facets: tuple[str, ...] = ()
    order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pictures: Pictures | None = None

    def load(self, size: int, *, channels: int = 3, fit: Fit = "pad", progress: Progress | None = None) -> Pictures:
        """The photos in the size and channels that a network reads; those of a decoded source as they are.

        Arguments:
            size: side of the square, pixels.
            channels: 3, or 1 for grey.
            fit: how a photo that is not square becomes one.
            progress: is told how many of how many photos are read.
        """
        if self.pictures is not None:
            return self.pictures
        return load_pictures(self.catalogue, size, channels=channels, fit=fit, progress=progress)


def open_source(data: str) -> Source:
    """Open the catalogue that a command names.

    A description in TOML has the keys ``table`` and ``photos`` (paths, looked for beside the description and
    then in the folders of ``HEMLINE_DATA``; or fsspec addresses), ``item_id``, ``images``, ``labels``,
    ``text``, ``side``, ``separator`` and ``missing`` as in `CatalogueTable`, ``facets`` and ``order``.

    Arguments:
        data: a ``.toml`` file; a folder of photos, see `read_photo_folder`; or ``"fashion_mnist"``, alone or as
            the last part of the path of its folder.

    Returns:
        The source.

    Raises:
        ValueError: a key is not known or is missing, a value is of another kind, or facets or an order are of
            no label column.
        FileNotFoundError: a file is in none of the places.
    """
    if data.rstrip("/").split("/")[-1] == FASHION_MNIST:
        catalogue, pictures = fashion_mnist(None if data == FASHION_MNIST else data)
        return Source(catalogue, pictures=pictures)
    if not data.endswith(".toml"):
        return Source(read_photo_folder(data))
    return _described(read_description(data), data)


def _described(described: Mapping[str, Any], data: str) -> Source:
    check_keys(data, described, _KEYS, ["table"])
    names = ("item_id", "images", "labels", "text", "side", "separator")
    options = {name: described[name] for name in names if name in described}
    _check_values(described, data)
    if "missing" in described:
        options["missing"] = tuple(described["missing"])
    photos = described.get("photos")
    catalogue = read_catalogue(
        find_named(described["table"], data),
        photos=find_named(photos, data) if photos is not None else None,
        columns=CatalogueTable(**options),
    )
    order = {name: tuple(classes) for name, classes in described.get("order", {}).items()}
    return Source(catalogue, tuple(described.get("facets", ())), order)


def _check_values(described: Mapping[str, Any], data: str) -> None:
    for key, value in described.items():
        if key == "order":
            wanted = "a table of lists of texts"
            right = isinstance(value, Mapping) and all(map(_are_texts, value.values()))
        elif key == "labels":
            wanted = "a list of texts, or a table of texts and lists of texts,"
            right = all(map(_are_texts, _lists(value))) if isinstance(value, Mapping) else _are_texts(value)
        elif key in ("facets", "missing"):
            wanted, right = "a list of texts", _are_texts(value)
        else:
            wanted, right = "a text that is not empty", isinstance(value, str) and value != ""
        if not right:
            raise ValueError(f"data: expected {wanted} as {key!r} in {data}, got {value!r}")
    columns = list(described.get("labels", ()))
    for key in ("facets", "order"):
        if strange := [name for name in described.get(key, ()) if name not in columns]:
            raise ValueError(f"data: expected label columns of {columns} as {key!r} in {data}, got {strange[0]!r}")


def _lists(named: Mapping[str, Any]) -> list[Any]:
    return [held if isinstance(held, list) and held else [held] for held in named.values()]


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def photos_in(address: str) -> list[str]:
    """The photos that an address names: those in a folder, at any depth, in the order of their names; or itself.

    Raises:
        ValueError: it is empty, or there is no photo in the folder.
    """
    if not address.strip():
        raise ValueError(f"path: expected a photo or a folder of photos, got {address!r}")
    files, path = fsspec.core.url_to_fs(address)
    if not files.isdir(path):
        return [address]
    inside = (name[len(path) :].lstrip("/") for name in sorted(files.find(path)))
    found = [name for name in inside if name.lower().endswith(PHOTO_SUFFIXES)]
    if not found:
        raise ValueError(f"path: expected photos in {address}, got none")
    return [f"{address.rstrip('/')}/{name}" for name in found]
