"""What a shop knows of its articles: pictures, labels and text, read from a table and an image folder."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from string import Formatter
from typing import Any

import fsspec

from ...runtime.arguments.kinds import checked
from .table_rows import read_rows

logger = logging.getLogger(__name__)

MISSING_WORDS = ("", "NA", "N/A", "nan", "None")
"""Cells that mean "nobody said", in shop exports."""

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
_SIDE_FOLDERS = {"val": "validation"}


@dataclass(frozen=True)
class Article:
    """One thing a shop sells.

    Arguments:
        item_id: its name, the same as in the sales data.
        images: the addresses of its 0…n photos, the most telling one first.
        labels: column -> the labels of the article, none where nobody said; an ordinary column has at most
            one, a column of facets any number.
        text: its title or description.
        side: the side of a split on which the source put it (``"train"``, ``"validation"``, ``"test"``).
    """

    item_id: str
    images: tuple[str, ...] = ()
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    text: str = ""
    side: str | None = None


@dataclass(frozen=True)
class Catalogue:
    """The articles of a shop.

    Arguments:
        articles: the articles, in the order of the table.
        columns: the label columns.
        photos: where a table was said to have its photos: one elsewhere on a network is set aside; ``None`` for any.

    Raises:
        ValueError: an item id occurs twice, or an article has labels of a column that is not named.

    Example:
        >>> shop = Catalogue((Article("a", labels={"colour": ("red",)}), Article("b")), columns=("colour",))
        >>> len(shop), shop.article("a").labels["colour"]
        (2, ('red',))
    """

    articles: tuple[Article, ...]
    columns: tuple[str, ...] = ()
    photos: str | None = None

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for article in self.articles:
            if article.item_id in seen:
                raise ValueError(f"articles: expected unique item ids, got {article.item_id!r} twice")
            seen.add(article.item_id)
            if strange := set(article.labels) - set(self.columns):
                raise ValueError(
                    f"articles: expected labels of the columns {list(self.columns)}, "
                    f"got {sorted(strange)} for item {article.item_id!r}"
                )

    def __len__(self) -> int:
        return len(self.articles)

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The item ids, in the order of the articles."""
        return tuple(article.item_id for article in self.articles)

    def article(self, item_id: str) -> Article:
        """The article with this item id."""
        for article in self.articles:
            if article.item_id == item_id:
                return article
        raise ValueError(f"item_id: expected an article of the catalogue, got {item_id!r}")


