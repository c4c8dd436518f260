"""Levels of an assortment: which series add up to which total."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ...runtime.arguments.kinds import Checked
from ..tables.foreign_frames import Frame
from ..tables.table_files import TableFile, read_table

TOTAL = "total"
"""The level above all others: the sum of all series."""

By = str | Sequence[str]
"""A level by its name, or several that are crossed."""


@dataclass(frozen=True)
class Hierarchy(Checked):
    """Groups of series by attributes such as category, brand or region, one label each, and their summing matrix.

    Attributes may be crossed: a label of ``("region", "category")`` is ``north / coats``. Those named in `nested` lie
    within one another, and a label that has two parents is refused.

    Arguments:
        item_ids: names of the D series.
        attributes: for each attribute the label of each series ``[D]``.
        nested: attributes from the coarsest to the finest that form a tree, such as ``("region", "store")``.

    Raises:
        ValueError: a name occurs twice, an attribute has not one label a series, is called ``"total"``, or a label lies
            under two others of a tree.

    Example:
        >>> shop = Hierarchy(("coat", "jacket", "hat"), {"category": ("warm", "warm", "head")})
        >>> shop.labels("category"), shop.matrix("category").tolist()
        (('warm', 'head'), [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    """

    item_ids: tuple[str, ...]
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    nested: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        twice = pd.Index(self.item_ids).duplicated()
        if not self.item_ids or twice.any():
            got = f"{self.item_ids[int(twice.argmax())]!r} twice" if self.item_ids else "none"
            raise ValueError(f"item_ids: expected names of series, each once, got {got}")
        for name, labels in self.attributes.items():
            if name == TOTAL:
                raise ValueError(f"attributes: expected another name than {TOTAL!r}, which is the sum of all series")
            if len(labels) != len(self.item_ids):
                raise ValueError(
                    f"attributes: expected a label of {name!r} for each of {len(self.item_ids)} series, "
                    f"got {len(labels)}"
                )
            missing = next((item for item, label in zip(self.item_ids, labels, strict=True) if not label), None)
            if missing is not None:
                raise ValueError(f"attributes: expected a label of {name!r} for every series, got none for {missing!r}")
        for name in self.nested:
            self._known("nested", name)
        for coarse, fine in zip(self.nested, self.nested[1:], strict=False):
            self._one_parent(coarse, fine)

    @classmethod
    def from_frame(
        cls,
        table: Frame | TableFile,
        item_ids: Sequence[str],
        *,
        item: str,
        levels: Sequence[str],
        nested: Sequence[str] = (),
    ) -> Hierarchy:
        """The hierarchy of a table of articles.

        Arguments:
            table: a frame with a row an article, or several that agree; or the path of a table file.
            item_ids: names of the D series, as ``data.metadata.item_ids`` has them; further rows are left out.
            item: the column that names the series.
            levels: the columns of attributes.
            nested: those of them that form a tree, the coarsest first.

        Raises:
            ValueError: a column is not there, a series has no row or an empty cell, or its rows disagree.

        Example:
            >>> articles = pd.DataFrame({"sku": ["coat", "hat"], "category": ["warm", "head"]})
            >>> Hierarchy.from_frame(articles, ["hat", "coat"], item="sku", levels=["category"]).attributes
            {'category': ('head', 'warm')}
        """
        rows, _ = read_table(table, [item, *levels], [])
        for argument, names in (("item", [item]), ("levels", levels)):
            unknown = next((name for name in names if name not in rows.columns), None)
            if unknown is not None:
                raise ValueError(f"{argument}: expected one of {', '.join(map(str, rows.columns))}; got {unknown!r}")
        rows = rows[[item, *levels]].astype({item: str})
        rows = rows[rows[item].isin(list(item_ids))].drop_duplicates()
        twice = rows[rows[item].duplicated(keep=False)]
        if len(twice):
            name = str(twice[item].iloc[0])
            both = twice[twice[item] == name]
            level = next(level for level in levels if both[level].nunique(dropna=False) > 1)
            raise ValueError(
                f"table: expected one {level!r} for {name!r}, got {_words(both[level])}: an article has one parent"
            )
        rows = rows.set_index(item)
        unknown = next((name for name in item_ids if name not in rows.index), None)
        if unknown is not None:
            raise ValueError(f"table: expected a row for every series, got none for {unknown!r}")
        rows = rows.loc[list(item_ids)]
        attributes = {
            level: tuple("" if pd.isna(label) else str(label).strip() for label in rows[level]) for level in levels
        }
        return cls(tuple(item_ids), attributes, tuple(nested))

    @classmethod
    def of_stores(cls, item_ids: Sequence[str]) -> Hierarchy:
        """The hierarchy of series called ``article@store``, with the attributes ``article`` and ``store``.

        It ties a chain to its stores: the label of an article is the name that it has in the table of the chain.

        Raises:
            ValueError: a name has no ``@`` between two parts.

        Example:
            >>> Hierarchy.of_stores(["coat@north", "coat@south"]).attributes
            {'article': ('coat', 'coat'), 'store': ('north', 'south')}
        """
        parts = [name.rpartition("@") for name in item_ids]
        wrong = next((name for name, (left, _, right) in zip(item_ids, parts, strict=True) if not (left and right)), "")
        if wrong:
            raise ValueError(f"item_ids: expected names such as 'article@store', got {wrong!r}")
        named = {"article": tuple(left for left, _, _ in parts), "store": tuple(right for _, _, right in parts)}
        return cls(tuple(item_ids), named)

    @classmethod
    def of_attributes(
        cls, item_ids: Sequence[str], attributes: Mapping[str, Mapping[str, str]], nested: Sequence[str] = ()
    ) -> Hierarchy:
        """The hierarchy of the attributes that a dataset or an entry has.

        Series that are all called ``article@store`` have the attributes ``article`` and ``store`` as well, unless
        others are called so: a chain and its stores are tied.

        Arguments:
            item_ids: names of the D series.
            attributes: for each attribute the labels by name, as ``data.metadata.attributes`` has them.
            nested: those of them that form a tree, the coarsest first.

        Raises:
            ValueError: a series has no label, or the labels are none of a hierarchy.

        Example:
            >>> of_brand = {"brand": {"coat@north": "own", "coat@south": "own", "hat@north": "other"}}
            >>> Hierarchy.of_attributes(["coat@north", "hat@north"], of_brand).attributes
            {'article': ('coat', 'hat'), 'store': ('north', 'north'), 'brand': ('own', 'other')}
        """
        told: dict[str, tuple[str, ...]] = {}
        for name, labels in attributes.items():
            missing = next((item for item in item_ids if item not in labels), None)
            if missing is not None:
                raise ValueError(f"attributes: expected a label of {name!r} for every series, got none for {missing!r}")
            told[name] = tuple(labels[item] for item in item_ids)
        if item_ids and all(0 < item.rfind("@") < len(item) - 1 for item in item_ids):
            told = {**cls.of_stores(item_ids).attributes, **told}
        return cls(tuple(item_ids), told, tuple(nested))

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels above the series, the total first."""
        return (TOTAL, *self.attributes)

    def labels(self, by: By = TOTAL) -> tuple[str, ...]:
        """The labels of a level ``[G]``, in the order in which they occur.

        Arguments:
            by: a level, ``"total"``, or several attributes that are crossed.

        Raises:
            ValueError: there is no such attribute.
        """
        return tuple(dict.fromkeys(self.of_series(by)))

    def of_series(self, by: By = TOTAL) -> tuple[str, ...]:
        """The label of each series ``[D]``; see `labels`."""
        if by == TOTAL:
            return (TOTAL,) * len(self.item_ids)
        names = (by,) if isinstance(by, str) else tuple(by)
        if not names:
            raise ValueError("by: expected a level or several, got none")
        for name in names:
            self._known("by", name)
        return tuple(" / ".join(labels) for labels in zip(*(self.attributes[name] for name in names), strict=True))

    def matrix(self, by: By = TOTAL) -> np.ndarray:
        """The summing matrix of a level ``[G, D]``: 1 where a series belongs to a label, else 0."""
        of_series = np.array(self.of_series(by), dtype=object)
        return np.stack([(of_series == label).astype(np.float64) for label in self.labels(by)])

    def aggregates(self, levels: Sequence[By] | None = None) -> tuple[tuple[str, ...], np.ndarray]:
        """Names and summing matrix of the labels of several levels, one below the other.

        A label that holds the same series as one before is left out, since their totals are the same.

        Arguments:
            levels: the levels; ``None`` takes all of them, the total first.

        Returns:
            Names ``[A]``, such as ``category=coats``, and the matrix ``[A, D]``.
        """
        names: list[str] = []
        rows: list[np.ndarray] = []
        for by in self.levels if levels is None else levels:
            for label, row in zip(self.labels(by), self.matrix(by), strict=True):
                if not any(np.array_equal(row, other) for other in rows):
                    names.append(TOTAL if by == TOTAL else f"{_name(by)}={label}")
                    rows.append(row)
        return tuple(names), np.stack(rows) if rows else np.zeros((0, len(self.item_ids)))

    def of_items(self, item_ids: Sequence[str]) -> Hierarchy:
        """The hierarchy of some of the series, in another order.

        Raises:
            ValueError: a name is not one of the series.
        """
        places = {name: place for place, name in enumerate(self.item_ids)}
        unknown = next((name for name in item_ids if name not in places), None)
        if unknown is not None:
            raise ValueError(f"hierarchy: expected attributes for every series, got none for {unknown!r}")
        chosen = [places[name] for name in item_ids]
        attributes = {name: tuple(labels[place] for place in chosen) for name, labels in self.attributes.items()}
        return Hierarchy(tuple(item_ids), attributes, self.nested)

    def _known(self, argument: str, name: str) -> None:
        if name not in self.attributes:
            raise ValueError(f"{argument}: expected one of {', '.join(self.levels)}; got {name!r}")

    def _one_parent(self, coarse: str, fine: str) -> None:
        parents: dict[str, str] = {}
        for parent, label in zip(self.attributes[coarse], self.attributes[fine], strict=True):
            if parents.setdefault(label, parent) != parent:
                raise ValueError(
                    f"nested: expected one {coarse!r} for {fine} {label!r}, got {parents[label]!r} and {parent!r}"
                )


def _name(by: By) -> str:
    return by if isinstance(by, str) else " / ".join(by)


def _words(values: pd.Series) -> str:
    return " and ".join(repr(None if pd.isna(value) else str(value)) for value in values.unique()[:2])