@dataclass(frozen=True)
class CatalogueTable:
    """How the columns of a shop's table are to be read.

    A column of a nested table is named with dots (``"articleAttributes.Neck"``).

    Arguments:
        item_id: the column of the item id.
        images: the column of the photo names (a list, or a text split at ``separator``), or a template
            with other columns in braces (``"{id}.jpg"``).
        labels: the label columns; or label -> column, where the two are to be called differently, or the columns that
            hold it together (``{"colours": ["colour1", "colour2"]}``): an article has the labels of all of them.
        text: the column of the title or description.
        side: the column that says on which side of a split an article stands.
        separator: what stands between photo names, and between labels, in one text cell.
        missing: the texts that mean "nobody said", as an empty text always does.
    """

    item_id: str = "item_id"
    images: str | None = "images"
    labels: Sequence[str] | Mapping[str, str | Sequence[str]] = ()
    text: str | None = None
    side: str | None = None
    separator: str = "|"
    missing: tuple[str, ...] = MISSING_WORDS

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Label -> columns of the table."""
        named = self.labels if isinstance(self.labels, Mapping) else {name: name for name in self.labels}
        return {name: (held,) if isinstance(held, str) else tuple(held) for name, held in named.items()}


@checked
def read_catalogue(table: str, *, photos: str | None = None, columns: CatalogueTable) -> Catalogue:
    """Read articles from a table and point them at their photos.

    Nothing is opened here but the table; `hemline.datasets.pictures.photos.load_pictures` opens the photos.

    Arguments:
        table: path or fsspec address of a ``.jsonl``, ``.csv`` or ``.parquet`` table; the first two may end
            in ``.gz``.
        photos: folder or fsspec address (``s3://…``) of the photos; by default the folder of the table.
        columns: how to read the table.

    Returns:
        The catalogue; every photo carries its full address.

    Raises:
        ValueError: the ending is not known, the file is not whole or not in UTF-8, a line is not a record, a
            named column is in no row, or an item id is missing.
        FileNotFoundError: there is no such table.
    """
    rows = read_rows(table)
    wanted = [columns.item_id, *(column for held in columns.columns.values() for column in held)]
    wanted += [name for name in (columns.text, columns.side) if name] + _image_columns(columns)
    for name in wanted:
        if not any(_cell(row, name) is not None for row in rows):
            raise ValueError(f"columns: expected {name!r} in a row of {table}, got the columns {_known(rows)}")
    folder = (photos if photos is not None else str(PurePosixPath(table).parent)).rstrip("/")
    if photos is None and "://" in table:
        folder = table.rsplit("/", 1)[0]
    articles = tuple(_article(row, number, folder, columns, table) for number, row in enumerate(rows, start=1))
    return Catalogue(articles, tuple(columns.columns), folder)


def read_photo_folder(folder: str, *, label: str = "class") -> Catalogue:
    """Read a folder of photos as a catalogue with one label, the name of the folder a photo lies in.

    Arguments:
        folder: path or fsspec address; photos lie in ``<class>/<photo>`` or ``<side>/<class>/<photo>``, where
            the side is ``train``, ``validation`` (or ``val``) or ``test``.
        label: what to call the label column.

    Returns:
        One article a photo; its item id is the path of the photo inside the folder. A warning tells of photos
        that lie elsewhere.

    Raises:
        ValueError: there is no photo in a class folder.
    """
    files, path = fsspec.core.url_to_fs(folder)
    articles, elsewhere = [], []
    for found in sorted(files.find(path)):
        name = found[len(path) :].lstrip("/")
        parts = name.split("/")
        if not name.lower().endswith(PHOTO_SUFFIXES):
            continue
        side = _SIDE_FOLDERS.get(parts[0], parts[0]) if len(parts) == 3 else None
        if len(parts) not in (2, 3) or side not in (None, "train", "validation", "test"):
            elsewhere.append(name)
            continue
        address = f"{folder.rstrip('/')}/{name}"
        articles.append(Article(name, (address,), {label: (parts[-2],)}, side=side))
    if not articles:
        wanted = "<class>/ or <train|validation|test>/<class>/"
        raise ValueError(f"folder: expected photos in {wanted}, got none in {folder}")
    if elsewhere:
        text = (
            "%s: %d photos lie neither in <class>/ nor in <train|validation|test>/<class>/ and are left out, such as %s"
        )
        logger.warning(text, folder, len(elsewhere), elsewhere[0])
    return Catalogue(tuple(articles), (label,))


def _cell(row: Mapping[str, Any], column: str) -> Any:
    if column in row:
        cell = row[column]
        if not isinstance(cell, float):
            return cell
        # A column of whole numbers with a gap is often stored in floats, the gap as NaN.
        return None if cell != cell else int(cell) if cell.is_integer() else cell
    head, dot, rest = column.partition(".")
    inner = row.get(head)
    return _cell(inner, rest) if dot and isinstance(inner, Mapping) else None


def _texts(cell: Any, separator: str, missing: Iterable[str]) -> tuple[str, ...]:
    if cell is None:
        return ()
    parts = cell.split(separator) if isinstance(cell, str) else list(cell) if isinstance(cell, Iterable) else [cell]
    texts = (str(part).strip() for part in parts if part is not None)
    return tuple(dict.fromkeys(text for text in texts if text and text not in set(missing)))


def _labels(cell: Any, column: str, item: str) -> Any:
    """The cell of a label column: a text, a number or a list of them."""
    for part in cell if isinstance(cell, list | tuple) else (cell,):
        if isinstance(part, Mapping | list | tuple) or (isinstance(part, float) and math.isinf(part)):
            raise ValueError(
                f"{column}: expected a text, a finite number or a list of them for {item[:100]!r}, got {str(cell)[:60]}"
            )
    return cell


def _united(parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for part in parts for text in part))


def _image_columns(columns: CatalogueTable) -> list[str]:
    if columns.images is None:
        return []
    try:
        fields = [name for _, name, _, _ in Formatter().parse(columns.images) if name]
    except ValueError as error:
        raise ValueError(f"images: expected columns in braces, got {columns.images!r} ({error})") from None
    return fields or [columns.images]


def _filled(template: str, row: Mapping[str, Any], missing: Iterable[str]) -> tuple[str, ...]:
    """The one name that a template gives, none where nobody said what stands in a column."""
    parts = []
    for text, name, form, conversion in Formatter().parse(template):
        parts.append(text)
        if name:
            cell = _cell(row, name)
            if not _texts(cell, "\0", missing):
                return ()
            try:
                parts.append(format(Formatter().convert_field(cell, conversion), form or ""))
            except (TypeError, ValueError) as error:
                raise ValueError(f"images: expected cells that fit {template!r}, got {cell!r} ({error})") from None
    return ("".join(parts),)


def _article(row: dict[str, Any], number: int, folder: str, columns: CatalogueTable, table: str) -> Article:
    identity = _cell(row, columns.item_id)
    if identity is None or str(identity).strip() == "":
        raise ValueError(f"table: expected {columns.item_id!r} in each row of {table}, got none in row {number}")
    names: tuple[str, ...] = ()
    if columns.images is not None and "{" in columns.images:
        names = _filled(columns.images, row, columns.missing)
    elif columns.images is not None:
        names = _texts(_cell(row, columns.images), columns.separator, columns.missing)
    text = _texts(_cell(row, columns.text), "\0", columns.missing) if columns.text else ()
    side = _cell(row, columns.side) if columns.side else None
    return Article(
        item_id=str(identity),
        images=tuple(name if "://" in name or name.startswith("/") else f"{folder}/{name}" for name in names),
        labels={
            label: _united(
                [
                    _texts(_labels(_cell(row, column), column, str(identity)), columns.separator, columns.missing)
                    for column in held
                ]
            )
            for label, held in columns.columns.items()
        },
        text=" ".join(text),
        side=str(side) if side is not None else None,
    )


def _known(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({str(name) for row in rows for name in row})
